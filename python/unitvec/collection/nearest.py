"""The nearest rows: nominated by 8-bit codes, decided by the vectors themselves.

A score by codes is off by a bounded amount (ADR 12). The best by code are compared again by their
vectors, which are read from SQLite. Where every row was looked at, the bound says whether one that
was not nominated can belong to the nearest, and such rows are then compared as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unitvec.collection.coded import EF_SEARCH, Coded
from unitvec.collection.vector_rows import Space, StoredVectors
from unitvec.index import SearchResult

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]
_QUERIES_AT_ONCE = 256
#: Rows that a walk through the graph meets, about.
_MET_BY_WALKS = 30 * EF_SEARCH

Fetch = Callable[[Sequence[int]], StoredVectors]


@dataclass(frozen=True)
class Neighbours:
    """Keys and scores per query, best first, as many as there are, and how sure they are."""

    keys: list[list[int]]
    scores: list[list[float]]
    exact: bool
    recall_estimate: float


class _Nominees(NamedTuple):
    """The best rows of one query by code, best first."""

    keys: Keys
    scores: Floats  # by code
    error: float  # by which a score can be off
    missed: float  # no row that is not among them is nearer than this


class _Vectors:
    """Vectors by key, read once for all queries that need them."""

    def __init__(self, space: Space, fetch: Fetch) -> None:
        self._space = space
        self._fetch = fetch
        self._keys = np.empty(0, np.int64)  # ascending
        self._rows = np.empty((0, space.dim), np.float32)

    def read(self, keys: Keys) -> None:
        """Makes these available; they must exist."""
        wanted = np.unique(keys)
        if len(self._keys):
            wanted = np.setdiff1d(wanted, self._keys, assume_unique=True)
        if not len(wanted):
            return
        rows = self._fetch(wanted.tolist()).rows
        if len(self._keys):
            wanted, rows = np.concatenate([self._keys, wanted]), np.concatenate([self._rows, rows])
            order = np.argsort(wanted)
            wanted, rows = wanted[order], rows[order]
        self._keys, self._rows = wanted, rows

    def compared(self, query: Floats, keys: Keys) -> Floats:
        """Scores of rows that were read."""
        return score(self._space.metric, query, self._rows[np.searchsorted(self._keys, keys)])


@dataclass(frozen=True)
class NearestSearch:
    """One search: what is searched, and how a row's vector is read.

    Attributes:
        space: whose vectors are compared.
        sources: indexes that together hold every row once.
        fetch: the vectors of keys that exist, ascending.
        k: neighbours wanted.
        allowed: keys that may be found, ascending; None: all.
        min_recall: of the walk through a graph; 1.0: compare with every row.
    """

    space: Space
    sources: Sequence[Coded]
    fetch: Fetch
    k: int
    allowed: Keys | None
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
            [keys.tolist() for keys, _ in found],
            [scores.tolist() for _, scores in found],
            exact,
            recall,
        )

    def _compares_all(self, source: Coded) -> bool:
        """Whether every allowed row is looked at; a walk meets more rows than few allowed ones."""
        if not source.is_graph or self.min_recall == 1.0:
            return True
        if self.allowed is None:
            return False
        share = len(self.allowed) / max(1, len(source.index))
        return len(self.allowed) * share < _MET_BY_WALKS

    def _nominated(self, source: Coded, whole: bool, queries: Floats) -> SearchResult:
        # Codes mistake near ties only, but where every row is looked at, the bound of their error
        # is to say that none was missed.
        count = 8 * self.k + 64 if whole else self.k + self.k // 2 + 6
        return source.index.search(
            queries,
            count,
            allowed_ids=self.allowed,
            min_recall=None if whole else self.min_recall or None,
            exact=whole,
        )

    def _decided(
        self, queries: Floats, parts: Sequence[SearchResult], whole: Sequence[bool]
    ) -> list[tuple[Keys, Floats]]:
        """Keys and scores of the nearest by their vectors, per query."""
        vectors = _Vectors(self.space, self.fetch)
        nominees = [self._nominees(query, parts, i) for i, query in enumerate(queries)]
        likely = [self._likely(some) for some in nominees]
        vectors.read(_joined(likely))
        compared = likely
        if all(whole):
            each = zip(queries, nominees, likely, strict=True)
            compared = [self._possible(*one, vectors) for one in each]
            vectors.read(_joined(compared))
        pairs = zip(queries, compared, strict=True)
        return [self._best(query, keys, vectors) for query, keys in pairs]

    def _nominees(self, query: Floats, parts: Sequence[SearchResult], i: int) -> _Nominees:
        limits = [source.error_for(query) for source in self.sources]
        found = [part.ids[i] >= 0 for part in parts]
        keys = [part.ids[i][there] for part, there in zip(parts, found, strict=True)]
        scores = [part.scores[i][there] for part, there in zip(parts, found, strict=True)]
        missed = max(
            float(score[-1]) + limit if there.all() else -math.inf
            for score, there, limit in zip(scores, found, limits, strict=True)
        )
        if len(parts) == 1:
            return _Nominees(keys[0], scores[0], limits[0], missed)
        every = np.concatenate(scores)
        order = np.argsort(-every, kind="stable")
        return _Nominees(np.concatenate(keys)[order], every[order], max(limits), missed)

    def _likely(self, nominees: _Nominees) -> Keys:
        """Those that are among the nearest but for an error far beyond the usual.

        The error of a score is the projection of a vector of errors on the query: its bound over
        the root of `dim`, for errors that do not conspire.
        """
        if len(nominees.keys) <= self.k:
            return nominees.keys
        usual = nominees.error * min(2.0, 6.0 / math.sqrt(self.space.dim))
        likely: Keys = nominees.keys[nominees.scores >= nominees.scores[self.k - 1] - usual]
        return likely

    def _possible(
        self, query: Floats, nominees: _Nominees, likely: Keys, vectors: _Vectors
    ) -> Keys:
        """Every row that may be among the nearest, whatever the errors."""
        if len(nominees.keys) <= self.k and nominees.missed == -math.inf:
            return nominees.keys
        last = float(np.partition(vectors.compared(query, likely), -self.k)[-self.k])
        keys: Keys = nominees.keys[nominees.scores + nominees.error >= last]
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

    def _best(self, query: Floats, keys: Keys, vectors: _Vectors) -> tuple[Keys, Floats]:
        """The best of these by their vectors; of equals the older."""
        if not len(keys):
            return keys, np.empty(0, np.float32)
        scores = vectors.compared(query, keys)
        order = np.lexsort((keys, -scores))[: self.k]
        found: Keys = keys[order]
        return found, scores[order]


def _joined(keys: Sequence[Keys]) -> Keys:
    joined: Keys = np.concatenate([np.empty(0, np.int64), *keys])
    return joined


def score(metric: str, query: Floats, vectors: Floats) -> Floats:
    """Scores of one query, shape (dim,), and vectors, shape (n, dim): larger is nearer.

    A pair has the same bits whatever it is compared beside: each row is summed for itself.
    """
    rows, q = vectors.astype(np.float64), query.astype(np.float64)
    if metric == "euclidean":
        scores = -np.sqrt(np.square(rows - q).sum(axis=1))
    elif metric == "manhattan":
        scores = -np.abs(rows - q).sum(axis=1)
    else:
        scores = (rows * q).sum(axis=1)
        if metric == "cosine":
            lengths = np.sqrt(np.square(rows).sum(axis=1) * np.square(q).sum())
            # Of a zero query, 0; stored vectors have a length.
            scores = scores / np.maximum(lengths, np.finfo(np.float64).tiny)
    result: Floats = scores.astype(np.float32)
    return result
