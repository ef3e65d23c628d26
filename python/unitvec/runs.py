"""The texts of one call, some at a time, and its progress bar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from contextlib import AbstractContextManager
from itertools import islice

from unitvec.progress import Bar, NoBar, progress_bar

#: Texts handed to the core at a time: enough to keep it busy, few enough that a long job streams.
TEXTS_AT_ONCE = 2048


def bar_for(sentences: str | Iterable[str], show: bool | None) -> AbstractContextManager[Bar]:
    """A bar over the texts of a call; none for one text unless asked for."""
    if show is False or (show is None and isinstance(sentences, str)):
        return NoBar()
    total = 1 if isinstance(sentences, str) else _count(sentences)
    return progress_bar(total, "Encoding", "texts", show)


def _count(sentences: Iterable[str]) -> int | None:
    return len(sentences) if isinstance(sentences, Sized) else None


def runs(sentences: str | Iterable[str], prompt: str) -> Iterator[list[str]]:
    """Texts with the prompt before each, some at a time; checks that they are texts."""
    if isinstance(sentences, (bytes, bytearray)):
        raise TypeError("[encode] expected str, got bytes; decode them first")
    texts = iter([sentences] if isinstance(sentences, str) else sentences)
    position = 0
    while run := list(islice(texts, TEXTS_AT_ONCE)):
        for offset, text in enumerate(run):
            if not isinstance(text, str):
                raise TypeError(
                    f"[encode] expected every text to be str, got {type(text).__name__} "
                    f"at position {position + offset}"
                )
        position += len(run)
        yield [prompt + text for text in run] if prompt else run
