"""A model directory whose checkpoint has a head behind the shared transformer."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from unitvec import _core
from unitvec.dtypes import core_dtype, processor_facts
from unitvec.hub import resolve
from unitvec.model_directory import stated_licence
from unitvec.model_facts import model_facts
from unitvec.threads import require_threads
from unitvec.tokenizer import Tokenizer

FloatArray = npt.NDArray[np.float32]


class HeadModel:
    """The transformer, its tokenizer and its limits; each head adds what it says of tokens."""

    def __init__(
        self,
        model_name_or_path: str | os.PathLike[str],
        *,
        dtype: str = "float32",
        threads: int | None = None,
        revision: str | None = None,
        local_files_only: bool = False,
    ) -> None:
        """Loads a model.

        Args:
            model_name_or_path: a directory, or a name as `unitvec.hub.resolve` finds it.
            dtype: of the transformer's layers, as in `Encoder`; the head stays float32.
            threads: processor threads for one call; None: all that the process may use.
            revision: branch, tag or commit on the hub.
            local_files_only: never download.

        Raises:
            ModelNotFoundError: no such model; says where it was looked for and what to do.
            FormatError: a file of the model is missing, damaged or of a kind not supported; the
                checkpoint has no such head.
            ValueError: an argument is out of range.
        """
        require_threads(type(self).__name__, threads)
        self.name = str(model_name_or_path)
        self.threads = threads
        self._directory = resolve(model_name_or_path, revision, local_files_only)
        folder = str(self._directory)
        self._load_head(folder)
        self._core = _core.TransformerEncoder.load(folder, core_dtype(dtype))
        self.tokenizer = Tokenizer.from_pretrained(folder)
        self.tokenizer._require_ids_below(self._core.vocab_size)

    def _load_head(self, folder: str) -> None:
        raise NotImplementedError

    @property
    def max_length(self) -> int:
        """Tokens read of one text or pair, special ones counted."""
        positions: int = self._core.max_positions
        stated = self.tokenizer.model_max_length
        return min(positions, stated) if stated else positions

    def info(self) -> dict[str, Any]:
        """What this model is: architecture, sizes, licence if stated."""
        return model_facts(self.name, self._directory, self._core) | {
            "dim": self._core.dim,
            "max_length": self.max_length,
            "vocab_size": self.tokenizer.vocab_size,
            "dtype": self._core.dtype,
            **processor_facts(),
            "licence": stated_licence(self._directory),
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, max_length={self.max_length})"

    def _require_short(self, function: str, length: int, what: str = "text") -> None:
        """Raises ValueError for more tokens than the model reads: what is cut off would be lost."""
        if length > self.max_length:
            raise ValueError(
                f"[{function}] expected a {what} of at most {self.max_length} tokens, got {length}"
            )

    def _token_vectors(self, sequences: list[list[int]]) -> FloatArray:
        """The vectors of all tokens of all sequences, end to end."""
        tokens = _core.TokenSequences.from_ids(sequences)
        return _core.embed_tokens(self._core, tokens, self.threads or 0, lambda _: None)


def softmax(logits: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    """exp(x_i) / sum_j exp(x_j) along the last axis, in float64."""
    exact = logits.astype(np.float64)
    powers = np.exp(exact - exact.max(axis=-1, keepdims=True))
    probabilities: npt.NDArray[np.float64] = powers / powers.sum(axis=-1, keepdims=True)
    return probabilities


def log_softmax(logits: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    """The logarithm of `softmax`, without the loss of taking it afterwards."""
    exact = logits.astype(np.float64)
    shifted = exact - exact.max(axis=-1, keepdims=True)
    logarithms: npt.NDArray[np.float64] = shifted - np.log(
        np.exp(shifted).sum(axis=-1, keepdims=True)
    )
    return logarithms
