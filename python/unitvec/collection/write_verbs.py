"""The writing half of a collection: add, upsert, update, delete."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unitvec.collection import writing
from unitvec.collection.batches import Batch, Columns
from unitvec.collection.document_filters import WhereDocument, both, compile_where_document
from unitvec.collection.filters import Condition, Where, compile_where
from unitvec.collection.inputs import check_vectors
from unitvec.collection.named_vectors import default_space
from unitvec.collection.opened import OpenCollection
from unitvec.collection.store import Store
from unitvec.collection.vector_rows import Space
from unitvec.overflow import warned_together
from unitvec.progress import Bar, NoBar, progress_bar

Metadata = Mapping[str, Any]
WriteBatch = Callable[[Store, Batch], list[str]]

#: Shorter jobs start no progress bar: loading tqdm alone takes 50 ms.
_BAR_FROM = 64


class WriteVerbs(OpenCollection):
    """Every method is on the disk when it returns, whole or not at all."""

    def add(
        self,
        documents: str | Iterable[str] | None = None,
        ids: str | Iterable[str] | None = None,
        metadatas: Metadata | Iterable[Metadata | None] | None = None,
        embeddings: Any = None,
        show_progress_bar: bool | None = None,
    ) -> list[str]:
        """Stores new documents.

        Args:
            documents: a text, a list of texts or a stream of any length; None for vectors alone.
            ids: one text each, at most 1,024 bytes; None: random ones (UUID 4).
            metadatas: a dictionary of JSON values each, or None.
            embeddings: vectors, shape (n, dim), used instead of encoding the documents; or a
                dictionary of such by name ("" for the collection's own). In a list, None stands
                for a document without that vector; a name left out is encoded where it has an
                encoder, and else no document gets such a vector.
            show_progress_bar: on stderr; None: on a terminal, after a second.

        Returns:
            The ids, in order: all that grows in memory with the length of a stream.

        Raises:
            ValueError: an id that exists or comes twice; lengths that differ; a vector that is not
                finite, of another dim or (cosine) all zeros; a text UTF-8 cannot hold. Names it.
            TypeError: something of another type, named by its position.
        """
        columns = self._columns(documents, ids, metadatas, embeddings)
        return self._store(columns, self._add_batch, show_progress_bar)

    def upsert(
        self,
        documents: str | Iterable[str] | None = None,
        ids: str | Iterable[str] | None = None,
        metadatas: Metadata | Iterable[Metadata | None] | None = None,
        embeddings: Any = None,
        show_progress_bar: bool | None = None,
    ) -> list[str]:
        """As `add`, but a known id is replaced, metadata and all; of equal ids the last wins."""
        columns = self._columns(documents, ids, metadatas, embeddings)
        return self._store(columns, self._upsert_batch, show_progress_bar)

    def update(
        self,
        ids: str | Iterable[str],
        documents: str | Iterable[str] | None = None,
        metadatas: Metadata | Iterable[Metadata | None] | None = None,
        embeddings: Any = None,
        show_progress_bar: bool | None = None,
    ) -> None:
        """Changes what is given of known documents: a new text is encoded again, metadata merged.

        Vectors by name (see `add`) replace those of that name, None in a list removes one, and
        others stay, but for those of an encoder where the text changes.

        Raises:
            ValueError: an unknown id, or one that comes twice; else as `add`.
        """
        columns = self._columns(documents, ids, metadatas, embeddings)
        if not columns.has_content and metadatas is None:
            raise ValueError("[update] expected documents, metadatas or embeddings")
        if "ids" not in columns.given:
            raise ValueError("[update] expected ids")
        self._store(columns, self._update_batch, show_progress_bar, needs_content=False)

    def delete(
        self,
        ids: str | Iterable[str] | None = None,
        where: Where | None = None,
        *,
        where_document: WhereDocument | None = None,
    ) -> int:
        """Removes the documents of these ids, those of filters, or (both) what they share.

        Returns:
            How many were removed.

        Raises:
            ValueError: an unknown id (then nothing is removed), or neither ids nor where.
            OSError: so many at once do not fit on a full disk; fewer a call do.
        """
        condition = both(compile_where(where), compile_where_document(where_document))
        if ids is None and condition is None:
            raise ValueError("[delete] expected ids or a filter; this would remove everything")
        names = None if ids is None else writing.named_ids(ids)
        removed = self._session.shrink(lambda store: self._remove(store, names, condition))
        self._session.maintain(removed)
        return removed

    def _remove(self, store: Store, names: list[str] | None, condition: Condition | None) -> int:
        keys = None if condition is None else store.keys_where(condition)
        if names is not None:
            named = writing.require_known(store, names, "delete").values()
            keys = sorted(named if keys is None else set(named) & set(keys))
        if keys:
            store.remove(keys)
        return len(keys or [])

    def _columns(self, documents: Any, ids: Any, metadatas: Any, embeddings: Any) -> Columns:
        """The columns given; vectors by name, as far as there are such."""
        if embeddings is not None and not isinstance(embeddings, Mapping):
            if (space := default_space(self._spaces)) is None:
                raise ValueError(
                    f"[embeddings] expected a dictionary with names of {list(self._spaces)}, got "
                    f"{type(embeddings).__name__}"
                )
            embeddings = {space.name: embeddings}
        unknown = [name for name in embeddings or () if name not in self._spaces]
        if unknown:
            names = list(self._spaces)
            raise ValueError(f"[embeddings] expected names of {names}, got {unknown[0]!r}")
        return Columns(documents, ids, metadatas, embeddings)

    def _store(
        self,
        columns: Columns,
        write: WriteBatch,
        show_progress_bar: bool | None,
        needs_content: bool = True,
    ) -> list[str]:
        """Runs `write` over the batches: a list in one transaction, a stream in one a batch."""
        if needs_content and not columns.has_content:
            raise ValueError("[Collection] expected documents, embeddings or both")
        stored: list[str] = []
        session = self._session
        with (
            warned_together(stacklevel=3),
            session.exclusive(),
            self._bar(columns.size, show_progress_bar) as bar,
        ):
            whole = nullcontext() if columns.is_stream else session.writing()
            with whole:
                for batch in columns.batches():
                    each = session.writing() if columns.is_stream else nullcontext()
                    with each, session.exclusive() as store:
                        stored += write(store, batch)
                    bar.update(batch.size)
            session.maintain(len(stored))
        return stored

    def _bar(self, total: int | None, show: bool | None) -> AbstractContextManager[Bar]:
        if not show and (show is False or (total is not None and total < _BAR_FROM)):
            return NoBar()
        return progress_bar(total, "Storing", "documents", show)

    def _add_batch(self, store: Store, batch: Batch) -> list[str]:
        if batch.ids is not None:  # before the documents are encoded, which takes the time
            ids = writing.check_ids(batch.ids, batch.start)
            writing.require_unique(ids, "add")
            writing.require_unknown(store, ids)
        rows = writing.new_rows(batch, self._kinds())
        store.insert(rows)
        return [row.id for row in rows]

    def _upsert_batch(self, store: Store, batch: Batch) -> list[str]:
        rows = writing.new_rows(batch, self._kinds())
        last = {row.id: row for row in rows}
        known = store.keys_of(list(last)) if batch.ids is not None else {}
        if known:
            store.remove(sorted(known.values()))
        store.insert(list(last.values()))
        return [row.id for row in rows]

    def _update_batch(self, store: Store, batch: Batch) -> list[str]:
        ids = writing.check_ids(batch.ids or [], batch.start)
        writing.require_unique(ids, "update")
        known = writing.require_known(store, ids, "update")
        documents = writing.check_documents(batch.documents, batch.start)
        columns = writing.vector_columns(batch, documents, kinds := self._kinds())
        rows = writing.changed_rows(store, store.rows([known[i] for i in ids]), batch)
        if documents is None and not columns:
            store.rewrite(rows)
        else:  # a new vector is a new row: indexes only ever learn of rows added and removed
            moved = writing.moved_rows(store, rows, columns, kinds)
            writing.require_content(moved, batch.start)
            store.remove([row.key for row in rows])
            store.insert(moved)
        return ids

    def _kinds(self) -> list[writing.Kind]:
        return [self._kind(space) for space in self._spaces.values()]

    def _kind(self, space: Space) -> writing.Kind:
        return writing.Kind(space, partial(self._embed, space), self._has_encoder(space))

    def _embed(self, space: Space, documents: list[str]) -> NDArray[np.float32]:
        vectors = self._encoder_of(space).encode_document(documents, show_progress_bar=False)
        return check_vectors(vectors, space.dim, space.metric, "encoded documents")
