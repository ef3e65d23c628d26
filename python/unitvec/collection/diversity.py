"""Maximal marginal relevance: results that are near the query and unlike each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def most_marginally_relevant(
    relevance: Sequence[float], vectors: NDArray[np.float32], k: int, mmr_lambda: float
) -> list[int]:
    """Positions of `k` candidates (all where there are fewer) in the order in which they are taken.

      next = argmax over the rest of  lambda * relevance_i - (1 - lambda) * max over taken j of
             cosine(i, j)

    The maximum over nothing is 0, so the first is the most relevant; of equals the earlier one.

    Args:
        relevance: of each candidate to the query, best on the scale of the cosine.
        vectors: of the candidates, shape (n, dim); a zero vector is unlike every other.
        k: how many to take.
        mmr_lambda: in [0, 1]; 1 keeps the order of relevance, 0 looks only for what is unlike.

    O(k * n * dim) time.

    Source: Carbonell and Goldstein 1998, https://doi.org/10.1145/290941.291025.
    """
    units = vectors.astype(np.float64)
    lengths = np.linalg.norm(units, axis=1, keepdims=True)
    units = np.divide(units, lengths, out=np.zeros_like(units), where=lengths > 0)
    gain = mmr_lambda * np.asarray(relevance, np.float64)
    likeness = np.zeros(len(units))  # to the nearest of those taken
    free = np.ones(len(units), np.bool_)
    taken: list[int] = []
    while len(taken) < min(k, len(units)):
        marginal = np.where(free, gain - (1 - mmr_lambda) * likeness, -np.inf)
        best = int(np.argmax(marginal))
        to_best = units @ units[best]
        likeness = np.maximum(likeness, to_best) if taken else to_best
        free[best] = False
        taken.append(best)
    return taken


def scaled(scores: Sequence[float]) -> list[float]:
    """Scores moved and scaled to [0, 1], where they are no cosines; all 1 if all are equal."""
    if not scores:
        return []
    low, high = min(scores), max(scores)
    return [1.0 if high == low else (score - low) / (high - low) for score in scores]
