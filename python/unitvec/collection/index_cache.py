"""The index in memory: a graph for most rows, a scan for the newest, in step with SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unitvec.collection.coded import Coded
from unitvec.collection.generations import DoubtfulIndexError, examine_generation, put_aside
from unitvec.collection.nearest import Floats, NearestSearch, Neighbours
from unitvec.collection.store import Generation, State, Store
from unitvec.collection.vector_rows import Space
from unitvec.index_arguments import MarkedIds

ROWS_AT_ONCE = 2048


@dataclass(frozen=True)
class IndexPolicy:
    """When an index file is worth having.

    Attributes:
        approximate_from: live rows from which a graph (HNSW) is built; below, all is exact.
        tail_min: rows the graph may lack before it is extended, at least.
        tail_share: the same as a share of the live rows; the larger of both counts.
        dead_share: share of the graph's rows that may be deleted before it is built anew.
    """

    approximate_from: int = 20_000
    tail_min: int = 10_000
    tail_share: float = 0.05
    dead_share: float = 0.2

    def wants_graph(self, count: int, tail: int, dead: int, graph: int | None) -> bool:
        """Whether to write a new generation.

        Args:
            count: live rows.
            tail: those that are in no graph.
            dead: rows of the graph that were deleted.
            graph: rows that the graph was written with; None: there is none.
        """
        if count < self.approximate_from:
            return False
        if graph is None:
            return True
        return tail > self.most_tail(count) or dead > self.dead_share * graph

    def most_tail(self, count: int) -> float:
        """Rows that a graph may lack."""
        return max(self.tail_min, self.tail_share * count)


class IndexCache:
    """Answers which keys are nearest in one space, as of the moment that `refresh` last saw.

    Rows up to `last_key` of the generation live in the graph, later ones in the tail, which is
    scanned, so a row is found as soon as it is stored. Used by one thread at a time.
    """

    def __init__(
        self, directory: Path, uuid: str, space: Space, policy: IndexPolicy, read_only: bool
    ) -> None:
        self.directory = directory
        self.space = space
        self.is_lost = False  # an index file there should be could not be believed
        self._uuid = uuid
        self._policy = policy
        self._read_only = read_only
        self._sequence = -1
        self._last_key = 0
        self._generation: Generation | None = None
        self._graph: Coded | None = None
        self._tail = Coded(space)

    @property
    def tail_size(self) -> int:
        """Rows that are scanned in every search."""
        return len(self._tail.index)

    def refresh(self, store: Store) -> State:
        """Brings the index to the state of the store's transaction, which it returns.

        Where another process has replaced the index file meanwhile, the transaction is begun again.
        """
        state = store.state()
        if state.sequence == self._sequence:
            return state
        known, self._sequence = self._sequence, -1  # should this fail halfway, the next starts anew
        if known < max(state.purged, 0) or self._is_outdated(store, state):
            state = self._load(store)
        else:
            self._forget(store.deleted_since(known))
        self._last_key = extend(self._tail, store, self._last_key, state.next_key)
        self._sequence = state.sequence
        return state

    def _is_outdated(self, store: Store, state: State) -> bool:
        """Whether another process has built a graph with what is scanned here."""
        if self.tail_size <= self._policy.most_tail(state.live):
            return False
        current = store.generation(self.space)
        return current is not None and current != self._generation

    def _load(self, store: Store) -> State:
        """Starts from the index file, where there is a good one, or from nothing."""
        self._tail, self._graph, self._last_key = Coded(self.space), None, 0
        self._generation = store.generation(self.space)
        while self._generation is not None:
            try:
                index = examine_generation(
                    self.directory, self._generation, self.space, self._uuid, store.state()
                )
            except DoubtfulIndexError as error:
                store.begin_again()
                doubtful, self._generation = self._generation, store.generation(self.space)
                if self._generation == doubtful:  # else it was replaced while it was read
                    put_aside(self.directory, doubtful, str(error), self._read_only)
                    self.is_lost = True
                    break
                continue
            self._graph = Coded(self.space, index, self._generation.error)
            self._last_key = self._generation.last_key
            self._forget(store.deleted_since(self._generation.sequence))
            break
        return store.state()

    def _forget(self, keys: Sequence[int]) -> None:
        """Removes deleted rows from where they are; rows never loaded are in neither place."""
        for part in (self._graph, self._tail):
            if part is not None:
                part.forget(keys, clear_dead=not part.is_graph)

    def adopt(self, graph: Coded, generation: Generation) -> None:
        """Takes over a graph just built; what changed since is read at the next `refresh`."""
        self._sequence = -1  # until all of it is taken over
        self._graph, self._generation, self.is_lost = graph, generation, False
        self._tail, self._last_key = Coded(self.space), generation.last_key
        self._sequence = generation.sequence

    def search(
        self,
        store: Store,
        queries: Floats,
        k: int,
        allowed: MarkedIds | None,
        min_recall: float | None,
    ) -> Neighbours:
        """The `k` nearest rows of each query among those allowed, of the state last seen.

        Args:
            store: in the transaction that `refresh` saw.
            queries: shape (nq, dim).
            k: how many; there are fewer only where fewer are allowed.
            allowed: keys that may be found; None: all.
            min_recall: what the graph's walk must be expected to find; None: as it was measured.
        """
        if allowed is not None:
            allowed = self._with_vector(store, allowed)
        sources = [part for part in (self._graph, self._tail) if part is not None]
        if self._graph is not None and not self.tail_size:
            sources.pop()
        recall = 1.0 if self._generation is None else self._generation.recall
        search = NearestSearch(
            self.space,
            sources,
            lambda keys: store.vectors_there(self.space, keys),
            k,
            allowed,
            min_recall,
        )
        return search.run(queries, recall)

    def _with_vector(self, store: Store, allowed: MarkedIds) -> MarkedIds:
        """Of these keys those with a vector here: their share decides how to search."""
        parts = [part.index for part in (self._graph, self._tail) if part is not None]
        if sum(map(len, parts)) >= store.state().live:
            return allowed
        there = np.concatenate([part.ids for part in parts])
        return MarkedIds(allowed.ids, allowed.marks & np.isin(allowed.ids, there))


def extend(coded: Coded, store: Store, after: int, before: int) -> int:
    """Adds the rows with after < key < before, some at a time; returns the last key there is."""
    while len(rows := store.vectors_between(coded.space, after, before, ROWS_AT_ONCE)):
        coded.add(rows)
        after = rows.keys[-1]
    return max(after, before - 1)
