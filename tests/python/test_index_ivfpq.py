"""Inverted lists with codes: recall, exact scores, changes, files, exchange with FAISS, bad input.

What the lists themselves do is tested in test_index_ivf.py.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import unitvec as uv
from found_neighbours import recall
from unitvec.index import Index

METRICS = ["cosine", "dot", "euclidean"]
DIM = 32


def clustered(n, dim=DIM, clusters=60, seed=0):
    """Vectors in clouds of different sizes, flat as those of texts are."""
    rng = np.random.default_rng(seed)
    shape = np.random.default_rng(7)
    centres = 2 * shape.standard_normal((clusters, dim))
    spread = shape.standard_normal((dim // 2, dim)) / (dim // 2) ** 0.5
    weights = np.arange(1, clusters + 1) / (clusters * (clusters + 1) / 2)
    which = rng.choice(clusters, n, p=weights)
    clouds = rng.standard_normal((n, dim // 2)) @ spread
    return (centres[which] + clouds + 0.3 * rng.standard_normal((n, dim))).astype(np.float32)


def ivfpq(n=6000, metric="cosine", **parameters):
    index = Index(DIM, "ivfpq", metric, **parameters)
    index.add(clustered(n))
    return index


def assert_scores_are_exact(index, q, found):
    """Bit for bit those of a comparison with the found vectors alone."""
    for i in range(len(q)):
        alone = index.search(q[i], found.ids.shape[1], allowed_ids=found.ids[i], exact=True)
        assert_array_equal(found.ids[i], alone.ids[0])
        assert_array_equal(found.scores[i], alone.scores[0])


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
@pytest.mark.parametrize("metric", METRICS)
def test_recall_and_exact_scores(metric, dtype):
    index = ivfpq(metric=metric, dtype=dtype)
    lists = Index(DIM, "ivf", metric, dtype=dtype)
    lists.add(clustered(6000))
    q = clustered(100, seed=1)
    recalls = []
    for nprobe in (1, 8, 40):
        found = index.search(q, nprobe=nprobe)
        recalls.append(recall(index, q, found))
        assert recalls[-1] >= recall(lists, q, lists.search(q, nprobe=nprobe)) - 0.01
        assert not found.exact
    assert recalls == sorted(recalls)
    assert recalls[-1] > 0.97
    assert_scores_are_exact(index, q, found)
    every = index.search(q, nprobe=index.stats()["lists"])
    assert (every.exact, recall(index, q, every)) == (True, 1.0)


@pytest.mark.parametrize("tuned", [False, True])
@pytest.mark.parametrize("metric", METRICS)
def test_asked_for_recall_is_reached(metric, tuned):
    index = ivfpq(20_000, metric, pq_m=4)
    q = clustered(1000, seed=1)
    if tuned:
        tuning = index.tune(q[:500])
        assert tuning.effort == "nprobe"
        assert tuning[0].effort == 1
    for wanted in (0.9, 0.95, 0.99):
        found = index.search(q[500:], min_recall=wanted)
        assert found.recall_estimate >= wanted
        assert recall(index, q[500:], found) >= wanted - (0.01 if tuned else 0.02)


def test_what_codes_miss_is_in_the_measured_recall():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((20_000, 64)).astype(np.float32)  # in all directions: hard to code
    q = rng.standard_normal((300, 64)).astype(np.float32)
    index = Index(64, "ivfpq", pq_m=1)
    index.add(x)
    tuning = index.tune(q)
    lists = index.stats()["lists"]
    assert tuning[-1].effort > lists / 2
    assert tuning[-1].recall < 0.9  # through nearly all lists: only codes can miss so much
    effort = tuning[-1].effort
    assert abs(tuning[-1].recall - recall(index, q, index.search(q, nprobe=effort))) < 1e-6
    assert index.search(q, min_recall=0.99).exact


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01, 0.001])
def test_filters_never_starve(share):
    index = ivfpq(20_000)
    q = clustered(50, seed=1)
    allowed = np.random.default_rng(2).permutation(20_000)[: int(20_000 * share)]
    found = index.search(q, 10, allowed_ids=allowed, min_recall=0.99)
    assert np.isin(found.ids, allowed).all()
    assert recall(index, q, found, allowed_ids=allowed) >= 0.97
    index.remove(np.setdiff1d(np.arange(3000), allowed))
    removed = index.search(q, 10, nprobe=20)
    assert np.isin(removed.ids, index.ids).all()


def test_few_vectors_are_scanned_until_codes_are_learnt():
    index = Index(DIM, "ivfpq")
    x = clustered(1500)
    index.add(x[:1000])
    assert (index.stats()["lists"], index.search(x[0]).exact) == (0, True)
    index.add(x[1000:])
    assert index.stats()["lists"] == 1500 // 39
    found = index.search(x, 1)
    assert (found.ids[:, 0] == np.arange(1500)).mean() > 0.99
    assert not found.exact


def test_train_learns_from_other_vectors():
    index = Index(DIM, "ivfpq", nlist=20)
    index.train(clustered(500, seed=3))
    assert (index.stats()["lists"], len(index)) == (20, 0)
    index.add(clustered(300))
    q = clustered(30, seed=1)
    found = index.search(q, nprobe=10)
    assert not found.exact
    assert recall(index, q, found) > 0.9
    index.train(clustered(2000, seed=4))  # and codes those that it has anew
    assert recall(index, q, index.search(q, nprobe=10)) > 0.9
    with pytest.raises(ValueError, match=r"\[train\] .* at least 20 vectors, one a list, got 7"):
        index.train(clustered(7))


def test_recall_after_growth_is_that_of_a_fresh_index():
    x, q = clustered(12_000), clustered(200, seed=1)
    grown, fresh = Index(DIM, "ivfpq"), Index(DIM, "ivfpq")
    for part in np.array_split(x, 40):
        grown.add(part)
    fresh.add(x)
    lists = min(grown.stats()["lists"], fresh.stats()["lists"])
    share = lists // 8
    grown_recall = recall(grown, q, grown.search(q, nprobe=share))
    assert grown_recall >= recall(fresh, q, fresh.search(q, nprobe=share)) - 0.01


@pytest.mark.parametrize("metric", METRICS)
def test_recall_survives_replacing_half_and_removing_a_third(metric):
    x, q = clustered(6000), clustered(200, seed=1)
    rng = np.random.default_rng(0)
    index = Index(DIM, "ivfpq", metric)
    index.add(np.concatenate([x[:3000], clustered(3000, seed=9)]))
    for ids in np.array_split(3000 + rng.permutation(3000), 10):
        index.remove(ids)
        index.add(x[ids], ids=ids)
    gone = rng.permutation(6000)[:1800]
    for ids in np.array_split(gone, 5):
        index.remove(ids)
    left = np.setdiff1d(np.arange(6000), gone)
    fresh = Index(DIM, "ivfpq", metric)
    fresh.add(x[left], ids=left)
    best = fresh.search(q, exact=True)
    assert_array_equal(index.search(q, exact=True).scores, best.scores)
    found = index.search(q, nprobe=16)
    assert recall(index, q, found) >= recall(fresh, q, fresh.search(q, nprobe=16)) - 0.01
    assert_scores_are_exact(index, q[:20], found)


def test_stats_tell_codes_and_vectors_apart():
    now = ivfpq(20_000, dtype="float16").stats()
    assert now["kind"] == now["requested_kind"] == "ivfpq"
    assert now["pq_m"] == DIM // 8
    assert 2 * DIM <= now["vector_bytes"] / 20_000 < 2 * 2 * DIM
    of_the_quantiser = 1024 * DIM + 1024 * now["pq_m"]
    assert 1 <= (now["code_bytes"] - of_the_quantiser) / 20_000 / now["pq_m"] < 3
    assert now["bytes"] > now["vector_bytes"] + now["code_bytes"]
    assert Index(DIM, "flat").stats()["code_bytes"] == 0
    assert repr(ivfpq(10)) == "Index(dim=32, kind=ivfpq, metric=cosine, vectors=10)"


@pytest.mark.parametrize(("dim", "m"), [(384, 48), (100, 20), (17, 2), (3, 1)])
def test_usual_length_of_codes(dim, m):
    assert Index(dim, "ivfpq").stats()["pq_m"] == m


@pytest.mark.parametrize("m", [1, 7, DIM])
def test_any_number_of_parts_finds_most(m):
    index = ivfpq(3000, pq_m=m)
    q = clustered(100, seed=1)
    assert recall(index, q, index.search(q, nprobe=30)) > 0.9


def test_a_length_of_codes_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"\[Index\] expected pq_m of at least 1, got 0"):
        Index(16, "ivfpq", pq_m=0)
    with pytest.raises(ValueError, match=r"\[Index\] expected pq_m from 0 to 16, got 17"):
        Index(16, "ivfpq", pq_m=17)


# ---- FAISS --------------------------------------------------------------------------------------


@pytest.fixture
def faiss():
    module = pytest.importorskip("faiss", reason="faiss-cpu is not installed")
    before = module.omp_get_max_threads()
    module.omp_set_num_threads(1)  # OpenMP's threads spin where processors are busy
    yield module
    module.omp_set_num_threads(before)


def exported(faiss, index, tmp_path):
    index.to_faiss(tmp_path / "f")
    whole = faiss.read_index(str(tmp_path / "f"))
    refined = faiss.downcast_index(whole.index)
    return whole, refined, faiss.downcast_index(refined.base_index)


def as_queries(q, metric):
    return uv.l2_normalize(q) if metric == "cosine" else q


@pytest.mark.parametrize("metric", METRICS)
def test_searches_do_what_numpy_does_with_the_same_codes(faiss, tmp_path, metric):
    """The lists nearest, of their rows the nearest as decoded by FAISS, of these the nearest."""
    index = ivfpq(3000, metric, nlist=40)
    _whole, _refined, coded = exported(faiss, index, tmp_path)  # the first own the last
    q, nprobe, k = as_queries(clustered(40, seed=1), metric), 7, 5
    centroids = coded.quantizer.reconstruct_n(0, 40)
    lists = [faiss.rev_swig_ptr(coded.invlists.get_ids(i), coded.invlists.list_size(i)).copy()
             for i in range(40)]  # fmt: skip
    coded.make_direct_map()
    decoded = np.stack([coded.reconstruct(i) for i in range(3000)])

    def nearness(query, vectors):
        return -((vectors - query) ** 2).sum(1) if metric == "euclidean" else vectors @ query

    x = index.reconstruct(np.arange(3000))
    found = index.search(clustered(40, seed=1), k, nprobe=nprobe)
    for query, ids in zip(q, found.ids, strict=True):
        probed = np.argsort(-nearness(query, centroids))[:nprobe]
        rows = np.concatenate([lists[i] for i in probed])
        by_code = rows[np.argsort(-nearness(query, decoded[rows]))][: 4 * k + 2 * nprobe + 50]
        best = by_code[np.argsort(-nearness(query, x[by_code]))][:k]
        assert_array_equal(ids, best)


@pytest.mark.parametrize("metric", METRICS)
def test_faiss_reads_codes_and_vectors(faiss, tmp_path, metric):
    index = ivfpq(metric=metric, nprobe=10)
    index.remove([3, 5])
    whole, refined, coded = exported(faiss, index, tmp_path)
    assert (whole.ntotal, coded.ntotal, coded.pq.M, coded.nprobe) == (5998, 5998, DIM // 8, 10)
    assert refined.k_factor == pytest.approx(11)
    q = clustered(100, seed=1)
    scores, ids = whole.search(as_queries(q, metric), 10)
    found = index.search(q, 10)
    assert (np.sort(ids) == np.sort(found.ids)).mean() > 0.98
    same = (ids == found.ids).all(1)
    expected = -np.sqrt(np.maximum(scores, 0)) if metric == "euclidean" else scores
    assert_allclose(expected[same], found.scores[same], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("metric", METRICS)
def test_there_and_back(faiss, tmp_path, metric):
    index = Index(DIM, "ivfpq", metric, pq_m=8)
    index.add(clustered(1500), ids=3 * np.arange(1500) + 5)
    index.to_faiss(tmp_path / "f")
    again = Index.from_faiss(tmp_path / "f", metric=metric)
    assert (again.stats()["kind"], again.stats()["pq_m"]) == ("ivfpq", 8)
    assert_allclose(again.reconstruct(index.ids), index.reconstruct(index.ids), rtol=1e-6)


def test_parts_that_faiss_cannot_have_are_written_as_lists(faiss, tmp_path):
    index = ivfpq(2000, pq_m=5)
    index.to_faiss(tmp_path / "f")
    theirs = faiss.read_index(str(tmp_path / "f"))
    assert isinstance(theirs, faiss.IndexIVFFlat)
    assert theirs.ntotal == 2000


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("metric", ["dot", "euclidean"])
def test_codes_alone_are_taken_over_as_faiss_decodes_them(faiss, tmp_path, metric, named):
    x = clustered(1500)
    by = faiss.METRIC_INNER_PRODUCT if metric == "dot" else faiss.METRIC_L2
    centroids = faiss.IndexFlat(DIM, by)
    centroids.add(x[:20])
    coded = faiss.IndexIVFPQ(centroids, DIM, 20, 4, 8, by)
    # Its own training takes a quarter of a minute.
    faiss.copy_array_to_vector(clustered(256, seed=1).ravel() / 4, coded.pq.centroids)
    coded.is_trained = True
    theirs = faiss.IndexIDMap2(coded) if named else coded
    theirs.add_with_ids(x, 7 * np.arange(1500) + 1)
    faiss.write_index(theirs, str(tmp_path / "f"))
    index = Index.from_faiss(tmp_path / "f")
    assert (index.stats()["kind"], index.stats()["pq_m"], index.metric) == ("ivfpq", 4, metric)
    decoded = coded.sa_decode(coded.sa_encode(x))
    assert_allclose(index.reconstruct(7 * np.arange(1500) + 1), decoded, atol=1e-5)
    assert np.abs(decoded - x).max() > 0.1
