"""The reading verbs of a collection beside `search`: count, get, scan, peek."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from unitvec.collection import writing
from unitvec.collection.document_filters import WhereDocument, both, compile_where_document
from unitvec.collection.filters import Where, compile_where
from unitvec.collection.inputs import check_count
from unitvec.collection.named_vectors import Vectors, shown_dims, shown_vectors
from unitvec.collection.opened import OpenCollection
from unitvec.collection.results import Record, Records
from unitvec.collection.search_request import check_include
from unitvec.collection.store import Store, metadata_of

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
        *,
        where_document: WhereDocument | None = None,
    ) -> Records:
        """Documents by id (in the order asked for; unknown ids are left out) or by filter.

        Args:
            ids: one or many; None: all.
            where: a filter, see `unitvec.collection.filters`.
            limit: at most so many; None: all.
            offset: leave out so many first.
            include: add "embeddings" for the vectors: where there are named ones, a dictionary of
                those that a document has.
            where_document: a filter over texts, see `unitvec.collection.document_filters`.

        Returns:
            Records in the order of storing; `records[0].document`, or `records["documents"]`.
        """
        condition = both(compile_where(where), compile_where_document(where_document))
        start = 0 if offset is None else check_count(offset, "offset", 0)
        count = None if limit is None else check_count(limit, "limit", 0)
        with_vectors = "embeddings" in check_include(include, "get")
        with self._session.reading() as store:
            if ids is None:
                keys = store.page(condition, count, start)
            else:
                names = writing.named_ids(ids)
                known = store.keys_of(names)
                keys = [known[name] for name in names if name in known]
                if condition is not None:
                    allowed = set(store.keys_where(condition))
                    keys = [key for key in keys if key in allowed]
                keys = keys[start : None if count is None else start + count]
            records = self._records(store, keys, with_vectors)
        return Records(records, shown_dims(self._spaces) if with_vectors else None)

    def scan(
        self,
        where: Where | None = None,
        include: Sequence[str] = ("documents", "metadatas"),
        *,
        where_document: WhereDocument | None = None,
    ) -> Iterator[Record]:
        """Every document (of a filter), one after the other, in constant memory.

        Others may write meanwhile: what is stored or removed after the start may be missed.
        """
        condition = both(compile_where(where), compile_where_document(where_document))
        with_vectors = "embeddings" in check_include(include, "get")
        last = 0
        while True:
            with self._session.reading() as store:
                keys = store.next_keys(last, condition, _SCANNED_AT_ONCE)
                records = self._records(store, keys, with_vectors)
            yield from records
            if not keys:
                return
            last = keys[-1]

    def peek(self, limit: int = 10) -> Records:
        """The first documents."""
        return self.get(limit=limit)

    def _records(self, store: Store, keys: list[int], with_vectors: bool) -> list[Record]:
        rows = store.rows(keys)
        vectors: Mapping[int, Vectors] = {}
        if with_vectors:
            vectors = shown_vectors(store, self._spaces, keys)
        return [
            Record(row.id, row.document, metadata_of(store.path, row), vectors.get(row.key))
            for row in rows
        ]
