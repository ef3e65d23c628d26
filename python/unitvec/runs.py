"""The texts of one call, or pairs of them, some at a time, and its progress bar."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import AbstractContextManager
from typing import TypeVar

from unitvec.progress import Bar, NoBar, progress_bar

Item = TypeVar("Item")

#: Texts or pairs, and characters of them, handed to the core at a time: enough to keep it busy,
#: few enough that a long job streams, and that one that broke has little to do again.
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
    texts = [sentences] if isinstance(sentences, str) else sentences
    for run in grouped(_checked(texts), len):
        yield [prompt + text for text in run] if prompt else run


def grouped(items: Iterable[Item], characters: Callable[[Item], int]) -> Iterator[list[Item]]:
    """Items in their order, some at a time, of which no more than a run is held.

    Args:
        items: texts, or what is made of texts.
        characters: how many an item has.
    """
    run: list[Item] = []
    room = CHARACTERS_AT_ONCE
    for item in items:
        run.append(item)
        room -= characters(item)
        if len(run) == TEXTS_AT_ONCE or room <= 0:
            yield run
            run, room = [], CHARACTERS_AT_ONCE
    if run:
        yield run


def _checked(texts: Iterable[str]) -> Iterator[str]:
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(
                f"[encode] expected every text to be str, got {type(text).__name__} "
                f"at position {position}"
            )
        yield text
