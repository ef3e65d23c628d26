"""Reciprocal rank fusion and maximal marginal relevance against slow, obvious references."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from unitvec.collection.diversity import most_marginally_relevant, scaled
from unitvec.collection.fusion import fuse

RANKINGS = st.lists(st.lists(st.integers(0, 20), unique=True, max_size=12), min_size=1, max_size=3)


def slow_fusion(
    rankings: list[list[int]], weights: list[float], constant: float
) -> dict[int, float]:
    return {
        key: sum(
            weight / (constant + ranking.index(key) + 1)
            for ranking, weight in zip(rankings, weights, strict=True)
            if key in ranking
        )
        for ranking in rankings
        for key in ranking
    }


@given(RANKINGS, st.data(), st.sampled_from([0.0, 1.0, 60.0]))
def test_fusion_agrees_with_the_formula(
    rankings: list[list[int]], data: st.DataObject, constant: float
) -> None:
    weights = [data.draw(st.sampled_from([0.0, 0.5, 1.0, 3.0])) for _ in rankings]
    keys, scores = fuse(rankings, weights, constant)
    expected = slow_fusion(rankings, weights, constant)
    assert sorted(keys) == sorted(expected)
    assert scores == sorted(scores, reverse=True)
    assert_allclose(scores, [expected[key] for key in keys])


def test_of_equal_fused_scores_the_earlier_ranking_comes_first() -> None:
    assert fuse([[1, 2], [3, 4]], [1, 1])[0] == [1, 3, 2, 4]
    assert fuse([[1, 2], [3, 2]], [1, 1])[0] == [2, 1, 3]


def test_the_papers_constant() -> None:
    assert fuse([[7], [7]], [1, 1])[1] == [2 / 61]


def slow_mmr(relevance: list[float], vectors: np.ndarray, k: int, weight: float) -> list[int]:
    def cosine(i: int, j: int) -> float:
        a, b = vectors[i].astype(float), vectors[j].astype(float)
        lengths = np.linalg.norm(a) * np.linalg.norm(b)
        return float(a @ b / lengths) if lengths else 0.0

    taken: list[int] = []
    rest = list(range(len(relevance)))
    while rest and len(taken) < k:
        values = [
            weight * relevance[i]
            - (1 - weight) * max((cosine(i, j) for j in taken), default=0.0)
            for i in rest
        ]  # fmt: skip
        best = max(values)
        # Sums in another order may differ in the last bits: of nearly equal ones the first.
        chosen = next(i for i, value in zip(rest, values, strict=True) if value >= best - 1e-9)
        taken.append(chosen)
        rest.remove(chosen)
    return taken


@given(st.data(), st.integers(1, 8), st.sampled_from([0.0, 0.3, 0.5, 0.9, 1.0]))
def test_diversity_agrees_with_the_formula(data: st.DataObject, k: int, weight: float) -> None:
    n = data.draw(st.integers(0, 8))
    whole = st.integers(-3, 3).map(float)
    vectors = data.draw(arrays(np.float32, (n, 3), elements=whole))
    relevance = sorted(data.draw(st.lists(whole, min_size=n, max_size=n)), reverse=True)
    found = most_marginally_relevant(relevance, vectors, k, weight)
    expected = slow_mmr(relevance, vectors, k, weight)
    assert len(set(found)) == len(found) == min(k, n)
    if found != expected:  # only where two choices are equal but for rounding
        assert_allclose(*(mmr_values(relevance, vectors, o, weight) for o in (found, expected)),
                        atol=1e-6)  # fmt: skip


def mmr_values(
    relevance: list[float], vectors: np.ndarray, order: list[int], weight: float
) -> list[float]:
    """The value at which each was taken."""
    values = []
    for place, i in enumerate(order):
        units = [v / (np.linalg.norm(v) or 1) for v in vectors.astype(float)]
        likeness = max((float(units[i] @ units[j]) for j in order[:place]), default=0.0)
        values.append(weight * relevance[i] - (1 - weight) * likeness)
    return values


def test_diversity_prefers_what_is_unlike() -> None:
    vectors = np.array([[1, 0], [1, 0.01], [0.6, 0.8]], np.float32)
    assert most_marginally_relevant([1.0, 0.99, 0.6], vectors, 3, 1.0) == [0, 1, 2]
    assert most_marginally_relevant([1.0, 0.99, 0.6], vectors, 3, 0.5) == [0, 2, 1]


@pytest.mark.parametrize(
    ("scores", "expected"),
    [([], []), ([2.0], [1.0]), ([3.0, 3.0], [1.0, 1.0]), ([9.0, 4.0, -1.0], [1.0, 0.5, 0.0])],
)
def test_scaled(scores: list[float], expected: list[float]) -> None:
    assert scaled(scores) == expected
