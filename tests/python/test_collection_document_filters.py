"""`where_document` filters against a slow, obvious evaluation in Python."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unitvec import Collection
from unitvec.collection.document_filters import compile_where_document

TEXTS = st.none() | st.text(alphabet="aAbé.%_\0 \n'", max_size=6)
PARTS = st.text(alphabet="aAbé.%_\0 '", min_size=1, max_size=2)
PATTERNS = st.sampled_from(["a", "^a", "b$", "[aA]b", r"a\.", r"\bb", "(?i)AB", "é|%", "^$", "."])
TESTS = st.one_of(
    st.tuples(st.sampled_from(["$contains", "$not_contains"]), PARTS),
    st.tuples(st.sampled_from(["$regex", "$not_regex"]), PATTERNS),
).map(lambda pair: dict([pair]))
FILTERS = st.recursive(
    TESTS,
    lambda inner: st.tuples(
        st.sampled_from(["$and", "$or"]), st.lists(inner, min_size=1, max_size=3)
    ).map(lambda pair: dict([pair])),
    max_leaves=5,
)


def holds(document: str | None, where: dict[str, Any]) -> bool:
    ((name, operand),) = where.items()
    if name in ("$and", "$or"):
        return (all if name == "$and" else any)(holds(document, part) for part in operand)
    if name.startswith("$not_"):
        return not holds(document, {"$" + name.removeprefix("$not_"): operand})
    if document is None:
        return False
    return operand in document if name == "$contains" else bool(re.search(operand, document))


@given(documents=st.lists(TEXTS, min_size=1, max_size=8), filters=st.lists(FILTERS, max_size=10))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_filters_agree_with_python(
    tmp_path_factory: pytest.TempPathFactory, documents: list[str | None], filters: list[Any]
) -> None:
    path = tmp_path_factory.mktemp("filters") / "c.uv"
    with Collection(path, dim=2, durability="normal") as db:
        ids = []
        for text in documents:
            given_text = None if text is None else [text]
            ids += db.add(given_text, embeddings=np.ones((1, 2)))
        for where in filters:
            expected = [i for i, text in zip(ids, documents, strict=True) if holds(text, where)]
            assert db.get(where_document=where)["ids"] == expected, where
            assert [r.id for r in db.scan(where_document=where)] == expected
            found = db.search(np.ones(2), k=len(ids), where_document=where)
            assert sorted(hit.id for hit in found) == sorted(expected)


def test_both_kinds_of_filter_together(tmp_path: Path) -> None:
    with Collection(tmp_path / "c.uv", dim=2) as db:
        db.add(["red cat", "red dog", "blue cat"], ids=["a", "b", "c"],
               embeddings=np.ones((3, 2)), metadatas=[{"n": 1}, {"n": 2}, {"n": 3}])  # fmt: skip
        cats = {"$contains": "cat"}
        assert db.get(where={"n": {"$gte": 2}}, where_document=cats)["ids"] == ["c"]
        assert db.get(["c", "b", "a"], where_document=cats)["ids"] == ["c", "a"]
        assert db.delete(where={"n": {"$gte": 2}}, where_document=cats) == 1
        assert db.delete(where_document={"$regex": "^red"}) == 2
        assert db.count() == 0


@pytest.mark.parametrize(
    ("where", "error", "message"),
    [
        ("cat", TypeError, "expected a dictionary, got str"),
        ({"$like": "x"}, ValueError, r"one of .*\$not_regex.*, got '\$like'"),
        ({"text": "x"}, ValueError, "got 'text'"),
        ({"$contains": 7}, TypeError, r"text for \$contains, got int"),
        ({"$contains": ""}, ValueError, "some text"),
        ({"$contains": "\ud800"}, ValueError, "UTF-8"),
        ({"$regex": "("}, ValueError, r"regular expression for \$regex, got '\('"),
        ({"$and": []}, ValueError, r"\$and with a list"),
        ({"$or": [{}]}, ValueError, "empty dictionary inside"),
    ],
)
def test_bad_filters_say_what_was_expected(
    where: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        compile_where_document(where)


def test_filters_without_end() -> None:
    tower: Any = []
    for _ in range(100_000):
        tower = [tower]
    shared: dict[str, Any] = {"$contains": "x"}
    for _ in range(60):
        shared = {"$or": [shared, shared]}  # few objects, but 2**60 paths through them
    for where, message in (
        ({"$and": tower}, "expected a dictionary, got list"),
        ({"$and": {"$contains": tower}}, "with a list of filters"),
        (shared, "at most 1000 conditions"),
        ({"$contains": "x" * 2**27}, "at most 67108864 bytes"),
        ({"$regex": "(" * 4000}, "a regular expression"),
        ({"$regex": "x" * 4097}, "a regular expression of at most 4096 characters"),
        ({"$regex": "x{99999999999999999999}"}, "a regular expression"),
    ):
        with pytest.raises((TypeError, ValueError), match=message) as caught:
            compile_where_document(where)
        assert len(str(caught.value)) < 700


def test_filters_of_a_thousand_conditions_run(tmp_path: Path) -> None:
    with Collection(tmp_path / "c.uv", dim=2) as db:
        db.add(["cats", "dogs"], ids=["cats", "dogs"], embeddings=np.ones((2, 2)))
        many = [{"$contains": f"{i} cats"} for i in range(999)]
        assert db.get(where_document={"$or": [*many, {"$contains": "cat"}]})["ids"] == ["cats"]
        assert db.get(where_document={"$and": [{"$not_contains": "dog"}] * 1000})["ids"] == ["cats"]


def test_a_pattern_without_end_is_ended_by_a_signal(tmp_path: Path) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    with Collection(tmp_path / "c.uv", dim=2) as db:
        db.add(["a" * 60], ids=["a"], embeddings=[[1, 0]])
        before = signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        try:
            with pytest.raises(KeyboardInterrupt):
                db.get(where_document={"$regex": "(a|a)*b"})  # 2**60 ways
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        assert db.get(where_document={"$regex": "^a+$"})["ids"] == ["a"]


def test_a_filter_that_is_too_deep() -> None:
    where: dict[str, Any] = {"$contains": "x"}
    for _ in range(100):
        where = {"$and": [where]}
    with pytest.raises(ValueError, match="64 levels"):
        compile_where_document(where)
