"""Vectors of bits, eight to the byte."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["ByteMatrix", "as_bits"]

ByteMatrix: TypeAlias = npt.NDArray[np.uint8]


def as_bits(x: Any, name: str, *, function: str, dim: int) -> ByteMatrix:
    """Read `x` as contiguous (n, dim / 8) bytes, the first bit of eight the highest.

    Args:
        x: booleans, shape (n, dim); or bytes, shape (n, dim / 8): uint8 as `numpy.packbits` and
            `Encoder.encode(..., precision="ubinary")` have them, or int8 as `precision="binary"`
            has them, which is 128 less. A single vector may have one dimension less.
        name: what messages call it.
        function: which function is speaking.
        dim: bits of each vector, a multiple of 8.

    Raises:
        TypeError: other elements.
        ValueError: another shape.
    """
    array = np.asarray(x)
    is_bits = array.dtype == np.bool_
    width = dim if is_bits else dim // 8
    if array.size == 0 and array.ndim == 1:  # [], or shape (0,)
        return np.empty((0, dim // 8), np.uint8)
    if not is_bits and array.dtype not in (np.uint8, np.int8):
        raise TypeError(
            f"[{function}] expected {name} of booleans, or of uint8 bytes with 8 bits each, under "
            f"hamming, got dtype {array.dtype}"
        )
    if array.ndim == 1:
        array = array[np.newaxis, :]
    if array.ndim != 2 or array.shape[1] != width:
        unit = "booleans" if is_bits else "bytes"
        raise ValueError(
            f"[{function}] expected {name} of {width} {unit} each for dim {dim}, "
            f"got shape {array.shape}"
        )
    if is_bits:
        return np.packbits(array, axis=1)
    if array.dtype == np.int8:
        array = array.view(np.uint8) ^ np.uint8(0x80)  # adds 128
    return np.ascontiguousarray(array)
