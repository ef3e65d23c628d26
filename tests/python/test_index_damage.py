"""Damaged files of indexes: flipped bits, and what the fuzzer found worth keeping."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tricky_text import examples
from unitvec import FormatError, Index

DIM = 16
HEADER = 192  # bytes
CORPUS = Path(__file__).parents[1] / "fuzz" / "corpus" / "index"
LISTS = ("ivf", "ivfpq")
FILES = [
    *[(kind, dtype) for kind in ("flat", "hnsw", *LISTS) for dtype in ("float32", "float16")],
    *[(kind, "int8") for kind in ("flat", "hnsw_sq", *LISTS)],
    *[(kind, "bits") for kind in ("flat", "hnsw")],
]


def vectors(n, dtype, seed):
    rng = np.random.default_rng(seed)
    if dtype == "bits":
        return rng.integers(0, 2, (n, DIM)).astype(bool)
    return rng.standard_normal((n, DIM)).astype(np.float32)


def make_index(kind, dtype):
    metric = "hamming" if dtype == "bits" else "cosine"
    index = Index(DIM, kind, metric, None if dtype == "bits" else dtype, M=4, nlist=6, nprobe=2)
    x = vectors(400, dtype, seed=1)
    if kind in LISTS:
        index.train(x)
    index.add(x)
    index.remove([3, 70])
    return index


def answers(index, queries):
    found = index.search(queries, 5, ef_search=8)
    assert found.exact == (index.stats()["kind"] == "flat")
    kept = index.reconstruct(index.ids)
    return [part.tobytes() for part in (found.scores, found.ids, index.ids, kept)]


def load(path):
    """The index, or why it was refused."""
    try:
        return Index.load(path), ""
    except FormatError as error:
        return None, str(error)


@pytest.mark.parametrize(("kind", "dtype"), FILES)
def test_any_flipped_bit_is_refused_or_changes_no_answer(kind, dtype, tmp_path):
    path = tmp_path / "a.index"
    make_index(kind, dtype).save(path)
    queries = vectors(10, dtype, seed=2)
    expected = answers(Index.load(path), queries)
    content = path.read_bytes()
    flips = max(200, examples(0) // 20)
    rng = np.random.default_rng(flips)
    refused = 0
    with path.open("r+b", buffering=0) as file:
        for flip in range(flips):
            # Every fourth in the header, of which a file has little and which says most.
            at = int(rng.integers(HEADER if flip % 4 == 0 else len(content)))
            flipped = content[at] ^ 1 << int(rng.integers(8))
            os.pwrite(file.fileno(), bytes([flipped]), at)
            loaded, refusal = load(path)
            if loaded is None:
                assert str(path) in refusal
                refused += 1
            else:
                assert answers(loaded, queries) == expected, (at, flipped)
            os.pwrite(file.fileno(), content[at : at + 1], at)
    assert answers(Index.load(path), queries) == expected
    print(f"{kind} {dtype}: of {flips} flips {refused} refused, {flips - refused} without effect")


def test_the_corpus_of_the_fuzzer_is_harmless(tmp_path):
    files = sorted(CORPUS.iterdir())
    assert len(files) >= 15
    refusals = set()
    for file in files:
        index, refusal = load(file)
        if index is None:
            assert refusal.startswith(f"{file}: byte "), refusal
            refusals.add(refusal.removeprefix(str(file)))
            continue
        queries = np.ones((2, index.dim), bool if index.metric == "hamming" else np.float32)
        found = index.search(queries, 3)
        assert np.isin(found.ids[found.ids >= 0], index.ids).all()
        index.save(tmp_path / "again")
        again = Index.load(tmp_path / "again")
        for ours, theirs in zip(index.search(queries, 3), again.search(queries, 3), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert refusals
