"""From token vectors to a text's vector: pooling, dense layers, normalisation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unitvec import _core
from unitvec.chunks import Windows
from unitvec.model_directory import NORMALIZE, SentenceSettings

FloatArray = npt.NDArray[np.float32]


class SentenceHead:
    """What follows a model's transformer, as its authors declared it.

    Attributes:
        dim: length of a text's vector.
    """

    dim: int

    def __init__(
        self, token_dim: int, settings: SentenceSettings, special: tuple[int, int]
    ) -> None:
        """Loads the dense layers.

        Args:
            token_dim: length of a token's vector.
            settings: pooling and the modules behind it.
            special: tokens that the tokenizer puts before a text, and behind it.

        Raises:
            FormatError: a layer is missing, damaged, or does not fit what comes before it.
        """
        self._pooling = list(settings.pooling)
        self._special = special
        self._steps: list[_core.Dense | None] = []  # None: scale to length 1
        self.dim = token_dim * len(self._pooling)
        for module in settings.modules:
            if module == NORMALIZE:
                self._steps.append(None)
                continue
            dense = _core.Dense.load(str(module))
            if dense.in_features != self.dim:
                raise _core.FormatError(
                    f"{module}: expected in_features to be {self.dim}, the length of the vectors "
                    f"that come in, got {dense.in_features}"
                )
            self._steps.append(dense)
            self.dim = dense.out_features
        while self._steps and self._steps[-1] is None:  # that one is the caller's to choose
            self._steps.pop()

    def embed(
        self,
        core: _core.Encoder,
        sequences: _core.TokenSequences,
        *,
        normalize: bool,
        threads: int,
        skipped: int,
        progress: Callable[[int], Any],
        windows: Windows | None = None,
    ) -> FloatArray:
        """Vectors of tokenised texts, shape (texts, dim).

        Args:
            core: gives every token a vector.
            sequences: the texts, or the `windows` of them.
            normalize: scale to length 1.
            threads: 0: all that the process may use.
            skipped: tokens at the start of every text that pooling leaves out.
            progress: told how many of `sequences` are done.
            windows: take the mean over each text's windows behind pooling.
        """
        early = normalize and not self._steps and windows is None
        vectors = _core.embed(
            core,
            sequences,
            self._plan(skipped),
            early,
            threads,
            progress,
        )
        if windows is not None:
            vectors = windows.mean(vectors)
        return self._finished(vectors, normalize and not early, threads)

    def pool(
        self,
        tokens: FloatArray,
        offsets: npt.NDArray[np.int64],
        *,
        normalize: bool,
        threads: int,
        skipped: int,
    ) -> FloatArray:
        """Vectors of texts whose token vectors, shape (tokens, token_dim), are known already."""
        early = normalize and not self._steps
        pooled = _core.pool(tokens, offsets, self._plan(skipped), early)
        return self._finished(pooled, normalize and not early, threads)

    def _plan(self, skipped: int) -> _core.PoolingPlan:
        return _core.PoolingPlan(self._pooling, skipped, *self._special)

    def export(self, settings: SentenceSettings, dtype: str, path: Path) -> None:
        """Writes the model as a TorchScript file; `settings` are those it was made with."""
        layers = [*self._steps, *([None] * settings.normalize)]
        folder = str(settings.transformer)
        _core.export_torchscript(folder, dtype, self._plan(0), layers, str(path))

    def _finished(self, vectors: FloatArray, normalize: bool, threads: int) -> FloatArray:
        for step in self._steps:
            vectors = _core.l2_normalize(vectors) if step is None else step(vectors, threads)
        return _core.l2_normalize(vectors) if normalize else vectors
