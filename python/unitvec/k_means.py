"""k-means clustering of vectors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from unitvec import _core
from unitvec.distance import FloatMatrix, Vectors, as_vectors

__all__ = ["KMeans", "kmeans"]


class KMeans(NamedTuple):
    """What `kmeans` found.

    Attributes:
        centroids: shape (k, dim).
        labels: int64, shape (n,): the nearest centroid of each vector.
        objective: sum of the squared distances of the vectors to their centroids ("inertia");
            spherical: sum of the dot products.
        iterations: how often the centroids were moved.
    """

    centroids: FloatMatrix
    labels: npt.NDArray[np.int64]
    objective: float
    iterations: int


def kmeans(
    x: Vectors,
    k: int,
    *,
    iterations: int = 25,
    spherical: bool = False,
    seed: int = 0,
    threads: int | None = None,
) -> KMeans:
    """Divide vectors into `k` clusters, each around its mean (Lloyd 1982).

    The first centroids are drawn as k-means++ draws them (Arthur and Vassilvitskii 2007). A cluster
    that lost all its vectors takes over the one that is farthest from its own centroid. The same
    arguments give the same result on any number of threads.

    Args:
        x: shape (n, dim), n at least k.
        k: clusters, at least 1.
        iterations: at most; it ends sooner where no label changes.
        spherical: centroids of length 1, and labels by the largest dot product: for directions, as
            text vectors are (Dhillon and Modha 2001).
        seed: of the random numbers, 0 or more.
        threads: processor threads to use; None: all that this process may.

    Raises:
        ValueError: another shape, NaN, fewer vectors than clusters, a number below its range.

    Example:
        >>> found = kmeans([[0.0], [1.0], [10.0], [11.0]], k=2)
        >>> sorted(found.centroids[:, 0].tolist())
        [0.5, 10.5]
    """
    vectors = as_vectors(x, "vectors", function="kmeans")
    least = {"k": 1, "iterations": 0, "seed": 0, "threads": 1}
    values = {"k": k, "iterations": iterations, "seed": seed, "threads": threads}
    for name, value in values.items():
        if value is not None and not (_is_whole(value) and value >= least[name]):
            raise ValueError(
                f"[kmeans] expected {name} as a whole number of at least {least[name]}, "
                f"got {value!r}"
            )
    found = _core.kmeans(vectors, k, iterations, spherical, seed, threads or 0)
    return KMeans(*found)


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
