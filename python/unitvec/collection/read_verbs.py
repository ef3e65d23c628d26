"""The reading half of a collection: count, get, peek, search."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from unitvec.collection import writing
from unitvec.collection.filters import Condition, compile_where
from unitvec.collection.index_cache import Neighbours
from unitvec.collection.inputs import check_count, check_vectors
from unitvec.collection.opened import OpenCollection
from unitvec.collection.results import Hit, Record, Records, SearchResult
from unitvec.collection.rows import Row, decode_metadata, decode_vectors

Where = Mapping[str, Any]

_SCANNED_AT_ONCE = 1000  # rows


class ReadVerbs(OpenCollection):
    """Every method sees one committed state."""

    def count(self) -> int:
        """How many documents there are."""
        with self._session.reading() as store:
            return store.state().live

    def get(
        self,
        ids: str | Iterable[str] | None = None,
        where: Where | None = None,
        limit: int | None = None,
        offset: int | None = None,
        include: Sequence[str] = ("documents", "metadatas"),
    ) -> Records:
        """Documents by id (in the order asked for; unknown ids are left out) or by filter.

        Args:
            ids: one or many; None: all.
            where: a filter, see `unitvec.collection.filters`.
            limit: at most so many.
            offset: leave out so many first.
            include: add "embeddings" for the vectors.

        Returns:
            Records in the order of storing; `records[0].document`, or `records["documents"]`.
        """
        condition = compile_where(where)
        start = 0 if offset is None else check_count(offset, "offset", 0)
        count = None if limit is None else check_count(limit, "limit", 0)
        with_vectors = _wants_vectors(include)
        with self._session.reading() as store:
            if ids is None:
                keys = store.page(condition, count, start)
            else:
                names = writing.check_ids([ids] if isinstance(ids, str) else list(ids), 0)
                known = store.keys_of(names)
                keys = [known[name] for name in names if name in known]
                if condition is not None:
                    allowed = set(store.keys_where(condition))
                    keys = [key for key in keys if key in allowed]
                keys = keys[start : None if count is None else start + count]
            rows = store.rows(keys)
        records = [self._record(row, with_vectors) for row in rows]
        return Records(records, self.dim if with_vectors else None)

    def scan(
        self, where: Where | None = None, include: Sequence[str] = ("documents", "metadatas")
    ) -> Iterator[Record]:
        """Every document (of a filter), one after the other, in constant memory.

        Others may write meanwhile: what is stored or removed after the start may be missed.
        """
        condition = compile_where(where)
        with_vectors = _wants_vectors(include)
        last = 0
        while True:
            with self._session.reading() as store:
                rows = store.rows(store.next_keys(last, condition, _SCANNED_AT_ONCE))
            yield from (self._record(row, with_vectors) for row in rows)
            if not rows:
                return
            last = rows[-1].key

    def peek(self, limit: int = 10) -> Records:
        """The first documents."""
        return self.get(limit=limit)

    def _record(self, row: Row, with_vector: bool) -> Record:
        vector = decode_vectors([row.vector], self.dim)[0] if with_vector else None
        return Record(row.id, row.document, decode_metadata(row.metadata), vector)

    @overload
    def search(
        self,
        query: str,
        k: int = 10,
        where: Where | None = None,
        mode: str = "dense",
        min_recall: float | None = None,
        min_score: float | None = None,
    ) -> SearchResult: ...
    @overload
    def search(
        self,
        query: Any,
        k: int = 10,
        where: Where | None = None,
        mode: str = "dense",
        min_recall: float | None = None,
        min_score: float | None = None,
    ) -> Any: ...
    def search(
        self,
        query: Any,
        k: int = 10,
        where: Where | None = None,
        mode: str = "dense",
        min_recall: float | None = None,
        min_score: float | None = None,
    ) -> SearchResult | list[SearchResult]:
        """The documents nearest to a question.

        Args:
            query: a text or a vector, shape (dim,); or a list of texts or vectors, (nq, dim).
            k: how many; fewer only where fewer exist.
            where: a filter, see `unitvec.collection.filters`; filtered searches are exact.
            mode: "dense", the only mode of this version.
            min_recall: search exactly where the estimated recall is below this.
            min_score: leave out hits below this score.

        Returns:
            A `SearchResult`, best first; for a list of queries a list of them.

        Raises:
            ValueError: k below 1, an unknown mode, a bad filter or vector.
        """
        started = time.perf_counter()
        self._session.check()
        _check_search(k, mode, min_recall)
        condition = compile_where(where)
        queries, is_single = self._queries(query)
        found, rows = self._nearest(queries, k, condition, min_recall)
        took_ms = 1000 * (time.perf_counter() - started)
        results = [
            SearchResult(hits, found.exact, found.recall_estimate, took_ms)
            for hits in _hits(found, rows, min_score)
        ]
        self._session.replace_lost_index()
        return results[0] if is_single else results

    def _nearest(
        self,
        queries: NDArray[np.float32],
        k: int,
        condition: Condition | None,
        min_recall: float | None,
    ) -> tuple[Neighbours, dict[int, Row]]:
        """Keys, scores and rows of the nearest, all of one moment."""
        cache = self._session.cache
        with self._session.reading() as store:
            cache.refresh(store)
            allowed = None if condition is None else store.keys_where(condition)
            found = cache.search(queries, k, allowed, min_recall)
            keys = sorted({key for keys in found.keys for key in keys})
            return found, {row.key: row for row in store.rows(keys)}

    def _queries(self, query: Any) -> tuple[NDArray[np.float32], bool]:
        """Query vectors, shape (nq, dim), and whether the caller gave a single one."""
        texts = [query] if isinstance(query, str) else query
        if isinstance(texts, (list, tuple)) and texts and isinstance(texts[0], str):
            for i, text in enumerate(texts):
                if not isinstance(text, str):
                    raise TypeError(f"[search] query {i}: expected str, got {type(text).__name__}")
            vectors = self.encoder.encode_query(list(texts), show_progress_bar=False)
            return check_vectors(vectors, self.dim, "", "query"), isinstance(query, str)
        if query is None or isinstance(query, (bytes, bool, Mapping)):
            raise TypeError(f"[search] expected a text or a vector, got {type(query).__name__}")
        vectors = check_vectors(query, self.dim, "", "query")
        return vectors, np.ndim(query) == 1 and len(vectors) == 1


def _check_search(k: int, mode: str, min_recall: float | None) -> None:
    if mode != "dense":
        raise ValueError(f"[search] expected mode 'dense', got {mode!r}")
    check_count(k, "k", 1)
    if min_recall is not None and not 0 <= min_recall <= 1:
        raise ValueError(f"[search] expected min_recall in [0, 1], got {min_recall}")


def _hits(
    found: Neighbours, rows: Mapping[int, Row], min_score: float | None
) -> Iterator[list[Hit]]:
    """The hits of each query, best first."""
    for keys, scores in zip(found.keys, found.scores, strict=True):
        yield [
            Hit(row.id, score, row.document, decode_metadata(row.metadata))
            for row, score in zip((rows[key] for key in keys), scores, strict=True)
            if min_score is None or score >= min_score
        ]


def _wants_vectors(include: Sequence[str]) -> bool:
    known = {"documents", "metadatas", "embeddings"}
    unknown = set([include] if isinstance(include, str) else include) - known
    if unknown:
        raise ValueError(f"[get] expected include of {sorted(known)}, got {sorted(unknown)}")
    return "embeddings" in include
