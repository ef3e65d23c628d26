"""What is computed from times and vectors: medians with their spread, ratios, and quality."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")
FloatArray = np.ndarray[Any, np.dtype[np.floating[Any]]]


def interleave(systems: Mapping[str, Callable[[], T]], repeats: int) -> dict[str, list[T]]:
    """Runs A B A B ... so that a drift of the machine meets every system alike.

    Returns:
        Per system, what each of its `repeats` calls returned.
    """
    values: dict[str, list[T]] = {name: [] for name in systems}
    for _ in range(repeats):
        for name, run in systems.items():
            values[name].append(run())
    return values


def summary(values: Sequence[float]) -> dict[str, float]:
    """Median, least and largest."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def pairwise_ratio(values: Sequence[float], baseline: Sequence[float]) -> dict[str, float]:
    """Summary of value / baseline over repeats made in turn, so that a common drift cancels."""
    return summary([value / base for value, base in zip(values, baseline, strict=True)])


def cosines(a: FloatArray, b: FloatArray) -> FloatArray:
    """Cosine of each row of `a`, (n, dim), with the same row of `b`; shape (n,)."""
    a64, b64 = a.astype(np.float64), b.astype(np.float64)
    lengths = np.linalg.norm(a64, axis=1) * np.linalg.norm(b64, axis=1)
    return np.asarray(np.einsum("nd,nd->n", a64, b64) / lengths)


def ranks(values: FloatArray) -> FloatArray:
    """Ranks from 1; equal values share the mean of their ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[inverse])


def top_k(queries: FloatArray, documents: FloatArray, k: int) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Exact search: rows of `documents` with the largest dot products, best first; shape (nq, k).

    Of equal ones the earlier document comes first.
    """
    scores = queries.astype(np.float32) @ documents.astype(np.float32).T
    return np.asarray(np.argsort(-scores, axis=1, kind="stable")[:, :k])


def ndcg_at_k(
    ranked: np.ndarray[Any, np.dtype[np.intp]], relevance: Sequence[Mapping[int, float]], k: int
) -> float:
    """Normalised discounted cumulative gain of the first `k` documents, the mean over queries.

      DCG = sum over ranks i = 1 ... k of rel_i / log2(i + 1);  nDCG = DCG / DCG of the best order

    Args:
        ranked: numbers of documents, best first, shape (nq, at least k).
        relevance: per query the documents that people judged relevant, with how much (above 0).
        k: ranks that count.

    Source: Järvelin and Kekäläinen 2002, https://doi.org/10.1145/582415.582418, with the discount
    that trec_eval and BEIR use.
    """
    shares = []
    for found, relevant in zip(ranked, relevance, strict=True):
        gains = [relevant.get(int(document), 0.0) for document in found[:k]]
        best = sorted(relevant.values(), reverse=True)[:k]
        shares.append(_dcg(gains) / _dcg(best))
    return statistics.fmean(shares)


def _dcg(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def spearman(a: FloatArray, b: FloatArray) -> float:
    """Spearman's rank correlation: Pearson's correlation of the ranks."""
    return float(np.corrcoef(ranks(a), ranks(b))[0, 1])
