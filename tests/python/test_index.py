"""The index: exact search against NumPy, recall, changes, bad input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from random_vectors import random_vectors
from unitvec.index import Index

METRICS = ["cosine", "dot", "euclidean", "manhattan"]
KINDS = ["flat", "hnsw"]


def reference_scores(x, q, metric):
    x, q = x.astype(np.float64), q.astype(np.float64)
    if metric == "cosine":
        lengths = np.linalg.norm(q, axis=1)[:, None] * np.linalg.norm(x, axis=1)[None]
        return np.divide(q @ x.T, lengths, out=np.zeros((len(q), len(x))), where=lengths > 0)
    if metric == "dot":
        return q @ x.T
    difference = q[:, None] - x[None]
    if metric == "euclidean":
        return -np.sqrt((difference**2).sum(-1))
    return -np.abs(difference).sum(-1)


def assert_exact(found, x, q, k, metric, ids=None):
    """The scores are the k best there are and each id has its score; ties in any order."""
    scores, found_ids = found
    all_scores = reference_scores(x, q, metric)
    best = -np.sort(-all_scores, axis=1)[:, :k]
    tolerance = 2e-6 * max(1.0, np.abs(best).max(initial=0.0)) * max(1.0, x.shape[1] ** 0.5)
    kept = best.shape[1]
    assert scores.shape == found_ids.shape == (len(q), k)
    assert_allclose(scores[:, :kept], best, atol=tolerance)
    assert (found_ids[:, kept:] == -1).all()
    assert (scores[:, kept:] == -np.inf).all()
    rows = {int(id): row for row, id in enumerate(range(len(x)) if ids is None else ids)}
    for row, line in enumerate(found_ids[:, :kept]):
        places = [rows[int(id)] for id in line]
        assert len(set(places)) == kept
        assert_allclose(all_scores[row, places], best[row], atol=tolerance)


numbers = st.integers(-64, 64).map(lambda i: i / 8)  # few values: many ties, many zero rows


@st.composite
def problem(draw):
    dim = draw(st.integers(1, 20))
    x = draw(arrays(np.float32, (draw(st.integers(0, 60)), dim), elements=numbers))
    q = draw(arrays(np.float32, (draw(st.integers(0, 9)), dim), elements=numbers))
    return x, q, draw(st.integers(1, 70))


@pytest.mark.parametrize("metric", METRICS)
@given(case=problem())
def test_flat_search_is_exact(metric, case):
    x, q, k = case
    if metric == "cosine":
        x = x[np.abs(x).max(axis=1, initial=0) > 0]
    index = Index(x.shape[1], kind="flat", metric=metric)
    index.add(x)
    found = index.search(q, k)
    assert found.exact
    assert_exact(found, x, q, k, metric)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dim", [1, 384, 1536])
@pytest.mark.parametrize("nq", [1, 40])
def test_flat_search_is_exact_at_usual_sizes(metric, dim, nq):
    x, q = random_vectors(2500, dim, seed=1), random_vectors(nq, dim, seed=2)
    index = Index(dim, kind="flat", metric=metric)
    index.add(x)
    scores, ids = index.search(q, 10)
    for row in range(nq):
        one = scores[row : row + 1], ids[row : row + 1]
        assert_exact(one, x, q[row : row + 1], 10, metric)


@pytest.mark.parametrize("metric", METRICS)
def test_hnsw_recall_on_clustered_vectors(metric):
    rng = np.random.default_rng(3)
    centres = rng.standard_normal((200, 64))
    x = (centres[rng.integers(0, 200, 8000)] + 0.5 * rng.standard_normal((8000, 64))).astype("f4")
    q = (centres[rng.integers(0, 200, 100)] + 0.5 * rng.standard_normal((100, 64))).astype("f4")
    index = Index(64, metric=metric)
    index.add(x)
    found = index.search(q, 10)
    exact = index.search(q, 10, exact=True)
    assert not found.exact
    assert exact.exact
    assert np.mean([np.isin(a, b).mean() for a, b in zip(found.ids, exact.ids, strict=True)]) > 0.95
    wide = index.search(q, 10, ef_search=1000)
    assert np.mean([np.isin(a, b).mean() for a, b in zip(wide.ids, exact.ids, strict=True)]) > 0.99


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("metric", METRICS)
def test_a_query_gives_the_same_bits_alone_and_in_a_batch(kind, metric):
    x, q = random_vectors(1500, 32, seed=1), random_vectors(20, 32, seed=2)
    index = Index(32, kind=kind, metric=metric)
    index.add(x)
    scores, ids = index.search(q, 7)
    alone = [index.search(row, 7, threads=1) for row in q]
    assert_array_equal(np.vstack([r.scores for r in alone]), scores)
    assert_array_equal(np.vstack([r.ids for r in alone]), ids)


def test_scores_are_larger_and_distances_smaller_when_nearer():
    x = np.array([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]])
    for metric, far in (("euclidean", 5.0), ("manhattan", 7.0)):
        index = Index(2, kind="flat", metric=metric)
        index.add(x)
        scores, ids = index.search([0.0, 0.0], k=4)
        assert_array_equal(ids, [[0, 1, 2, -1]])
        assert_array_equal(scores, [[0.0, -far, -2 * far, -np.inf]])
        found = index.search([0.0, 0.0], k=4, distances=True)
        assert_array_equal(found.scores, [[0.0, far, 2 * far, np.inf]])
        assert not np.signbit(found.scores).any()
        assert not np.signbit(scores[0, 0])
    with pytest.raises(ValueError, match="which has scores only"):
        Index(2, kind="flat").search([1.0, 0.0], distances=True)


def test_a_result_unpacks_and_says_whether_it_is_exact():
    index = Index(2, kind="flat")
    index.add([[1.0, 0.0]])
    found = index.search([1.0, 0.0], k=1)
    scores, ids = found
    assert scores is found.scores
    assert ids is found.ids
    assert found.exact


@pytest.mark.parametrize("kind", KINDS)
def test_ids_are_the_users_and_new_ones_follow_the_largest(kind):
    index = Index(2, kind=kind)
    assert_array_equal(index.add([[1.0, 0.0], [0.0, 1.0]], ids=[2**62, 7]), [2**62, 7])
    assert_array_equal(index.add([1.0, 1.0]), [2**62 + 1])
    assert_array_equal(index.search([0.0, 2.0], k=1).ids, [[7]])
    assert len(index) == 3
    assert 7 in index
    assert 8 not in index
    assert "7" not in index
    assert_array_equal(index.ids, [2**62, 7, 2**62 + 1])
    assert_allclose(index.reconstruct([7, 2**62 + 1]), [[0, 1], [0.5**0.5, 0.5**0.5]])


@pytest.mark.parametrize("kind", KINDS)
def test_removed_vectors_are_gone_and_the_rest_is_still_found(kind):
    x = random_vectors(1000, 16, seed=5)
    index = Index(16, kind=kind)
    index.add(x)
    rng = np.random.default_rng(6)
    alive = np.arange(1000)
    for _ in range(6):
        gone = rng.choice(alive, 120, replace=False)
        index.remove(gone)
        alive = np.setdiff1d(alive, gone)
        assert len(index) == len(alive)
        found = index.search(x[alive], 5)
        assert np.isin(found.ids, alive).all()
        assert (found.ids[:, 0] == alive).mean() > 0.98
        now = index.stats()
        assert now["dead"] <= 0.2 * (now["dead"] + now["live"])
    index.remove(alive)
    assert len(index) == 0
    assert (index.search(x[:3], 2).ids == -1).all()
    index.add(x[:10], ids=np.arange(10))
    assert_array_equal(index.search(x[4], 1).ids, [[4]])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.5, 0.1, 0.01, 0.001])
def test_filters_find_k_with_high_recall(kind, share):
    x, q = random_vectors(10_000, 24, seed=7), random_vectors(30, 24, seed=8)
    index = Index(24, kind=kind)
    index.add(x)
    allowed = np.flatnonzero(np.random.default_rng(9).random(10_000) < share)
    found = index.search(q, 10, allowed_ids=allowed, ef_search=200)
    expected = index.search(q, 10, allowed_ids=allowed, exact=True)
    assert_exact(expected, x[allowed], q, 10, "cosine", ids=allowed)
    kept = found.ids >= 0
    assert kept.sum() == min(10, len(allowed)) * len(q)
    assert np.isin(found.ids[kept], allowed).all()
    hits = [np.isin(a, b).mean() for a, b in zip(found.ids, expected.ids, strict=True)]
    assert np.mean(hits) >= 0.99


def test_a_filter_may_be_a_function_of_the_ids():
    index = Index(4, kind="flat")
    index.add(random_vectors(50, 4))
    found = index.search(random_vectors(3, 4, seed=1), 5, allowed_ids=lambda ids: ids % 7 == 0)
    assert (found.ids % 7 == 0).all()
    assert_array_equal(index.search([1.0, 0, 0, 0], 2, allowed_ids=[]).ids, [[-1, -1]])
    assert_array_equal(index.search([1.0, 0, 0, 0], 2, allowed_ids=[3, 99, 3]).ids, [[3, -1]])
    with pytest.raises(ValueError, match=r"expected 50 booleans of allowed_ids.*got int64"):
        index.search([1.0, 0, 0, 0], allowed_ids=lambda ids: ids)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("metric", METRICS)
def test_range_search_is_exact(kind, metric):
    x, q = random_vectors(600, 8, seed=1), random_vectors(5, 8, seed=2)
    index = Index(8, kind=kind, metric=metric)
    index.add(x)
    scores = reference_scores(x, q, metric)
    least = float(np.quantile(scores, 0.9))
    radius = -least if metric in ("euclidean", "manhattan") else least
    found = index.range_search(q, radius)
    assert len(found) == 5
    for row, (near, ids) in enumerate(found):
        assert_array_equal(np.sort(ids), np.flatnonzero(scores[row] >= least))
        assert (np.diff(near) >= 0).all() if radius == -least else (np.diff(near) <= 0).all()
        assert_allclose(np.abs(near), np.abs(scores[row, ids]), atol=1e-5)
    with pytest.raises(ValueError, match="radius"):
        index.range_search(q, np.nan)


BAD_VECTORS = [
    (np.ones((2, 4)), ValueError, "vectors of dimension 3, got 4"),
    (np.ones(4), ValueError, "vectors of dimension 3, got 4"),
    (np.float64(1), ValueError, "got 0-D"),
    (np.ones((2, 3, 1)), ValueError, "got 3-D"),
    ([[1, 2, 3], [1, np.nan, 3]], ValueError, "nan in row 1, column 1"),
    ([[1, 2, 3], [1, np.inf, 3]], ValueError, "inf in row 1, column 1"),
    (np.array([[1, 2, 3], [1, 1e300, 3]]), ValueError, "inf in row 1, column 1"),
    (np.array([[True, False, True]]), TypeError, "dtype bool"),
    (np.array([[1, 2, None]]), TypeError, "dtype object"),
    ([["a", "b", "c"]], TypeError, "real numbers"),
    ([[1, 2, 3], [0, 0, 0]], ValueError, "in row 1"),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("bad", "error", "message"), BAD_VECTORS)
def test_bad_vectors_are_refused_and_nothing_is_stored(kind, bad, error, message):
    index = Index(3, kind=kind)
    index.add([1.0, 2.0, 3.0])
    with pytest.raises(error, match=rf"\[add\] expected .*{message}"):
        index.add(bad)
    assert_array_equal(index.ids, [0])
    assert_array_equal(index.add([3.0, 2.0, 1.0]), [1])


def test_a_zero_vector_scores_0_as_a_query_under_cosine_and_is_welcome_elsewhere():
    index = Index(3, kind="flat")
    index.add(random_vectors(5, 3))
    assert_array_equal(index.search(np.zeros(3), 5).scores, np.zeros((1, 5)))
    for metric in METRICS[1:]:
        other = Index(3, kind="flat", metric=metric)
        other.add(np.zeros((1, 3)))
        assert_array_equal(other.search(np.zeros(3), 1).scores, [[0.0]])


@pytest.mark.parametrize(
    ("ids", "error", "message"),
    [
        ([1, 1], ValueError, "1 in row 1 again"),
        ([1, 0], ValueError, "0 in row 1"),
        ([1, -1], ValueError, "0 or more"),
        ([1], ValueError, "2 ids, one for each vector, got 1"),
        ([1.0, 2.0], TypeError, "dtype float64"),
        (["a", "b"], TypeError, "whole numbers"),
        ([True, False], TypeError, "dtype bool"),
        (np.array([1, 2**63], np.uint64), ValueError, "below 2"),
        ([[1, 2]], ValueError, "got 2-D"),
    ],
)
def test_bad_ids_are_refused_and_nothing_is_stored(ids, error, message):
    index = Index(2)
    index.add([1.0, 0.0])
    with pytest.raises(error, match=message):
        index.add([[1.0, 1.0], [0.0, 1.0]], ids=ids)
    assert_array_equal(index.ids, [0])


def test_remove_refuses_unknown_and_repeated_ids_and_removes_none():
    index = Index(2)
    index.add([[1.0, 0.0], [0.0, 1.0]])
    with pytest.raises(ValueError, match=r"\[remove\] expected ids that the index holds, got 9"):
        index.remove([0, 9])
    with pytest.raises(ValueError, match="again"):
        index.remove([0, 0])
    assert len(index) == 2
    index.remove(0)
    index.remove([])
    assert_array_equal(index.ids, [1])


@pytest.mark.parametrize("k", [0, -1])
def test_k_below_1_is_refused(k):
    with pytest.raises(ValueError, match=rf"\[search\] expected k of at least 1, got {k}"):
        Index(2).search([1.0, 0.0], k)


def test_bad_options_are_refused_by_name():
    with pytest.raises(TypeError, match="k as a whole number"):
        Index(2).search([1.0, 0.0], 1.5)
    with pytest.raises(ValueError, match='"flat", "hnsw", "ivf", "ivfpq", "auto", got "tree"'):
        Index(2, kind="tree")
    with pytest.raises(ValueError, match='"euclidean", "manhattan", "hamming", got "l2"'):
        Index(2, metric="l2")
    with pytest.raises(TypeError, match=r"expected parameters among M.*got lists"):
        Index(2, lists=10)
    with pytest.raises(ValueError, match="expected M from 2 to 512, got 1"):
        Index(2, M=1)
    with pytest.raises(ValueError, match="expected dim"):
        Index(0)
    with pytest.raises(ValueError, match="ef_search"):
        Index(2).search([1.0, 0.0], ef_search=0)


def test_no_vectors_and_no_queries_are_welcome():
    for kind in KINDS:
        index = Index(3, kind=kind)
        assert_array_equal(index.add([]), [])
        assert_array_equal(index.add(np.empty((0, 3))), [])
        assert_array_equal(index.search([1.0, 0.0, 0.0], 2).ids, [[-1, -1]])
        index.add([1.0, 0.0, 0.0])
        assert index.search(np.empty((0, 3)), 2).ids.shape == (0, 2)


def test_auto_says_what_it_picked():
    index = Index(3, kind="auto", automatic_threshold=100)
    index.add(random_vectors(99, 3))
    assert index.stats()["kind"] == "flat"
    index.add(random_vectors(1, 3, seed=1))
    assert index.stats()["kind"] == "hnsw"
    assert "auto (hnsw)" in repr(index)


def test_bytes_per_vector_count_the_vectors_their_codes_and_the_links():
    flat, hnsw = Index(64, kind="flat"), Index(64, kind="hnsw", M=16)
    for index in (flat, hnsw):
        index.add(random_vectors(4096, 64))
    assert flat.stats()["bytes_per_vector"] >= 64 * 4 + 8
    extra = hnsw.stats()["bytes_per_vector"] - flat.stats()["bytes_per_vector"]
    links, codes = 2 * 16 * 4, 4 + 64
    assert links + codes <= extra <= links + codes + 32


@pytest.mark.parametrize("kind", ["flat", "hnsw", "hnsw_sq", "ivf"])
def test_room_made_ahead_saves_memory_and_changes_no_answer(kind: str) -> None:
    stored, queries = random_vectors(3000, 32), random_vectors(20, 32, seed=2)
    grown, reserved = Index(32, kind=kind), Index(32, kind=kind)
    reserved.reserve(3000)
    for start in range(0, 3000, 100):
        for index in (grown, reserved):
            index.add(stored[start : start + 100])
    for index in (grown, reserved):
        assert len(index) == 3000
    assert np.array_equal(grown.search(queries).ids, reserved.search(queries).ids)
    assert reserved.stats()["bytes"] < grown.stats()["bytes"]
    reserved.reserve(10)  # less than there are
    reserved.add(random_vectors(1, 32, seed=3))  # more than was reserved
    assert len(reserved) == 3001


@pytest.mark.parametrize("n", [0, -1, 2**31, 2**64])
def test_room_for_an_impossible_number_is_refused(n: int) -> None:
    with pytest.raises(ValueError, match="reserve"):
        Index(8).reserve(n)


def test_room_that_there_is_not_is_a_memory_error() -> None:
    index = Index(60_000, kind="flat")
    index.add(random_vectors(3, 60_000))
    with pytest.raises(MemoryError):
        index.reserve(2**31 - 1)  # 515 TB
    assert len(index.search(random_vectors(1, 60_000), k=3).ids[0]) == 3
