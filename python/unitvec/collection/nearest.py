"""The nearest rows: nominated by 8-bit codes, decided by the vectors themselves.

A score by codes is off by a bounded amount (ADR 12). The best by code are compared again by their
vectors, which are read from SQLite. Where every row was looked at, the bound says whether one that
was not nominated can belong to the nearest, and such rows are then compared as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unitvec import _core
from unitvec.collection.coded import Coded, breadth, rows_met
from unitvec.collection.vector_rows import Space, StoredVectors
from unitvec.index import SearchResult
from unitvec.index_arguments import MarkedIds

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]
Best = tuple[list[int], list[float]]  # keys and scores
_QUERIES_AT_ONCE = 256

Fetch = Callable[[Sequence[int]], StoredVectors]


@dataclass(frozen=True)
class Neighbours:
    """Keys and scores per query, best first, as many as there are, and how sure they are."""

    keys: list[list[int]]
    scores: list[list[float]]
    exact: bool
    recall_estimate: float


class _Vectors:
    """Vectors by key, read once for all queries that need them."""

    def __init__(self, space: Space, fetch: Fetch) -> None:
        self._metric = space.metric
        self._fetch = fetch
        self._keys = np.empty(0, np.int64)  # ascending
        self._rows = np.empty((0, space.dim), np.float32)

    def read(self, wanted: Keys) -> None:
        """Makes those of these keys available, ascending and each once; they must exist."""
        is_first = not len(self._keys)
        if not is_first:
            wanted = np.setdiff1d(wanted, self._keys, assume_unique=True)
        if not len(wanted):
            return
        rows = self._fetch(wanted.tolist()).rows
        if not is_first:
            wanted, rows = np.concatenate([self._keys, wanted]), np.concatenate([self._rows, rows])
            order = np.argsort(wanted)
            wanted, rows = wanted[order], rows[order]
        self._keys, self._rows = wanted, rows

    def best(self, query: Floats, keys: Keys, k: int) -> Best:
        """The k nearest of these, which were read, best first; of equals the older."""
        return _core.nearest_stored(self._metric, query, self._keys, self._rows, keys, k)


@dataclass(frozen=True)
class NearestSearch:
    """One search: what is searched, and how a row's vector is read.

    Attributes:
        space: whose vectors are compared.
        sources: indexes that together hold every row once.
        fetch: the vectors of keys that exist, ascending.
        k: neighbours wanted.
        allowed: keys that may be found; None: all.
        min_recall: of the walk through a graph; 1.0: compare with every row.
    """

    space: Space
    sources: Sequence[Coded]
    fetch: Fetch
    k: int
    allowed: MarkedIds | None
    min_recall: float | None

    def run(self, queries: Floats, recall: float) -> Neighbours:
        """The nearest of each query, shape (nq, dim).

        Args:
            queries: what is asked.
            recall: share of the nearest that a walk through the graph was measured to find.
        """
        whole = [self._compares_all(source) for source in self.sources]
        found = []
        estimates = []
        for start in range(0, len(queries), _QUERIES_AT_ONCE):
            some = queries[start : start + _QUERIES_AT_ONCE]
            parts = [self._nominated(*pair, some) for pair in zip(self.sources, whole, strict=True)]
            estimates += [part.recall_estimate for part in parts]
            found += self._decided(some, parts, whole)
        exact = all(whole)
        if exact:
            recall = 1.0
        elif self.min_recall:
            recall = min(estimate or recall for estimate in estimates)
        return Neighbours(
            [keys for keys, _ in found],
            [scores for _, scores in found],
            exact,
            recall,
        )

    def _compares_all(self, source: Coded) -> bool:
        """Whether every allowed row is looked at; a walk meets more rows than few allowed ones."""
        rows = len(source.index)
        if not source.is_graph or not rows or self.min_recall == 1.0:
            return True
        if self.allowed is None:
            return False
        return self.allowed.count * self.allowed.count < rows_met(rows) * rows

    def _nominated(self, source: Coded, whole: bool, queries: Floats) -> SearchResult:
        # Codes mistake near ties only, but where every row is looked at, the bound of their error
        # is to say that none was missed.
        count = 8 * self.k + 64 if whole else self.k + self.k // 2 + 6
        min_recall = None if whole else self.min_recall or None
        ef_search = early_end = None
        if not whole and min_recall is None:
            filtered = self.allowed is not None
            rows, metric = len(source.index), self.space.metric
            ef_search, early_end = breadth(metric, rows, self.k, filtered=filtered)
        return source.index.search(
            queries,
            count,
            allowed_ids=self.allowed,
            ef_search=ef_search,
            min_recall=min_recall,
            exact=whole,
            early_end=early_end,
        )

    def _decided(
        self, queries: Floats, parts: Sequence[SearchResult], whole: Sequence[bool]
    ) -> list[Best]:
        """The nearest by their vectors, per query."""
        vectors = _Vectors(self.space, self.fetch)
        nominees = [self._nominees(query, parts, i) for i, query in enumerate(queries)]
        # Of a score's error, the projection of a vector of errors on the query, that is what is
        # usual: its bound over the root of `dim`, for errors that do not conspire.
        usual = min(2.0, 6.0 / math.sqrt(self.space.dim))
        compared = [some.likely(self.k, usual) for some in nominees]
        vectors.read(_joined(compared))
        if all(whole):
            each = zip(queries, nominees, compared, strict=True)
            compared = [self._possible(*one, vectors) for one in each]
            vectors.read(_joined(compared))
        pairs = zip(queries, compared, strict=True)
        return [vectors.best(query, keys, self.k) for query, keys in pairs]

    def _nominees(
        self, query: Floats, parts: Sequence[SearchResult], number: int
    ) -> _core.Nominees:
        nominees = _core.Nominees()
        for source, part in zip(self.sources, parts, strict=True):
            nominees.add(part.ids, part.scores, number, source.error_for(query))
        return nominees

    def _possible(
        self, query: Floats, nominees: _core.Nominees, likely: Keys, vectors: _Vectors
    ) -> Keys:
        """Every row that may be among the nearest, whatever the errors."""
        if len(nominees) <= self.k and nominees.missed == -math.inf:
            return likely  # all that there are
        last = vectors.best(query, likely, self.k)[1][-1]
        keys: Keys = nominees.possible(last)
        if nominees.missed < last:
            return keys
        every: Keys = np.union1d(keys, self._within(query, last))
        return every

    def _within(self, query: Floats, score: float) -> Keys:
        """Rows that may score at least so much."""
        keys = []
        for source in self.sources:
            radius = score - source.error_for(query)
            if self.space.metric in ("euclidean", "manhattan"):
                radius = max(0.0, -radius)  # a distance
            (found,) = source.index.range_search(query, radius, allowed_ids=self.allowed)
            keys.append(found.ids)
        return np.concatenate(keys)


def _joined(keys: Sequence[Keys]) -> Keys:
    """Ascending, each once; so is each of `keys`."""
    joined: Keys = keys[0] if len(keys) == 1 else np.unique(np.concatenate(keys))
    return joined
