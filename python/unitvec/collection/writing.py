"""From what the caller hands over to checked rows with vectors, ready to be stored."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unitvec.collection.batches import Batch
from unitvec.collection.inputs import check_document, check_id, check_metadata, check_vectors
from unitvec.collection.rows import NewRow, Row, decode_metadata, encode_vectors
from unitvec.collection.store import Store, metadata_of
from unitvec.collection.vector_rows import Space

#: Turns checked documents into checked vectors, shape (n, dim).
Embed = Callable[[list[str]], NDArray[np.float32]]

_IDS_SHOWN = 5


def new_rows(batch: Batch, embed: Embed, space: Space) -> list[NewRow]:
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
    vectors = vectors_of(batch, documents, embed, space)
    texts: Sequence[str | None] = documents or [None] * batch.size
    return [
        NewRow(identity, text, metadata, {space.space: vector})
        for identity, text, metadata, vector in zip(
            ids, texts, metadatas, encode_vectors(vectors), strict=True
        )
    ]


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


def vectors_of(
    batch: Batch, documents: list[str] | None, embed: Embed, space: Space
) -> NDArray[np.float32]:
    """The vectors given, or else those of the documents, shape (n, dim)."""
    if batch.embeddings is not None:
        vectors = check_vectors(
            batch.embeddings, space.dim, space.metric, "embeddings", batch.start
        )
        if len(vectors) != batch.size:
            raise ValueError(f"[embeddings] expected {batch.size} vectors, got {len(vectors)}")
        return vectors
    if documents is None:
        raise ValueError("[Collection] expected documents, embeddings or both")
    return embed(documents)


def require_unique(ids: Sequence[str]) -> None:
    """Raises ValueError naming ids that occur twice in one batch."""
    twice = [value for value, count in Counter(ids).items() if count > 1]
    if twice:
        raise ValueError(f"[add] expected every id once, got {_some(twice)} more than once")


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


def as_new(rows: Sequence[Row], vectors: NDArray[np.float32], space: Space) -> list[NewRow]:
    """The rows with other vectors, shape (n, dim), and to be stored under new keys."""
    return [
        NewRow(row.id, row.document, row.metadata, {space.space: vector})
        for row, vector in zip(rows, encode_vectors(vectors), strict=True)
    ]
