"""Vectors for tests in which it does not matter what they mean."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def random_vectors(n: int, dim: int = 16, seed: int = 0) -> npt.NDArray[np.float32]:
    """Standard normal numbers, shape (n, dim)."""
    return np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)
