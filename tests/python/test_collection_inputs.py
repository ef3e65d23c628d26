"""Every odd input has one rule: the rows of docs/inputs.md, in its order, each under its name."""

from __future__ import annotations

import enum
import math
import re
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from hashed_words import HashedWords
from memory_of_inputs import Used, used
from unitvec import Collection, Encoder
from unitvec.collection.batches import BATCH_DOCUMENTS
from unitvec.collection.inputs import DOCUMENT_BYTES_MAX, METADATA_BYTES_MAX
from unitvec.overflow import TruncationWarning

ROWS: dict[str, list[Callable[..., Any]]] = {}  # the row's text in docs/inputs.md -> its tests

MIB = 2**20
TEXTS = ["The cat sat on the mat", "Shares fell today", "a dog barks at the cat"]
ROW = np.arange(1.0, 5.0)
REFUSED = (TypeError, ValueError)


def row(name: str) -> Callable[[Any], Any]:
    """Says which row of the documentation a test stands for."""

    def note(test: Any) -> Any:
        ROWS.setdefault(name, []).append(test)
        return test

    return note


@pytest.fixture
def db(tmp_path: Path, words: HashedWords) -> Any:
    """Three documents, texts and all."""
    with Collection(tmp_path / "notes.uv", encoder=words) as collection:
        collection.add(TEXTS, ids=["a", "b", "c"], metadatas=[{"year": 1}, {"year": 2}, None])
        yield collection


@pytest.fixture
def vectors(tmp_path: Path) -> Any:
    """Two vectors of dim 4 under "cosine"."""
    with Collection(tmp_path / "vectors.uv", dim=4) as collection:
        collection.add(embeddings=[ROW, -ROW], ids=["a", "b"])
        yield collection


def contents(db: Collection) -> list[Any]:
    records = db.get(include=["embeddings"])
    return [(r.id, r.document, r.metadata, r.vector.tobytes()) for r in records]


def refuses(db: Collection, call: Callable[[], Any], error: Any, message: str) -> None:
    """The call raises this, and leaves everything as it was."""
    before, state = contents(db), db.stats()["sequence"]
    with pytest.raises(error, match=message) as caught:
        call()
    assert type(caught.value) in REFUSED
    assert (contents(db), db.stats()["sequence"]) == (before, state)


def writers_refuse(db: Collection, error: Any, message: str, **columns: Any) -> None:
    """`add`, `upsert` and `update` all refuse it, as a list and as a stream."""
    size = len(next(iter(columns.values())))
    new = {"ids": [f"new {i}" for i in range(size)], **columns}
    known = {"ids": db.get(limit=size)["ids"], **columns}
    if "documents" not in new and "embeddings" not in new:
        new["embeddings"] = np.ones((size, db.dim))
    refuses(db, lambda: db.add(**new), error, message)
    refuses(db, lambda: db.upsert(**new), error, message)
    refuses(db, lambda: db.update(**known), error, message)
    refuses(db, lambda: db.add(**{name: iter(c) for name, c in new.items()}), error, message)


# ---- vectors -----------------------------------------------------------------------------------


@row("NaN, infinity, float64 beyond float32")
@pytest.mark.parametrize(
    "bad", [math.nan, math.inf, -math.inf, 1e300, -3.5e38, np.longdouble(1e39)]
)
@pytest.mark.parametrize("metric", ["cosine", "dot", "euclidean", "manhattan"])
def test_vectors_that_are_not_finite(tmp_path: Path, bad: float, metric: str) -> None:
    with Collection(tmp_path / "v.uv", dim=4, metric=metric) as db:
        db.add(embeddings=np.ones((2, 4)), ids=["a", "b"])
        message = r"\[embeddings\] row 1: expected finite float32 values"
        writers_refuse(db, ValueError, message, embeddings=np.array([ROW, [1, bad, 1, 1]]))
        refuses(db, lambda: db.search([ROW, [1, bad, 1, 1]]), ValueError, r"\[query\] row 1: ")


@row("NaN, infinity, float64 beyond float32")
def test_a_row_is_named_by_its_place_in_the_whole_call(vectors: Collection) -> None:
    many = np.ones((2 * BATCH_DOCUMENTS, 4))
    many[BATCH_DOCUMENTS + 7, 2] = np.nan
    named = rf"\[embeddings\] row {BATCH_DOCUMENTS + 7}: "
    refuses(vectors, lambda: vectors.add(embeddings=many), ValueError, named)
    with pytest.raises(ValueError, match=named):
        vectors.add(embeddings=iter(many))
    assert vectors.count() == 2 + BATCH_DOCUMENTS  # a stream's batches before the bad one


@row("a vector of zeros")
@pytest.mark.parametrize(
    "zeros", [np.zeros(4), np.full(4, 1e-13), np.full(4, 1e-300), -np.zeros(4)]
)
def test_vectors_without_a_direction(vectors: Collection, zeros: np.ndarray) -> None:
    message = r"row 1: expected a vector with a direction"
    writers_refuse(vectors, ValueError, message, embeddings=[ROW, zeros])
    scores = [hit.score for hit in vectors.search(zeros)]
    assert scores == [0.0, 0.0] if not zeros.any() else np.abs(scores).max() <= 1


@row("a vector of zeros")
@pytest.mark.parametrize("metric", ["dot", "euclidean", "manhattan"])
def test_zeros_where_they_mean_something(tmp_path: Path, metric: str) -> None:
    with Collection(tmp_path / "v.uv", dim=4, metric=metric) as db:
        db.add(embeddings=[ROW, np.zeros(4)], ids=["row", "zeros"])
        best = {hit.id: hit.score for hit in db.search(np.zeros(4))}
        assert best["zeros"] == 0.0
        assert np.isfinite(list(best.values())).all()


@row("vectors of another length, of differing lengths")
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([[1.0] * 5] * 2, "expected vectors of dim 4, got dim 5"),
        ([[1.0] * 3] * 2, "expected vectors of dim 4, got dim 3"),
        (np.ones((2, 0)), "expected vectors of dim 4, got dim 0"),
        ([[1.0] * 4, [1.0] * 3], "row 1: expected vectors of one length, got 3 numbers after 4"),
        ([np.ones(4), np.ones(5)], "row 1: expected vectors of one length, got 5 numbers after 4"),
        ([ROW, [[1.0]] * 4], "vectors of one length"),
    ],
)
def test_vectors_of_other_lengths(vectors: Collection, value: Any, message: str) -> None:
    writers_refuse(vectors, ValueError, message, embeddings=value)
    refuses(vectors, lambda: vectors.search(value), ValueError, message)


@row("a single number, three dimensions")
@pytest.mark.parametrize(
    "value", [np.float32(1), np.array(1.0), np.ones((2, 1, 4)), [[[1.0] * 4]] * 2]
)
def test_arrays_of_no_or_three_dimensions(vectors: Collection, value: Any) -> None:
    for verb in (vectors.add, vectors.upsert):
        refuses(vectors, lambda verb=verb: verb(embeddings=value), ValueError, "expected shape")
    refuses(vectors, lambda: vectors.update(["a"], embeddings=value), ValueError, "expected")
    refuses(vectors, lambda: vectors.search(value), ValueError, "expected shape")


@row("shape (dim,); shape (0,), (0, dim), []")
def test_one_vector_and_none(vectors: Collection) -> None:
    for one in (ROW, ROW.tolist(), tuple(ROW), ROW[None], list(ROW.astype(np.float32))):
        (name,) = vectors.add(embeddings=one)
        assert_array_equal(vectors.get(name, include=["embeddings"])[0].vector, ROW)
        vectors.update("a", embeddings=one)
    for none in (np.empty(0), np.empty((0, 4)), [], (), iter([])):
        assert vectors.add(embeddings=none) == []
        assert vectors.upsert(embeddings=none) == []
    assert vectors.count() == 7
    assert vectors.search(ROW, k=1)[0].score == pytest.approx(1)
    assert len(vectors.search(ROW[None], k=1)) == 1
    assert vectors.search(ROW[None], k=1)[0][0].score == pytest.approx(1)
    for none in (np.empty(0), np.empty((0, 4)), [], ()):
        assert vectors.search(none) == []


def read_only(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x.flags.writeable = False
    return x


def memory_mapped(x: np.ndarray) -> np.ndarray:
    mapped = np.memmap(Path("mapped.bin"), np.float32, "w+", shape=x.shape)
    mapped[:] = x
    return mapped


def among_others(x: np.ndarray) -> np.ndarray:
    wide = np.full((2 * x.shape[0], 3 * x.shape[1]), np.nan, np.float32)
    wide[::2, 1::3] = x
    return wide[::2, 1::3]


LAYOUTS: dict[str, Callable[[np.ndarray], Any]] = {
    "float16": lambda x: x.astype(np.float16),
    "float64": lambda x: x.astype(np.float64),
    "longdouble": lambda x: x.astype(np.longdouble),
    "int8": lambda x: x.astype(np.int8),
    "uint64": lambda x: x.astype(np.uint64),
    "big-endian": lambda x: x.astype(">f4"),
    "big-endian integers": lambda x: x.astype(">i2"),
    "columns first": np.asfortranarray,
    "transposed": lambda x: np.ascontiguousarray(x.T).T,
    "strided": among_others,
    "reversed": lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
    "read-only": read_only,
    "memory-mapped": memory_mapped,
    "lists": lambda x: x.tolist(),
    "tuples": lambda x: tuple(map(tuple, x.tolist())),
    "a list of arrays": list,
    "lists of NumPy's scalars": lambda x: [list(r) for r in x],
    "Python's integers": lambda x: x.astype(int).tolist(),
}


@row(
    "float16, integers, big-endian, strided, reversed, read-only, memory-mapped, lists of NumPy "
    "scalars"
)
@pytest.mark.parametrize("convert", LAYOUTS.values(), ids=LAYOUTS)
def test_any_real_array_equals_its_float32_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, convert: Callable[[np.ndarray], Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    plain = np.arange(1, 13, dtype=np.float32).reshape(3, 4)
    with Collection(tmp_path / "v.uv", dim=4, metric="dot") as db:
        db.add(embeddings=convert(plain), ids=["a", "b", "c"])
        assert_array_equal(np.stack(db.get(include=["embeddings"])["embeddings"]), plain)
        db.upsert(embeddings=convert(plain[::-1].copy()), ids=["a", "b", "c"])
        assert_array_equal(np.stack(db.get(include=["embeddings"])["embeddings"]), plain[::-1])
        db.update(["a", "b", "c"], embeddings=convert(plain))
        expected = [[(hit.id, hit.score) for hit in result] for result in db.search(plain)]
        found = [[(hit.id, hit.score) for hit in result] for result in db.search(convert(plain))]
        assert found == expected


@row("booleans, objects, text, complex numbers, masks in place of vectors")
@pytest.mark.parametrize(
    "value",
    [
        np.ones((2, 4), bool), np.ones((2, 4), object), np.full((2, 4), "a"), np.full((2, 4), b"a"),
        np.ones((2, 4), complex), np.zeros((2, 4), "M8[s]"), [[True] * 4] * 2, [["1"] * 4] * 2,
        [[1, 2, 3, None]] * 2, [[1, 2, 3, 10**400]] * 2, [{"a": 1}] * 2,
        np.ma.masked_array(np.ones((2, 4)), mask=np.eye(2, 4)), np.ones((2, 4), "f4,f4"),
    ],
)  # fmt: skip
def test_what_is_no_vector(vectors: Collection, value: Any) -> None:
    message = r"expected (real numbers, got dtype|an array without a mask)"
    for verb in (vectors.add, vectors.upsert):
        refuses(vectors, lambda verb=verb: verb(embeddings=value), TypeError, message)
    refuses(vectors, lambda: vectors.update(["a", "b"], embeddings=value), TypeError, message)
    refuses(vectors, lambda: vectors.search(value), TypeError, message)


# ---- text --------------------------------------------------------------------------------------


@row("lone surrogates")
@pytest.mark.parametrize("bad", ["\ud800", "a\udfff", "\udcff" * 3, "\udc00\ud800"])
def test_lone_surrogates(db: Collection, bad: str) -> None:
    message = r"item 1: expected text that UTF-8 can hold, got a lone surrogate at character"
    writers_refuse(db, ValueError, message, documents=["fine", bad])
    for metadata in ({"a": bad}, {bad: 1}, {"a": [{"b": bad}]}):
        writers_refuse(db, ValueError, message, metadatas=[{}, metadata])
    for verb in (db.add, db.upsert, db.update):
        refuses(
            db, lambda verb=verb: verb(documents=["x", "y"], ids=["a", bad]), ValueError, message
        )
    for verb in (db.get, db.delete):
        refuses(db, lambda verb=verb: verb(ids=["a", bad]), ValueError, message)
        for where in ({"a": bad}, {bad: 1}, {"a": {"$in": [bad]}}):
            refuses(db, lambda verb=verb, where=where: verb(where=where), ValueError, "UTF-8")
    refuses(db, lambda: db.search(["fine", bad]), ValueError, rf"\[query\] {message}")
    refuses(db, lambda: db.search(bad), ValueError, r"\[query\] item 0")


@row("NUL")
def test_nul(db: Collection) -> None:
    db.add("a\0b", ids="n", metadatas={"k": "x\0y"})
    assert db.get("n")[0].document == "a\0b"
    assert db.get(where={"k": "x\0y"})["metadatas"] == [{"k": "x\0y"}]
    assert len(db.get(where={"k": "x"})) == 0
    assert db.search("a\0b", k=1)[0].id == "n"
    db.update("n", documents="\0", metadatas={"k": "\0"})
    assert (db.get("n")[0].document, db.get("n")[0].metadata) == ("\0", {"k": "\0"})
    for verb in (db.add, db.upsert, db.update):
        call = partial(verb, documents=["x", "y"], ids=["new", "n\0"])
        refuses(db, call, ValueError, "item 1: expected no NUL")
    for metadata in ({"\0": 1}, {"a": {"b\0c": 1}}, {"a": [{"\0": 1}]}):
        writers_refuse(
            db, ValueError, "item 1: expected keys without NUL", metadatas=[{}, metadata]
        )
    for verb in (db.get, db.delete):
        refuses(db, lambda verb=verb: verb(ids=["n\0"]), ValueError, "expected no NUL")
        refuses(db, lambda verb=verb: verb(where={"k\0": 1}), ValueError, "names without NUL")


@row("bytes, which may be no UTF-8")
@pytest.mark.parametrize("bad", [b"plain", b"\xff\xfe", b"", bytearray(b"x")])
def test_bytes(db: Collection, bad: Any) -> None:
    kind = type(bad).__name__
    writers_refuse(db, TypeError, f"item 1: expected str, got {kind}", documents=["fine", bad])
    writers_refuse(db, TypeError, "item 1: expected JSON types", metadatas=[{}, {"a": bad}])
    refuses(db, lambda: db.add(["x", "y"], ids=["n", bad]), TypeError, r"\[ids\] item 1")
    if isinstance(bad, bytes):
        refuses(db, lambda: db.add(bad), TypeError, "item 0: expected str, got bytes")
        refuses(db, lambda: db.get(bad), TypeError, r"\[ids\] item 0: expected str, got bytes")
        refuses(db, lambda: db.delete(bad), TypeError, r"\[ids\] item 0: expected str, got bytes")
        refuses(db, lambda: db.search(bad), TypeError, "expected a text or a vector, got bytes")
    refuses(db, lambda: db.search(["fine", bad]), TypeError, f"item 1: expected str, got {kind}")
    refuses(db, lambda: db.get(["a", bad]), TypeError, f"item 1: expected str, got {kind}")
    refuses(db, lambda: db.get(where={"a": bad}), ValueError, r"\[where\] a: expected text")


SIZES = [1, 100, 10_000]
SHAPES: dict[str, Callable[[int], str]] = {
    "one word": lambda size: "x" * size,
    "short words": lambda size: ("word " * size)[:size],
    "Chinese": lambda size: "日" * max(1, size // 3),
    "emoji": lambda size: "😀" * max(1, size // 4),
    "NUL": lambda size: "\0" * size,
}


@row("text of up to 64 MiB, one word of a million characters")
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_text_of_any_length_is_kept(db: Collection, shape: Callable[[int], str]) -> None:
    texts = [*map(shape, SIZES), shape(3)[:1] * 1_000_000]
    ids = db.add(texts, metadatas=[{"text": text} for text in texts])
    assert db.get(ids)["documents"] == texts
    assert db.get(ids)["metadatas"] == [{"text": text} for text in texts]
    assert [r.id for r in db.get(where={"text": texts[-1]})] == [ids[-1]]
    assert db.search(texts[-1], k=1)[0].document in texts
    assert db.verify().ok


@pytest.fixture(scope="module")
def large_texts() -> dict[str, Used]:
    """What a document of 64 MiB takes in each verb, each in a process of its own."""
    size = DOCUMENT_BYTES_MAX
    return {
        f"{verb} {kind} {share}": used(verb, kind, size // share)
        for verb in ("add", "update", "get")
        for kind, share in (("x", 1), ("x", 2), ("日", 1))
    }


@row("text of up to 64 MiB, one word of a million characters")
@pytest.mark.parametrize("verb", ["add", "update", "get"])
def test_64_mib_of_text_take_little_memory(large_texts: dict[str, Used], verb: str) -> None:
    """Bytes beside the text itself, the least of what SQLite does being two copies."""
    assert large_texts[f"{verb} x 1"].memory <= 3 * DOCUMENT_BYTES_MAX
    assert large_texts[f"{verb} 日 1"].memory <= 3 * DOCUMENT_BYTES_MAX


@row("text of up to 64 MiB, one word of a million characters")
@pytest.mark.parametrize("verb", ["add", "update", "get"])
def test_the_work_grows_with_the_text_and_no_faster(
    large_texts: dict[str, Used], verb: str
) -> None:
    half, whole = large_texts[f"{verb} x 2"], large_texts[f"{verb} x 1"]
    # Nothing in Python goes through the characters; a larger database asks for a larger reserve.
    assert abs(whole.calls - half.calls) < 100
    assert whole.moved <= 2.1 * half.moved + MIB  # bytes read and written
    assert whole.stored <= DOCUMENT_BYTES_MAX + MIB


@row("longer text")
def test_longer_text(vectors: Collection, tmp_path: Path) -> None:
    long = "é" * (DOCUMENT_BYTES_MAX // 2) + "x"
    message = rf"expected at most {DOCUMENT_BYTES_MAX} bytes, got {DOCUMENT_BYTES_MAX + 1}"
    for verb in (vectors.add, vectors.upsert):
        call = lambda verb=verb: verb(["fine", long], embeddings=np.ones((2, 4)))  # noqa: E731
        refuses(vectors, call, ValueError, rf"\[documents\] item 1: {message}")
    refuses(vectors, lambda: vectors.update("a", documents=long), ValueError, message)
    refuses(
        vectors, lambda: vectors.get(where={"a": long}), ValueError, "bytes of names and values"
    )
    with Collection(tmp_path / "t.uv", encoder=HashedWords(4)) as db:
        refuses(db, lambda: db.search(long), ValueError, rf"\[query\] item 0: {message}")


@row("no documents")
def test_no_documents(db: Collection) -> None:
    before, sequence = contents(db), db.stats()["sequence"]
    for none in ([], (), iter([]), np.array([], object)):
        assert db.add(none) == []
        assert db.upsert(none) == []
    assert db.add([], ids=[], metadatas=[], embeddings=[]) == []
    assert db.update([], metadatas=[]) is None
    assert db.search([]) == []
    assert len(db.get([])) == 0
    assert db.delete([]) == 0
    assert contents(db) == before
    assert db.stats()["sequence"] - sequence < 20  # an empty transaction may count, nothing else


@row("empty text, white space")
@pytest.mark.parametrize("text", ["", " ", "\n\t \u3000", "\u200b", "\ufeff", "\u202e"])
def test_empty_text(db: Collection, text: str) -> None:
    (name,) = db.add(text)
    assert db.get(name)[0].document == text
    assert len(db.search(text)) == 4
    db.update("a", documents=text)
    db.upsert([text], ids=["b"])
    assert db.get(["a", "b"])["documents"] == [text, text]
    assert {r.document for r in db.get()} == {text, TEXTS[2]}


# ---- ids ---------------------------------------------------------------------------------------


@row("an id twice in a call")
def test_an_id_twice_in_one_call(db: Collection) -> None:
    message = r'expected every id once, got \["n"\] more than once'
    refuses(db, lambda: db.add(["one", "two"], ids=["n", "n"]), ValueError, message)
    twice = ["a", "a"]
    refuses(db, lambda: db.update(twice, metadatas=[{}, {}]), ValueError, "more than once")
    far = [*(f"n{i}" for i in range(BATCH_DOCUMENTS)), "n0"]
    refuses(db, lambda: db.add(["x"] * len(far), ids=far), ValueError, r'\["n0"\]')
    assert db.upsert(["one", "two"], ids=["n", "n"]) == ["n", "n"]
    assert db.get("n")[0].document == "two"
    db.upsert(["x"] * len(far), ids=far, metadatas=[{"i": i} for i in range(len(far))])
    assert db.get("n0")[0].metadata == {"i": BATCH_DOCUMENTS}
    assert db.count() == 4 + BATCH_DOCUMENTS
    assert db.get(twice)["ids"] == twice
    assert db.delete(twice) == 1


@row("an id that exists")
def test_an_id_that_exists(db: Collection) -> None:
    message = r'expected new ids, but \["b"\] exist; upsert\(\) replaces them'
    refuses(db, lambda: db.add(["new", "another"], ids=["n", "b"]), ValueError, message)
    db.upsert(["new"], ids=["b"])
    assert (db.get("b")[0].document, db.get("b")[0].metadata) == ("new", {})


@row("an id that is unknown")
def test_an_unknown_id(db: Collection) -> None:
    message = r'expected ids of the collection, got unknown \["zz"\]'
    refuses(db, lambda: db.update(["a", "zz"], documents=["x", "y"]), ValueError, message)
    refuses(db, lambda: db.delete(ids=["a", "zz"]), ValueError, message)
    refuses(db, lambda: db.delete(ids=["zz"], where={"year": 1}), ValueError, message)
    assert len(db.get(ids=["zz"])) == 0
    assert db.get(ids=["c", "zz", "a"])["ids"] == ["c", "a"]


ODD_IDS = [
    "../x", "/etc/passwd", "x" * 1024, "a\x01\x1b[31m", "日" * 341, "a'b\"c", " ", "\n", "NULL",
    "'; DROP TABLE documents; --", "%s", "?1", '{"$gt": ""}', "é", "e\u0301", "\U0010ffff", "1",
    "01",
]  # fmt: skip


@row("ids such as `../x`, SQL, control characters, any script")
def test_ids_are_only_data(db: Collection) -> None:
    files = sorted(path.name for path in db.path.parent.rglob("*"))
    db.add(ODD_IDS, ids=ODD_IDS)
    assert db.get(ODD_IDS)["documents"] == ODD_IDS
    db.upsert(ODD_IDS, ids=ODD_IDS)
    db.update(ODD_IDS, metadatas=[{"n": i} for i in range(len(ODD_IDS))])
    for i, name in enumerate(ODD_IDS):
        assert db.get(name)[0].metadata == {"n": i}
        assert db.delete(name) == 1
    assert db.get()["ids"] == ["a", "b", "c"]
    assert sorted(path.name for path in db.path.parent.rglob("*")) == files


@row("ids that are empty, beyond 1,024 bytes, no text")
@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ("", ValueError), ("x" * 1025, ValueError), ("日" * 342, ValueError),
        ("x" * 10**7, ValueError),
        (7, TypeError), (None, TypeError), (1.5, TypeError), (("a",), TypeError),
    ],
)  # fmt: skip
def test_bad_ids(db: Collection, bad: Any, error: type[Exception]) -> None:
    message = r"\[ids\] item 1: expected "
    for verb in (db.add, db.upsert):
        refuses(db, lambda verb=verb: verb(["x", "y"], ids=["a", bad][::1]), error, message)
    refuses(db, lambda: db.update(["a", bad], documents=["x", "y"]), error, message)
    refuses(db, lambda: db.get(["a", bad]), error, message)
    refuses(db, lambda: db.delete(["a", bad]), error, message)


@row("ids that are empty, beyond 1,024 bytes, no text")
@pytest.mark.parametrize("bad", [7, {"a": 1}, 1.5])
def test_ids_that_are_no_list(db: Collection, bad: Any) -> None:
    for call in (db.get, db.delete, lambda ids: db.add("x", ids=ids)):
        refuses(db, lambda call=call: call(bad), TypeError, r"\[ids\] expected a list or stream")


# ---- numbers -----------------------------------------------------------------------------------


@row("k, limit, offset: 0, negative, no integer")
def test_bad_counts(db: Collection) -> None:
    for bad in (0, -1, np.int64(0), -(10**30)):
        refuses(db, lambda bad=bad: db.search("x", k=bad), ValueError, r"\[k\] expected at least 1")
    for bad in (-1, -(2**70)):
        refuses(db, lambda bad=bad: db.get(limit=bad), ValueError, r"\[limit\] expected at least 0")
        refuses(db, lambda bad=bad: db.get(offset=bad), ValueError, r"\[offset\] expected at least")
        refuses(db, lambda bad=bad: db.peek(bad), ValueError, r"\[limit\] expected at least 0")
    for bad in (1.0, "1", True, [1]):
        refuses(db, lambda bad=bad: db.search("x", k=bad), TypeError, r"\[k\] expected an integer")
        refuses(db, lambda bad=bad: db.get(limit=bad), TypeError, r"\[limit\] expected an integer")
        refuses(db, lambda bad=bad: db.get(offset=bad), TypeError, r"\[offset\] expected an int")
    assert len(db.get(limit=0)) == 0
    assert len(db.search("cat", k=np.int8(2))) == 2


@row("k, limit, offset beyond what there is, as large as you like")
@pytest.mark.parametrize("many", [4, 10**6, 2**31, 2**63, 2**70])
def test_more_than_there_are(db: Collection, tmp_path: Path, many: int) -> None:
    assert len(db.search("cat", k=many)) == 3
    assert [len(result) for result in db.search(["cat", "dog"], k=many)] == [3, 3]
    assert len(db.search("cat", k=many, mode="lexical")) == 2
    assert len(db.search("cat", k=many, mode="hybrid")) == 3
    assert len(db.search("cat", k=many, offset=many)) == 0
    assert len(db.search("cat", k=many, where={"year": {"$gt": 1}})) == 1
    assert len(db.get(limit=many)) == len(db.peek(many)) == 3
    assert len(db.get(["a", "b"], limit=many)) == 2
    assert len(db.get(offset=many)) == len(db.get(["a"], offset=many)) == 0
    with Collection(tmp_path / "empty.uv", dim=4) as empty:
        assert len(empty.search(ROW, k=many)) == 0


@row("min_score, min_recall that are NaN or no number")
@pytest.mark.parametrize("name", ["min_score", "min_recall"])
def test_bad_scores(db: Collection, name: str) -> None:
    for bad in ("x", [0.5], True, 1j):
        refuses(
            db,
            lambda bad=bad: db.search("x", **{name: bad}),
            TypeError,
            rf"\[{name}\] expected a number",
        )
    refuses(db, lambda: db.search("x", **{name: math.nan}), ValueError, rf"\[{name}\]")
    assert len(db.search("x", **{name: np.float32(0)})) >= 0
    for bad in (-0.1, 1.1, math.inf):
        refuses(db, lambda bad=bad: db.search("x", min_recall=bad), ValueError, r"in \[0, 1\]")
    assert len(db.search("x", min_score=-math.inf)) == 3
    assert len(db.search("x", min_score=math.inf)) == 0


# ---- metadata and filters ----------------------------------------------------------------------


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
    message = r"\[metadatas\] item 1: expected "
    for value in ({"a": bad}, {"a": [{"b": [0, bad]}]}):
        writers_refuse(db, error, message, metadatas=[{}, value])


@row("metadata beyond JSON: NaN, integers beyond 64 bits, other types and keys")
def test_metadata_that_is_no_dictionary(db: Collection) -> None:
    writers_refuse(db, ValueError, "64 bits, got an integer of 16610 bits",
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


# ---- columns and models ------------------------------------------------------------------------


@row("columns of different lengths, no column at all")
def test_lengths_must_agree(db: Collection) -> None:
    refuses(db, lambda: db.add(["x"], ids=["n", "m"]), ValueError, "1 documents, 2 ids")
    refuses(db, lambda: db.upsert(["x"], metadatas=[]), ValueError, "1 documents, 0 metadatas")
    refuses(db, lambda: db.update(["a"], documents=["x", "y"]), ValueError, "2 documents, 1 ids")
    refuses(db, lambda: db.add(["x"], embeddings=np.ones((2, 64))), ValueError, "2 embeddings")
    short = "got ids for only 1 rows"
    refuses(db, lambda: db.add(iter("xy"), ids=iter("n")), ValueError, short)
    none = "expected documents, embeddings or both"
    for verb in (db.add, db.upsert):
        refuses(db, verb, ValueError, none)
        refuses(db, lambda verb=verb: verb(metadatas=[{}], ids=["n"]), ValueError, none)
    refuses(db, lambda: db.update(["a"]), ValueError, "documents, metadatas or embeddings")
    refuses(db, lambda: db.update(None, ["x"]), ValueError, r"\[update\] expected ids")
    for bad in (7, {"a": "b"}, 1.5):
        refuses(db, lambda bad=bad: db.add(bad), TypeError, r"\[documents\] expected a list")
    refuses(db, db.delete, ValueError, "expected ids or a filter")
    for bad in (None, 7, {"a": 1}, [1, "x"]):
        refuses(db, lambda bad=bad: db.search(bad), REFUSED, r"\[query\]|\[search\]")


@row("text longer than the model reads")
def test_text_longer_than_the_model_reads(tmp_path: Path, encoder: Encoder) -> None:
    long = ["word " * 400] * 3
    with Collection(tmp_path / "c.uv", encoder=encoder) as db:
        with pytest.warns(
            TruncationWarning, match="3 of 4 texts are longer than the 256 tokens"
        ) as w:
            db.add(["short", *long], ids=list("abcd"))
        assert len(w) == 1
        for verb, count in ((db.upsert, 3), (lambda t, ids: db.update(ids, t), 3)):
            with pytest.warns(TruncationWarning, match=f"{count} of 3 texts"):
                verb(long, ids=list("bcd"))
        with pytest.warns(TruncationWarning, match="1 of 1 texts"):
            assert db.search(long[0], k=1)[0].id in "bcd"
        assert db.get("b")[0].document == long[0]  # the document itself is whole
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            db.search("short")


# ---- encoders ----------------------------------------------------------------------------------


@row("no texts")
def test_encode_nothing(encoder: Encoder) -> None:
    for none in ([], (), iter([])):
        assert encoder.encode(none).shape == (0, 384)


@row("empty text, white space")
def test_encode_empty_text(encoder: Encoder) -> None:
    assert encoder.tokenizer.encode("").tokens == ["[CLS]", "[SEP]"]
    empty = encoder.encode("")
    assert np.linalg.norm(empty) == pytest.approx(1, abs=1e-5)
    for text in (" ", "\n\t", "\u3000"):
        assert_array_equal(encoder.encode(text), empty)


@row("lone surrogates")
@row("NUL")
@pytest.mark.parametrize("odd", ["\0", "\ud800"])
def test_encode_what_utf8_or_bert_do_not_know(encoder: Encoder, odd: str) -> None:
    assert_array_equal(encoder.encode(f"a {odd}cat"), encoder.encode("a cat"))


@row("bytes, numbers, None")
@pytest.mark.parametrize("bad", [b"x", 7, None, math.nan, ["a"]])
def test_encode_what_is_no_text(encoder: Encoder, bad: Any) -> None:
    with pytest.raises(TypeError, match=r"\[encode\] expected"):
        encoder.encode(["fine", bad])


@row("64 MiB of words, one word of 64 MiB")
@pytest.mark.parametrize(
    ("kind", "times"), [("x", 3), ("é", 3), ("word ", 3), ("日", 5), (". ", 5)]
)
def test_encode_64_mib(encoder: Encoder, kind: str, times: int) -> None:
    del encoder  # only to be skipped where the model is absent
    assert used("encode", kind, DOCUMENT_BYTES_MAX).memory <= times * DOCUMENT_BYTES_MAX


# ---- the table itself --------------------------------------------------------------------------


def test_every_row_of_the_documentation_has_its_test() -> None:
    page = Path(__file__).parents[2] / "docs" / "inputs.md"
    cells = re.findall(r"^\| (.*?) \|", page.read_text(encoding="utf-8"), re.M)
    documented = {cell for cell in cells if cell not in ("input", "---")}
    assert documented == set(ROWS)
    ours = {value for name, value in vars(sys.modules[__name__]).items() if name.startswith("test")}
    assert {test for tests in ROWS.values() for test in tests} < ours
