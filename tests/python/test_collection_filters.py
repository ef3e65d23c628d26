"""`where` filters: what they promise and refuse; tests/reliability/test_filters.py tries any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unitvec import Collection
from unitvec.collection.filters import compile_where
from unitvec.collection.where import CONDITIONS_MAX


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


def test_numpy_scalars_are_as_pythons() -> None:
    where = {"a": {"$gte": np.int16(2)}, "b": np.bool_(True), "c": {"$in": (np.float32(0.5),)}}
    assert compile_where(where) == compile_where({"a": {"$gte": 2}, "b": True, "c": {"$in": [0.5]}})


def test_a_field_index_leads_to_the_rows(tmp_path: Path) -> None:
    with Collection(tmp_path / "i.uv", dim=2) as db:
        db.add(
            embeddings=np.ones((300, 2)),
            ids=[f"id{i}" for i in range(300)],
            metadatas=[{"n": i, "a": {"b": str(i % 7)}, 'it\'s "x"': i} for i in range(300)],
        )
        fields = ["n", "a.b", 'it\'s "x"']
        filters = [
            {"n": {"$gte": 7, "$lt": 9}}, {"n": {"$in": [3, 5, 999]}}, {"a.b": "3"},
            {"it's \"x\"": 17}, {"$and": [{"n": 5}, {"a.b": "5"}]},
            {"$or": [{"n": 5}, {"a.b": "6"}]},
        ]  # fmt: skip
        before = [db.get(where=where)["ids"] for where in filters]
        assert all(before)
        assert [db.create_field_index(field) for field in fields] == [True] * 3
        assert not db.create_field_index("n")
        assert db.stats()["field_indexes"] == fields
        assert [db.get(where=where)["ids"] for where in filters] == before
        with db._session.reading() as store:
            for where in filters:
                condition = compile_where(where)
                assert condition is not None
                sql, bindings = store._where(condition)
                plan = store.connection.execute(
                    f"EXPLAIN QUERY PLAN SELECT key FROM documents AS d WHERE {sql}", bindings
                ).fetchall()
                assert "USING INDEX field_" in str(plan) or "USING COVERING INDEX" in str(plan)
        db.update("id5", metadatas={"n": 1000})
        assert db.get(where={"n": 1000})["ids"] == ["id5"]
        assert db.delete(where={"n": {"$lt": 5}}) == 5
        assert db.drop_field_index("a.b")
        assert not db.drop_field_index("a.b")
        with pytest.raises(ValueError, match="where"):
            db.create_field_index("$n")
        assert db.verify().ok
        db.compact()
    with Collection.open(tmp_path / "i.uv") as db:
        assert db.stats()["field_indexes"] == ["n", 'it\'s "x"']
        assert db.verify().ok


def test_many_conditions_on_a_field_with_an_index(tmp_path: Path) -> None:
    with Collection(tmp_path / "i.uv", dim=2) as db:
        db.add(
            embeddings=np.ones((3, 2)),
            ids=["a", "b", "c"],
            metadatas=[{"n": i} for i in (1, 2, 999)],
        )
        db.create_field_index("n")
        anyone = {"$or": [{"n": i} for i in range(1, CONDITIONS_MAX)]}
        assert db.get(where=anyone)["ids"] == ["a", "b", "c"]
