"""`where` filters against a slow, obvious evaluation in Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unitvec import Collection
from unitvec.collection.filters import compile_where

MISSING = object()
KEYS = ["a", "b", "a.b", 'q"uo\\te', "$x y", "ключ"]
SCALARS = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([-1.5, 0.0, 1.0, 2.5])
    | st.sampled_from(["", "a", "ab", "b", "é", "1"])
)  # fmt: skip
METADATA = st.dictionaries(
    st.sampled_from(KEYS),
    SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.just("b"), SCALARS, max_size=1),
    max_size=4,
)


def kind(value: Any) -> str:
    if value is None or value is MISSING:
        return "null"
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, (int, float)) else type(value).__name__


def field(metadata: dict[str, Any], name: str) -> Any:
    if name in metadata:
        return metadata[name]
    value: Any = metadata
    for part in name.split("."):
        if not isinstance(value, dict) or part not in value:
            return MISSING
        value = value[part]
    return value


def equal(value: Any, operand: Any) -> bool:
    same = kind(value) == kind(operand)
    return same and (kind(value) == "null" or value == operand)


def operator_holds(value: Any, operator: str, operand: Any) -> bool:
    if operator == "$not":
        return not field_holds(value, operand)
    if operator in ("$ne", "$nin"):
        return not operator_holds(value, {"$ne": "$eq", "$nin": "$in"}[operator], operand)
    if operator == "$in":
        return any(equal(value, item) for item in operand)
    if operator == "$exists":
        return (value is not MISSING) == operand
    if operator == "$contains":
        if isinstance(value, str):
            return isinstance(operand, str) and operand in value
        return isinstance(value, list) and any(equal(item, operand) for item in value)
    if operator == "$eq":
        return equal(value, operand)
    if kind(value) != kind(operand):
        return False
    return {
        "$gt": lambda: value > operand,
        "$gte": lambda: value >= operand,
        "$lt": lambda: value < operand,
        "$lte": lambda: value <= operand,
    }[operator]()


def field_holds(value: Any, operand: Any) -> bool:
    if not isinstance(operand, dict):
        return equal(value, operand)
    return all(operator_holds(value, name, item) for name, item in operand.items())


def holds(metadata: dict[str, Any], where: dict[str, Any]) -> bool:
    results = []
    for name, operand in where.items():
        if name == "$and":
            results.append(all(holds(metadata, part) for part in operand))
        elif name == "$or":
            results.append(any(holds(metadata, part) for part in operand))
        elif name == "$not":
            results.append(not holds(metadata, operand))
        else:
            results.append(field_holds(field(metadata, name), operand))
    return all(results)


ORDERED = st.integers(-3, 3) | st.sampled_from([-1.5, 1.0, "", "a", "ab", "é"])
OPERATORS = st.one_of(
    st.tuples(st.sampled_from(["$eq", "$ne"]), SCALARS),
    st.tuples(st.sampled_from(["$gt", "$gte", "$lt", "$lte", "$contains"]), ORDERED),
    st.tuples(st.sampled_from(["$in", "$nin"]), st.lists(SCALARS, max_size=4)),
    st.tuples(st.just("$exists"), st.booleans()),
)
OPERANDS = st.recursive(
    st.lists(OPERATORS, min_size=1, max_size=2).map(dict),
    lambda inner: inner.map(lambda operand: {"$not": operand}),
    max_leaves=3,
)
FIELDS = st.sampled_from([*(key for key in KEYS if not key.startswith("$")), "no"]).flatmap(
    lambda name: (SCALARS | OPERANDS).map(lambda operand: {name: operand})
)
FILTERS = st.recursive(
    FIELDS,
    lambda inner: (
        st.tuples(st.sampled_from(["$and", "$or"]), st.lists(inner, min_size=1, max_size=3)).map(
            lambda pair: {pair[0]: pair[1]}
        )
        | inner.map(lambda where: {"$not": where})
    ),
    max_leaves=6,
)


@given(rows=st.lists(METADATA, min_size=1, max_size=8), filters=st.lists(FILTERS, max_size=10))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_filters_agree_with_python(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], filters: list[Any]
) -> None:
    path = tmp_path_factory.mktemp("filters") / "c.uv"
    with Collection(path, dim=2, durability="normal") as db:
        ids = db.add(embeddings=np.ones((len(rows), 2)), metadatas=rows)
        for where in filters:
            expected = [i for i, row in zip(ids, rows, strict=True) if holds(row, where)]
            assert db.get(where=where)["ids"] == expected, where


def test_a_filtered_search_never_starves(tmp_path: Path) -> None:
    stored = np.random.default_rng(0).standard_normal((2000, 8)).astype(np.float32)
    with Collection(tmp_path / "c.uv", dim=8) as db:
        db.add(embeddings=stored, ids=[str(i) for i in range(2000)],
               metadatas=[{"i": i, "rare": i % 400 == 7} for i in range(2000)])  # fmt: skip
        result = db.search(stored[0], k=5, where={"rare": True})
        assert {int(hit.id) for hit in result} == {7, 407, 807, 1207, 1607}
        result = db.search(stored[0], k=10, where={"i": {"$lt": 500}})
        scores = stored[:500] @ stored[0] / np.linalg.norm(stored[:500], axis=1)
        assert [int(hit.id) for hit in result] == np.argsort(-scores)[:10].tolist()
        assert len(db.search(stored[0], k=10, where={"i": -1})) == 0


def test_text_is_a_parameter_never_sql(tmp_path: Path) -> None:
    hostile = "x'; DROP TABLE documents; --"
    with Collection(tmp_path / "c.uv", dim=2) as db:
        db.add(embeddings=np.ones((2, 2)), metadatas=[{hostile: hostile}, {}])
        assert len(db.get(where={hostile: hostile})) == 1
        assert len(db.get(where={hostile: {"$contains": "DROP"}})) == 1
        assert db.count() == 2


def test_long_lists_are_one_parameter(tmp_path: Path) -> None:
    with Collection(tmp_path / "c.uv", dim=2) as db:
        db.add(embeddings=np.ones((3, 2)), metadatas=[{"n": n} for n in (5, 70_000, 200_000)])
        assert len(db.get(where={"n": {"$in": list(range(100_000))}})) == 2


@pytest.mark.parametrize("where", [None, {}])
def test_no_filter(where: Any) -> None:
    assert compile_where(where) is None


def nested(depth: int) -> dict[str, Any]:
    where: dict[str, Any] = {"a": 1}
    for _ in range(depth):
        where = {"$not": where}
    return where


@pytest.mark.parametrize(
    ("where", "error", "message"),
    [
        ({"a": {"$foo": 1}}, ValueError, r"expected one of .*\$contains.* got '\$foo'"),
        ({"$foo": []}, ValueError, r"got '\$foo'"),
        ({"$and": []}, ValueError, r"\$and with a list"),
        ({"$or": {"a": 1}}, ValueError, r"\$or with a list"),
        ({"$and": ["x"]}, TypeError, "expected a dictionary"),
        ({"$and": [{}]}, ValueError, "empty dictionary"),
        ({"a": {}}, ValueError, "expected a value or an operator"),
        ({"a": [1]}, ValueError, r"use \$contains"),
        ({"a": {"$gt": None}}, ValueError, "text or a number"),
        ({"a": {"$gt": True}}, ValueError, "text or a number"),
        ({"a": {"$in": "abc"}}, ValueError, "list of values"),
        ({"a": {"$in": [[1]]}}, ValueError, "expected text, a number"),
        ({"a": {"$exists": 1}}, ValueError, "True or False"),
        ({"a": {"$contains": None}}, ValueError, "text or a number"),
        ({"a": float("nan")}, ValueError, "finite"),
        ({"a": 2**63}, ValueError, "64-bit"),
        ({1: 2}, TypeError, "field names"),
        ("a = 1", TypeError, "expected a dictionary"),
        (nested(100), ValueError, "64 levels"),
    ],
)
def test_bad_filters_say_what_was_expected(
    where: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        compile_where(where)


def test_a_deep_filter_still_runs(tmp_path: Path) -> None:
    with Collection(tmp_path / "c.uv", dim=2) as db:
        db.add(embeddings=np.ones((1, 2)), metadatas=[{"a": 1}])
        assert len(db.get(where=nested(60))) == 1
