"""Distances and similarities between vectors, as matrices.

Every function takes two sets of vectors, shapes (n, dim) and (m, dim), and returns an (n, m)
float32 matrix that compares each with each. A single vector, shape (dim,), counts as one row, so
`cosine(v, w)` of two vectors has shape (1, 1).

Accepted: anything that NumPy reads as numbers (lists, float16, float64, integers, big-endian,
strided, memory-mapped arrays, CPU tensors); it is compared as float32. Objects, text, booleans and
complex numbers raise `TypeError`; other shapes, unequal dimensions, NaN, infinities and numbers too
large for float32 raise `ValueError` naming the row.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from unitvec import _core

__all__ = ["angle", "as_vectors", "cosine", "dot", "euclidean", "l2_normalize", "manhattan"]

FloatMatrix: TypeAlias = npt.NDArray[np.float32]
Vectors: TypeAlias = npt.ArrayLike


def as_vectors(x: Any, name: str, *, function: str, dim: int | None = None) -> FloatMatrix:
    """Read `x` as a contiguous (n, dim) float32 matrix, or say what is wrong with it.

    Args:
        x: shape (n, dim), or (dim,) for one vector; an empty list is no vectors.
        name: what messages call it.
        function: which function is speaking.
        dim: the dimension it must have, if that is known.

    Raises:
        TypeError: the elements are not real numbers.
        ValueError: the shape, the dimension, or a number that float32 cannot hold.
    """
    array = np.asarray(x)
    if array.size == 0 and array.ndim == 1:  # [], or shape (0,)
        array = np.empty((0, dim or 0), np.float32)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"[{function}] expected {name} of real numbers, got dtype {array.dtype}")
    if array.ndim == 1:
        array = array[np.newaxis, :]
    if array.ndim != 2:
        raise ValueError(
            f"[{function}] expected {name} of shape (n, dim) or (dim,), got {array.ndim}-D"
        )
    if dim is not None and array.shape[1] != dim:
        raise ValueError(f"[{function}] expected {name} of dimension {dim}, got {array.shape[1]}")
    if array.dtype != np.float32:
        with np.errstate(over="ignore"):  # becomes infinity, which is reported with its row
            array = array.astype(np.float32)
    vectors = np.ascontiguousarray(array)
    finite = np.isfinite(vectors)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise ValueError(
            f"[{function}] expected finite {name} within float32, "
            f"got {vectors[row, column]} in row {row}, column {column}"
        )
    return vectors


def _pair(a: Vectors, b: Vectors, function: str) -> tuple[FloatMatrix, FloatMatrix]:
    left = as_vectors(a, "a", function=function)
    return left, as_vectors(b, "b", function=function, dim=left.shape[1])


def cosine(a: Vectors, b: Vectors) -> FloatMatrix:
    """Cosine of the angle between vectors: a.b / (|a| |b|).

    Returns:
        Shape (n, m), in [-1, 1]; 0 where either vector is zero.

    Example:
        >>> cosine([1.0, 0.0], [[2.0, 0.0], [0.0, 3.0]])
        array([[1., 0.]], dtype=float32)
    """
    return _core.cosine(*_pair(a, b, "cosine"))


def dot(a: Vectors, b: Vectors) -> FloatMatrix:
    """Dot products.

    Returns:
        Shape (n, m).

    Example:
        >>> dot([1.0, 2.0], [3.0, 4.0])
        array([[11.]], dtype=float32)
    """
    return _core.dot(*_pair(a, b, "dot"))


def euclidean(a: Vectors, b: Vectors) -> FloatMatrix:
    """Euclidean distances, the root of the summed squares; exactly 0 for equal vectors.

    Returns:
        Shape (n, m), 0 or more.

    Example:
        >>> euclidean([0.0, 0.0], [3.0, 4.0])
        array([[5.]], dtype=float32)
    """
    return _core.euclidean(*_pair(a, b, "euclidean"))


def manhattan(a: Vectors, b: Vectors) -> FloatMatrix:
    """Manhattan distances, the sum of the absolute differences.

    Returns:
        Shape (n, m), 0 or more.

    Example:
        >>> manhattan([0.0, 0.0], [3.0, -4.0])
        array([[7.]], dtype=float32)
    """
    return _core.manhattan(*_pair(a, b, "manhattan"))


def angle(a: Vectors, b: Vectors) -> FloatMatrix:
    """Angles between vectors in degrees.

    Small angles keep their precision, which the arccos of a rounded cosine loses.

    Returns:
        Shape (n, m), in [0, 180]; 90 where either vector is zero, since its cosine is 0.

    Example:
        >>> angle([1.0, 0.0], [[1.0, 1.0], [-1.0, 0.0]])
        array([[ 45., 180.]], dtype=float32)
    """
    return _core.angle(*_pair(a, b, "angle"))


def l2_normalize(x: Vectors) -> FloatMatrix:
    """Scale vectors to Euclidean length 1; a zero vector stays zero.

    Args:
        x: shape (n, dim) or (dim,).

    Returns:
        Shape of `x`, as a new array.

    Example:
        >>> l2_normalize([3.0, 4.0])
        array([0.6, 0.8], dtype=float32)
    """
    vectors = _core.l2_normalize(as_vectors(x, "x", function="l2_normalize"))
    return vectors[0] if np.ndim(x) == 1 and len(vectors) == 1 else vectors
