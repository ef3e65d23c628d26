"""Vectors as 8-bit codes under the keys of their rows, with the error that coding made."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unitvec import _core
from unitvec.collection.vector_rows import Space, StoredVectors
from unitvec.index import Index
from unitvec.index_arguments import EarlyEnd

#: Of float32: the relative error of one addition.
_EPSILON = 2.0**-23

#: Candidates a walk keeps at least: recall@10 of 0.984 on 100,000 sentences under
#: all-MiniLM-L6-v2, where one that always keeps 88 finds 0.982 in half as much time again.
_LEAST = 40

#: The same beside a filter: recall@10 of 0.992 where half of them are allowed.
_LEAST_FILTERED = 48

_MOST = 6  # times as many are kept at most

_FIXED = 2.2  # times as many are kept where no walk ends early

#: How much farther than the 10th, or the k-th, of what was met a walk looks.
_SLACK = 0.065


_MET = 2600  # rows that are compared, at most, about

_MEASURED = 100_000  # rows that these were measured with

#: Links of a row. With 32 a graph takes 7 % longer to build, and walks that find as much do, too.
_LINKS = 28


class Coded:
    """An index of codes that knows how far a score by them can be off.

    Attributes:
        index: the codes.
        is_graph: whether a graph leads to the nearest of them, or all are compared.
        error: the largest distance between a vector (cosine: scaled to length 1) and its code, by
            which every comparison with it can be off, and what summing in float32 adds.
    """

    def __init__(self, space: Space, index: Index | None = None, error: float = 0.0) -> None:
        self.space = space
        self.index = index if index is not None else flat(space)
        self.is_graph = bool(self.index.stats()["kind"] == "hnsw")
        self.error = error

    def add(self, vectors: StoredVectors) -> None:
        """Adds rows under their keys."""
        keys = np.array(vectors.keys, np.int64)
        self.index.add(vectors.rows, ids=keys)
        self.error = max(self.error, self._coding_error(vectors.rows, keys))

    def forget(self, keys: Sequence[int], clear_dead: bool) -> None:
        """Removes those of the rows that are here; see `Index.remove`."""
        self.index.remove([key for key in keys if key in self.index], clear_dead=clear_dead)

    def _coding_error(self, vectors: NDArray[np.float32], keys: NDArray[np.int64]) -> float:
        codes = self.index.reconstruct(keys)
        distance, length = _core.coding_error(self.space.metric, vectors, codes)
        return float(distance + self._summing(length))

    def _summing(self, length: float) -> float:
        """What adding `dim` products or differences in float32 errs by at most."""
        return self.space.dim * _EPSILON * length

    def error_for(self, query: NDArray[np.float32]) -> float:
        """Bound on |score by code - score by vector| for a query, shape (dim,).

        |q . x - q . (x + dx)| <= |q| |dx| by Cauchy and Schwarz; distances to x and x + dx differ
        by at most |dx|.
        """
        metric = self.space.metric
        if metric == "cosine":
            return self.error
        length = float(np.linalg.norm(query, ord=1 if metric == "manhattan" else 2))
        if metric == "dot":
            return length * self.error
        return self.error + self._summing(length)


def breadth(metric: str, rows: int, k: int, *, filtered: bool) -> tuple[int, EarlyEnd | None]:
    """How many candidates a walk through a graph of so many rows keeps at most, and when fewer.

    Beside what a filter costs, a wider walk is cheap.
    """
    least = round((_LEAST_FILTERED if filtered else _LEAST) * _growth(rows))
    if metric == "dot":  # no distance, by which to end early
        return round(_FIXED * least), None
    return _MOST * least, EarlyEnd(least, max(k, 10), _SLACK * math.sqrt(_growth(rows)))


def rows_met(rows: int) -> float:
    """How many rows a walk without a filter compares in a graph of so many, at most, about."""
    return _MET * _growth(rows)


def _growth(rows: int) -> float:
    """Half as many more for ten times the rows."""
    return 1 + 0.5 * max(0.0, math.log10(rows / _MEASURED)) if rows else 1.0


def flat(space: Space) -> Index:
    """Codes that are compared one by one."""
    return Index(space.dim, kind="flat", metric=space.metric, dtype="int8")


def graph(space: Space) -> Index:
    """Codes that a graph leads to."""
    return Index(space.dim, kind="hnsw_sq", metric=space.metric, M=_LINKS)
