"""From what the caller hands over to checked rows with vectors, ready to be stored.

Vectors come as columns: those of one kind, one a row, None where a row has none.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unitvec.collection.batches import Batch, embeddings_of
from unitvec.collection.inputs import check_document, check_id, check_metadata, check_vectors
from unitvec.collection.rows import NewRow, Row, decode_metadata, encode_vectors
from unitvec.collection.store import Store, metadata_of
from unitvec.collection.vector_rows import Space

#: Turns checked documents into checked vectors, shape (n, dim).
Embed = Callable[[list[str]], NDArray[np.float32]]

#: Vectors of one kind as bytes, one a row.
Column = list["bytes | None"]

_IDS_SHOWN = 5


class Kind(NamedTuple):
    """One kind of vectors, and where those that are not given come from.

    Attributes:
        space: which.
        embed: makes them of documents; raises ValueError where there is no encoder.
        has_encoder: whether the vectors are an encoder's, at hand or not.
    """

    space: Space
    embed: Embed
    has_encoder: bool

    @property
    def is_own(self) -> bool:
        """Whether every document has such a vector."""
        return not self.space.name


def new_rows(batch: Batch, kinds: Sequence[Kind]) -> list[NewRow]:
    """The rows of a batch, in order; ids are generated where none were given.

    Raises:
        TypeError, ValueError: naming the first bad item by its position in the whole call.
    """
    positions = range(batch.start, batch.start + batch.size)
    ids = check_ids(batch.ids, batch.start) if batch.ids else [new_id() for _ in positions]
    metadatas = [
        check_metadata(value, i)
        for i, value in zip(positions, batch.metadatas or [None] * batch.size, strict=True)
    ]
    documents = check_documents(batch.documents, batch.start)
    columns = vector_columns(batch, documents, kinds)
    if any(kind.is_own and kind.space.space not in columns for kind in kinds):
        raise ValueError(
            "[Collection] expected documents, embeddings or both"
            + (": each document has a vector of the collection's own, ''" if len(kinds) > 1 else "")
        )
    texts: Sequence[str | None] = documents or [None] * batch.size
    rows = [
        NewRow(identity, text, metadata, vectors)
        for identity, text, metadata, vectors in zip(
            ids, texts, metadatas, by_row(columns, batch.size), strict=True
        )
    ]
    require_content(rows, batch.start)
    return rows


def new_id() -> str:
    """A random id (UUID 4 as 32 hex digits): unique also across collections merged later."""
    return uuid.uuid4().hex


def check_ids(ids: Sequence[Any], start: int) -> list[str]:
    """The ids, each checked."""
    return [check_id(value, start + i) for i, value in enumerate(ids)]


def named_ids(ids: Any) -> list[str]:
    """The ids that a look-up or a deletion names: one, or any iterable of them."""
    if isinstance(ids, (str, bytes)):
        ids = [ids]
    if isinstance(ids, Mapping) or not isinstance(ids, Iterable):
        raise TypeError(f"[ids] expected a list or stream, got {type(ids).__name__}")
    return check_ids(list(ids), 0)


def check_documents(documents: Sequence[Any] | None, start: int) -> list[str] | None:
    """The documents, each checked; None for a batch of vectors alone."""
    if documents is None:
        return None
    return [check_document(value, start + i) for i, value in enumerate(documents)]


def vector_columns(
    batch: Batch, documents: list[str] | None, kinds: Sequence[Kind]
) -> dict[int, Column]:
    """The vectors given, and those of the documents where a kind has an encoder, by space.

    Kinds that get none are not in it.

    Raises:
        TypeError, ValueError: naming the kind and the row.
    """
    given = batch.embeddings or {}
    columns = {
        kind.space.space: _given(given[kind.space.name], kind.space, batch.start)
        for kind in kinds
        if kind.space.name in given
    }
    if documents is None:
        return columns
    encoding = [kind for kind in kinds if kind.is_own or kind.has_encoder]
    if not encoding and batch.embeddings is None:
        raise ValueError(
            "[Collection] expected embeddings=, as no vectors here have an encoder; {} stores "
            "documents without vectors"
        )
    for kind in encoding:
        if kind.space.space not in columns:
            columns[kind.space.space] = list(encode_vectors(kind.embed(documents)))
    return columns


def _given(rows: list[Any], space: Space, start: int) -> Column:
    """The vectors of one kind, checked; only of the own kind none may be None."""
    what = embeddings_of(space.name)
    there = [i for i, row in enumerate(rows) if row is not None or not space.name]
    try:
        vectors = check_vectors([rows[i] for i in there], space.dim, space.metric, what, start)
    except (TypeError, ValueError):
        if space.name:
            _refuse_row({i: rows[i] for i in there}, space, what, start)
        raise
    if len(vectors) != len(there):
        raise ValueError(f"[{what}] expected {len(there)} vectors, got {len(vectors)}")
    column: Column = [None] * len(rows)
    for i, vector in zip(there, encode_vectors(vectors), strict=True):
        column[i] = vector
    return column


def _refuse_row(rows: Mapping[int, Any], space: Space, what: str, start: int) -> None:
    """Raises the error of the first bad row, under its place in the whole call."""
    for i, row in rows.items():
        if np.shape(row) != (space.dim,):
            raise ValueError(
                f"[{what}] row {start + i}: expected a vector of dim {space.dim}, got shape "
                f"{np.shape(row)}"
            )
        check_vectors([row], space.dim, space.metric, what, start + i)


def by_row(columns: Mapping[int, Column], size: int) -> list[dict[int, bytes]]:
    """The vectors of each row, by space."""
    rows: list[dict[int, bytes]] = [{} for _ in range(size)]
    for space, column in columns.items():
        for row, vector in zip(rows, column, strict=True):
            if vector is not None:
                row[space] = vector
    return rows


def require_content(rows: Sequence[NewRow], start: int) -> None:
    """Raises ValueError naming a row with neither a document nor a vector."""
    for i, row in enumerate(rows, start):
        if row.document is None and not row.vectors:
            raise ValueError(f"[embeddings] row {i}: expected a document, a vector or both")


def require_unique(ids: Sequence[str], verb: str) -> None:
    """Raises ValueError naming ids that occur twice in one batch."""
    twice = [value for value, count in Counter(ids).items() if count > 1]
    if twice:
        raise ValueError(f"[{verb}] expected every id once, got {_some(twice)} more than once")


def require_unknown(store: Store, ids: Sequence[str]) -> None:
    """Raises ValueError naming ids that are in the store."""
    known = store.keys_of(ids)
    if known:
        raise ValueError(
            f"[add] expected new ids, but {_some(sorted(known))} exist; upsert() replaces them"
        )


def require_known(store: Store, ids: Sequence[str], verb: str) -> dict[str, int]:
    """Id -> key; raises ValueError naming ids that are not in the store."""
    known = store.keys_of(ids)
    missing = [value for value in ids if value not in known]
    if missing:
        raise ValueError(f"[{verb}] expected ids of the collection, got unknown {_some(missing)}")
    return known


def _some(ids: Sequence[str]) -> str:
    shown = json.dumps(list(ids[:_IDS_SHOWN]), ensure_ascii=False)
    return shown if len(ids) <= _IDS_SHOWN else f"{shown} and {len(ids) - _IDS_SHOWN} more"


def changed_rows(store: Store, old: Sequence[Row], batch: Batch) -> list[Row]:
    """The rows after an update: given columns replace, metadata is merged key by key."""
    documents = check_documents(batch.documents, batch.start)
    rows = []
    for i, row in enumerate(old):
        if documents is not None:
            row = row._replace(document=documents[i])
        if batch.metadatas is not None:
            change = decode_metadata(check_metadata(batch.metadatas[i], batch.start + i))
            merged = {**metadata_of(store.path, row), **change}
            row = row._replace(metadata=check_metadata(merged, batch.start + i))
        rows.append(row)
    return rows


def moved_rows(
    store: Store, rows: Sequence[Row], columns: Mapping[int, Column], kinds: Sequence[Kind]
) -> list[NewRow]:
    """The rows with other vectors, to be stored under new keys; other kinds' stay.

    Raises:
        FormatError: a vector that is to stay is damaged.
    """
    keys = [row.key for row in rows]
    columns = dict(columns)
    for kind in kinds:
        if kind.space.space not in columns:
            read = store.vectors_there if kind.is_own else store.vectors
            found = read(kind.space, keys)
            kept = dict(zip(found.keys, encode_vectors(found.rows), strict=True))
            columns[kind.space.space] = [kept.get(key) for key in keys]
    return [
        NewRow(row.id, row.document, row.metadata, vectors)
        for row, vectors in zip(rows, by_row(columns, len(rows)), strict=True)
    ]
