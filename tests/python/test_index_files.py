"""Files of indexes: saved and loaded, damaged, exchanged with FAISS."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from random_vectors import random_vectors
from unitvec import _core
from unitvec.distance import l2_normalize
from unitvec.index import Index

METRICS = ["cosine", "dot", "euclidean", "manhattan"]
KINDS = ["flat", "hnsw"]


@pytest.mark.parametrize("kind", ["flat", "hnsw", "auto"])
@pytest.mark.parametrize("metric", METRICS)
def test_a_loaded_index_is_the_saved_one(kind, metric, tmp_path):
    x, q = random_vectors(500, 12, seed=1), random_vectors(20, 12, seed=2)
    index = Index(12, kind=kind, metric=metric, M=8, ef_construction=50, ef_search=33)
    index.add(x, ids=np.arange(500) * 3)
    index.remove([3, 30])
    index.save(tmp_path / "a.index")
    loaded = Index.load(tmp_path / "a.index")
    assert {**loaded.stats(), "bytes": 0, "bytes_per_vector": 0} == {
        **index.stats(),
        "bytes": 0,
        "bytes_per_vector": 0,
    }
    assert loaded.metric == metric
    for before, after in zip(index.search(q), loaded.search(q), strict=True):
        assert_array_equal(before, after)
    assert_array_equal(loaded.add(x[:1]), [1500 - 2])
    assert "Index(dim=12" in repr(loaded)


def test_a_loaded_index_answers_the_same_in_a_new_process(tmp_path):
    index = Index(12)
    index.add(random_vectors(300, 12, seed=1))
    index.save(tmp_path / "a.index")
    q = random_vectors(5, 12, seed=2)
    np.save(tmp_path / "q.npy", q)
    code = (
        "import sys, numpy as np; from unitvec.index import Index\n"
        "print(Index.load(sys.argv[1]).search(np.load(sys.argv[2])).ids.tolist())"
    )
    arguments = [sys.executable, "-c", code, tmp_path / "a.index", tmp_path / "q.npy"]
    out = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    assert out.strip() == str(index.search(q).ids.tolist())


def test_damaged_and_foreign_files_are_refused_with_the_place(tmp_path):
    path = tmp_path / "a.index"
    Index(3).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(_core.FormatError, match=r"a\.index: byte \d+: expected"):
        Index.load(path)
    path.write_bytes(whole[:30] + bytes([whole[30] ^ 1]) + whole[31:])
    with pytest.raises(_core.FormatError, match="damaged"):
        Index.load(path)
    path.write_bytes(pickle.dumps({"a": 1}) * 100)
    with pytest.raises(_core.FormatError, match=r"not a file of Index\.save"):
        Index.load(path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        Index.load(tmp_path / "nowhere")


@settings(max_examples=300)
@given(data=st.data())
def test_random_damage_never_changes_an_answer(data, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp()
    index = Index(4, M=4)
    index.add(random_vectors(60, 4, seed=1))
    index.save(folder / "good.index")
    damaged = bytearray((folder / "good.index").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    (folder / "bad.index").write_bytes(damaged)
    if bytes(damaged) == (folder / "good.index").read_bytes():
        return  # two changes undid each other
    with pytest.raises(_core.FormatError):
        Index.load(folder / "bad.index")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into a read-only folder")
def test_a_read_only_folder_raises_permission_error(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError):
        Index(3).save(tmp_path / "a.index")


def test_a_failed_save_raises_os_error_and_leaves_nothing(tmp_path):
    with pytest.raises(FileNotFoundError):
        Index(3).save(tmp_path / "none" / "a.index")
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        Index(3).save(tmp_path / "folder")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("removed", [0, 5])
def test_faiss_reads_what_to_faiss_writes(kind, metric, removed, tmp_path):
    faiss = pytest.importorskip("faiss")
    x, q = random_vectors(400, 12, seed=1), random_vectors(10, 12, seed=2)
    index = Index(12, kind=kind, metric=metric)
    index.add(x, ids=np.arange(400) + 1000)
    index.remove(np.arange(1000, 1000 + removed))
    index.to_faiss(tmp_path / "a.faiss")
    theirs = faiss.read_index(str(tmp_path / "a.faiss"))
    assert theirs.ntotal == 400 - removed
    values, ids = theirs.search(l2_normalize(q) if metric == "cosine" else q, 5)
    found = index.search(q, 5, exact=True)
    same = np.mean([np.isin(a, b).mean() for a, b in zip(ids, found.ids, strict=True)])
    assert same == 1.0 if kind == "flat" else same > 0.95
    if kind == "flat":
        ours = {"euclidean": found.scores**2, "manhattan": -found.scores}
        assert_allclose(values, ours.get(metric, found.scores), rtol=1e-4, atol=1e-5)
