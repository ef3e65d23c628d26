"""Codes nominate, vectors decide: what is called exact is what brute force finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from unitvec import _core
from unitvec.collection.coded import Coded, breadth, flat, graph, rows_met
from unitvec.collection.nearest import NearestSearch, Neighbours
from unitvec.collection.vector_rows import Space, StoredVectors
from unitvec.index_arguments import all_marked

METRICS = ["cosine", "dot", "euclidean", "manhattan"]


def space_of(dim: int, metric: str) -> Space:
    return Space(0, "", dim, metric, None, None, 0)


def brute_force(metric: str, queries: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    q, v = queries.astype(np.float64), vectors.astype(np.float64)
    if metric in ("euclidean", "manhattan"):
        differences = q[:, None, :] - v[None, :, :]
        order = 2 if metric == "euclidean" else 1
        return -np.linalg.norm(differences, ord=order, axis=2)
    products = q @ v.T
    if metric == "dot":
        return products
    return (
        products
        / np.maximum(np.linalg.norm(q, axis=1)[:, None], 1e-300)
        / np.linalg.norm(v, axis=1)
    )


def rows_of(keys: np.ndarray, vectors: np.ndarray) -> StoredVectors:
    return StoredVectors(keys.tolist(), vectors)


class Searched:
    """Vectors in a graph and a tail, as a collection holds them."""

    def __init__(self, metric: str, vectors: np.ndarray, in_graph: int) -> None:
        self.vectors = vectors
        self.keys = np.arange(1, 2 * len(vectors), 2)
        self.space = space_of(vectors.shape[1], metric)
        self.sources = []
        for make, part in ((graph, slice(0, in_graph)), (flat, slice(in_graph, None))):
            if len(self.keys[part]):
                coded = Coded(self.space, make(self.space))
                coded.add(rows_of(self.keys[part], vectors[part]))
                self.sources.append(coded)
        self.read = 0

    def fetch(self, keys: list[int]) -> StoredVectors:
        self.read += len(keys)
        places = np.searchsorted(self.keys, np.array(keys, np.int64))
        return rows_of(self.keys[places], self.vectors[places])

    def search(self, queries: np.ndarray, k: int, allowed: np.ndarray | None = None) -> Neighbours:
        among = None if allowed is None else all_marked(allowed)
        search = NearestSearch(self.space, self.sources, self.fetch, k, among, 1.0)
        return search.run(queries.astype(np.float32), 0.5)


def clustered(rng: np.random.Generator, count: int, dim: int, spread: float) -> np.ndarray:
    """Rows around few centres, some of them equal: near ties, and ties."""
    centres = rng.standard_normal((max(1, count // 50), dim))
    rows = centres[rng.integers(len(centres), size=count)]
    rows = rows + spread * rng.standard_normal((count, dim))
    rows[count // 2 : count // 2 + 5] = rows[0]
    return rows.astype(np.float32)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("dim", "spread"), [(2, 1.0), (17, 0.1), (64, 0.01), (384, 0.001)])
@pytest.mark.parametrize("in_graph", [0, 700, 1000])
def test_exact_is_what_brute_force_finds(
    metric: str, dim: int, spread: float, in_graph: int
) -> None:
    rng = np.random.default_rng(dim)
    vectors = clustered(rng, 1000, dim, spread)
    queries = np.concatenate([vectors[:3], clustered(rng, 5, dim, spread), np.zeros((1, dim))])
    searched = Searched(metric, vectors, in_graph)
    truth = brute_force(metric, queries, vectors)
    for k in (1, 10, 300, 1000, 1500):
        found = searched.search(queries, k)
        assert found.exact
        assert found.recall_estimate == 1.0
        for i in range(len(queries)):
            best = np.sort(truth[i])[::-1][:k]
            assert_allclose(found.scores[i], best, rtol=1e-5, atol=1e-6)
            assert len(set(found.keys[i])) == len(best)
            places = (np.array(found.keys[i]) - 1) // 2
            assert_allclose(found.scores[i], truth[i][places], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_filters_and_ties(metric: str) -> None:
    rng = np.random.default_rng(1)
    vectors = clustered(rng, 600, 32, 0.05)
    searched = Searched(metric, vectors, 400)
    allowed = searched.keys[::7]
    truth = brute_force(metric, vectors[:4], vectors[::7])
    found = searched.search(vectors[:4], 20, allowed)
    for i in range(4):
        assert set(found.keys[i]) <= set(allowed.tolist())
        assert_allclose(found.scores[i], np.sort(truth[i])[::-1][:20], rtol=1e-5, atol=1e-6)
    # Of equal rows the older comes first.
    alike = [1, *searched.keys[300:305].tolist()]
    keys = searched.search(vectors[:1], 600).keys[0]
    assert [key for key in keys if key in alike] == alike
    assert searched.search(vectors[:1], 5, np.array([], np.int64)).keys == [[]]


@pytest.mark.parametrize("allowed", [None, np.array([], np.int64)])
def test_nothing_is_missed_in_a_graph_whose_rows_are_all_dead(allowed: np.ndarray | None) -> None:
    rng = np.random.default_rng(3)
    searched = Searched("cosine", clustered(rng, 100, 8, 0.1), 100)
    searched.sources[0].forget(searched.keys.tolist(), clear_dead=False)
    among = None if allowed is None else all_marked(allowed)
    search = NearestSearch(searched.space, searched.sources, searched.fetch, 5, among, None)
    found = search.run(rng.standard_normal((2, 8)).astype(np.float32), 0.5)
    assert (found.keys, found.exact, found.recall_estimate) == ([[], []], True, 1.0)


@pytest.mark.parametrize("metric", ["cosine", "dot"])
def test_walks_keep_more_among_more_rows(metric: str) -> None:
    some = (0, 1, 100_000, 10**6, 10**7)
    most = [breadth(metric, rows, 10, filtered=False)[0] for rows in some]
    assert most[0] == most[1] == most[2]
    assert most[2] < most[3] < most[4] <= 2 * most[2]
    assert breadth(metric, 50_000, 10, filtered=True)[0] > most[0]
    assert rows_met(1) == rows_met(100_000) < rows_met(10**6)


def test_walks_end_early_by_the_neighbours_asked_for() -> None:
    for k in (1, 10, 50):
        most, end = breadth("euclidean", 100_000, k, filtered=False)
        assert end is not None
        assert end.k == max(k, 10)
        assert end.least < most
    assert breadth("dot", 100_000, 10, filtered=False)[1] is None


def test_few_vectors_are_read() -> None:
    rng = np.random.default_rng(2)
    vectors = rng.standard_normal((5000, 256)).astype(np.float32)
    searched = Searched("cosine", vectors, 0)
    searched.search(rng.standard_normal((20, 256)), 10)
    assert searched.read <= 20 * 40


@settings(max_examples=100)
@given(
    metric=st.sampled_from(METRICS),
    dim=st.integers(1, 80),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
    seed=st.integers(0, 10**6),
)
def test_the_bound_holds(metric: str, dim: int, scale: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = (scale * rng.standard_normal((50, dim)) ** 3).astype(np.float32)
    vectors[np.linalg.norm(vectors, axis=1) < 1e-9] = scale
    query = (scale * rng.standard_normal(dim)).astype(np.float32)
    coded = Coded(space_of(dim, metric))
    coded.add(rows_of(np.arange(50), vectors))
    by_code, ids = coded.index.search(query, 50)
    by_vector = brute_force(metric, query[None], vectors)[0][ids[0]]
    assert np.abs(by_code[0] - by_vector).max() <= coded.error_for(query) * (1 + 1e-6)


@settings(max_examples=50)
@given(metric=st.sampled_from(METRICS), count=st.integers(1, 30), seed=st.integers(0, 10**6))
def test_a_score_has_the_same_bits_beside_any_others(metric: str, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((count, 37)).astype(np.float32)
    query = rng.standard_normal(37).astype(np.float32)
    together = _core.stored_scores(metric, query, vectors)
    alone = [_core.stored_scores(metric, query, vectors[i : i + 1])[0] for i in range(count)]
    assert together.tolist() == alone
    assert_allclose(together, brute_force(metric, query[None], vectors)[0], rtol=1e-6, atol=1e-7)
