"""Another model for a collection: every text embedded anew beside the old vectors, then switched.

The old vectors are searched until the switch, which is one transaction. What was embedded is stored
batch by batch: a migration that was stopped goes on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unitvec.collection.index_cache import IndexCache
from unitvec.collection.indexing import IndexingSession
from unitvec.collection.inputs import check_vectors
from unitvec.collection.model import TextEncoder, describe
from unitvec.collection.rows import encode_vectors
from unitvec.collection.schema import vector_table
from unitvec.collection.store import Store, read_vectors
from unitvec.collection.vector_rows import Space, staged_name
from unitvec.progress import Bar

_ROWS_AT_ONCE = 512
_SAMPLE = 200


@dataclass(frozen=True)
class MigrationReport:
    """What `migrate` did.

    Attributes:
        embedded: documents embedded by this call.
        resumed: documents that an earlier call, which was stopped, had embedded.
        overlap: mean share of a document's nearest neighbours that are the same under both models;
            1.0 where there are none.
        overlap_k: how many neighbours that is about.
        seconds: that the call took.
    """

    embedded: int
    resumed: int
    overlap: float
    overlap_k: int
    seconds: float


class Reembedding:
    """One call of `migrate`; of those of one kind of vectors, there is one at a time.

    Args:
        session: the open collection.
        name: of the kind of vectors; "" is the collection's own.
        encoder: the new model.
        metric: of its vectors; None: the model's.
        restart: drop what an unfinished migration to another model has embedded.

    Raises:
        ValueError: some documents have no text, the collection has this model already, or a
            migration to another is unfinished.
    """

    def __init__(
        self,
        session: IndexingSession,
        name: str,
        encoder: TextEncoder,
        metric: str | None,
        restart: bool,
    ) -> None:
        self._session = session
        self._name = name
        self._encoder = encoder
        wanted = describe(encoder, None, metric, 0, staged_name(name))
        with session.not_building(), session.writing() as store:
            old = _space_of(store, name)
            _require_texts(store, old)
            self._space = _staged(store, old, wanted, restart)
        session.read_spaces()

    def count(self) -> int:
        """How many documents have such a vector."""
        with self._session.reading() as store:
            return _space_of(store, self._name).live

    def run(self, bar: Bar, overlap_k: int) -> MigrationReport:
        """Embeds what is missing, compares the neighbours, and switches."""
        started = time.perf_counter()
        with self._session.reading() as store:
            live = _space_of(store, self._name).live
            resumed = _space_of(store, self._space.name).live
        bar.update(resumed)
        embedded = sum(self._embed_all(bar))
        self._session.build_staged(self._space, self._complete_before())
        overlap = self._overlap(overlap_k) if live else 1.0
        with self._session.not_building() as store:
            embedded += sum(self._embed_all(bar))  # what was stored meanwhile
            with store.writing_durably():
                _switch(store, self._name, self._space)
            self._session.read_spaces()
            self._session.remove_stale()
        self._session.maintain()
        return MigrationReport(embedded, resumed, overlap, overlap_k, time.perf_counter() - started)

    def _embed_all(self, bar: Bar) -> Iterator[int]:
        """Embeds the documents that have no vector of this model yet, some at a time."""
        after = 0
        while True:
            with self._session.reading() as store:
                keys = _lacking(store, _space_of(store, self._name), self._space, after)
                rows = store.rows(keys)
            if not rows:
                return
            texts = [row.document or "" for row in rows]
            encoded = self._encoder.encode_document(texts, show_progress_bar=False)
            vectors = check_vectors(encoded, self._space.dim, self._space.metric, "migrate")
            blobs = dict(zip(keys, encode_vectors(vectors), strict=True))
            with self._session.writing() as store:
                store.add_vectors(self._space, {key: blobs[key] for key in store.existing(keys)})
            bar.update(len(rows))
            yield len(rows)
            after = keys[-1]

    def _complete_before(self) -> int:
        """A key below which every document that is to have a vector has it, now and later."""
        with self._session.reading() as store:
            lacking = _lacking(store, _space_of(store, self._name), self._space, 0)
            return lacking[0] if lacking else store.state().next_key

    def _overlap(self, k: int) -> float:
        """Mean share of the k nearest that a sample's documents have in common."""
        session = self._session
        with session.reading() as store:
            spaces = [session.spaces[self._name], self._space]
            keys = _sample(store, self._space)
            if len(keys) < 2:
                return 1.0
            old, new = (
                _neighbours(store, session.caches[space.name], space, keys, k) for space in spaces
            )
        shares = [len(a & b) / max(1, min(len(a), len(b))) for a, b in zip(old, new, strict=True)]
        return float(np.mean(shares))


def _space_of(store: Store, name: str) -> Space:
    return next(space for space in store.spaces() if space.name == name)


def _having(space: Space) -> str:
    """SQL: the documents that are to have such a vector."""
    if not space.name:
        return "1"
    return f"d.key IN (SELECT key FROM {vector_table(space.space)})"


def _require_texts(store: Store, space: Space) -> None:
    sql = (
        "SELECT d.id, count(*) OVER () FROM documents AS d "
        f"WHERE d.document IS NULL AND {_having(space)} LIMIT 1"
    )
    rows = store.connection.execute(sql).fetchall()
    if rows:
        raise ValueError(
            f"[migrate] expected a text of every document, got {rows[0][1]} with vectors alone, "
            f"such as {rows[0][0]!r}: only who made them can make others"
        )


def _staged(store: Store, old: Space, wanted: Space, restart: bool) -> Space:
    """The vectors to be completed: those of a migration that was stopped, or new ones."""
    spaces = {space.name: space for space in store.spaces()}
    if old.fingerprint == wanted.fingerprint and old.metric == wanted.metric:
        whose = f"that of the vectors {old.name!r}" if old.name else "the collection's own"
        raise ValueError(f"[migrate] expected another model, got {whose}")
    staged = spaces.get(wanted.name)
    if staged is not None:
        if (staged.fingerprint, staged.metric) == (wanted.fingerprint, wanted.metric):
            # Of a file that another call left nobody knows whether rows below its last key came
            # since.
            store.set_generation(staged, None)
            return staged
        if not restart:
            raise ValueError(
                f"[migrate] a migration to the model {staged.model or 'unnamed'!r} is unfinished "
                f"({staged.live} documents): finish it with that model, or give restart=True"
            )
        store.drop_space(staged)
    # A number that was used is not used again: index files and readers know spaces by it.
    number = 1 + max(store.last_number("last_space"), *(space.space for space in spaces.values()))
    store.set_properties({"last_space": number})
    space = wanted._replace(space=number)
    store.add_space(space)
    return space


def _lacking(store: Store, old: Space, space: Space, after: int) -> list[int]:
    sql = (
        f"SELECT d.key FROM documents AS d WHERE d.key > ? AND {_having(old)} AND d.key NOT IN "
        f"(SELECT key FROM {vector_table(space.space)}) ORDER BY d.key LIMIT ?"
    )
    return [key for (key,) in store.connection.execute(sql, (after, _ROWS_AT_ONCE))]


def _sample(store: Store, space: Space) -> list[int]:
    """Keys of documents that have both vectors, spread over all."""
    keys = store.keys_after(0)
    step = max(1, len(keys) // _SAMPLE)
    return store.vectors(space, keys[::step][:_SAMPLE]).keys


def _neighbours(
    store: Store, cache: IndexCache, space: Space, keys: list[int], k: int
) -> list[set[int]]:
    """The nearest of each, without itself."""
    cache.refresh(store)
    vectors: dict[int, NDArray[np.float32]] = read_vectors(store, space, keys)
    found = cache.search(store, np.stack([vectors[key] for key in keys]), k + 1, None, None)
    return [
        set([other for other in near if other != key][:k])
        for key, near in zip(keys, found.keys, strict=True)
    ]


def _switch(store: Store, name: str, space: Space) -> None:
    """The staged vectors take the name of the old ones, which go."""
    store.drop_space(_space_of(store, name))
    store.connection.execute("UPDATE spaces SET name = ? WHERE space = ?", (name, space.space))
    store.changed_spaces()
