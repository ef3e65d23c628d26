"""Odd metadata and filters: the rows of docs/inputs.md, each under its name."""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from hashed_words import HashedWords
from odd_inputs import refuses, row, three_documents, writers_refuse
from unitvec import Collection
from unitvec.collection.inputs import METADATA_BYTES_MAX


@pytest.fixture
def db(tmp_path: Path, words: HashedWords) -> Iterator[Collection]:
    yield from three_documents(tmp_path, words)


def nested(depth: int, kind: type = dict) -> Any:
    value: Any = kind()
    for _ in range(depth - 1):
        value = {"a": value} if kind is dict else [value]
    return value


@row("metadata with nesting, text of any script, integers of 64 bits")
def test_metadata_keeps_its_types(db: Collection) -> None:
    value = {
        "i": -(2**63), "j": 2**63 - 1, "f": 0.1, "g": 5e-324, "h": 1.7976931348623157e308,
        "z": -0.0,
        "t": True, "n": None, "s": 'é"\\\0\u2028😀', "l": [1, [2.0], {}], "d": {"x": {}}, "": 0,
        'k"\\.$': 1, "deep": nested(63), "list": nested(63, list),
    }  # fmt: skip
    (one,) = db.add("x", metadatas=value)
    got = db.get(one)[0].metadata
    assert got == value
    assert list(got) == list(value)
    assert [type(v) for v in got.values()] == [type(v) for v in value.values()]
    assert math.copysign(1, got["z"]) == -1
    db.update(one, metadatas={"z": 1})
    assert db.get(one)[0].metadata == {**value, "z": 1}


class Weekday(enum.IntEnum):
    MONDAY = 1


@row("metadata with nesting, text of any script, integers of 64 bits")
def test_metadata_of_other_types_that_mean_the_same(db: Collection) -> None:
    given = {
        "f": np.float32(0.5), "i": np.int8(3), "b": np.bool_(True), "s": np.str_("x"),
        "e": Weekday.MONDAY,
        "t": (1, (2,)), "m": MappingProxyType({"a": 1}),
    }  # fmt: skip
    (one,) = db.add("x", metadatas=MappingProxyType(given))
    expected = {"f": 0.5, "i": 3, "b": True, "s": "x", "e": 1, "t": [1, [2]], "m": {"a": 1}}
    assert db.get(one)[0].metadata == expected
    assert db.get(where={"e": Weekday.MONDAY, "b": np.bool_(True), "i": np.int64(3)})["ids"] == [
        one
    ]


@row("metadata beyond JSON: NaN, integers beyond 64 bits, other types and keys")
@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (math.nan, ValueError), (-math.inf, ValueError), (np.float64("nan"), ValueError),
        (2**63, ValueError), (-(2**63) - 1, ValueError), (10**400, ValueError),
        (np.uint64(2**63), ValueError),
        (object(), TypeError), (b"x", TypeError), ({1}, TypeError), (1j, TypeError),
        (range(3), TypeError),
        (np.ones(2), TypeError), (np.datetime64("2020-01-01"), TypeError), ({1: 2}, TypeError),
        ({None: 2}, TypeError), ({("a",): 2}, TypeError),
    ],
)  # fmt: skip
def test_metadata_that_is_no_json(db: Collection, bad: Any, error: type[Exception]) -> None:
    for value, place in (({"a": bad}, "'a'"), ({"a": [{"b": [0, bad]}]}, "'a'[0]['b'][1]")):
        message = rf"\[metadatas\] item 1, field {re.escape(place)}: expected "
        writers_refuse(db, error, message, metadatas=[{}, value])


@row("metadata beyond JSON: NaN, integers beyond 64 bits, other types and keys")
def test_metadata_that_is_no_dictionary(db: Collection) -> None:
    writers_refuse(db, ValueError, "64 bits with their sign, got an integer of 16610 bits",
                   metadatas=[{}, {"a": 10**5000}])  # fmt: skip
    for bad in ("text", [1, 2], 7, [["a", 1]]):
        message = r"\[metadatas\] item 1: expected a dictionary or None, got "
        writers_refuse(db, TypeError, message, metadatas=[None, bad])


def looped(kind: type) -> Any:
    value: Any = kind()
    value.append(value) if kind is list else value.update(a=value)
    return {"a": value}


def shared(depth: int) -> Any:
    """Few objects, but 2**depth paths through them."""
    value: Any = [1, 2]
    for _ in range(depth):
        value = [value, value]
    return {"a": value}


@row("metadata beyond 64 levels, a million values or 16 MiB, also by merging; loops")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nested(65), "64 levels"),
        (lambda: {"a": nested(64, list)}, "64 levels"),
        (lambda: nested(100_000), "64 levels"),
        (lambda: looped(dict), "64 levels"),
        (lambda: looped(list), "64 levels"),
        (lambda: shared(60), "1000000 values"),
        (lambda: {"a": "x" * METADATA_BYTES_MAX}, f"{METADATA_BYTES_MAX} bytes"),
        (lambda: {"a": "日" * (METADATA_BYTES_MAX // 3)}, f"{METADATA_BYTES_MAX} bytes"),
        (lambda: {"a": "\x01" * (METADATA_BYTES_MAX // 6)}, f"{METADATA_BYTES_MAX} bytes"),
        (lambda: {"x" * METADATA_BYTES_MAX: 1}, f"{METADATA_BYTES_MAX} bytes"),
        (lambda: {"a": [0] * 10**7}, "1000000 values"),
    ],
)
def test_metadata_without_end(db: Collection, make: Callable[[], Any], message: str) -> None:
    writers_refuse(db, ValueError, rf"item 1: expected at most {message}", metadatas=[{}, make()])


@row("metadata beyond 64 levels, a million values or 16 MiB, also by merging; loops")
def test_metadata_of_10_mb(db: Collection) -> None:
    ten = {"text": "x" * 10**7}
    (one,) = db.add("x", metadatas=ten)
    assert db.get(one)[0].metadata == ten
    assert db.get(where={"text": {"$contains": "xx"}})["ids"] == [one]
    call = lambda: db.update(one, metadatas={"more": "y" * 10**7})  # noqa: E731
    refuses(db, call, ValueError, rf"item 0: expected at most {METADATA_BYTES_MAX} bytes")
    db.update(one, metadatas={"text": "y" * 10**7})
    assert db.get(one)[0].metadata == {"text": "y" * 10**7}


BAD_FILTERS: list[tuple[Any, type[Exception]]] = [
    ([], TypeError), ("a = 1", TypeError), (7, TypeError), ({1: 2}, TypeError),
    ({"$foo": 1}, ValueError),
    ({"a": {"$foo": 1}}, ValueError), ({"a": [1]}, ValueError), ({"a": {}}, ValueError),
    ({"a": {"$gt": True}}, ValueError), ({"a": {"$in": "x"}}, ValueError), ({"a": 1j}, ValueError),
    ({"a": math.nan}, ValueError), ({"a": 2**63}, ValueError), ({"$or": []}, ValueError),
]  # fmt: skip


def lookups_refuse(db: Collection, where: Any, error: type[Exception], message: str) -> None:
    refuses(db, lambda: db.get(where=where), error, message)
    refuses(db, lambda: next(db.scan(where=where)), error, message)
    refuses(db, lambda: db.delete(where=where), error, message)
    refuses(db, lambda: db.delete(["a"], where=where), error, message)
    refuses(db, lambda: db.search("x", where=where), error, message)


@row("a filter that is none: an unknown operator, a wrong operand")
@pytest.mark.parametrize(("where", "error"), BAD_FILTERS)
def test_bad_filters(db: Collection, where: Any, error: type[Exception]) -> None:
    lookups_refuse(db, where, error, r"^\[where\] (.*: )?expected .*, got ")


@row("a filter of more than 64 levels or 1,000 conditions; loops")
def test_filters_without_end(db: Collection) -> None:
    deep: Any = {"a": 1}
    for _ in range(65):
        deep = {"$not": deep}
    loop: dict[str, Any] = {}
    loop["$and"] = [loop]
    lookups_refuse(db, deep, ValueError, "64 levels")
    lookups_refuse(db, loop, ValueError, "64 levels")
    lookups_refuse(db, {"$or": [{"a": i} for i in range(1001)]}, ValueError, "1000 conditions")
    assert len(db.get(where={"$or": [{"year": i} for i in range(1000)]})) == 2
