"""The nearest rows: nominated by 8-bit codes, decided by the vectors themselves.

A score by codes is off by a bounded amount (ADR 12). The best by code are compared again by their
vectors, which are read from SQLite. Where every row was looked at, the bound says whether one that
was not nominated can belong to the nearest, and such rows are then compared as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unitvec import _core
from unitvec.collection.coded import Coded
from unitvec.collection.rows import decode_vectors
from unitvec.collection.vector_rows import KeyedVector, Space
from unitvec.index import SearchResult

Floats = NDArray[np.float32]
Keys = NDArray[np.int64]
_COMPARED = {
    "cosine": (_core.cosine, 1),
    "dot": (_core.dot, 1),
    "euclidean": (_core.euclidean, -1),
    "manhattan": (_core.manhattan, -1),
}

Fetch = Callable[[Sequence[int]], list[KeyedVector]]


@dataclass(frozen=True)
class Neighbours:
    """Keys and scores per query, best first, as many as there are, and how sure they are."""

    keys: list[list[int]]
    scores: list[list[float]]
    exact: bool
    recall_estimate: float


class _Scored(NamedTuple):
    """Rows compared by their vectors, best first; of equals the older."""

    keys: Keys
    scores: Floats

    def best(self, k: int) -> _Scored:
        order = np.lexsort((self.keys, -self.scores))[:k]
        return _Scored(self.keys[order], self.scores[order])


@dataclass(frozen=True)
class NearestSearch:
    """One search: what is searched, and how a row's vector is read."""

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
        found = [self._nominated(source, queries) for source in self.sources]
        exact = all(part.exact for part in found)
        vectors = self._vectors(np.concatenate([part.ids.ravel() for part in found]))
        results = []
        for i, query in enumerate(queries):
            nominees = np.concatenate([part.ids[i] for part in found])
            best = self._compared(query, nominees[nominees >= 0], vectors).best(self.k)
            if exact:
                best = self._completed(query, best, [(p.scores[i], p.ids[i]) for p in found])
            results.append(best)
        if exact:
            recall = 1.0
        elif self.min_recall:
            recall = min(part.recall_estimate or recall for part in found)
        return Neighbours(
            [best.keys.tolist() for best in results],
            [best.scores.tolist() for best in results],
            exact,
            recall,
        )

    def _nominated(self, source: Coded, queries: Floats) -> SearchResult:
        # Codes mistake near ties only. Where all rows are looked at, more nominees save a second
        # look, which would take longer than reading their vectors.
        whole = self.min_recall == 1.0
        count = self.k + self.k // 2 + 6 if source.is_graph else 4 * self.k + 16
        return source.index.search(
            queries,
            count,
            allowed_ids=self.allowed,
            min_recall=None if whole else self.min_recall or None,
            exact=whole,
        )

    def _vectors(self, keys: Keys) -> tuple[Keys, Floats]:
        """Vectors by ascending key, shape (n, dim); -1 stands for no row."""
        wanted = np.unique(keys)
        found = self.fetch(wanted[wanted >= 0].tolist())
        blobs = [vector for _, vector in found]
        return np.array([key for key, _ in found], np.int64), decode_vectors(blobs, self.space.dim)

    def _compared(self, query: Floats, keys: Keys, vectors: tuple[Keys, Floats]) -> _Scored:
        known, rows = vectors
        if not len(keys):
            return _Scored(keys, np.empty(0, np.float32))
        return _Scored(keys, score(self.space.metric, query, rows[np.searchsorted(known, keys)]))

    def _completed(
        self, query: Floats, best: _Scored, nominated: Sequence[tuple[Floats, Keys]]
    ) -> _Scored:
        """With the rows that were not nominated and may still belong to the nearest."""
        if len(best.keys) < self.k:
            return best  # every row was nominated
        last = float(best.scores[-1])
        more = []
        for source, (scores, ids) in zip(self.sources, nominated, strict=True):
            error = source.error_for(query)
            if ids[-1] >= 0 and float(scores[-1]) + error >= last:
                radius = last - error
                if self.space.metric in ("euclidean", "manhattan"):
                    radius = -radius  # a distance
                (within,) = source.index.range_search(query, radius, allowed_ids=self.allowed)
                more.append(np.setdiff1d(within.ids, ids))
        if not more:
            return best
        keys = np.concatenate(more)
        others = self._compared(query, keys, self._vectors(keys))
        return _Scored(
            np.concatenate([best.keys, others.keys]), np.concatenate([best.scores, others.scores])
        ).best(self.k)


def score(metric: str, query: Floats, vectors: Floats) -> Floats:
    """Scores of one query, shape (dim,), and vectors, shape (n, dim): larger is nearer."""
    compare, sign = _COMPARED[metric]
    scores: Floats = compare(query[np.newaxis, :], vectors)[0]
    return scores if sign > 0 else -scores
