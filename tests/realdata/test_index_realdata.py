"""The index on real vectors: sentences of SciFact under all-MiniLM-L6-v2."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import unitvec as uv

QUERIES = 200


@pytest.fixture(scope="module")
def vectors(encoder, data_directory: Path):
    """About 2,000 sentences, in the order of the corpus."""
    sentences: dict[str, None] = {}
    with (data_directory / "scifact" / "corpus.jsonl").open(encoding="utf-8") as stream:
        while len(sentences) < 2000:
            text = json.loads(next(stream))["text"]
            sentences.update(dict.fromkeys(re.split(r"(?<=[.!?])\s+", text)))
    return encoder.encode([s for s in sentences if len(s) > 20], on_overflow="truncate")


def recall(found, expected):
    return np.mean([np.isin(a, b).mean() for a, b in zip(found.ids, expected.ids, strict=True)])


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["cosine", "dot", "euclidean", "manhattan"])
def test_exact_search_equals_numpy(vectors, metric):
    q, x = vectors[:QUERIES], vectors[QUERIES:]
    index = uv.Index(x.shape[1], kind="flat", metric=metric)
    index.add(x)
    found = index.search(q, 10)
    assert found.exact
    if metric == "manhattan":
        scores = -np.stack([np.abs(row - x.astype(np.float64)).sum(-1) for row in q])
    else:
        scores = q.astype(np.float64) @ x.T.astype(np.float64)
        if metric == "euclidean":
            scores = -np.sqrt(np.maximum(2 - 2 * scores, 0))
    order = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    assert_allclose(found.scores, np.take_along_axis(scores, order, 1), atol=1e-5)
    assert (found.ids == order).mean() > 0.999  # neighbours that round alike may change places


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["cosine", "dot", "euclidean", "manhattan"])
def test_hnsw_recall_at_defaults(vectors, metric):
    q, x = vectors[:QUERIES], vectors[QUERIES:]
    index = uv.Index(x.shape[1], metric=metric)
    index.add(x)
    exact = index.search(q, 10, exact=True)
    assert recall(index.search(q, 10), exact) >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "dtype", "floor"),
    [
        ("flat", "float16", 0.99),
        ("flat", "int8", 0.95),
        ("hnsw_sq", None, 0.94),
        ("ivf", None, 0.9),
        ("ivfpq", None, 0.9),
        ("ivfpq", "int8", 0.88),
    ],
)
def test_recall_at_defaults_to_the_vectors_in_float32(vectors, kind, dtype, floor):
    q, x = vectors[:QUERIES], vectors[QUERIES:]
    index, full = uv.Index(x.shape[1], kind, dtype=dtype), uv.Index(x.shape[1], "flat")
    index.add(x)
    full.add(x)
    assert recall(index.search(q, 10), full.search(q, 10)) >= floor


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["hnsw", "hnsw_sq", "ivf", "ivfpq"])
@pytest.mark.parametrize("tuned", [False, True])
def test_asked_for_recall_is_kept_for_fresh_queries(vectors, kind, tuned):
    q, tuning, x = vectors[:QUERIES], vectors[QUERIES : 2 * QUERIES], vectors[2 * QUERIES :]
    poor = (
        {} if kind in ("ivf", "ivfpq") else {"M": 6, "ef_construction": 10}
    )  # else nothing is missed
    index = uv.Index(x.shape[1], kind, **poor)
    index.add(x)
    if tuned:
        index.tune(tuning)
    best = index.search(q, 10, exact=True)
    for wanted in (0.9, 0.95, 0.99):
        found = index.search(q, 10, min_recall=wanted)
        assert found.recall_estimate >= wanted
        assert recall(found, best) >= wanted - 0.01


@pytest.mark.slow
def test_bits_of_vectors_find_most_of_what_the_vectors_find(vectors):
    q, x = vectors[:QUERIES], vectors[QUERIES:]
    bits = uv.Index(x.shape[1], "flat", "hamming")
    bits.add(uv.quantize_embeddings(x, "ubinary"))
    full = uv.Index(x.shape[1], "flat")
    full.add(x)
    rough = bits.search(uv.quantize_embeddings(q, "ubinary"), 100)
    best = full.search(q, 10)
    kept = [np.isin(b, r).mean() for r, b in zip(rough.ids, best.ids, strict=True)]
    assert np.mean(kept) > 0.9  # the usual way: many by bits, then re-ranked


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.5, 0.1, 0.01])
@pytest.mark.parametrize("kind", ["hnsw", "hnsw_sq"])
def test_filtered_recall(vectors, share, kind):
    q, x = vectors[:QUERIES], vectors[QUERIES:]
    index = uv.Index(x.shape[1], kind)
    index.add(x)
    allowed = np.flatnonzero(np.random.default_rng(0).random(len(x)) < share)
    exact = index.search(q, 10, allowed_ids=allowed, exact=True)
    assert recall(index.search(q, 10, allowed_ids=allowed), exact) >= 0.99


@pytest.mark.slow
def test_codes_lose_little_and_re_ranked_scores_are_exact(vectors):
    q, x = vectors[:QUERIES], vectors[QUERIES:]
    coded, lists = uv.Index(x.shape[1], "ivfpq"), uv.Index(x.shape[1], "ivf")
    coded.add(x)
    lists.add(x)
    best = lists.search(q, 10, exact=True)
    for nprobe in (4, 16, lists.stats()["lists"] - 1):
        found = coded.search(q, 10, nprobe=nprobe)
        assert recall(found, best) >= recall(lists.search(q, 10, nprobe=nprobe), best) - 0.005
        for i in range(0, QUERIES, 20):
            alone = coded.search(q[i], 10, allowed_ids=found.ids[i], exact=True)
            assert_array_equal(found.scores[i], alone.scores[0])
    assert coded.search(q, 10, nprobe=lists.stats()["lists"] - 1).exact is False


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "fixed"), [("hnsw", {}), ("ivfpq", {"nlist": 30})])
def test_recall_survives_replacing_half_and_removing_a_third(vectors, kind, fixed):
    q, x = vectors[:QUERIES], vectors[QUERIES:]
    rng = np.random.default_rng(0)
    index = uv.Index(x.shape[1], kind, **fixed)
    index.add(x[rng.permutation(len(x))], ids=np.arange(len(x)))  # wrong vectors for many ids
    for ids in np.array_split(rng.permutation(len(x)), 20):
        index.remove(ids)
        index.add(x[ids], ids=ids)
    gone = rng.permutation(len(x))[: len(x) * 3 // 10]
    for ids in np.array_split(gone, 5):
        index.remove(ids)
    left = np.setdiff1d(np.arange(len(x)), gone)
    fresh = uv.Index(x.shape[1], kind, **fixed)
    fresh.add(x[left], ids=left)
    exact = fresh.search(q, 10, exact=True)
    assert_array_equal(index.search(q, 10, exact=True).scores, exact.scores)
    assert recall(index.search(q, 10), exact) >= recall(fresh.search(q, 10), exact) - 0.01
