"""What is computed from times and vectors: medians with their spread, ratios, and quality."""

from __future__ import annotations

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


def spearman(a: FloatArray, b: FloatArray) -> float:
    """Spearman's rank correlation: Pearson's correlation of the ranks."""
    return float(np.corrcoef(ranks(a), ranks(b))[0, 1])
