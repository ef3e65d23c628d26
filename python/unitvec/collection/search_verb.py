"""The verb `search`: by meaning, by words, or by both."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, overload

import numpy as np

from unitvec.collection.document_filters import WhereDocument
from unitvec.collection.filters import Where
from unitvec.collection.grouping import Group, GroupedResult, value_of
from unitvec.collection.inputs import check_text, check_vectors
from unitvec.collection.lexical_index import LexicalIndex
from unitvec.collection.named_vectors import shown_dims, space_named
from unitvec.collection.opened import OpenCollection
from unitvec.collection.rerank import Reranker
from unitvec.collection.results import Hit, SearchResult
from unitvec.collection.search_request import SearchRequest, Weights, search_request
from unitvec.collection.searching import Found, Queries, Search
from unitvec.collection.store import metadata_of
from unitvec.collection.vector_rows import Space


class SearchVerb(OpenCollection):
    """`search` sees one committed state."""

    _lexical: LexicalIndex

    @overload
    def search(
        self,
        query: str,
        k: int = 10,
        where: Where | None = None,
        mode: str = "dense",
        min_recall: float | None = None,
        min_score: float | None = None,
        *,
        where_document: WhereDocument | None = None,
        offset: int = 0,
        include: Sequence[str] = ("documents", "metadatas"),
        using: str | None = None,
        weights: Weights | None = None,
        fetch_k: int | None = None,
        rerank: Reranker | None = None,
        rerank_k: int | None = None,
        mmr_lambda: float | None = None,
        group_by: str | None = None,
        group_size: int = 1,
    ) -> SearchResult: ...
    @overload
    def search(self, query: Any, *arguments: Any, **options: Any) -> Any: ...
    def search(
        self,
        query: Any,
        k: int = 10,
        where: Where | None = None,
        mode: str = "dense",
        min_recall: float | None = None,
        min_score: float | None = None,
        *,
        where_document: WhereDocument | None = None,
        offset: int = 0,
        include: Sequence[str] = ("documents", "metadatas"),
        using: str | None = None,
        weights: Weights | None = None,
        fetch_k: int | None = None,
        rerank: Reranker | None = None,
        rerank_k: int | None = None,
        mmr_lambda: float | None = None,
        group_by: str | None = None,
        group_size: int = 1,
    ) -> SearchResult | list[SearchResult]:
        """The documents nearest to a question.

        Args:
            query: a text or a vector, shape (dim,); or a list of texts or vectors, (nq, dim).
                "lexical", "hybrid" and `rerank` need texts.
            k: how many; fewer only where fewer exist. A lexical search finds no document that
                shares no word with the query.
            where: a filter over metadata, see `unitvec.collection.filters`.
            mode: "dense": nearest vectors. "lexical": BM25 over the words, by SQLite's FTS5, see
                `unitvec.collection.lexical`. "hybrid": both, by reciprocal rank fusion, see
                `unitvec.collection.fusion`.
            min_recall: search exactly where the estimated recall is below this.
            min_score: leave out hits whose score, as the hit shows it, is below this.
            where_document: a filter over texts, see `unitvec.collection.document_filters`.
            offset: leave out so many hits (or groups) first.
            include: of "documents", "metadatas", "embeddings" what hits are to hold.
            using: the name of the vectors that are searched ("" for the collection's own); a
                document without such a vector is not found by it. None: the own ones, or the only
                ones; where there are several, and none the collection's own, it is needed.
            weights: of the two halves of a hybrid search, (dense, lexical) or a dictionary with
                these names; None: 1 and 1.
            fetch_k: ranks of each half that a hybrid search fuses (None: 100), and candidates that
                `mmr_lambda` chooses from (None: 50); both grow where offset + k needs more. Where
                there is neither, it is refused.
            rerank: a `CrossEncoder`, or a function of the query and a list of texts that gives one
                score each; hits come in the order of its scores, and show them. A document without
                text is "" to it.
            rerank_k: candidates it reads a query; None: 50, more where offset + k needs more.
            mmr_lambda: choose hits that are unlike each other (maximal marginal relevance): 1 looks
                only at nearness to the query, 0 only at unlikeness; see
                `unitvec.collection.diversity`.
            group_by: a metadata field: `k` counts its values, each with its best `group_size`
                documents, and the result has `groups`. A missing field is the value None.
            group_size: documents of a group, at most. Behind a hybrid or reranked search they are
                of the candidates that were needed for `k` groups.

        Returns:
            A `SearchResult`, best first; for a list of queries a list of them.

        Raises:
            TypeError, ValueError: an argument that is not as above, or a query without text where
                one is needed.
        """
        started = time.perf_counter()
        self._session.check()
        request = search_request(
            k=k,
            offset=offset,
            mode=mode,
            where=where,
            where_document=where_document,
            min_recall=min_recall,
            min_score=min_score,
            include=include,
            using=using,
            weights=weights,
            fetch_k=fetch_k,
            rerank=rerank,
            rerank_k=rerank_k,
            mmr_lambda=mmr_lambda,
            group_by=group_by,
            group_size=group_size,
        )
        space = None
        if request.needs_vectors or using is not None:
            space = space_named(self._spaces, using, "search")
        queries, is_single = self._queries(query, request, space)
        results = self._results(request, queries, space, started)
        self._session.replace_lost_indexes()
        return results[0] if is_single else results

    def _results(
        self, request: SearchRequest, queries: Queries, space: Space | None, started: float
    ) -> list[SearchResult]:
        if not len(queries):
            return []
        search = Search(self._session, self._lexical, request, queries, space)
        answers = search.run()
        took_ms = 1000 * (time.perf_counter() - started)
        dim = shown_dims(self._spaces) if "embeddings" in request.include else None
        facts = (search.exact, search.recall_estimate, took_ms, dim)
        results: list[SearchResult] = []
        for found in answers:
            hits = self._hits(found, request)
            if found.groups is None:
                results.append(SearchResult(hits, *facts))
            else:
                results.append(GroupedResult(_groups(found, hits), *facts))
        return results

    def _hits(self, found: Found, request: SearchRequest) -> list[Hit]:
        path, rows, vectors = self.path, found.rows, found.vectors
        texts, metadatas = "documents" in request.include, "metadatas" in request.include
        hits = []
        for key, score in zip(found.keys, found.scores, strict=True):
            row = rows[key]
            text = row.document if texts else None
            metadata = metadata_of(path, row) if metadatas else {}
            hits.append(Hit(row.id, score, text, metadata, vectors.get(key)))
        return hits

    def _queries(
        self, query: Any, request: SearchRequest, space: Space | None
    ) -> tuple[Queries, bool]:
        """The queries, and whether the caller gave a single one."""
        given = [query] if isinstance(query, str) else query
        if isinstance(given, (list, tuple)) and given and isinstance(given[0], str):
            texts = [check_text(text, "query", i) for i, text in enumerate(given)]
            vectors = None
            if request.mode != "lexical":
                assert space is not None
                encoded = self._encoder_of(space).encode_query(texts, show_progress_bar=False)
                vectors = check_vectors(encoded, space.dim, "", "query")
            return Queries(texts, vectors), isinstance(query, str)
        if query is None or isinstance(query, (bytes, bool, Mapping)):
            raise TypeError(f"[search] expected a text or a vector, got {type(query).__name__}")
        vectors = check_vectors(query, space.dim if space else None, "", "query")
        if len(vectors) and (request.mode != "dense" or request.rerank is not None):
            needs = "rerank=" if request.mode == "dense" else f"mode {request.mode!r}"
            raise ValueError(f"[search] expected a text as the query for {needs}, got a vector")
        return Queries(None, vectors), np.ndim(query) == 1 and len(vectors) == 1


def _groups(found: Found, hits: list[Hit]) -> list[Group]:
    """The hits, which come group by group, cut into their groups."""
    groups, start = [], 0
    for label, keys in found.groups or []:
        groups.append(Group(value_of(label), hits[start : start + len(keys)]))
        start += len(keys)
    return groups
