"""The texts of one call, some at a time, and its progress bar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from contextlib import AbstractContextManager

from unitvec.progress import Bar, NoBar, progress_bar

#: Texts, and characters of them, handed to the core at a time: enough to keep it busy, few enough
#: that a long job streams, and that one that broke has little to do again.
TEXTS_AT_ONCE = 2048
CHARACTERS_AT_ONCE = 1 << 19


def bar_for(sentences: str | Iterable[str], show: bool | None) -> AbstractContextManager[Bar]:
    """A bar over the texts of a call; none for one text unless asked for."""
    if show is False or (show is None and isinstance(sentences, str)):
        return NoBar()
    return progress_bar(count_of(sentences), "Encoding", "texts", show)


def count_of(sentences: str | Iterable[str]) -> int | None:
    """How many texts there are, where that is known beforehand."""
    if isinstance(sentences, str):
        return 1
    return len(sentences) if isinstance(sentences, Sized) else None


def runs(sentences: str | Iterable[str], prompt: str) -> Iterator[list[str]]:
    """Texts with the prompt before each, some at a time; checks that they are texts."""
    if isinstance(sentences, (bytes, bytearray)):
        raise TypeError("[encode] expected str, got bytes; decode them first")
    run: list[str] = []
    room = CHARACTERS_AT_ONCE
    for position, text in enumerate([sentences] if isinstance(sentences, str) else sentences):
        if not isinstance(text, str):
            raise TypeError(
                f"[encode] expected every text to be str, got {type(text).__name__} "
                f"at position {position}"
            )
        run.append(prompt + text if prompt else text)
        room -= len(text)
        if len(run) == TEXTS_AT_ONCE or room <= 0:
            yield run
            run, room = [], CHARACTERS_AT_ONCE
    if run:
        yield run
