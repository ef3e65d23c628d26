"""Reciprocal rank fusion: one ranking out of several whose scores cannot be compared."""

from __future__ import annotations

from collections.abc import Sequence

#: Of the paper, which found results to depend on it little.
RANK_CONSTANT = 60


def fuse(
    rankings: Sequence[Sequence[int]],
    weights: Sequence[float],
    rank_constant: float = RANK_CONSTANT,
) -> tuple[list[int], list[float]]:
    """Keys by their fused score, best first, and the scores.

      score(d) = sum over rankings r that hold d of weight_r / (rank_constant + rank_r(d))

    Args:
        rankings: keys, best first, each key at most once in a ranking; ranks count from 1.
        weights: one each, at least 0; what only a ranking of weight 0 holds comes last.
        rank_constant: the larger, the less the first ranks stand out.

    Of equal scores the key comes first that comes first in the earliest ranking that holds it.

    Source: Cormack, Clarke and Büttcher 2009, https://doi.org/10.1145/1571941.1572114; the weights
    are a common addition, all 1 there.
    """
    scores: dict[int, float] = {}
    for ranking, weight in zip(rankings, weights, strict=True):
        for rank, key in enumerate(ranking, start=1):
            scores[key] = scores.get(key, 0.0) + weight / (rank_constant + rank)
    keys = sorted(scores, key=lambda key: -scores[key])  # stable: of equals the first inserted
    return keys, [scores[key] for key in keys]
