"""One call of `search`: candidates from each kind of search, chosen among, with their documents.

Candidates are asked for in rounds, twice as many in each, until every query has what was asked for
or there are no more. All that a query's result holds is of one moment, that of its last round.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from unitvec.collection import fusion, grouping
from unitvec.collection.diversity import most_marginally_relevant, scaled
from unitvec.collection.lexical import DamagedLexicalError
from unitvec.collection.lexical_index import LexicalIndex
from unitvec.collection.named_vectors import Vectors, shown_vectors
from unitvec.collection.nearest import Neighbours
from unitvec.collection.rerank import rerank_scores
from unitvec.collection.rows import Row
from unitvec.collection.search_request import SearchRequest
from unitvec.collection.session import Session
from unitvec.collection.store import Store, read_vectors
from unitvec.collection.vector_rows import Space, visible
from unitvec.index_arguments import MarkedIds, all_marked


@dataclass(frozen=True)
class Queries:
    """What is looked for: texts, vectors of shape (nq, dim), or both of the same queries."""

    texts: Sequence[str] | None
    vectors: NDArray[np.float32] | None

    def __len__(self) -> int:
        """How many there are."""
        return len(self.texts if self.vectors is None else self.vectors)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Pool:
    """Candidates of one query, best first; `all` where there are no others."""

    keys: list[int]
    scores: list[float]
    all: bool

    def kept(self, positions: Sequence[int], scores: Sequence[float] | None = None) -> Pool:
        """Those at these positions, in this order, under new scores if given."""
        values = self.scores if scores is None else scores
        return Pool([self.keys[i] for i in positions], [values[i] for i in positions], self.all)


@dataclass
class Found:
    """What one query found: the page asked for.

    Attributes:
        groups: per group its label and its keys, where there are groups.
        all: whether it was chosen from all candidates that there are.
        complete: False where more candidates could fill what is missing.
    """

    keys: list[int]
    scores: list[float]
    groups: list[tuple[str, list[int]]] | None = None
    all: bool = True
    complete: bool = True
    rows: Mapping[int, Row] = field(default_factory=dict)
    vectors: Mapping[int, Vectors] = field(default_factory=dict)


class Search:
    """The work of one call.

    Args:
        session: the open collection.
        lexical: finds documents by their words.
        request: what is asked for.
        queries: for whom; texts for "lexical", "hybrid" and reranking, vectors for "dense" and
            "hybrid".
        space: whose vectors are searched; None: none are.
    """

    def __init__(
        self,
        session: Session,
        lexical: LexicalIndex,
        request: SearchRequest,
        queries: Queries,
        space: Space | None,
    ) -> None:
        self._session = session
        self._space = space
        self._cache = None if space is None else session.caches[space.name]
        self._lexical = lexical
        self._request = request
        self._queries = queries
        self._labels: dict[int, str] = {}
        self._live = 0
        self._reranked: list[dict[int, float]] = [{} for _ in range(len(queries))]
        self.exact = True
        self.recall_estimate = 1.0

    def run(self) -> list[Found]:
        """What each query found."""
        found: dict[int, Found] = {}
        waiting = list(range(len(self._queries)))
        pool_size = self._request.pool_size
        while waiting:
            try:
                found.update(self._round(waiting, pool_size))
            except DamagedLexicalError as error:
                self._lexical.replace(error)
                continue
            waiting = [i for i in waiting if not found[i].complete]
            pool_size *= 2
        return [found[i] for i in range(len(self._queries))]

    def _round(self, numbers: list[int], pool_size: int) -> dict[int, Found]:
        request = self._request
        if request.mode != "dense":
            self._lexical.prepare()
        with self._session.reading() as store:
            state = store.state() if self._cache is None else self._cache.refresh(store)
            self._live = state.live
            allowed = None
            if request.condition is not None:
                allowed = self._session.columns.allowed(store, request.condition)
            pools = self._pools(store, numbers, pool_size, allowed)
            self._learn_labels(store, pools)
            if not request.reads_pool:
                found = self._chosen(numbers, pools)
                self._fill_groups(store, found, allowed)
                rows, vectors = self._read(store, [each.keys for each in found.values()])
            else:
                rows, vectors = self._read(store, [pool.keys for pool in pools])
                near = self._compared(store, pools)
        if request.reads_pool:  # outside the transaction, which others wait for
            pools = [self._reordered(i, p, rows, near) for i, p in zip(numbers, pools, strict=True)]
            found = self._chosen(numbers, pools)
        for each in found.values():
            each.rows, each.vectors = rows, vectors
        return found

    def _read(
        self, store: Store, keys: Iterable[Sequence[int]]
    ) -> tuple[dict[int, Row], Mapping[int, Vectors]]:
        """Rows and, where they are asked for, vectors of all these keys, each read once."""
        wanted = sorted(set(itertools.chain(*keys)))
        vectors: Mapping[int, Vectors] = {}
        if "embeddings" in self._request.include:
            vectors = shown_vectors(store, visible(self._session.spaces), wanted)
        return {row.key: row for row in store.rows(wanted)}, vectors

    def _compared(self, store: Store, pools: Sequence[Pool]) -> dict[int, NDArray[np.float32]]:
        """The vectors by which candidates are told from each other, where that is wanted.

        A document without such a vector, which its words have found, is unlike every other.
        """
        if self._request.mmr_lambda is None:
            return {}
        assert self._space is not None
        keys = sorted({key for pool in pools for key in pool.keys})
        known = read_vectors(store, self._space, keys)
        if self._space.name:
            nothing = np.zeros(self._space.dim, np.float32)
            known = {key: known.get(key, nothing) for key in keys}
        return known

    # ---- candidates ------------------------------------------------------------------------------

    def _pools(
        self, store: Store, numbers: list[int], pool_size: int, allowed: MarkedIds | None
    ) -> list[Pool]:
        """The best `pool_size` candidates of each of these queries."""
        depth = self._request.depth(pool_size)
        if self._request.mode == "lexical":
            pools = self._lexical_pools(store, numbers, depth, allowed)
        else:
            pools = self._dense_pools(store, numbers, depth, allowed)
            if self._request.mode == "hybrid":
                others = self._lexical_pools(store, numbers, depth, allowed)
                pools = [self._fused(a, b) for a, b in zip(pools, others, strict=True)]
        return [
            Pool(p.keys[:pool_size], p.scores[:pool_size], p.all and len(p.keys) <= pool_size)
            for p in pools
        ]

    def _dense_pools(
        self, store: Store, numbers: list[int], depth: int, allowed: MarkedIds | None
    ) -> list[Pool]:
        assert self._queries.vectors is not None
        assert self._cache is not None
        count = max(1, self._live)
        found: Neighbours = self._cache.search(
            store,
            self._queries.vectors[numbers],
            min(depth, count),
            allowed,
            self._request.min_recall,
        )
        self.exact = self.exact and found.exact
        self.recall_estimate = min(self.recall_estimate, found.recall_estimate)
        return [
            Pool(keys, scores, len(keys) < depth)
            for keys, scores in zip(found.keys, found.scores, strict=True)
        ]

    def _lexical_pools(
        self, store: Store, numbers: list[int], depth: int, allowed: MarkedIds | None
    ) -> list[Pool]:
        assert self._queries.texts is not None
        pools = []
        for i in numbers:
            keys, scores = self._lexical.search(store, self._queries.texts[i], depth, allowed)
            pools.append(Pool(keys, scores, len(keys) < depth))
        return pools

    def _fused(self, dense: Pool, lexical: Pool) -> Pool:
        keys, scores = fusion.fuse([dense.keys, lexical.keys], self._request.weights)
        return Pool(keys, scores, dense.all and lexical.all)

    # ---- the choice among them -------------------------------------------------------------------

    def _reordered(
        self,
        number: int,
        pool: Pool,
        rows: Mapping[int, Row],
        vectors: Mapping[int, NDArray[np.float32]],
    ) -> Pool:
        """The candidates as the reranker and the wish for diversity order them."""
        if self._request.rerank is not None:
            pool = self._rescored(number, pool, rows)
        if self._request.mmr_lambda is not None:
            pool = self._diversified(self._above_min_score(pool), vectors, self._request.mmr_lambda)
        return pool

    def _rescored(self, number: int, pool: Pool, rows: Mapping[int, Row]) -> Pool:
        assert self._queries.texts is not None
        assert self._request.rerank is not None
        known = self._reranked[number]
        new = [key for key in pool.keys if key not in known]
        texts = [rows[key].document or "" for key in new]
        scores = rerank_scores(self._request.rerank, self._queries.texts[number], texts)
        known.update(zip(new, scores, strict=True))
        values = [known[key] for key in pool.keys]
        order = sorted(range(len(values)), key=lambda i: -values[i])  # stable
        return pool.kept(order, values)

    def _diversified(
        self, pool: Pool, known: Mapping[int, NDArray[np.float32]], mmr_lambda: float
    ) -> Pool:
        assert self._space is not None
        vectors = np.array([known[key] for key in pool.keys]).reshape(-1, self._space.dim)
        request = self._request
        is_cosine = (
            request.mode == "dense" and request.rerank is None and self._space.metric == "cosine"
        )
        relevance = pool.scores if is_cosine else scaled(pool.scores)
        taken = most_marginally_relevant(relevance, vectors, request.end, mmr_lambda)
        return pool.kept(taken)

    def _above_min_score(self, pool: Pool) -> Pool:
        least = self._request.min_score
        if least is None:
            return pool
        kept = pool.kept([i for i, score in enumerate(pool.scores) if score >= least])
        if self._request.rerank is None and len(kept.keys) < len(pool.keys):
            return Pool(kept.keys, kept.scores, all=True)  # those behind score no better
        return kept

    def _chosen(self, numbers: list[int], pools: list[Pool]) -> dict[int, Found]:
        """The page of each query."""
        choose = self._page if self._request.group_by is None else self._grouped
        return {i: choose(self._above_min_score(p)) for i, p in zip(numbers, pools, strict=True)}

    def _page(self, pool: Pool) -> Found:
        page = slice(self._request.offset, self._request.end)
        return Found(pool.keys[page], pool.scores[page])

    # ---- groups ----------------------------------------------------------------------------------

    def _learn_labels(self, store: Store, pools: list[Pool]) -> None:
        if self._request.group_by is not None:
            keys = {key for pool in pools for key in pool.keys}
            self._labels = grouping.labels_of(store, keys, self._request.group_by)

    def _grouped(self, pool: Pool) -> Found:
        request = self._request
        groups = grouping.take_groups(pool.keys, self._labels, request.group_size)
        page = list(groups.items())[request.offset : request.end]
        complete = pool.all or len(groups) >= request.end
        return _in_groups(page, dict(zip(pool.keys, pool.scores, strict=True)), pool.all, complete)

    def _fill_groups(
        self, store: Store, found: dict[int, Found], allowed: MarkedIds | None
    ) -> None:
        """Adds the members of chosen groups that lie behind the candidates.

        Not where scores depend on the ranks of everything (hybrid).
        """
        request = self._request
        if request.group_by is None or request.group_size == 1 or request.mode == "hybrid":
            return
        short = {i: self._short_groups(each) for i, each in found.items()}
        labels = {label for each in short.values() for label in each}
        if not labels:
            return
        members = grouping.members_of(store, request.group_by, labels, allowed)
        for i, each in short.items():
            found[i] = self._filled(store, i, found[i], {label: members[label] for label in each})

    def _short_groups(self, found: Found) -> list[str]:
        if found.all or not found.complete:
            return []
        return [label for label, keys in found.groups or [] if len(keys) < self._request.group_size]

    def _filled(
        self, store: Store, number: int, found: Found, members: Mapping[str, list[int]]
    ) -> Found:
        scores = dict(zip(found.keys, found.scores, strict=True))
        page = []
        for label, keys in found.groups or []:
            if len(members.get(label, ())) > len(keys):
                size = self._request.group_size
                among = all_marked(members[label])
                (pool,) = self._pools(store, [number], size, among)
                pool = self._above_min_score(pool)
                scores.update(zip(pool.keys, pool.scores, strict=True))
                keys = pool.keys
            page.append((label, keys))
        return _in_groups(page, scores, found.all, found.complete)


def _in_groups(
    page: list[tuple[str, list[int]]], scores: Mapping[int, float], all_seen: bool, complete: bool
) -> Found:
    keys = [key for _, members in page for key in members]
    return Found(keys, [scores[key] for key in keys], page, all_seen, complete)
