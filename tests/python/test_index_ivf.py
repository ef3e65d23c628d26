"""Inverted lists: recall, changes, files, exchange with FAISS, bad input."""

from __future__ import annotations

import os
import signal
import threading

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from found_neighbours import recall
from unitvec.index import Index

METRICS = ["cosine", "dot", "euclidean"]

# Both kinds that have lists, each with a parameter of its own.
LISTS = [("ivf", {"nprobe": 5}), ("ivfpq", {"pq_m": 5})]


def clustered(n, dim=16, clusters=60, seed=0):
    """Vectors in clouds of different sizes, as those of texts are."""
    rng = np.random.default_rng(seed)
    centres = 3 * np.random.default_rng(7).standard_normal((clusters, dim))
    weights = np.arange(1, clusters + 1) / (clusters * (clusters + 1) / 2)
    which = rng.choice(clusters, n, p=weights)
    return (centres[which] + rng.standard_normal((n, dim))).astype(np.float32)


def ivf(n=6000, metric="cosine", kind="ivf", **parameters):
    index = Index(16, kind, metric, **parameters)
    index.add(clustered(n))
    return index


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
@pytest.mark.parametrize("metric", METRICS)
def test_more_lists_find_more_and_all_of_them_everything(metric, dtype):
    index = ivf(metric=metric, dtype=dtype)
    q = clustered(100, seed=1)
    lists = index.stats()["lists"]
    assert lists == min(int(4 * 6000**0.5), 6000 // 39)
    found = [index.search(q, nprobe=n) for n in (1, 8, 40)]
    recalls = [recall(index, q, f) for f in found]
    assert recalls == sorted(recalls)
    assert recalls[-1] > 0.97
    assert not found[-1].exact
    every = index.search(q, nprobe=lists)
    assert every.exact
    assert recall(index, q, every) == 1.0


@pytest.mark.parametrize("metric", METRICS)
def test_asked_for_recall_is_reached(metric):
    index = ivf(20_000, metric)
    q = clustered(600, seed=1)
    index.tune(q[:300])
    for wanted in (0.8, 0.95, 0.99):
        found = index.search(q[300:], min_recall=wanted)
        assert found.recall_estimate >= wanted
        assert recall(index, q[300:], found) >= wanted - 0.015


def test_tuning_names_its_effort():
    tuning = ivf().tune(clustered(50, seed=1))
    assert tuning.effort == "nprobe"
    assert tuning[0].effort == 1
    assert repr(tuning).split()[0] == "nprobe"


def test_few_vectors_are_scanned_until_lists_are_learnt():
    index = Index(16, "ivf")
    x = clustered(1500)
    index.add(x[:1000])
    assert index.stats()["lists"] == 0
    assert index.search(x[0]).exact
    index.add(x[1000:])
    assert index.stats()["lists"] == 1500 // 39
    assert index.search(x[0]).ids[0, 0] == 0


def test_train_learns_from_other_vectors():
    index = Index(16, "ivf", nlist=20)
    index.train(clustered(500, seed=3))
    assert index.stats()["lists"] == 20
    assert len(index) == 0
    index.add(clustered(300))
    assert not index.search(clustered(1, seed=1), nprobe=2).exact
    with pytest.raises(ValueError, match=r"\[train\] .* at least 20 vectors, one a list, got 7"):
        index.train(clustered(7))
    flat = Index(16, "flat")
    flat.train(clustered(3))  # nothing to learn
    assert len(flat) == 0


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01, 0.001])
def test_filters_never_starve(share):
    index = ivf(20_000)
    q = clustered(50, seed=1)
    allowed = np.random.default_rng(2).permutation(20_000)[: int(20_000 * share)]
    found = index.search(q, 10, allowed_ids=allowed, min_recall=0.99)
    assert np.isin(found.ids, allowed).all()
    assert recall(index, q, found, allowed_ids=allowed) >= 0.97


def test_lists_are_learnt_anew_as_the_index_grows():
    index = Index(16, "ivf")
    index.add(clustered(2000))
    before = index.stats()["lists"]
    index.add(clustered(3000, seed=1))
    assert index.stats()["lists"] == before
    index.add(clustered(4000, seed=2))
    assert index.stats()["lists"] == int(min(4 * 9000**0.5, 9000 // 39)) > before
    q = clustered(50, seed=3)
    assert recall(index, q, index.search(q, nprobe=30)) > 0.9


def test_lists_are_learnt_anew_when_all_vectors_come_into_few_of_them():
    index = Index(16, "ivf", nlist=30)
    index.add(clustered(3000))
    even = index.stats()["imbalance"]
    far = 100 + np.random.default_rng(5).standard_normal((6000, 16)).astype(np.float32)
    index.add(far)
    assert index.stats()["imbalance"] < 3 * even


def test_recall_survives_replacing_half_and_removing_a_third():
    x, q = clustered(6000), clustered(100, seed=1)
    rng = np.random.default_rng(0)
    index = Index(16, "ivf")
    index.add(clustered(6000, seed=9))
    for ids in np.array_split(rng.permutation(6000), 10):
        index.remove(ids)
        index.add(x[ids], ids=ids)
    gone = rng.permutation(6000)[:2000]
    for ids in np.array_split(gone, 5):
        index.remove(ids)
    left = np.setdiff1d(np.arange(6000), gone)
    fresh = Index(16, "ivf")
    fresh.add(x[left], ids=left)
    best = fresh.search(q, exact=True)
    assert_array_equal(index.search(q, exact=True).scores, best.scores)
    ours, theirs = (recall(i, q, i.search(q, nprobe=12)) for i in (index, fresh))
    assert ours >= theirs - 0.03


@pytest.mark.parametrize("kind", ["ivf", "ivfpq"])
def test_a_batch_has_the_bits_of_its_queries_alone(kind):
    index = ivf(kind=kind)
    q = clustered(20, seed=1)
    batch, threaded = index.search(q), index.search(q, threads=3)
    assert_array_equal(batch.ids, threaded.ids)
    for i in range(20):
        alone = index.search(q[i])
        assert_array_equal(alone.scores[0], batch.scores[i])
        assert_array_equal(alone.ids[0], batch.ids[i])


@pytest.mark.parametrize(("kind", "parameters"), LISTS)
@pytest.mark.parametrize("metric", METRICS)
def test_a_loaded_index_answers_and_grows_as_the_saved_one(tmp_path, metric, kind, parameters):
    index = ivf(metric=metric, kind=kind, **parameters)
    index.remove(np.arange(0, 600, 2))
    index.save(tmp_path / "a")
    loaded = Index.load(tmp_path / "a")
    assert loaded.stats()["lists"] == index.stats()["lists"]
    assert loaded.stats() | parameters == loaded.stats()
    q, more = clustered(30, seed=1), clustered(50, seed=2)
    for _ in range(2):
        for ours, theirs in zip(index.search(q), loaded.search(q), strict=True):
            assert_array_equal(ours, theirs)
        assert_array_equal(index.add(more), loaded.add(more))


@pytest.mark.parametrize("metric", METRICS)
def test_faiss_reads_lists(tmp_path, metric):
    faiss = pytest.importorskip("faiss", reason="faiss-cpu is not installed")
    index = ivf(metric=metric)
    index.remove([3, 5])
    index.to_faiss(tmp_path / "f")
    theirs = faiss.read_index(str(tmp_path / "f"))
    assert theirs.ntotal == 5998
    q = clustered(40, seed=1)
    if metric == "cosine":
        q /= np.linalg.norm(q, axis=1, keepdims=True)
    theirs.nprobe = 10
    scores, ids = theirs.search(q, 10)
    found = index.search(q, 10, nprobe=10)
    assert (np.sort(ids) == np.sort(found.ids)).mean() > 0.99
    expected = -np.sqrt(np.maximum(scores, 0)) if metric == "euclidean" else scores
    assert_allclose(np.sort(expected), np.sort(found.scores), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kind", ["ivf", "ivfpq"])
@pytest.mark.parametrize("metric", ["manhattan", "hamming"])
def test_other_metrics_are_refused(metric, kind):
    with pytest.raises(ValueError, match=f"metric cosine, dot or euclidean for kind {kind}, got"):
        Index(16, kind, metric)


@pytest.fixture
def heeded_ctrl_c():
    """Python's own handler: a background job starts with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_while_learning_leaves_the_index_as_it_was(heeded_ctrl_c):
    index = Index(64, "ivf", nlist=2000)
    index.add(clustered(500, 64))
    more = clustered(150_000, 64, seed=1)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        index.add(more)
    assert len(index) == 500
    assert index.search(more[0], 3).exact
    index.add(more[:3000])
    assert index.stats()["lists"] == 2000
