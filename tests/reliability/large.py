"""What runs in the processes of the test of a large collection after a kill."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import numpy as np

from unitvec import Collection
from unitvec.collection import IndexPolicy

DIM = 384
_INNER = 24  # dimensions that the vectors really have, as those of texts do
_ROWS_AT_ONCE = 20_000


def vectors(first: int, last: int) -> np.ndarray:
    """Rows `first` to `last`, shape (n, DIM), the same in every process."""
    blocks = []
    axes = np.random.default_rng(0).standard_normal((_INNER, DIM)).astype(np.float32)
    for start in range(first - first % _ROWS_AT_ONCE, last, _ROWS_AT_ONCE):
        rng = np.random.default_rng(1 + start)
        inner = rng.standard_normal((_ROWS_AT_ONCE, _INNER), dtype=np.float32)
        block = inner @ axes + rng.standard_normal((_ROWS_AT_ONCE, DIM), dtype=np.float32)
        blocks.append(block[max(0, first - start) : last - start])
    return np.concatenate(blocks)


def _add(db: Collection, first: int, last: int) -> None:
    for start in range(first, last, _ROWS_AT_ONCE):
        end = min(last, start + _ROWS_AT_ONCE)
        names = [str(i) for i in range(start, end)]
        texts = [f"document {name} " * 12 for name in names]
        db.add(texts, ids=names, embeddings=vectors(start, end), show_progress_bar=False)


def build(path: str, count: int) -> None:
    """All documents, indexed at once when all are there."""
    later = IndexPolicy(approximate_from=count + 1)
    with Collection(path, dim=DIM, durability="normal", index_policy=later) as db:
        _add(db, 0, count)
    with Collection(path, durability="normal") as db:
        db.build_index()
        assert db.stats()["indexed"] == count


def add_a_tail(path: str, count: int, tail: int) -> None:
    """Further documents, which no index file has, and then a kill."""
    db = Collection(path)
    _add(db, count, count + tail)
    os.kill(os.getpid(), signal.SIGKILL)


def first_answer(path: str, report: str, name: int) -> None:
    """Opens what the kill left; notes the seconds to the first answer, and whether it is right."""
    query = vectors(name, name + 1)[0]
    begun = time.monotonic()
    db = Collection(path)
    hit = db.search(query, k=1)[0]
    seconds = time.monotonic() - begun
    Path(report).write_text(json.dumps([seconds, hit.id == str(name)]), encoding="utf-8")
    os.kill(os.getpid(), signal.SIGKILL)  # the next one finds it as this one did
