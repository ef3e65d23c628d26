"""Each approximate index by itself: the quickest setting of its search that reaches the recall.

Recall is chosen by on one half of the queries and reported of the other, so that it is not that of
a setting which happens to suit the queries it was chosen by.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.index_systems import IndexProcess
from benchmarks.neighbours import IntArray, recall_at_k

TARGET = 0.98


def tuned(process: IndexProcess, queries: Path, expected: IntArray) -> dict[str, Any]:
    """The first value of the system's tuning that reaches `TARGET`, else the last, and its recall.

    Args:
        process: with a built index.
        queries: a file with (nq, dim) vectors.
        expected: the true neighbours, shape (nq, K).

    Returns:
        `parameter` and `value` (None where search is exact), `recall` on every second query,
        `recall_in_tuning` on the others, and whether that `reached` the target.
    """
    tuning = process.system.tuning
    for value in tuning.values if tuning else (None,):
        found = process.found(queries, value)
        in_tuning = recall_at_k(found[::2], expected[::2])
        if in_tuning >= TARGET:
            break
    return {
        "parameter": tuning.name if tuning else None,
        "value": value,
        "recall": recall_at_k(found[1::2], expected[1::2]),
        "recall_in_tuning": in_tuning,
        "reached": in_tuning >= TARGET,
    }
