"""The index in fewer bits: float16, int8 and bits, against NumPy and faiss."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from random_vectors import random_vectors
from unitvec.index import Index

METRICS = ["cosine", "dot", "euclidean", "manhattan"]
KINDS = ["flat", "hnsw"]
DTYPES = ["float16", "int8"]


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def kept(x, dtype):
    """What an index keeps of its vectors, by NumPy."""
    if dtype == "float16":
        return x.astype(np.float16).astype(np.float32)
    scale = np.abs(x).max(axis=1, keepdims=True) / np.float32(127)
    return np.rint(x / scale) * scale


def scores_of(x, q, metric):
    x, q = x.astype(np.float64), q.astype(np.float64)
    if metric in ("cosine", "dot"):
        return q @ x.T
    difference = q[:, None] - x[None]
    if metric == "euclidean":
        return -np.sqrt((difference**2).sum(-1))
    return -np.abs(difference).sum(-1)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("queries", [1, 40])  # scanned, and by a matrix product
def test_scores_are_those_of_the_vectors_that_are_kept(dtype, metric, queries):
    x, q = random_vectors(700, 37), random_vectors(queries, 37, seed=1)
    index = Index(37, "flat", metric, dtype)
    index.add(x)
    if metric == "cosine":
        x, q = unit(x), unit(q)
    scores, ids = index.search(q, k=20)
    expected = scores_of(kept(x, dtype), q, metric)
    assert_allclose(np.take_along_axis(expected, ids, axis=1), scores, rtol=2e-5, atol=2e-5)
    assert_allclose(-np.sort(-expected, axis=1)[:, :20], scores, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("metric", METRICS)
def test_a_batch_has_the_bits_of_its_queries_alone(kind, dtype, metric):
    index = Index(48, kind, metric, dtype)
    index.add(random_vectors(1500, 48))
    q = random_vectors(9, 48, seed=1)
    scores, ids = index.search(q)
    for i in range(9):
        alone = index.search(q[i])
        assert_array_equal(alone.scores[0], scores[i])
        assert_array_equal(alone.ids[0], ids[i])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("metric", METRICS)
def test_reconstruct_returns_what_is_kept(dtype, metric):
    x = random_vectors(20, 13)
    index = Index(13, "flat", metric, dtype)
    index.add(x)
    expected = kept(unit(x) if metric == "cosine" else x, dtype)
    assert_allclose(index.reconstruct(np.arange(20)), expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("metric", METRICS)
def test_a_graph_over_fewer_bits_finds_the_nearest(dtype, metric):
    x, q = random_vectors(4000, 24), random_vectors(50, 24, seed=1)
    index = Index(24, "hnsw", metric, dtype)
    index.add(x)
    found = index.search(q, ef_search=100)
    best = index.search(q, exact=True)
    assert best.exact
    assert not found.exact
    assert (found.scores >= best.scores[:, -1:]).mean() > 0.98


@pytest.mark.parametrize("dtype", ["float32", *DTYPES])
def test_bytes_of_a_vector(dtype):
    index = Index(384, "flat", dtype=dtype)
    index.add(random_vectors(4096, 384))
    each = {"float32": 4 * 384, "float16": 2 * 384, "int8": 4 + 384}[dtype]
    assert each <= index.stats()["bytes_per_vector"] <= 2 * each + 100  # arrays grow by doubling
    assert index.stats()["dtype"] == dtype


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_changes_and_files(tmp_path, kind, dtype):
    x = random_vectors(600, 17)
    index = Index(17, kind, "euclidean", dtype)
    index.add(x)
    index.remove(np.arange(0, 600, 3))
    index.save(tmp_path / "a")
    loaded = Index.load(tmp_path / "a")
    assert repr(loaded) == repr(index)
    assert f"dtype={dtype}" in repr(loaded)
    q = random_vectors(7, 17, seed=1)
    for ours, theirs in zip(index.search(q), loaded.search(q), strict=True):
        assert_array_equal(ours, theirs)
    assert_array_equal(loaded.add(x[:5]), index.add(x[:5]))
    assert_array_equal(loaded.reconstruct(loaded.ids), index.reconstruct(index.ids))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_faiss_reads_the_vectors_as_they_are_kept(tmp_path, kind, dtype):
    faiss = pytest.importorskip("faiss", reason="faiss-cpu is not installed")
    x, q = random_vectors(800, 16), random_vectors(10, 16, seed=1)
    index = Index(16, kind, "euclidean", dtype)
    index.add(x)
    index.to_faiss(tmp_path / "f")
    squared, ids = faiss.read_index(str(tmp_path / "f")).search(q, 5)
    found = index.search(q, k=5, distances=True)
    assert (ids == found.ids).mean() > 0.95
    assert_allclose(np.sqrt(squared), found.scores, rtol=1e-3)


def test_float16_refuses_what_it_cannot_hold():
    index = Index(2, "flat", "dot", "float16")
    with pytest.raises(
        ValueError, match=r"components of at most 65504 .*float16, got 70000.* row 1"
    ):
        index.add([[65504.0, 0.0], [70000.0, 0.0]])
    assert len(index) == 0
    index.add([[65504.0, -65504.0]])
    assert_array_equal(index.reconstruct([0]), [[65504.0, -65504.0]])


def test_hnsw_sq_is_hnsw_in_int8():
    index = Index(8, "hnsw_sq")
    assert (index.stats()["kind"], index.stats()["dtype"]) == ("hnsw", "int8")
    with pytest.raises(ValueError, match=r'kind "hnsw_sq" with dtype "int8" or none, got float16'):
        Index(8, "hnsw_sq", dtype="float16")


@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "", "Int8"])
def test_another_dtype_is_refused_with_those_there_are(dtype):
    with pytest.raises(ValueError, match=r'dtype to be one of "float32", "float16", "int8", got'):
        Index(8, dtype=dtype) if dtype else _core_index("")


def _core_index(dtype):
    from unitvec import _core

    return _core.Index(8, "flat", "cosine", dtype=dtype)


# ---- bits ---------------------------------------------------------------------------------------


def random_bits(n, dim, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (n, dim)).astype(bool)


def differing(x, q):
    return (q[:, None] != x[None]).sum(-1)


@given(
    st.integers(0, 50),
    st.integers(1, 30),
    st.integers(0, 6),
    st.integers(1, 60),
    st.integers(0, 99),
)
def test_hamming_search_is_exact(n, bytes_each, queries, k, seed):
    dim = 8 * bytes_each
    x, q = random_bits(n, dim, seed), random_bits(queries, dim, seed + 1)
    index = Index(dim, "flat", "hamming")
    index.add(x)
    found = index.search(q, k, distances=True)
    expected = np.sort(differing(x, q), axis=1)[:, :k]
    assert_array_equal(found.scores[:, : min(k, n)], expected)
    assert (found.ids[:, min(k, n) :] == -1).all()
    assert found.exact


def test_hamming_through_a_graph():
    x, q = random_bits(5000, 256), random_bits(50, 256, seed=1)
    x[:50] = q ^ (np.random.default_rng(2).random((50, 256)) < 0.1)  # near their queries
    index = Index(256, "hnsw", "hamming")
    index.add(x)
    found = index.search(q, k=1, ef_search=100)
    assert (found.ids[:, 0] == np.arange(50)).mean() > 0.95
    assert not found.exact


def test_every_form_of_bits_is_the_same(tmp_path):
    x = random_bits(20, 64)
    packed = np.packbits(x, axis=1)
    signed = (packed.astype(np.int16) - 128).astype(np.int8)  # as "binary" embeddings
    for form in (x, packed, signed, np.asfortranarray(packed), packed[::-1][::-1]):
        index = Index(64, "flat", "hamming")
        index.add(form)
        assert_array_equal(index.reconstruct(index.ids), packed)
        assert_array_equal(index.search(form[3], k=1).ids, [[3]])
    index.save(tmp_path / "a")
    assert_array_equal(Index.load(tmp_path / "a").search(x, 3).ids, index.search(x, 3).ids)
    found = index.range_search(x[5], radius=0)
    assert_array_equal(found[0].ids, [5])
    assert_array_equal(found[0].scores, [0.0])


def test_faiss_reads_bits(tmp_path):
    faiss = pytest.importorskip("faiss", reason="faiss-cpu is not installed")
    x = random_bits(300, 128)
    index = Index(128, "hnsw", "hamming")
    index.add(x, ids=np.arange(300) + 1000)
    index.remove([1007])
    index.to_faiss(tmp_path / "f")
    theirs = faiss.read_index_binary(str(tmp_path / "f"))
    distances, _ = theirs.search(np.packbits(x[:20], axis=1), 5)
    found = index.search(x[:20], k=5, exact=True, distances=True)
    assert_array_equal(distances, found.scores)


def test_bad_bits_are_refused():
    with pytest.raises(ValueError, match=r"dim in bits under hamming, a multiple of 8, got 12"):
        Index(12, "flat", "hamming")
    with pytest.raises(ValueError, match="no dtype under hamming, which keeps bits, got int8"):
        Index(16, "flat", "hamming", "int8")
    index = Index(16, "flat", "hamming")
    with pytest.raises(TypeError, match=r"booleans, or of uint8 bytes .* got dtype float32"):
        index.add(np.zeros((1, 16), np.float32))
    with pytest.raises(ValueError, match=r"16 booleans each for dim 16, got shape \(1, 8\)"):
        index.add(np.zeros((1, 8), bool))
    with pytest.raises(ValueError, match=r"2 bytes each for dim 16, got shape \(1, 3\)"):
        index.search(np.zeros(3, np.uint8))
    with pytest.raises(TypeError, match="got dtype int64"):
        index.search([[0, 1]])
    assert len(index) == 0
    numbers = Index(16, "flat")
    with pytest.raises(TypeError, match="real numbers, got dtype bool"):
        numbers.add(np.zeros((1, 16), bool))
