"""What a search through the documents must return, by exact search with NumPy, and how much did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.collection_documents import Columns, Filter, allowed
from benchmarks.measure import FloatArray
from benchmarks.neighbours import IntArray

NONE = -1  # where a filter allows fewer than k

#: Queries whose scores are held at a time: 40 MB of them for 100,000 documents.
QUERIES_AT_ONCE = 100


def exact_answers(
    queries: FloatArray, vectors: FloatArray, where: Sequence[Filter], table: Columns, k: int
) -> IntArray:
    """Rows that each query's own filter allows with the largest dot products, shape (nq, k).

    Args:
        queries: shape (nq, dim).
        vectors: shape (n, dim).
        where: a filter each; an empty one allows every row.
        table: the fields of all n rows.
        k: neighbours of a query; `NONE` fills up where fewer are allowed.
    """
    found = np.full((len(queries), k), NONE, np.int64)
    for begin in range(0, len(queries), QUERIES_AT_ONCE):
        scores = queries[begin : begin + QUERIES_AT_ONCE] @ vectors.T
        for i, row in enumerate(scores, start=begin):
            rows = np.flatnonzero(allowed(where[i], table))
            best = rows[np.argsort(-row[rows], kind="stable")[:k]] if len(rows) else rows
            found[i, : len(best)] = best
    return found


def recall(found: IntArray, expected: IntArray) -> float:
    """Share of the rows that had to be found that were, over all queries."""
    hits = (expected[:, :, None] == found[:, None, :]).any(axis=2) & (expected != NONE)
    return float(hits.sum() / (expected != NONE).sum())


def fewest(found: IntArray, expected: IntArray) -> dict[str, int]:
    """Of the query that lacks most rows: how many were `returned` of how many that `exist`."""
    returned, exist = ((rows != NONE).sum(axis=1) for rows in (found, expected))
    worst = int(np.argmin(returned - exist))
    return {"returned": int(returned[worst]), "exist": int(exist[worst])}


def require_allowed(found: IntArray, where: Sequence[Filter], table: Columns) -> None:
    """Raises ValueError if a search returned a row that its filter forbids, or a row twice."""
    for i, (rows, each) in enumerate(zip(found, where, strict=True)):
        rows = rows[rows != NONE]
        if not allowed(each, table)[rows].all() or len(np.unique(rows)) < len(rows):
            raise ValueError(f"[collection] expected rows of {each} once each, got {rows} ({i})")


def as_record(found: IntArray, expected: IntArray) -> dict[str, Any]:
    """Recall and the fewest rows, for a result."""
    return {"recall": recall(found, expected), "fewest": fewest(found, expected)}
