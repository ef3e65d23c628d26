"""TorchScript modules that give every text a vector by themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from unitvec import _core
from unitvec.chunks import Windows

FloatArray = npt.NDArray[np.float32]

#: What `Encoder.pooling` says of such a module.
NO_POOLING = "none"


class TextModuleHead:
    """Stands where `SentenceHead` does for a model whose pooling is inside its module.

    Attributes:
        dim: length of a text's vector.
    """

    def __init__(self, core: _core.TorchScriptTextEncoder) -> None:
        self.dim = core.dim

    def embed(
        self,
        core: _core.TorchScriptTextEncoder,
        sequences: _core.TokenSequences,
        *,
        normalize: bool,
        threads: int,
        skipped: int,
        progress: Callable[[int], Any],
        windows: Windows | None = None,
    ) -> FloatArray:
        """As `SentenceHead.embed`; a module that pools by itself cannot skip tokens."""
        vectors = core.embed(sequences, threads, progress)
        if windows is not None:
            vectors = windows.mean(vectors)
        return _core.l2_normalize(vectors) if normalize else vectors
