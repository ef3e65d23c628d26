"""`where` filters: any against a slow evaluation in Python, any object at all at the parser."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from filter_model import FILTERS, METADATA, anything, filters_of, holds
from gates import tries
from unitvec import Collection
from unitvec.collection import schema
from unitvec.collection.columns import MetadataColumns
from unitvec.collection.field_indexes import create_field_index
from unitvec.collection.filters import Condition, compile_where
from unitvec.collection.inputs import check_metadata
from unitvec.collection.rows import NewRow, Row
from unitvec.collection.store import Store
from unitvec.collection.where import CONDITIONS_MAX

Rows = list[dict[str, Any]]
#: Rows and filters -> per filter the positions of the rows that it lets through.
Evaluation = Callable[[Rows, list[dict[str, Any]]], list[list[int]]]


def through_sql(rows: Rows, filters: list[dict[str, Any]]) -> list[list[int]]:
    """The SQL of each filter on nothing but a table of metadata."""
    connection = apsw.Connection(":memory:")
    connection.execute("CREATE TABLE documents (key INTEGER PRIMARY KEY, metadata TEXT)")
    texts = [(check_metadata(row, i),) for i, row in enumerate(rows)]
    connection.executemany("INSERT INTO documents (metadata) VALUES (?)", texts)
    return [selected(connection, where) for where in filters]


def selected(connection: apsw.Connection, where: dict[str, Any]) -> list[int]:
    condition = compile_where(where)
    sql, bindings = ("1", ()) if condition is None else (condition.sql, condition.bindings)
    sql = f"SELECT key - 1, {sql} FROM documents AS d ORDER BY key"
    values = connection.execute(sql, bindings).fetchall()
    assert {value for _, value in values} <= {0, 1}  # never NULL
    return [key for key, value in values if value]


def through_columns(rows: Rows, filters: list[dict[str, Any]]) -> list[list[int]]:
    """The columns in memory that searches filter by; half of the rows come later, or change."""
    connection = apsw.Connection(":memory:")
    connection.execute(schema.TABLES)
    store = Store(Path("none"), connection)
    texts = [check_metadata(row, i) for i, row in enumerate(rows)]
    columns, half = MetadataColumns(), len(rows) // 2
    store.insert([NewRow(f"id{i}", None, "{}", {}) for i in range(half + 1)])
    for where in filters:
        columns.allowed(store, compiled(where))
    store.rewrite([Row(i + 1, f"id{i}", None, texts[i]) for i in range(half)])
    store.remove([half + 1])
    later = [NewRow(f"id{i}", None, texts[i], {}) for i in range(half, len(rows))]
    store.insert(later)
    found = [columns.allowed(store, compiled(where)).chosen.tolist() for where in filters]
    # Beside the row that was removed, keys are one larger than places, or two behind it.
    return [[key - 1 - (key > half) for key in keys] for keys in found]


def through_field_indexes(rows: Rows, filters: list[dict[str, Any]]) -> list[list[int]]:
    """SQL that goes through an index of every field that a filter names."""
    connection = apsw.Connection(":memory:")
    connection.execute(schema.TABLES)
    store = Store(Path("none"), connection)
    texts = [check_metadata(row, i) for i, row in enumerate(rows)]
    store.insert([NewRow(f"id{i}", None, text, {}) for i, text in enumerate(texts)])
    for where in filters:
        for field in fields_of(compiled(where)):
            create_field_index(connection, field)
    return [[key - 1 for key in store.keys_where(compiled(where))] for where in filters]


def fields_of(condition: Condition) -> set[str]:
    own = {condition.test.field} if condition.test else set()
    return own.union(*(fields_of(part) for part in condition.parts))


def compiled(where: dict[str, Any]) -> Condition:
    return compile_where(where) or Condition("1", ())


#: Every way in which filters are evaluated; each is compared with the same model.
EVALUATIONS: dict[str, Evaluation] = {
    "sql": through_sql,
    "columns": through_columns,
    "field indexes": through_field_indexes,
}

ROWS_AND_FILTERS = st.lists(METADATA, min_size=1, max_size=6).flatmap(
    lambda rows: st.tuples(st.just(rows), st.lists(filters_of(rows), min_size=1, max_size=8))
)


@pytest.mark.parametrize("evaluate", EVALUATIONS.values(), ids=EVALUATIONS)
@given(both=ROWS_AND_FILTERS)
@example(both=([{"a": 2**53 + 1}, {"a": float(2**53)}], [{"a": 2**53}, {"a": {"$gt": 2.0**53}}]))
@example(both=([{"a": "x\0y"}, {"a": "x"}], [{"a": {"$contains": "\0"}}, {"a": {"$gt": "x"}}]))
@example(both=([{"a.b": None, "a": {"b": 1}}], [{"a.b": 1}, {"a.b": {"$exists": True}}]))
@settings(max_examples=tries(400, 50_000), suppress_health_check=list(HealthCheck))
def test_any_filter_agrees_with_python(
    evaluate: Evaluation, both: tuple[Rows, list[dict[str, Any]]]
) -> None:
    rows, filters = both
    for where, found in zip(filters, evaluate(rows, filters), strict=True):
        assert found == [i for i, row in enumerate(rows) if holds(row, where)], where


@given(rows=st.lists(METADATA, min_size=1, max_size=8), filters=st.lists(FILTERS, max_size=10))
@settings(max_examples=tries(20, 2000), suppress_health_check=list(HealthCheck))
def test_a_collection_agrees_with_python(
    tmp_path_factory: pytest.TempPathFactory, rows: Rows, filters: list[Any]
) -> None:
    path = tmp_path_factory.mktemp("filters") / "c.uv"
    with Collection(path, dim=2, durability="normal") as db:
        ids = db.add(embeddings=np.ones((len(rows), 2)), metadatas=rows)
        assert db.get()["metadatas"] == rows
        for where in filters:
            expected = [i for i, row in zip(ids, rows, strict=True) if holds(row, where)]
            assert db.get(where=where)["ids"] == expected, where
            assert {hit.id for hit in db.search(np.ones(2), where=where)} == set(expected)
            assert [record.id for record in db.scan(where=where)] == expected


def outcome(where: Any) -> str:
    """What the parser says to anything at all: accepted and runnable, or refused in a sentence."""
    try:
        condition = compile_where(where)
    except (TypeError, ValueError) as error:
        check_refusal(error)
        return "refused"
    if condition is not None:
        selected(EMPTY, where)
    return "compiled"


def check_refusal(error: Exception) -> None:
    message = str(error)
    assert type(error) in (TypeError, ValueError)  # and not, say, a UnicodeEncodeError
    assert message.startswith("[where] ")
    assert ": expected " in message or message.startswith("[where] expected ")
    assert ", got " in message
    assert len(message.encode()) < 700


EMPTY = apsw.Connection(":memory:")
EMPTY.execute("CREATE TABLE documents (key INTEGER PRIMARY KEY, metadata TEXT)")
EMPTY.execute("INSERT INTO documents VALUES (1, '{\"a\":[1]}')")


@given(where=anything() | st.dictionaries(st.sampled_from(["a", "$and", "$not"]), anything()))
@settings(max_examples=tries(3000, 500_000), suppress_health_check=list(HealthCheck))
def test_any_object_compiles_or_is_refused(where: Any) -> None:
    outcome(where)


def chain(depth: int, *words: str) -> dict[str, Any]:
    """A filter of `depth` levels, the words taking turns."""
    where: dict[str, Any] = {"a.b": {"$in": [None, True, False, 1, "x"]}, "b": {"$contains": "x"}}
    for i in range(depth):
        word = words[i % len(words)]
        where = {word: where if word == "$not" else [{"c": 1}, where, {"d": {"$ne": 1}}]}
    return where


@pytest.mark.parametrize("words", [["$not"], ["$and"], ["$or"], ["$not", "$and", "$or"]])
def test_filters_of_every_allowed_depth_run(words: list[str]) -> None:
    for depth in (1, 32, 64):
        assert outcome(chain(depth, *words)) == "compiled"
    assert outcome(chain(65, *words)) == "refused"


@pytest.mark.parametrize("word", ["$and", "$or"])
def test_filters_of_every_allowed_size_run(word: str) -> None:
    dotted = {"a.b": {"$nin": [None, True, False, 1, "x"]}}
    for parts in ([dotted] * CONDITIONS_MAX, [{"a": {"$contains": "x"}}] * CONDITIONS_MAX):
        assert outcome({word: parts}) == "compiled"
        assert outcome({word: [*parts, {"a": 1}]}) == "refused"
    assert outcome({f"field {i}": i for i in range(CONDITIONS_MAX)}) == "compiled"


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ({"a": {"$gt": None}}, r"a\.\$gt"),
        (
            {"$and": [{"a": 1}, {"$or": [{"b.c": {"$in": [1, 2j]}}]}]},
            r"\$and\[1\]\.\$or\[0\]\.b\.c\.\$in\[1\]",
        ),
        ({"$not": {"a": {"$not": {"$foo": 1}}}}, r"\$not\.a\.\$not"),
        ({"a\ud800": 1}, r"a\\ud800"),
        ({"a": "x\ud800"}, "a"),
        ({"a": {"$not": {"$eq": -(10**5000)}}}, r"a\.\$not\.\$eq"),
        ({"$or": [{"a\0b": 1}]}, r"\$or\[0\]"),
        ({"x" * 10**6: math.nan}, "x{60}"),
    ],
)  # fmt: skip
def test_errors_name_the_place(where: Any, place: str) -> None:
    with pytest.raises(ValueError, match=rf"^\[where\] {place}: expected "):
        compile_where(where)


def looped() -> Any:
    where: dict[str, Any] = {}
    where["$and"] = [where, where]
    return where


def shared(depth: int) -> Any:
    """Few objects, but 2**depth paths through them."""
    where: dict[str, Any] = {"a": 1}
    for _ in range(depth):
        where = {"$or": [where, where]}
    return where


def towering(kind: type) -> Any:
    value: Any = kind()
    for _ in range(100_000):
        value = [value] if kind is list else {"a": value}
    return value


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


HOSTILE: dict[str, Callable[[], Any]] = {
    "a loop": looped,
    "2**60 paths": lambda: shared(60),
    "a list of 100,000 levels": lambda: towering(list),
    "a dictionary of 100,000 levels": lambda: towering(dict),
    "a deep operand": lambda: {"a": towering(list)},
    "a deep $and": lambda: {"$and": towering(list)},
    "a deep $in": lambda: {"a": {"$in": towering(list)}},
    "a deep $not": lambda: {"$not": towering(dict)},
    "an integer of 5,000 digits": lambda: {"a": 10**5000},
    "one in a list": lambda: {"a": {"$in": [-(10**5000)]}},
    "an integer for a filter": lambda: 10**5000,
    "an object that has no repr": lambda: {"a": Unprintable()},
    "text of 128 MiB": lambda: {"a": "x" * 2**27},
    "a name of 128 MiB": lambda: {"x" * 2**27: 1},
    "a list of 100 MiB": lambda: {"a": {"$in": ["x" * 2**20] * 100}},
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_filters_without_end_or_form_are_refused(make: Callable[[], Any]) -> None:
    assert outcome(make()) == "refused"


@pytest.mark.parametrize(
    "make",
    [
        lambda n: {"$and": [{"a": i, "b": {"$gt": i}} for i in range(n)]},
        lambda n: {"a": {"$in": list(range(n))}},
        lambda n: {"$or": [{"$and": [{"a": 1}]}] * n},
        lambda n: {"$and": [{"$and": [{"a": 1}]}] * n + [{"a": []}]},
    ],
)
def test_the_work_grows_with_the_filter_and_no_faster(make: Callable[[int], Any]) -> None:
    def calls(where: Any) -> int:
        count = 0

        def counted(frame: Any, event: str, argument: Any) -> None:
            nonlocal count
            count += 1

        sys.setprofile(counted)
        try:
            compile_where(where)
        except ValueError:
            pass
        finally:
            sys.setprofile(None)
        return count

    assert calls(make(400)) < 2.2 * calls(make(200))
