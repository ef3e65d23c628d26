"""One number that makes probabilities say how often they are right."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unitvec.heads.head_model import log_softmax

Array = npt.NDArray[np.float64]

#: Bounds of the factor on logits, 1 / temperature.
_FACTORS = (0.02, 50.0)


def temperature_of(logits: Array, classes: npt.NDArray[np.int64]) -> float:
    """The temperature T that makes softmax(logits / T) likeliest for the true classes.

    The cross-entropy is convex in 1 / T, so a ternary search finds its least value.

    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4,
    https://arxiv.org/abs/1706.04599.

    Args:
        logits: shape (n, classes), of examples that were not trained on.
        classes: the true ones, shape (n,).
    """
    rows = np.arange(len(classes))

    def loss(factor: float) -> float:
        return float(-log_softmax(logits * factor)[rows, classes].mean())

    low, high = np.log(_FACTORS)
    for _ in range(60):
        third = (high - low) / 3
        if loss(np.exp(low + third)) < loss(np.exp(high - third)):
            high -= third
        else:
            low += third
    return float(np.exp(-(low + high) / 2))


def calibration_error(
    probabilities: Array, classes: npt.NDArray[np.int64], *, bins: int = 15
) -> float:
    """The expected calibration error: how far confidence and accuracy are apart.

      ECE = sum over bins B of |B| / n * |accuracy(B) - mean confidence(B)|

    Source: as `temperature_of`, equation 3.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == classes
    edges = np.minimum((confidence * bins).astype(int), bins - 1)
    error = 0.0
    for each in range(bins):
        inside = edges == each
        if inside.any():
            gap = abs(right[inside].mean() - confidence[inside].mean())
            error += inside.mean() * gap
    return float(error)
