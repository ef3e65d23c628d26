"""The options of one call of `Encoder.encode`, checked and filled in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from unitvec.outputs import truncated
from unitvec.overflow import MODES, Overflow
from unitvec.quantize import Precision, check_precision, quantize_embeddings

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class EncodePlan:
    """What a call does with every text.

    Attributes:
        prompt: goes before every text; may be empty.
        skipped: tokens at the start of every text that pooling leaves out.
        output_value: "sentence_embedding", "token_embeddings" or None.
        normalize: scale vectors to length 1.
        truncate_dim: leading dimensions that are kept; None: all.
        precision: what vectors are given back as.
        on_overflow: what a text longer than the model reads does.
    """

    prompt: str
    skipped: int
    output_value: str | None
    normalize: bool
    truncate_dim: int | None
    precision: Precision
    on_overflow: Overflow

    def check(self, dim: int) -> None:
        """Raises ValueError where an option is unknown or does not go with another.

        Args:
            dim: length of the model's vectors.
        """
        if self.output_value not in ("sentence_embedding", "token_embeddings", None):
            raise ValueError(
                "[encode] expected output_value to be 'sentence_embedding', 'token_embeddings' or "
                f"None, got {self.output_value!r}"
            )
        if self.on_overflow not in MODES:
            raise ValueError(
                f"[encode] expected on_overflow to be one of {MODES}, got {self.on_overflow!r}"
            )
        if self.on_overflow == "chunk" and self.output_value != "sentence_embedding":
            raise ValueError(
                "[encode] expected output_value to be 'sentence_embedding' with "
                f"on_overflow='chunk', got {self.output_value!r}"
            )
        if self.truncate_dim is not None and not 1 <= self.truncate_dim <= dim:
            raise ValueError(
                f"[encode] expected truncate_dim to be in [1, {dim}], got {self.truncate_dim}"
            )
        check_precision(self.precision, self.output_value)

    def finished(self, vectors: FloatArray) -> npt.NDArray[Any]:
        """Vectors (n, dim) of whole texts, truncated and quantised as asked; row by row."""
        if self.truncate_dim is not None:
            vectors = truncated(vectors, self.truncate_dim, self.normalize)
        if self.precision != "float32":
            return quantize_embeddings(vectors, self.precision)
        return vectors
