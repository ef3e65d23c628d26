"""Indexes that faiss-cpu wrote, taken over."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import unitvec as uv
from random_vectors import random_vectors
from unitvec.index import Index

faiss = pytest.importorskip("faiss", reason="faiss-cpu is not installed")


def written(tmp_path, index):
    faiss.write_index(index, str(tmp_path / "f"))
    return tmp_path / "f"


@pytest.mark.parametrize(
    ("factory", "kind"),
    [("Flat", "flat"), ("HNSW16", "hnsw"), ("IVF20,Flat", "ivf"), ("SQfp16", "flat")],
)
@pytest.mark.parametrize("metric", ["dot", "euclidean"])
@pytest.mark.parametrize("named", [True, False])
def test_vectors_and_ids_are_taken_over(tmp_path, factory, kind, metric, named):
    x = random_vectors(2000)
    by = faiss.METRIC_INNER_PRODUCT if metric == "dot" else faiss.METRIC_L2
    ids = 7 * np.arange(2000) if named else np.arange(2000)
    theirs = faiss.index_factory(16, ("IDMap2," if named else "") + factory, by)
    theirs.train(x)
    theirs.add_with_ids(x, ids) if named else theirs.add(x)
    index = Index.from_faiss(written(tmp_path, theirs))
    assert (index.stats()["kind"], index.metric) == (kind, metric)
    assert_array_equal(np.sort(index.ids), ids)
    tolerance = 5e-3 if factory == "SQfp16" else 0
    assert_allclose(index.reconstruct(ids), x, atol=tolerance)
    q = random_vectors(20, seed=1)
    best = index.search(q, exact=True)
    assert (index.search(q).scores >= best.scores[:, -1:]).mean() > 0.7


def test_another_kind_and_cosine_may_be_asked_for(tmp_path):
    x = uv.l2_normalize(random_vectors(300))
    theirs = faiss.IndexFlatIP(16)
    theirs.add(x)
    index = Index.from_faiss(written(tmp_path, theirs), kind="hnsw", metric="cosine")
    assert (index.stats()["kind"], index.metric) == ("hnsw", "cosine")
    assert_allclose(index.search(x[:5], 1).scores, 1, atol=1e-6)


@pytest.mark.parametrize("named", [True, False])
def test_bits_are_taken_over(tmp_path, named):
    bits = np.random.default_rng(0).integers(0, 256, (200, 8)).astype(np.uint8)
    theirs = faiss.IndexBinaryFlat(64)
    ids = np.arange(200) + (1000 if named else 0)
    if named:
        theirs = faiss.IndexBinaryIDMap2(theirs)
        theirs.add_with_ids(bits, ids)
    else:
        theirs.add(bits)
    faiss.write_index_binary(theirs, str(tmp_path / "f"))
    index = Index.from_faiss(tmp_path / "f")
    assert index.metric == "hamming"
    assert_array_equal(index.reconstruct(ids), bits)


@pytest.mark.parametrize("kind", ["flat", "hnsw", "ivf"])
def test_there_and_back(tmp_path, kind):
    index = Index(16, kind, "euclidean")
    x = random_vectors(1500)
    index.add(x, ids=3 * np.arange(1500) + 5)
    index.to_faiss(tmp_path / "f")
    again = Index.from_faiss(tmp_path / "f")
    assert again.stats()["kind"] == kind
    assert_array_equal(again.reconstruct(index.ids), x)


def test_what_faiss_cannot_read_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"\[from_faiss\] expected a file"):
        Index.from_faiss(tmp_path / "none")
    (tmp_path / "text").write_bytes(b"x" * 1000)
    with pytest.raises(uv.FormatError, match="expected an index that FAISS reads"):
        Index.from_faiss(tmp_path / "text")
    theirs = faiss.IndexFlatL2(16)
    theirs.add(random_vectors(100))
    whole = written(tmp_path, theirs).read_bytes()
    for size in (0, 1, 3, 4, 20, 200, len(whole) - 1):
        (tmp_path / "cut").write_bytes(whole[:size])
        with pytest.raises(uv.FormatError):
            Index.from_faiss(tmp_path / "cut")


def test_a_metric_of_another_kind_is_refused(tmp_path):
    theirs = faiss.IndexFlat(4, faiss.METRIC_Linf)
    with pytest.raises(uv.FormatError, match="expected inner product, L2 or L1"):
        Index.from_faiss(written(tmp_path, theirs))
