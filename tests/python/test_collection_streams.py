"""Streams of any length: what they take of memory, and what they show of their progress."""

from __future__ import annotations

import re
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from unitvec import Collection
from unitvec.collection import IndexPolicy

DIM = 4
NO_INDEX = IndexPolicy(approximate_from=10**9)


def rows(count: int) -> Iterator[tuple[str, str, dict[str, int], np.ndarray]]:
    """Ids, documents of 1,000 characters, metadata and vectors."""
    vector = np.ones(DIM, np.float32)
    for i in range(count):
        yield f"id {i}", f"{i:1000d}", {"i": i}, vector


def store(path: Path, count: int) -> tuple[int, int]:
    """Bytes of memory at the most while so many are stored as a stream; of the ids given back."""
    with Collection(path, dim=DIM, index_policy=NO_INDEX) as db:
        tracemalloc.start()
        try:
            ids = db.add(
                documents=(row[1] for row in rows(count)),
                ids=(row[0] for row in rows(count)),
                metadatas=(row[2] for row in rows(count)),
                embeddings=(row[3] for row in rows(count)),
            )
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert db.count() == len(ids) == count
    return most, sys.getsizeof(ids) + sum(map(sys.getsizeof, ids))


def test_a_stream_takes_the_memory_of_one_batch_and_of_the_ids(tmp_path: Path) -> None:
    store(tmp_path / "first.uv", 2_000)  # what is loaded only once
    few, ids_of_few = store(tmp_path / "few.uv", 3_000)
    many, ids_of_many = store(tmp_path / "many.uv", 30_000)
    grown = (many - few) - (ids_of_many - ids_of_few)
    assert grown < 27_000 * 1_000 / 20, (few, many)  # of 27 MB more of documents


def test_the_bar_of_a_long_job(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Collection(tmp_path / "n.uv", dim=DIM) as db:
        db.add(embeddings=np.ones((1_200, DIM)), show_progress_bar=True)
        shown = capsys.readouterr().err
        assert re.search(r"Storing: 100%.*1\.2k/1\.2k|Storing: 100%.*1200/1200", shown), shown
        db.add(embeddings=iter(np.ones((700, DIM))), show_progress_bar=True)
        shown = capsys.readouterr().err
        assert re.search(r"Storing: 700", shown), shown  # of a stream nobody knows the whole
        db.add(embeddings=np.ones((1_200, DIM)), show_progress_bar=False)
        db.add(embeddings=np.ones((1_200, DIM)))  # no terminal
        assert capsys.readouterr().err == ""
