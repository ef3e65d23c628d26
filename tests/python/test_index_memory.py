"""Indexes and memory: vectors that stay in a mapped file, and `auto` within a limit."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from unitvec import Index

DIM = 32
KINDS = [
    *[(kind, "cosine", dtype) for kind in ("flat", "hnsw", "ivf") for dtype in ("float32", "int8")],
    ("hnsw", "euclidean", "float16"),
    ("ivfpq", "dot", "float32"),
    ("flat", "manhattan", "float32"),
    ("hnsw", "hamming", None),
]
ROW_BYTES = {"float32": 4 * DIM, "float16": 2 * DIM, "int8": 4 + DIM, None: 8}


def vectors(n, metric, seed):
    x = np.random.default_rng(seed).standard_normal((n, DIM)).astype(np.float32)
    return x > 0 if metric == "hamming" else x


@pytest.fixture(params=KINDS, ids=lambda case: "-".join(map(str, case)))
def saved(request, tmp_path):
    kind, metric, dtype = request.param
    index = Index(DIM, kind, metric, dtype)
    index.add(vectors(2000, metric, 1), ids=np.arange(2000) * 3)
    index.remove([3, 30])
    index.save(tmp_path / "a.index")
    return tmp_path / "a.index", metric, ROW_BYTES[dtype]


def answers(index, metric):
    queries = vectors(20, metric, 2)
    found = index.search(queries, 5), index.search(queries, 5, exact=True)
    one = index.search(queries[:1], 5), index.search(queries[:1], 5, exact=True)
    parts = [(f.scores, f.ids) for f in (*found, *one)]
    return [part.tobytes() for pair in parts for part in pair]


def test_mapped_vectors_answer_as_those_in_memory(saved):
    path, metric, row_bytes = saved
    kept, mapped = Index.load(path), Index.load(path, mapped=True)
    assert answers(mapped, metric) == answers(kept, metric)
    assert_array_equal(mapped.reconstruct(mapped.ids), kept.reconstruct(kept.ids))
    assert mapped.stats()["mapped_bytes"] == 2000 * row_bytes
    assert kept.stats()["mapped_bytes"] == 0
    assert mapped.stats()["bytes"] <= kept.stats()["bytes"] - 2000 * row_bytes


def test_a_change_copies_mapped_vectors_into_memory(saved):
    path, metric, _ = saved
    kept, mapped = Index.load(path), Index.load(path, mapped=True)
    for index in (kept, mapped):
        index.remove([9])
    assert mapped.stats()["mapped_bytes"] > 0  # the row is only marked
    for index in (kept, mapped):
        index.add(vectors(50, metric, 3))
        index.remove(np.arange(600, 2400, 3))
    assert mapped.stats()["mapped_bytes"] == 0
    assert answers(mapped, metric) == answers(kept, metric)
    assert_array_equal(mapped.ids, kept.ids)


def test_a_mapped_file_may_be_replaced_and_removed(saved):
    path, metric, _ = saved
    mapped = Index.load(path, mapped=True)
    before = answers(mapped, metric)
    mapped.save(path)
    assert answers(mapped, metric) == before
    assert answers(Index.load(path), metric) == before
    path.unlink()
    assert answers(mapped, metric) == before


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads /proc")
def test_mapped_vectors_take_no_memory_of_the_process(tmp_path):
    x = np.random.default_rng(1).standard_normal((20_000, 384)).astype(np.float32)
    index = Index(384, kind="flat", metric="euclidean")
    index.add(x)
    index.save(tmp_path / "a.index")
    code = """
        import sys, unitvec
        def anonymous():
            lines = open("/proc/self/status").read().splitlines()
            return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))
        small = unitvec.Index(4)  # loads what every index needs
        small.add([[1.0, 2.0, 3.0, 4.0]])
        small.search([[1.0, 2.0, 3.0, 4.0]], 1)
        before = anonymous()
        index = unitvec.Index.load(sys.argv[1], mapped=sys.argv[2] == "mapped")
        index.search([[0.5] * 384], 3)
        print(anonymous() - before)
    """
    grown = {}
    for how in ("mapped", "kept"):
        arguments = [sys.executable, "-c", textwrap.dedent(code), tmp_path / "a.index", how]
        run = subprocess.run(arguments, check=True, capture_output=True, text=True)
        grown[how] = int(run.stdout) * 1024
    assert grown["kept"] > x.nbytes
    assert grown["mapped"] < x.nbytes / 4


def test_auto_takes_lists_where_a_graph_takes_too_much_memory():
    x = vectors(3000, "cosine", 1)
    limit = 3000 * (4 * DIM + 200)  # the vectors, but not 256 bytes of links each
    index = Index(DIM, "auto", automatic_threshold=1000, max_memory=limit)
    index.add(x[:900])
    assert index.stats()["kind"] == "flat"
    index.add(x[900:1200])
    assert index.stats()["kind"] == "hnsw"
    index.add(x[1200:])
    assert index.stats()["kind"] == "ivf"
    assert "auto (ivf)" in repr(index)
    assert index.stats()["bytes"] < limit
    found = index.search(x[:100], 1, nprobe=8)
    assert not found.exact
    assert_array_equal(found.ids[:, 0], np.arange(100))


def test_auto_stays_flat_where_lists_do_not_serve():
    x = vectors(1500, "manhattan", 1)
    index = Index(DIM, "auto", "manhattan", automatic_threshold=1000, max_memory=1)
    index.add(x)
    assert index.stats()["kind"] == "flat"
    assert index.search(x[:3], 1).exact


def test_auto_is_saved_with_its_limit_and_its_lists(tmp_path):
    x = vectors(3000, "cosine", 1)
    index = Index(DIM, "auto", automatic_threshold=1000, max_memory=1)
    index.add(x)
    index.save(tmp_path / "a.index")
    loaded = Index.load(tmp_path / "a.index")
    assert loaded.stats() == index.stats() | {"bytes": loaded.stats()["bytes"]} | {
        name: loaded.stats()[name] for name in ("vector_bytes", "bytes_per_vector")
    }
    assert loaded.stats()["kind"] == "ivf"
    assert answers(loaded, "cosine") == answers(index, "cosine")
    loaded.add(vectors(10, "cosine", 5))
    assert loaded.stats()["kind"] == "ivf"


def test_auto_without_a_limit_goes_by_the_memory_there_is():
    index = Index(DIM, "auto", automatic_threshold=500)
    index.add(vectors(600, "cosine", 1))
    assert index.stats()["kind"] == "hnsw"
    assert index.stats()["max_memory"] == 0


def test_the_limit_is_a_number_of_bytes():
    with pytest.raises(ValueError, match=r"expected max_memory of at least 1, got 0"):
        Index(DIM, "auto", max_memory=0)
    with pytest.raises(TypeError, match=r"expected max_memory as a whole number, got 1\.5"):
        Index(DIM, "auto", max_memory=1.5)
