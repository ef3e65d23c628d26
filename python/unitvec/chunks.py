"""Texts longer than a model reads, cut into windows that overlap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from unitvec import _core
from unitvec.tokenizer import Tokenizer

#: A window repeats one in so many of its tokens from the one before it: a sentence that ends one of
#: them is then not torn apart in both.
OVERLAP = 8


class Windows(NamedTuple):
    """Windows of several texts, end to end; a text that fits is a window of its own.

    Attributes:
        sequences: the windows' tokens, special ones included.
        offsets: where each text's windows begin, and where the last one's end, shape (texts + 1,).
        weights: tokens of each window, shape (windows,).
    """

    sequences: _core.TokenSequences
    offsets: npt.NDArray[np.int64]
    weights: npt.NDArray[np.int64]

    def mean(self, vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The mean of each text's windows, weighted by their tokens, shape (texts, dim)."""
        begins = self.offsets[:-1]
        if len(begins) == 0:
            return vectors
        # In double: there a window alone keeps its bits.
        sums = np.add.reduceat(vectors * self.weights[:, None].astype(np.float64), begins, axis=0)
        totals = np.add.reduceat(self.weights, begins)
        return (sums / totals[:, None]).astype(np.float32)


def special_tokens(tokenizer: Tokenizer) -> tuple[int, int]:
    """How many tokens a tokenizer puts before a text, [CLS], and behind it, [SEP]."""
    mask = tokenizer.encode("a").special_tokens_mask
    first = mask.index(0) if 0 in mask else len(mask)
    return first, sum(mask[first:])


def windows_of(
    tokenizer: Tokenizer, texts: Sequence[str], prompt: str, limit: int, cut: _core.TokenSequences
) -> Windows:
    """Cuts the texts that are too long into windows, each with the prompt before it.

    Args:
        tokenizer: the model's.
        texts: the texts, which begin with the prompt.
        prompt: that prompt; may be empty.
        limit: most tokens of a window, special ones counted.
        cut: the texts' tokens, cut at the limit.

    Raises:
        ValueError: the prompt leaves no room for a text.
    """
    ids = np.split(cut.input_ids, cut.offsets[1:-1]) if texts else []
    windows: list[list[list[int]]] = [[part.tolist()] for part in ids]
    for i in np.flatnonzero(cut.full_lengths > limit).tolist():
        windows[i] = list(_windows(tokenizer, texts[i][len(prompt) :], prompt, limit))
    flat = [window for text in windows for window in text]
    return Windows(
        _core.TokenSequences.from_ids(flat),
        np.cumsum([0, *(len(text) for text in windows)]),
        np.array([len(window) for window in flat], np.int64),
    )


def _windows(tokenizer: Tokenizer, text: str, prompt: str, limit: int) -> Iterator[list[int]]:
    before = tokenizer.encode(prompt, add_special_tokens=False).ids if prompt else []
    special = len(tokenizer.encode("").ids)
    room = limit - len(before)
    if room <= special:
        raise ValueError(
            f"[encode] expected a prompt of fewer than {limit - special} tokens, since the model "
            f"reads {limit}, got {len(before)}"
        )
    stride = (room - special) // OVERLAP
    first = tokenizer.encode(text, max_length=room, stride=stride, truncation_side="right")
    for window in (first, *first.overflowing):
        ids, mask = window.ids, window.special_tokens_mask
        start = next((i for i, is_special in enumerate(mask) if not is_special), len(ids))
        yield ids[:start] + before + ids[start:]
