"""Recall that is asked for, measured and reported."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from random_vectors import random_vectors
from unitvec.index import EarlyEnd, Index
from unitvec.tuning import Tuning, TuningPoint


def graph_of(n=5000, dim=32, metric="cosine", **parameters):
    """A poor graph, so that searches miss something."""
    index = Index(dim, "hnsw", metric, **{"M": 6, "ef_construction": 12} | parameters)
    index.add(random_vectors(n, dim))
    return index


def recall(index, q, found):
    best = index.search(q, found.ids.shape[1], exact=True)
    return (found.scores >= best.scores[:, -1:]).mean()


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclidean", "manhattan"])
@pytest.mark.parametrize("k", [1, 10, 30])
def test_more_recall_is_reached_where_more_is_asked_for(metric, k):
    index = graph_of(metric=metric)
    q = random_vectors(300, 32, seed=1)
    reached = []
    for wanted in (0.5, 0.9, 0.99):
        found = index.search(q, k, min_recall=wanted)
        assert found.recall_estimate >= wanted
        reached.append(recall(index, q, found))
    assert reached == sorted(reached)
    assert reached[0] < 1.0  # nothing was measured on a search that finds everything
    assert reached[-1] >= 0.97


@pytest.mark.parametrize(
    ("kind", "metric", "k"),
    [
        ("ivf", "cosine", 30),  # a list holds fewer than 100, for which recall is measured
        ("ivfpq", "dot", 30),
        ("hnsw", "euclidean", 10),  # where a mean of vectors is shorter than they are
        ("hnsw", "cosine", 1),  # where a mean's nearest is one of those that it is made of
    ],
)
def test_untuned_the_recall_asked_for_is_kept_for_fresh_queries(kind, metric, k):
    index = Index(32, kind, metric, **({} if k == 1 else {"M": 6, "ef_construction": 12}))
    index.add(random_vectors(5000, 32))
    queries = random_vectors(1000, 32, seed=1)
    for wanted in (0.9, 0.95, 0.99):
        found = index.search(queries, k, min_recall=wanted)
        assert recall(index, queries, found) >= wanted - 0.01
        assert found.recall_estimate >= wanted


def test_tuned_with_real_queries_the_recall_of_others_like_them_is_kept():
    index = graph_of()
    queries = random_vectors(800, 32, seed=1)
    index.tune(queries[:400])
    for wanted in (0.9, 0.95, 0.99):
        found = index.search(queries[400:], min_recall=wanted)
        assert recall(index, queries[400:], found) >= wanted - 0.01


def test_what_cannot_be_reached_through_the_graph_is_scanned():
    index = graph_of(2000)
    found = index.search(random_vectors(20, 32, seed=1), min_recall=1.0)
    assert recall(index, random_vectors(20, 32, seed=1), found) == 1.0
    assert found.exact or found.recall_estimate == 1.0


def test_without_min_recall_nothing_is_measured():
    index = graph_of(5000)
    q = random_vectors(3, 32, seed=1)
    found = index.search(q, ef_search=20)
    assert (found.exact, found.recall_estimate) == (False, None)
    assert index.stats()["calibrated_rows"] is None
    assert index.search(q, exact=True).recall_estimate == 1.0

    index.tune(k=10)
    assert index.stats()["calibrated_rows"] == 5000
    narrow, wide = (index.search(q, ef_search=ef).recall_estimate for ef in (10, 100))
    assert 0 < narrow <= wide <= 1


@pytest.mark.parametrize("metric", ["cosine", "euclidean", "manhattan"])
def test_walks_that_end_early_find_as_much_with_less(metric):
    index = graph_of(8000, 24, metric, M=12, ef_construction=40)
    near = random_vectors(200, 24)[:100] + 0.02 * random_vectors(100, 24, seed=2)
    far = random_vectors(100, 24, seed=1)
    narrow, wide, early = (
        [recall(index, q, index.search(q, **options)) for q in (near, far)]
        for options in (
            {"ef_search": 15},
            {"ef_search": 150},
            {"ef_search": 150, "early_end": EarlyEnd(least=15, slack=0.15)},
        )
    )
    # Queries whose neighbours stand out lose nothing, the others look on.
    assert narrow[1] + 0.1 < early[1] <= wide[1]
    assert early[0] >= narrow[0]


def test_an_early_end_keeps_to_filters_and_has_no_recall_measured():
    index = graph_of()
    q = random_vectors(20, 32, seed=1)
    index.tune(k=10)
    found = index.search(q, 30, allowed_ids=index.ids % 3 > 0, early_end=EarlyEnd(least=1))
    assert (found.exact, found.recall_estimate) == (False, None)
    assert (found.ids % 3 > 0).all()
    assert all(len(set(row)) == 30 for row in found.ids)


def test_a_dot_product_is_no_distance_to_end_by():
    index = graph_of(metric="dot")
    q = random_vectors(20, 32, seed=1)
    early = index.search(q, ef_search=60, early_end=EarlyEnd(least=1, slack=0.0))
    assert (early.ids == index.search(q, ef_search=60).ids).all()


@pytest.mark.parametrize(
    ("end", "error", "words"),
    [
        (EarlyEnd(least=0), ValueError, "expected least of early_end of at least 1, got 0"),
        (EarlyEnd(k=0), ValueError, "expected k of early_end of at least 1, got 0"),
        (EarlyEnd(k=2.5), TypeError, "expected k of early_end as a whole number, got 2.5"),
        (EarlyEnd(slack=-0.1), ValueError, "expected slack of early_end from 0, got -0.1"),
        (EarlyEnd(slack=np.nan), ValueError, "expected slack of early_end from 0, got nan"),
        (0.065, TypeError, "expected early_end as an EarlyEnd, got 0.065"),
    ],
)
def test_an_early_end_out_of_range_is_refused(end, error, words):
    with pytest.raises(error, match=words):
        graph_of(50).search(random_vectors(1, 32), early_end=end)


def test_an_early_end_and_min_recall_exclude_each_other():
    with pytest.raises(ValueError, match="expected min_recall or early_end, got both"):
        graph_of(50).search(random_vectors(1, 32), min_recall=0.9, early_end=EarlyEnd())


def test_flat_is_exact_whatever_is_asked_for():
    index = Index(8, "flat")
    index.add(random_vectors(100, 8))
    found = index.search(random_vectors(2, 8, seed=1), min_recall=0.5)
    assert (found.exact, found.recall_estimate) == (True, 1.0)
    assert len(index.tune()) == 0
    assert repr(index.tune(k=3)) == "Tuning(k=3): every search is exact"


def test_a_measurement_is_made_anew_when_the_index_has_grown():
    index = graph_of(1000)
    index.search(random_vectors(1, 32, seed=1), min_recall=0.9)
    assert index.stats()["calibrated_rows"] == 1000
    index.add(random_vectors(150, 32, seed=2))
    index.search(random_vectors(1, 32, seed=1), min_recall=0.9)
    assert index.stats()["calibrated_rows"] == 1000
    index.add(random_vectors(100, 32, seed=3))
    index.search(random_vectors(1, 32, seed=1), min_recall=0.9)
    assert index.stats()["calibrated_rows"] == 1250


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01, 0.001])
def test_filtered_searches_find_k_and_as_much_as_was_asked_for(share):
    index = graph_of(20_000, M=16, ef_construction=40)
    q = random_vectors(100, 32, seed=1)
    allowed = np.random.default_rng(2).permutation(20_000)[: int(20_000 * share)]
    found = index.search(q, 10, allowed_ids=allowed, min_recall=0.99)
    best = index.search(q, 10, allowed_ids=allowed, exact=True)
    assert np.isin(found.ids, allowed).all()
    assert (found.scores >= best.scores[:, -1:]).mean() >= 0.98


def test_a_mask_is_a_filter_too():
    index = Index(4, "flat")
    index.add(random_vectors(6, 4), ids=[50, 40, 30, 20, 10, 0])
    mask = np.array([True, False, True, False, False, True])
    _, ids = index.search(random_vectors(1, 4, seed=1), 6, allowed_ids=mask)
    assert sorted(ids[0].tolist()) == [-1, -1, -1, 0, 30, 50]
    with pytest.raises(ValueError, match=r"expected 6 booleans of allowed_ids.*got bool of shape"):
        index.search(random_vectors(1, 4), allowed_ids=mask[:5])
    with pytest.raises(ValueError, match=r"expected 6 booleans of allowed_ids.*got int64 of shape"):
        index.search(random_vectors(1, 4), allowed_ids=lambda ids: ids)


@pytest.mark.parametrize("wanted", [0, -0.1, 1.0001, float("nan")])
def test_a_recall_out_of_range_is_refused(wanted):
    with pytest.raises(ValueError, match=r"\[search\] expected min_recall above 0 and at most 1"):
        graph_of(50).search(random_vectors(1, 32), min_recall=wanted)


def test_min_recall_and_ef_search_exclude_each_other():
    with pytest.raises(ValueError, match="expected min_recall or ef_search or nprobe, got both"):
        graph_of(50).search(random_vectors(1, 32), min_recall=0.9, ef_search=10)


def test_many_threads_measure_once_and_agree():
    index = graph_of(3000)
    q = random_vectors(20, 32, seed=1)
    found = [None] * 8

    def search(i):
        found[i] = index.search(q, min_recall=0.95, threads=1)

    threads = [threading.Thread(target=search, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in found[1:]:
        assert np.array_equal(one.ids, found[0].ids)
        assert one.recall_estimate == found[0].recall_estimate


# ---- Tuning -------------------------------------------------------------------------------------


def test_tuning_rises_and_prints():
    index = graph_of()
    tuning = index.tune(random_vectors(200, 32, seed=1), k=10)
    efforts = [point.effort for point in tuning]
    assert efforts[0] == 10
    assert efforts == sorted(set(efforts))
    assert tuning[-1].recall > tuning[0].recall
    assert all(point.microseconds > 0 for point in tuning)
    lines = repr(tuning).splitlines()
    assert "recall@10" in lines[0]
    assert len(lines) == len(tuning) + 1
    assert tuning._repr_html_().count("<tr>") == len(tuning) + 1
    assert isinstance(tuning[1:], tuple)


def test_tuning_draws_itself():
    pytest.importorskip("matplotlib", reason="matplotlib is not installed").use("Agg")
    points = [TuningPoint(10, 0.9, 0.01, 20.0), TuningPoint(20, 0.97, 0.005, 31.0)]
    axes = Tuning(10, "ef_search", points).plot()
    assert axes.get_ylabel() == "recall@10"
    assert [text.get_text() for text in axes.texts] == ["10", "20"]
    assert Tuning(10, "ef_search", points).plot(axes) is axes
