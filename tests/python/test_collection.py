"""The collection's verbs: what is stored, found, changed and refused."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import unitvec
from hashed_words import HashedWords
from unitvec import Collection, FingerprintError, FormatError, StoreLockedError

TEXTS = ["The cat sat on the mat", "Shares fell today", "a dog barks at the cat"]


@pytest.fixture
def db(tmp_path: Path, words: HashedWords) -> Any:
    with Collection(tmp_path / "notes.uv", encoder=words) as collection:
        collection.add(TEXTS, ids=["a", "b", "c"], metadatas=[{"year": 1}, {"year": 2}, None])
        yield collection


def vectors(count: int, dim: int = 16, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)


def contents(collection: Collection) -> dict[str, tuple[str | None, dict[str, Any]]]:
    return {r.id: (r.document, r.metadata) for r in collection.scan()}


def test_search_by_text_finds_the_nearest(db: Collection) -> None:
    result = db.search("cat", k=2)
    assert [hit.id for hit in result] == ["c", "a"]
    assert result[0].document == TEXTS[2]
    assert result[1].metadata == {"year": 1}
    assert result.exact
    assert result.recall_estimate == 1.0
    assert result.took_ms > 0


def test_search_gives_a_list_for_a_list(db: Collection, words: HashedWords) -> None:
    both = db.search(["cat", "shares"], k=1)
    assert [result[0].id for result in both] == ["c", "b"]
    query = words.encode(["cat", "shares"])
    assert [r[0].id for r in db.search(query, k=1)] == ["c", "b"]
    assert db.search(query[0], k=1)[0].id == "c"
    assert db.search(query[0].tolist(), k=1)[0].id == "c"
    assert db.search([]) == []


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclidean", "manhattan"])
def test_search_equals_brute_force(tmp_path: Path, metric: str) -> None:
    stored, queries = vectors(300), vectors(20, seed=1)
    if metric == "cosine":
        scores = queries @ stored.T
        scores /= np.linalg.norm(queries, axis=1)[:, None] * np.linalg.norm(stored, axis=1)
    elif metric == "dot":
        scores = queries @ stored.T
    else:
        order = 2 if metric == "euclidean" else 1
        scores = -np.linalg.norm(queries[:, None] - stored[None], ord=order, axis=2)
    best = np.argsort(-scores, axis=1)[:, :7]
    with Collection(tmp_path / "v.uv", dim=16, metric=metric) as db:
        db.add(embeddings=stored, ids=[str(i) for i in range(300)])
        for row, (result, score) in enumerate(zip(db.search(queries, k=7), scores, strict=True)):
            assert [int(hit.id) for hit in result] == best[row].tolist()
            assert_allclose([hit.score for hit in result], score[best[row]], rtol=1e-4, atol=1e-5)


def test_min_score_leaves_out_what_is_below(db: Collection) -> None:
    scores = [hit.score for hit in db.search("cat", k=3)]
    kept = db.search("cat", k=3, min_score=scores[1])
    assert [hit.score for hit in kept] == scores[:2]


def test_add_returns_ids_and_makes_them_where_none_are_given(db: Collection) -> None:
    (one,) = db.add("a single text")
    assert len(one) == 32
    assert db.get(one)[0].document == "a single text"
    assert db.add(["x", "y"], ids=["x", "y"]) == ["x", "y"]
    assert db.count() == 6


def test_a_known_id_raises_and_nothing_of_the_batch_is_stored(db: Collection) -> None:
    before = contents(db)
    with pytest.raises(ValueError, match=r'\["b"\] exist; upsert'):
        db.add(["new text", "another"], ids=["n", "b"])
    assert contents(db) == before


def test_an_id_twice_in_one_batch(db: Collection) -> None:
    with pytest.raises(ValueError, match="more than once"):
        db.add(["one", "two"], ids=["n", "n"])
    assert db.count() == 3
    db.upsert(["one", "two"], ids=["n", "n"])
    assert db.get("n")[0].document == "two"
    assert db.count() == 4


def test_upsert_replaces_metadata_and_all(db: Collection) -> None:
    db.upsert(["stocks rose", "new"], ids=["a", "d"], metadatas=[None, {"k": 1}])
    assert contents(db)["a"] == ("stocks rose", {})
    assert db.search("stocks rose", k=1)[0].id == "a"
    assert db.count() == 4


def test_update_changes_only_what_is_given(db: Collection, words: HashedWords) -> None:
    encoded = len(words.encoded)
    db.update("a", metadatas={"lang": "en"})
    assert contents(db)["a"] == (TEXTS[0], {"year": 1, "lang": "en"})
    assert len(words.encoded) == encoded  # nothing was encoded for metadata alone
    db.update(["b"], documents=["birds sing"])
    assert contents(db)["b"] == ("birds sing", {"year": 2})
    assert db.search("birds sing", k=1)[0].id == "b"


def test_update_can_set_a_vector(db: Collection, words: HashedWords) -> None:
    vector = words.encode("something else entirely")
    db.update("a", embeddings=vector)
    assert db.search(vector, k=1)[0].id == "a"
    assert contents(db)["a"] == (TEXTS[0], {"year": 1})


def test_unknown_ids(db: Collection) -> None:
    before = contents(db)
    with pytest.raises(ValueError, match=r'unknown \["zz"\]'):
        db.update(["a", "zz"], documents=["x", "y"])
    with pytest.raises(ValueError, match=r'unknown \["zz"\]'):
        db.delete(ids=["a", "zz"])
    assert contents(db) == before
    assert len(db.get(ids=["zz"])) == 0
    assert db.get(ids=["c", "zz", "a"])["ids"] == ["c", "a"]


def test_delete_by_id_and_by_filter(db: Collection) -> None:
    assert db.delete(ids="a") == 1
    assert [hit.id for hit in db.search("cat", k=3)] == ["c", "b"]
    assert db.delete(where={"year": 2}) == 1
    assert db.count() == 1
    assert db.delete(ids=["c"], where={"year": 7}) == 0
    assert db.delete(where={"year": 99}) == 0
    for nothing in ({}, {"ids": None}, {"where": {}}):
        with pytest.raises(ValueError, match="expected ids or a filter"):
            db.delete(**nothing)
    assert db.delete(ids=[]) == 0


def test_get_pages_and_columns(db: Collection, words: HashedWords) -> None:
    assert db.get()["ids"] == ["a", "b", "c"]
    assert db.get(limit=1, offset=1)["ids"] == ["b"]
    assert db.get(limit=0)["ids"] == []
    assert db.peek(2)["documents"] == TEXTS[:2]
    assert db.get(where={"year": {"$gte": 1}}, limit=1)["metadatas"] == [{"year": 1}]
    assert db.get(ids=["c", "a"], where={"year": 1})["ids"] == ["a"]
    record = db.get("a", include=["embeddings"])[0]
    assert_array_equal(record.vector, words.encode(TEXTS[0]))
    with pytest.raises(KeyError):
        db.get()["nothing"]
    with pytest.raises(ValueError, match="include"):
        db.get(include=["nothing"])
    with pytest.raises(ValueError, match="limit"):
        db.get(limit=-1)


def test_results_print_themselves(db: Collection) -> None:
    db.add("<b>bold & brash</b>", metadatas={"n": "<i>"})
    result = db.search("bold brash", k=1)
    assert "&lt;b&gt;bold &amp; brash" in result._repr_html_()
    assert "<b>" not in result._repr_html_()
    assert "SearchResult(1 hits, exact" in repr(result)
    assert "&lt;i&gt;" in db.get()._repr_html_()
    assert [hit.id for hit in result[0:1]] == [hit.id for hit in result]


def test_to_pandas(db: Collection) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = db.search("cat", k=2).to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert frame.columns.tolist() == ["id", "score", "document", "metadata"]
    assert frame["id"].tolist() == ["c", "a"]


def test_reopened_in_a_new_process_it_answers_the_same(tmp_path: Path, words: HashedWords) -> None:
    stored, query = vectors(500), vectors(1, seed=3)[0]
    with Collection(tmp_path / "v.uv", dim=16) as db:
        db.add([f"text {i}" for i in range(500)], embeddings=stored)
        here = [(hit.id, hit.score, hit.document) for hit in db.search(query, k=9)]
    code = (
        "import json, sys, numpy as np, unitvec\n"
        f"db = unitvec.Collection.open({str(tmp_path / 'v.uv')!r})\n"
        "query = np.array(json.loads(sys.argv[1]), np.float32)\n"
        "print(json.dumps([(h.id, h.score, h.document) for h in db.search(query, k=9)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(query.tolist())],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert [tuple(hit) for hit in json.loads(done.stdout)] == here


def test_streams_are_stored_in_constant_memory_and_batch_by_batch(tmp_path: Path) -> None:
    from unitvec.collection.batches import BATCH_DOCUMENTS

    def stream() -> Any:
        for i in range(3 * BATCH_DOCUMENTS):
            if i == 2 * BATCH_DOCUMENTS + 1:
                raise OSError("the source broke off")
            yield f"text {i}"

    with Collection(tmp_path / "n.uv", encoder=HashedWords(4)) as db:
        with pytest.raises(OSError, match="broke off"):
            db.add(stream())
        assert db.count() == 2 * BATCH_DOCUMENTS
        stored = db.add((f"more {i}" for i in range(600)), metadatas=({"i": i} for i in range(600)))
        assert len(stored) == 600
        assert db.get(stored[-1])[0].metadata == {"i": 599}
        with pytest.raises(ValueError, match="got ids for only 2 rows"):
            db.add((t for t in "abc"), ids=iter("xy"))


def test_a_list_is_stored_whole_or_not_at_all(tmp_path: Path) -> None:
    texts: list[Any] = [f"text {i}" for i in range(1500)]
    with Collection(tmp_path / "n.uv", encoder=HashedWords(4)) as db:
        with pytest.raises(TypeError, match=r"\[documents\] item 1500: expected str, got float"):
            db.add([*texts, math.nan])
        assert db.count() == 0
        db.add(texts)
        assert db.count() == 1500
        db.add([])
        assert db.count() == 1500


def test_documents_are_any_text(db: Collection) -> None:
    odd = [
        "",
        " \n\t",
        "\0 in the midst",
        "𝒳 ünïcode 漢字 👍🏽",
        "'; DROP TABLE documents; --",
        "a" * 10**6,
    ]
    ids = db.add(odd)
    assert db.get(ids)["documents"] == odd
    with pytest.raises(ValueError, match="item 1: expected text that UTF-8 can hold"):
        db.add(["fine", "\ud800"])


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("", ValueError), ("x" * 1025, ValueError), ("a\0b", ValueError), ("\udfff", ValueError),
        (7, TypeError), (None, TypeError), (b"x", TypeError),
    ],
)  # fmt: skip
def test_bad_ids(db: Collection, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"\[ids\] item 1"):
        db.add(["x", "y"], ids=["fine", value])
    assert db.count() == 3


@pytest.mark.parametrize("value", ["../x", "x" * 1024, "a\x01\x1b", "日" * 341, "a'b\"c", " "])
def test_ids_are_only_data(db: Collection, value: str) -> None:
    db.add("text", ids=value)
    assert db.get(value)[0].id == value
    assert db.delete(value) == 1


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ({"a": math.nan}, ValueError), ({"a": math.inf}, ValueError), ({"a": 2**63}, ValueError),
        ({"a": object()}, TypeError), ({1: "a"}, TypeError), ("text", TypeError),
        ([1, 2], TypeError), ({"a": "\ud800"}, ValueError), ({"a": b"x"}, TypeError),
    ],
)  # fmt: skip
def test_bad_metadata(db: Collection, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"\[metadatas\] item 1"):
        db.add(["x", "y"], metadatas=[{}, value])
    assert db.count() == 3


def test_metadata_keeps_its_types(db: Collection) -> None:
    value = {
        "i": -(2**63), "f": 0.1, "t": True, "n": None, "s": 'é"\\\0', "l": [1, [2]], "d": {"x": {}},
        "np": np.float32(0.5), "ni": np.int8(3), 'k"\\.': 1,
    }  # fmt: skip
    (one,) = db.add("x", metadatas=value)
    assert db.get(one)[0].metadata == {**value, "np": 0.5, "ni": 3}
    deep: dict[str, Any] = {}
    for _ in range(64):
        deep = {"a": deep}
    with pytest.raises(ValueError, match="64 levels"):
        db.add("x", metadatas=deep)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ([[np.nan] * 4], ValueError, "row 0: expected finite"),
        ([[1, 1, 1, 1], [1, np.inf, 1, 1]], ValueError, "row 1: expected finite"),
        ([[1e300] * 4], ValueError, "row 0: expected finite"),
        ([[0.0] * 4], ValueError, "row 0: expected a vector with a direction"),
        ([[1.0] * 5], ValueError, "expected vectors of dim 4, got dim 5"),
        ([[1.0] * 4, [1.0] * 3], ValueError, "one length"),
        (np.ones((1, 1, 4)), ValueError, "shape"),
        (np.float32(1), ValueError, "shape"),
        (np.array([["a"] * 4]), TypeError, "dtype"),
        (np.ones((1, 4), bool), TypeError, "dtype"),
        (np.ones((1, 4), object), TypeError, "dtype"),
        (np.ones((1, 4), complex), TypeError, "dtype"),
    ],
)
def test_bad_vectors(tmp_path: Path, value: Any, error: type[Exception], message: str) -> None:
    with Collection(tmp_path / "v.uv", dim=4) as db:
        with pytest.raises(error, match=message):
            db.add(embeddings=value)
        assert db.count() == 0


@pytest.mark.parametrize(
    "convert",
    [
        lambda x: x.astype(np.float16), lambda x: x.astype(">f4"), lambda x: x.astype(np.int64),
        np.asfortranarray, lambda x: x[::-1, ::-1][::-1, ::-1], lambda x: x.tolist(),
    ],
)  # fmt: skip
def test_any_real_array_equals_its_float32_copy(tmp_path: Path, convert: Any) -> None:
    plain = np.arange(1, 13, dtype=np.float32).reshape(3, 4)
    with Collection(tmp_path / "v.uv", dim=4) as db:
        ids = db.add(embeddings=convert(plain))
        stored = np.stack(db.get(ids, include=["embeddings"])["embeddings"])
    assert_array_equal(stored, plain)


def test_one_vector_and_none(tmp_path: Path) -> None:
    with Collection(tmp_path / "v.uv", dim=4) as db:
        db.add(embeddings=np.ones(4))
        db.add(embeddings=np.empty((0, 4)))
        db.add(embeddings=[])
        assert db.count() == 1
        assert db.search(np.zeros(4))[0].score == 0.0  # no direction: no likeness, and no NaN


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"query": "x", "k": 0}, ValueError), ({"query": "x", "k": -1}, ValueError),
        ({"query": "x", "k": 1.5}, TypeError), ({"query": "x", "k": True}, TypeError),
        ({"query": None}, TypeError), ({"query": b"x"}, TypeError), ({"query": 7}, ValueError),
        ({"query": ["x", 7]}, TypeError), ({"query": [1.0, 2.0]}, ValueError),
        ({"query": np.full(64, np.nan)}, ValueError),
        ({"query": "x", "mode": "both"}, ValueError),
        ({"query": "x", "min_recall": 2}, ValueError), ({"query": "x", "where": []}, TypeError),
    ],
)  # fmt: skip
def test_bad_searches(db: Collection, arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        db.search(**arguments)


def test_more_than_there_are(db: Collection) -> None:
    assert len(db.search("cat", k=10**6)) == 3
    with Collection(db.path.parent / "empty.uv", dim=4) as empty:
        assert len(empty.search(np.ones(4))) == 0


def test_lengths_must_agree(db: Collection) -> None:
    with pytest.raises(ValueError, match="1 documents, 2 ids"):
        db.add(["x"], ids=["n", "m"])
    with pytest.raises(ValueError, match="expected documents, embeddings or both"):
        db.add(metadatas=[{}])
    with pytest.raises(TypeError, match=r"\[documents\] expected a list"):
        db.add(7)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"item 0: expected str, got bytes"):
        db.add(b"bytes")  # type: ignore[arg-type]


def test_another_model_is_refused(db: Collection) -> None:
    db.close()
    with pytest.raises(FingerprintError, match="made by the model 'hashed-words'"):
        Collection(db.path, encoder=HashedWords(name="another"))
    with pytest.raises(FingerprintError, match="made by the model"):
        Collection(db.path, encoder=HashedWords(dim=8, name="another"))
    with Collection(db.path) as again:  # the refusals gave the lock back
        assert again.count() == 3
        with pytest.raises(unitvec.ModelNotFoundError, match="hashed-words"):
            again.search("text")


def test_vectors_without_a_model(tmp_path: Path, words: HashedWords) -> None:
    with Collection(tmp_path / "v.uv", dim=64) as db:
        db.add(["a text"], embeddings=[np.ones(64)])
        assert db.search(np.ones(64))[0].document == "a text"
        for call in (lambda: db.search("text"), lambda: db.add("text")):
            with pytest.raises(ValueError, match="made without an encoder"):
                call()
    with pytest.raises(FingerprintError, match="made without an encoder"):
        Collection(tmp_path / "v.uv", encoder=words)
    with pytest.raises(ValueError, match="expected dim 64 as stored, got 32"):
        Collection(tmp_path / "v.uv", dim=32)
    with pytest.raises(ValueError, match="expected metric 'cosine' as stored"):
        Collection(tmp_path / "v.uv", metric="dot")


def test_a_new_collection_needs_to_know_its_vectors(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected encoder= or dim="):
        Collection(tmp_path / "n.uv")
    assert not (tmp_path / "n.uv").exists()
    for bad in (0, -1, 10**6):
        with pytest.raises(ValueError, match="dim"):
            Collection(tmp_path / "n.uv", dim=bad)
    with pytest.raises(ValueError, match="metric"):
        Collection(tmp_path / "n.uv", dim=4, metric="hamming")
    with pytest.raises(FileNotFoundError, match="no collection at"):
        Collection.open(tmp_path / "n.uv")


def test_a_second_writer_is_told_at_once(db: Collection) -> None:
    import os

    with pytest.raises(StoreLockedError, match="open for writing") as caught:
        Collection(db.path)
    assert caught.value.pid == os.getpid()
    with Collection.open(db.path, read_only=True) as reader:
        assert reader.count() == 3
    db.close()
    with Collection(db.path) as again:
        assert again.count() == 3


def test_closed_it_says_so(db: Collection) -> None:
    db.close()
    db.close()
    for call in (db.count, db.peek, db.stats, db.verify, db.compact, lambda: db.search("x")):
        with pytest.raises(RuntimeError, match="is closed"):
            call()


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotADirectoryError):
        Collection(tmp_path / "file", dim=4)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "diary.txt").write_text("x")
    with pytest.raises(FileExistsError, match=r"diary\.txt"):
        Collection(tmp_path / "folder", dim=4)
    for name, content in (("garbage", b"not a database " * 100), ("empty", b"")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "store.sqlite").write_bytes(content)
        with pytest.raises(ValueError, match=r"store\.sqlite|to make a new collection"):
            Collection.open(tmp_path / name)
    import sqlite3

    (tmp_path / "other").mkdir()
    with sqlite3.connect(tmp_path / "other" / "store.sqlite") as other:
        other.execute("CREATE TABLE t (x)")
    other.close()
    before = (tmp_path / "other" / "store.sqlite").read_bytes()
    with pytest.raises(FormatError, match="not a unitvec collection"):
        Collection(tmp_path / "other", dim=4)
    assert (tmp_path / "other" / "store.sqlite").read_bytes() == before
    with Collection(tmp_path / "empty", dim=4) as completed:  # killed while it was made
        assert completed.count() == 0
