"""Odd vectors: the rows of docs/inputs.md, in its order, each under its name."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from odd_inputs import REFUSED, ROW, refuses, row, two_vectors, writers_refuse
from unitvec import Collection
from unitvec.collection.batches import BATCH_DOCUMENTS


@pytest.fixture
def vectors(tmp_path: Path) -> Iterator[Collection]:
    yield from two_vectors(tmp_path)


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


@pytest.fixture
def named(tmp_path: Path) -> Any:
    """A document with one vector, of two kinds that there are."""
    with Collection(tmp_path / "named.uv", vectors={"title": 4, "image": 2}) as collection:
        collection.add(ids="a", embeddings={"title": ROW})
        yield collection


@row("None in place of a vector")
def test_no_vector(vectors: Collection, named: Collection) -> None:
    for value in ([None], [ROW, None]):
        ids = ["a", "b"][: len(value)]
        for verb in (vectors.upsert, vectors.update):
            refuses(
                vectors,
                lambda verb=verb, value=value, ids=ids: verb(ids=ids, embeddings=value),
                REFUSED,
                "real numbers|got None",
            )
        refuses(vectors, lambda value=value: vectors.search(value), REFUSED, "real|got None")
    named.upsert(ids=["a", "b"], embeddings={"title": [None, ROW], "image": [[1, 2], None]})
    found = named.get(include=["embeddings"])
    assert [set(record.vector) for record in found] == [{"image"}, {"title"}]


@row("a name that no vectors have; no name where there are several kinds")
def test_names_of_vectors(vectors: Collection, named: Collection) -> None:
    for verb in (vectors.add, vectors.upsert, partial(vectors.update, "a")):
        message = r"expected names of \[''\], got 'title'"
        refuses(vectors, lambda verb=verb: verb(embeddings={"title": ROW}), ValueError, message)
    refuses(vectors, lambda: vectors.search(ROW, using="title"), ValueError, "got 'title'")
    kinds = r"\['title', 'image'\], got"
    for verb in (named.add, named.upsert, partial(named.update, "a")):
        for value in (ROW, {"": ROW}, {"other": ROW}, {7: ROW}):
            with pytest.raises(ValueError, match=rf"names of {kinds}"):
                verb(embeddings=value)
    for using in (None, "", "other"):
        with pytest.raises(ValueError, match=rf"\[search\] expected using= to be one of {kinds}"):
            named.search(ROW, using=using)
    assert named.count() == 1
