"""The true neighbours, by exact search with NumPy, and how many of them an index found."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.measure import FloatArray

IntArray = np.ndarray[Any, np.dtype[np.integer[Any]]]

#: Scores that are held at a time: 128 MB of them, and 256 MB of row numbers.
BLOCK = 2**25


def exact_neighbours(queries: FloatArray, vectors: FloatArray, k: int) -> IntArray:
    """Rows of `vectors`, (n, dim), with the largest dot products, best first; shape (nq, k)."""
    size = max(1, BLOCK // len(vectors))
    found = []
    for begin in range(0, len(queries), size):
        scores = queries[begin : begin + size] @ vectors.T  # (size, n)
        nearest = np.argpartition(scores, -k, axis=1)[:, -k:]
        order = np.argsort(-np.take_along_axis(scores, nearest, axis=1), axis=1)
        found.append(np.take_along_axis(nearest, order, axis=1))
    return np.concatenate(found)


def recall_at_k(found: IntArray, expected: IntArray) -> float:
    """Share of the true neighbours that a search found.

    Args:
        found: ids returned, shape (nq, k); -1 marks a missing neighbour.
        expected: exact ids, shape (nq, k), from `exact_neighbours`.

    Returns:
        A number in [0, 1]; the order within a row does not matter.
    """
    return float((expected[:, :, None] == found[:, None, :]).any(axis=2).mean())
