"""The pairs of texts of one call, some at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from operator import length_hint
from typing import Any, TypeAlias

import numpy as np

from unitvec.progress import Bar, NoBar, progress_bar
from unitvec.runs import grouped

Pair: TypeAlias = Sequence[str]

#: What a pair may be; a str is a sequence too, of its letters.
KINDS = (tuple, list, np.ndarray)


def one_or_many(pairs: Any) -> tuple[bool, Iterable[Pair]]:
    """Whether these are two texts rather than pairs of texts; and pairs in either case.

    Raises:
        TypeError: it is a text, or not iterable.
    """
    if isinstance(pairs, (str, bytes, bytearray)) or not isinstance(pairs, Iterable):
        raise TypeError(
            f"[predict] expected a pair of texts or an iterable of pairs, got {_kind(pairs)}"
        )
    if isinstance(pairs, KINDS) and len(pairs) > 0 and isinstance(pairs[0], str):
        return True, OnePair([pairs])  # type: ignore[list-item]  # checked with all the others
    return False, pairs


class OnePair(list[Pair]):
    """A call's only pair, which is not worth a progress bar."""


class PairsWith:
    """One query with each of many documents, which are read once."""

    def __init__(self, query: str, documents: Iterable[str]) -> None:
        self.query = query
        self.documents = documents

    def __iter__(self) -> Iterator[Pair]:
        return ((self.query, document) for document in self.documents)

    def __length_hint__(self) -> int:
        """As many as there are documents; 0 where that is not known."""
        return length_hint(self.documents)


def bar_for_pairs(pairs: Iterable[Pair], show: bool | None) -> AbstractContextManager[Bar]:
    """A bar over the pairs of a call; none for one pair unless asked for."""
    if show is False or (show is None and isinstance(pairs, OnePair)):
        return NoBar()
    return progress_bar(length_hint(pairs) or None, "Scoring", "pairs", show)


def pair_runs(pairs: Iterable[Pair]) -> Iterator[tuple[list[str], list[str]]]:
    """First and second texts, some pairs at a time.

    Raises:
        TypeError: something is not a pair of str (says which).
    """
    for run in grouped(_checked(pairs), _characters):
        yield [first for first, _ in run], [second for _, second in run]


def _characters(pair: Pair) -> int:
    return len(pair[0]) + len(pair[1])


def _checked(pairs: Iterable[Pair]) -> Iterator[Pair]:
    for position, pair in enumerate(pairs):
        _require_pair(pair, position)
        yield pair


def _require_pair(pair: Any, position: int) -> None:
    got = None
    if not isinstance(pair, KINDS):
        got = _kind(pair)
    elif len(pair) != 2:
        got = f"{len(pair)} values"
    elif not all(isinstance(text, str) for text in pair):
        got = " and ".join(_kind(text) for text in pair)
    if got is not None:
        raise TypeError(
            f"[predict] expected every pair to be two texts (str), got {got} at position {position}"
        )


def _kind(value: Any) -> str:
    return type(value).__name__
