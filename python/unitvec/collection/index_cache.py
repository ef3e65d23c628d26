"""The index in memory: a graph for most rows, an exact scan for the newest, in step with SQLite."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unitvec.collection.generations import read_generation
from unitvec.collection.rows import Row, decode_vectors
from unitvec.collection.store import Generation, State, Store
from unitvec.index import Index

_ROWS_AT_ONCE = 8192


@dataclass(frozen=True)
class IndexPolicy:
    """When an index file is worth having.

    Attributes:
        approximate_from: live rows from which a graph (HNSW) is built; below, all is exact.
        tail_min: rows the graph may lack before it is extended, at least.
        tail_share: the same as a share of the live rows; the larger of both counts.
    """

    approximate_from: int = 20_000
    tail_min: int = 10_000
    tail_share: float = 0.05

    def wants_graph(self, count: int, tail: int, has_graph: bool) -> bool:
        """Whether to write a new generation for `count` rows of which `tail` are in no graph."""
        if count < self.approximate_from:
            return False
        return not has_graph or tail > max(self.tail_min, self.tail_share * count)


@dataclass(frozen=True)
class Neighbours:
    """Keys and scores per query, best first, as many as there are, and how sure they are."""

    keys: list[list[int]]
    scores: list[list[float]]
    exact: bool
    recall_estimate: float


class IndexCache:
    """Answers which keys are nearest, as of the moment that `refresh` last saw.

    Rows up to `last_key` of the generation live in `_graph`, later ones in `_tail`, which is
    scanned exactly, so a row is found as soon as it is stored. Used by one thread at a time.
    """

    def __init__(self, directory: Path, properties: dict[str, Any], read_only: bool) -> None:
        self.directory = directory
        self.properties = properties
        self.read_only = read_only
        self.is_lost = False  # an index file there should be could not be believed
        self._sequence = -1
        self._last_key = 0
        self._generation: Generation | None = None
        self._graph: Index | None = None
        self._tail = self._flat()

    def _flat(self) -> Index:
        return Index(self.properties["dim"], kind="flat", metric=self.properties["metric"])

    @property
    def has_graph(self) -> bool:
        """Whether part of the rows is searched through a graph."""
        return self._graph is not None

    @property
    def tail_size(self) -> int:
        """Rows that are scanned exactly in every search."""
        return len(self._tail)

    def refresh(self, store: Store) -> State:
        """Brings the index to the state of the store's current transaction."""
        state = store.state()
        if state.sequence == self._sequence:
            return state
        known, self._sequence = self._sequence, -1  # should this fail halfway, the next starts anew
        if known < max(state.purged, 0):
            self._load(store)
        else:
            self._forget(store.deleted_since(known))
        self._last_key = add_rows(self._tail, store.rows_after(self._last_key), self._last_key)
        self._sequence = state.sequence
        return state

    def _load(self, store: Store) -> None:
        """Starts from the index file, where there is a good one, or from nothing."""
        self._tail, self._graph, self._last_key = self._flat(), None, 0
        self._generation = store.generation()
        if self._generation is None:
            return
        self._graph = read_generation(
            self.directory, self._generation, self.properties, self.read_only
        )
        self.is_lost = self._graph is None
        if self._graph is not None:
            self._last_key = self._generation.last_key
            self._forget(store.deleted_since(self._generation.sequence))

    def _forget(self, keys: Sequence[int]) -> None:
        """Removes deleted rows from where they are; rows never loaded are in neither place."""
        border = self._generation.last_key if self._generation and self._graph is not None else 0
        in_graph = [key for key in keys if key <= border]
        in_tail = [key for key in keys if border < key <= self._last_key]
        if in_graph and self._graph is not None:
            self._graph.remove(np.array(in_graph, np.int64))
        if in_tail:
            self._tail.remove(np.array(in_tail, np.int64))

    def adopt(self, graph: Index, generation: Generation) -> None:
        """Takes over a graph just built; the rows it lacks are read at the next `refresh`."""
        self._graph, self._generation = graph, generation
        self._tail, self._last_key = self._flat(), generation.last_key
        self._sequence = generation.sequence

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        allowed: Sequence[int] | None,
        min_recall: float | None,
    ) -> Neighbours:
        """The `k` nearest rows of each query, shape (nq, dim), among `allowed` keys if given.

        A filter is answered by an exact scan over the allowed rows: as many as exist are found.
        """
        estimate = self._generation.recall if self._generation and self._graph is not None else 1.0
        exact = self._graph is None or allowed is not None or estimate < (min_recall or 0.0)
        allowed_ids = None if allowed is None else np.array(allowed, np.int64)
        parts = [self._tail.search(queries, k, allowed_ids=allowed_ids)]
        if self._graph is not None:
            parts.append(self._graph.search(queries, k, allowed_ids=allowed_ids, exact=exact))
        keys, scores = _merge(parts, k)
        return Neighbours(keys, scores, exact, 1.0 if exact else estimate)


def add_rows(index: Index, rows: Iterable[Row], last_key: int) -> int:
    """Adds rows to an index under their keys, some at a time; returns the last key seen."""
    rows = iter(rows)
    while chunk := list(itertools.islice(rows, _ROWS_AT_ONCE)):
        vectors = decode_vectors([row.vector for row in chunk], index.dim)
        index.add(vectors, ids=np.array([row.key for row in chunk], np.int64))
        last_key = chunk[-1].key
    return last_key


def _merge(
    parts: Sequence[tuple[NDArray[np.float32], NDArray[np.int64]]], k: int
) -> tuple[list[list[int]], list[list[float]]]:
    """The best `k` of several results (scores, ids), each (nq, k); of equals the older row."""
    scores = np.concatenate([part[0] for part in parts], axis=1)
    keys = np.concatenate([part[1] for part in parts], axis=1)
    order = np.lexsort((keys, -scores), axis=1)[:, :k]
    scores, keys = np.take_along_axis(scores, order, 1), np.take_along_axis(keys, order, 1)
    found = keys >= 0
    return (
        [row[mask].tolist() for row, mask in zip(keys, found, strict=True)],
        [row[mask].tolist() for row, mask in zip(scores, found, strict=True)],
    )
