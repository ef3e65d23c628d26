"""sentence-transformers on torch, with its defaults: batches of 32, longest texts first, padded."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np


def load(
    model: str, threads: int, max_seq_length: int | None = None
) -> Callable[[list[str]], np.ndarray[Any, Any]]:
    import sentence_transformers
    import torch

    torch.set_num_threads(threads)
    encoder = sentence_transformers.SentenceTransformer(model, device="cpu")
    if max_seq_length is not None:
        encoder.max_seq_length = max_seq_length
    return functools.partial(encoder.encode, show_progress_bar=False)


def versions() -> dict[str, str]:
    import sentence_transformers
    import torch
    import transformers

    return {
        module.__name__: module.__version__
        for module in (sentence_transformers, torch, transformers)
    }
