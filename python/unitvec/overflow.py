"""Texts longer than a model reads: counted, and said once."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

import numpy as np
import numpy.typing as npt

Overflow = Literal["warn", "error", "truncate", "chunk"]
MODES = ("warn", "error", "truncate", "chunk")


class TruncationWarning(UserWarning):
    """Texts were longer than the model reads; what came after the limit was not encoded."""


class OverflowCount:
    """How many of the texts seen were too long; raises or warns as the caller wished."""

    function = "encode"
    unit = "texts"
    done = "encoded"
    advice = (
        "Split them, pass on_overflow='chunk' for the mean over windows, or 'truncate' to "
        "accept it."
    )

    def __init__(self, mode: str, limit: int = 0) -> None:
        self.mode = mode
        self.limit = limit
        self.seen = 0
        self.count = 0
        self.longest = 0

    def check(self, full_lengths: npt.NDArray[np.int64]) -> None:
        """Counts texts by their tokens before truncation, shape (n,).

        Raises:
            ValueError: one is too long and the mode is "error".
        """
        over = full_lengths > self.limit
        if over.any():
            if self.mode == "error":
                first = int(over.argmax())
                raise ValueError(
                    f"[{self.function}] expected {self.unit} of at most {self.limit} tokens, got "
                    f"{full_lengths[first]} in {self.unit[:-1]} {self.seen + first}"
                )
            self.count += int(over.sum())
            self.longest = max(self.longest, int(full_lengths.max()))
        self.seen += len(full_lengths)

    def warn(self, stacklevel: int) -> None:
        """Says what was counted, under "warn": now, or at the end of `warned_together`."""
        if self.mode != "warn":
            return
        together = _together.get()
        if together is not None and together is not self:
            together._join(self)
        elif self.count:
            warnings.warn(
                f"{self.count} of {self.seen} {self.unit} are longer than the {self.limit} tokens "
                f"this model reads (the longest: {self.longest}); the rest of each was not "
                f"{self.done}. {self.advice}",
                TruncationWarning,
                stacklevel=stacklevel + 1,
            )

    def _join(self, other: OverflowCount) -> None:
        self.limit = other.limit
        self.seen += other.seen
        self.count += other.count
        self.longest = max(self.longest, other.longest)


class PairOverflowCount(OverflowCount):
    """The same for pairs of texts that are read as one."""

    function = "predict"
    unit = "pairs"
    done = "read"
    advice = "Shorten the longer text of each, or pass on_overflow='truncate' to accept it."


_together: ContextVar[OverflowCount | None] = ContextVar("unitvec_overflow", default=None)


@contextmanager
def warned_together(stacklevel: int) -> Iterator[None]:
    """Within it, in this thread or task, calls of `encode` warn at the end and with one voice.

    Args:
        stacklevel: as of `warnings.warn`, counted from the `with` statement's function.
    """
    count = OverflowCount("warn")
    token = _together.set(count)
    try:
        yield
    finally:
        _together.reset(token)
    count.warn(stacklevel + 2)  # this generator and contextlib's __exit__
