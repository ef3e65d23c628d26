"""Vectors in fewer bytes: one byte, or one bit, a dimension."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Precision = Literal["float32", "int8", "uint8", "binary", "ubinary"]
PRECISIONS = ("float32", "int8", "uint8", "binary", "ubinary")

FloatArray = npt.NDArray[np.float32]

#: The range of a dimension where nobody has measured it, in units of 1 / sqrt(dim), the root mean
#: square of a unit vector's dimensions. Six of them hold every value of all-MiniLM-L6-v2 and
#: all-mpnet-base-v2 on STS-B (the largest: 4.4 and 5.4) and keep cosines to within 0.0002.
REACH = 6.0

LONGEST = 1.001  # of a vector that passes for one of length 1


def quantize_embeddings(
    embeddings: npt.ArrayLike,
    precision: Precision = "int8",
    ranges: npt.ArrayLike | None = None,
    calibration_embeddings: npt.ArrayLike | None = None,
) -> npt.NDArray[Any]:
    """Stores each dimension in a byte or in a bit.

    A vector's result depends on the vector and the ranges alone, never on the vectors beside it: a
    single query is quantised as it would be among thousands.

        "uint8"    round((x - low) / (high - low) * 255), cut to [0, 255]
        "int8"     the same less 128
        "ubinary"  1 where x > 0, else 0; eight to a byte, the first in the highest bit
        "binary"   the same bytes less 128, as signed ones

    Without ranges, "int8" is round(x / r * 127), cut to [-127, 127], with r = 6 / sqrt(dim), and
    "uint8" the same plus 128: zero stays zero, so that cosines of the bytes are cosines of the
    vectors to about 0.0002. That needs vectors of length 1 at most.

    Args:
        embeddings: shape (n, dim) or (dim,).
        precision: "int8", "uint8", "binary", "ubinary", or "float32" for the vectors as they are.
        ranges: the lowest and the highest value of every dimension, shape (2, dim).
        calibration_embeddings: vectors to take these from, shape (m, dim). A dimension that is
            the same in all of them gets a range of 6 / sqrt(dim) to either side.

    Returns:
        Shape (n, dim), or (n, ceil(dim / 8)) with one bit a dimension; one dimension less for one
        vector. Signed or unsigned bytes, as the name says.

    Raises:
        ValueError: an unknown precision; NaN or infinity; ranges of the wrong shape or whose low is
            not below their high; vectors longer than 1 without ranges.

    Source: Shakir, Aarsen, Lee 2024, "Binary and Scalar Embedding Quantization", for the formulas.
    """
    check_precision(precision)
    vectors = _finite("embeddings", embeddings)
    if vectors.ndim not in (1, 2):
        raise ValueError(
            f"[quantize_embeddings] expected shape (n, dim) or (dim,), got {vectors.shape}"
        )
    if precision == "float32":
        return vectors
    if precision in ("binary", "ubinary"):
        bits = np.packbits(vectors > 0, axis=-1)
        return bits if precision == "ubinary" else (bits.astype(np.int16) - 128).astype(np.int8)
    known = _ranges(vectors.shape[-1], ranges, calibration_embeddings)
    levels = _levels(vectors) if known is None else _levels_within(vectors, known)
    if precision == "uint8":
        return (levels + 128).astype(np.uint8)
    return levels.astype(np.int8)


def check_precision(precision: str, output_value: str | None = "sentence_embedding") -> None:
    """Raises ValueError unless there is such a precision, and for such an output."""
    if precision not in PRECISIONS:
        raise ValueError(f"[precision] expected one of {PRECISIONS}, got {precision!r}")
    if precision != "float32" and output_value != "sentence_embedding":
        raise ValueError(
            "[precision] expected 'float32' unless output_value is 'sentence_embedding', got "
            f"{precision!r}"
        )


def _finite(name: str, values: npt.ArrayLike) -> FloatArray:
    array = np.asarray(values, np.float32)
    if not np.isfinite(array).all():
        raise ValueError(f"[quantize_embeddings] expected finite {name}, got NaN or infinity")
    return array


def _reach(dim: int) -> float:
    return REACH / float(np.sqrt(dim))


def _levels(vectors: FloatArray) -> FloatArray:
    """-127 ... 127 of vectors of length 1 at most."""
    longest = float(np.linalg.norm(vectors, axis=-1).max(initial=0.0))
    if longest > LONGEST:
        raise ValueError(
            "[quantize_embeddings] expected ranges, calibration_embeddings, or vectors of length "
            f"1, got a vector of length {longest:.4g}"
        )
    scaled = np.rint(vectors * np.float32(127.0 / _reach(vectors.shape[-1])))
    levels: FloatArray = np.clip(scaled, -127, 127)
    return levels


def _levels_within(vectors: FloatArray, ranges: FloatArray) -> FloatArray:
    """-128 ... 127 between the lowest and the highest value of each dimension."""
    low, high = ranges.astype(np.float64)
    levels = np.clip(np.rint((vectors - low) / (high - low) * 255.0), 0, 255) - 128
    result: FloatArray = levels.astype(np.float32)
    return result


def _ranges(
    dim: int, ranges: npt.ArrayLike | None, calibration: npt.ArrayLike | None
) -> FloatArray | None:
    if ranges is not None:
        known = _finite("ranges", ranges)
        if known.shape != (2, dim):
            raise ValueError(
                f"[quantize_embeddings] expected ranges of shape (2, {dim}), got {known.shape}"
            )
        if not (known[0] < known[1]).all():
            raise ValueError(
                "[quantize_embeddings] expected every range's low below its high, got "
                f"{known[:, int(np.argmin(known[0] < known[1]))]}"
            )
        return known
    if calibration is None:
        return None
    sample = _finite("calibration_embeddings", calibration)
    if sample.ndim != 2 or sample.shape[1] != dim or len(sample) == 0:
        raise ValueError(
            f"[quantize_embeddings] expected calibration_embeddings of shape (m, {dim}), got "
            f"{sample.shape}"
        )
    low, high = sample.min(axis=0), sample.max(axis=0)
    constant = low == high
    reach = np.float32(_reach(dim))
    return np.stack([np.where(constant, low - reach, low), np.where(constant, high + reach, high)])
