"""unitvec, with its defaults."""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np


def load(
    model: str, threads: int, dtype: str, max_seq_length: int | None = None
) -> Callable[[list[str]], np.ndarray[Any, Any]]:
    import unitvec

    encoder = unitvec.Encoder(model, dtype=dtype, threads=threads)
    if max_seq_length is not None:
        encoder.max_seq_length = max_seq_length
    # Every peer cuts long texts at the model's limit; unitvec would warn of each.
    return functools.partial(encoder.encode, show_progress_bar=False, on_overflow="truncate")


def versions() -> dict[str, str]:
    import unitvec._core

    return {
        "unitvec": version("unitvec"),
        "torch": version("torch"),
        "instruction set": unitvec._core.active_isa(),
    }
