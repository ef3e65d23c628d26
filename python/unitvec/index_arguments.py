"""What users pass to an index, checked and as the core takes it."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Ids: TypeAlias = npt.NDArray[np.int64]

LARGEST_ID = np.iinfo(np.int64).max


def whole(value: Any, name: str, function: str) -> int:
    """`value` as an int, unless it is negative or no whole number."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        raise TypeError(f"[{function}] expected {name} as a whole number, got {value!r}")
    least = 0 if name == "automatic_threshold" else 1
    if not least <= value <= LARGEST_ID:
        raise ValueError(f"[{function}] expected {name} of at least {least}, got {value}")
    return int(value)


def share(value: Any, name: str, function: str) -> float:
    """`value` as a float above 0 and at most 1."""
    number = float(value)
    if not 0.0 < number <= 1.0:
        raise ValueError(f"[{function}] expected {name} above 0 and at most 1, got {value}")
    return number


def only_int8(dtype: str | None) -> str:
    """The dtype of kind "hnsw_sq"."""
    if dtype not in (None, "int8"):
        raise ValueError(f'[Index] expected kind "hnsw_sq" with dtype "int8" or none, got {dtype}')
    return "int8"


def thread_count(threads: int | None) -> int:
    """What the core takes: 0 for as many as there are."""
    return 0 if threads is None else whole(threads, "threads", "Index")


class EarlyEnd(NamedTuple):
    """When a walk through a graph may end before it has kept `ef_search` candidates.

    That is when the nearest row in sight is neither among the `least` nearest that were met nor
    within 1 + `slack` times the distance of the k-th of them: queries whose neighbours lie apart
    from the other rows end soon, others look on (Al-Jazzazi et al. 2025, "Distance Adaptive Beam
    Search for Provably Accurate Graph-Based Nearest Neighbor Search").

    Attributes:
        least: candidates that are kept in any case; at least the search's k are.
        k: whose distance counts, from 1.
        slack: from 0; how much farther than that is looked.
    """

    least: int = 40
    k: int = 10
    slack: float = 0.065


def as_early_end(given: Any) -> tuple[int, int, float] | None:
    """What the core takes."""
    if given is None:
        return None
    if not isinstance(given, EarlyEnd):
        raise TypeError(f"[search] expected early_end as an EarlyEnd, got {given!r}")
    slack = float(given.slack)
    if not slack >= 0.0:
        raise ValueError(f"[search] expected slack of early_end from 0, got {given.slack}")
    return (
        whole(given.least, "least of early_end", "search"),
        whole(given.k, "k of early_end", "search"),
        slack,
    )


class MarkedIds:
    """Some of many ids: those that are marked.

    Args:
        ids: int64, shape (n,).
        marks: booleans, shape (n,).
    """

    def __init__(self, ids: Ids, marks: npt.NDArray[np.bool_]) -> None:
        self.ids = ids
        self.marks = marks

    @functools.cached_property
    def chosen(self) -> Ids:
        """The marked ids."""
        chosen: Ids = self.ids[self.marks]
        return chosen

    @functools.cached_property
    def count(self) -> int:
        """How many are marked."""
        return int(np.count_nonzero(self.marks))


def all_marked(ids: npt.ArrayLike) -> MarkedIds:
    """All of these, which may be none."""
    array = np.array(ids, np.int64)
    return MarkedIds(array, np.ones(len(array), np.bool_))


def as_ids(ids: npt.ArrayLike, function: str) -> Ids:
    """`ids` as a 1-D int64 array; a single number is one id, an empty list none."""
    array = np.asarray(ids)
    if array.size == 0 and array.ndim == 1:
        return np.empty(0, np.int64)
    if array.dtype.kind not in "iu":
        raise TypeError(f"[{function}] expected ids as whole numbers, got dtype {array.dtype}")
    if array.ndim > 1:
        raise ValueError(f"[{function}] expected ids of shape (n,), got {array.ndim}-D")
    if array.dtype.kind == "u" and array.size and int(array.max()) > LARGEST_ID:
        raise ValueError(f"[{function}] expected ids below 2^63, got {int(array.max())}")
    return np.ascontiguousarray(array.reshape(-1), dtype=np.int64)
