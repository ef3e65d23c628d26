"""A collection as a dictionary and NumPy: what every verb must do, slowly and obviously."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from filter_model import holds
from hashed_words import HashedWords
from unitvec.collection import Record

#: float32 sums of four products of single digits against float64.
SCORE_ERROR = 1e-4


@dataclass(frozen=True)
class Row:
    """One document; `vector`, shape (dim,), in float32."""

    document: str | None
    metadata: dict[str, Any]
    vector: np.ndarray


@dataclass
class Batch:
    """Columns as a caller gives them; None for a column that is not given."""

    ids: list[str]
    documents: list[str] | None = None
    metadatas: list[dict[str, Any] | None] | None = None
    embeddings: list[np.ndarray] | None = None

    def columns(self) -> dict[str, Any]:
        """The columns that are given, by the verbs' names for them."""
        return {name: column for name, column in vars(self).items() if column is not None}


class CollectionModel:
    """Rows by id in the order of storing: a row stored anew goes to the end.

    Args:
        metric: of the collection.
        words: the encoder.
    """

    def __init__(self, metric: str, words: HashedWords) -> None:
        self.metric = metric
        self.words = words
        self.rows: dict[str, Row] = {}

    def store(self, batch: Batch) -> None:
        """`add` of new ids, `upsert` of any; of equal ids the last wins, in the first's place."""
        new: dict[str, Row] = {}
        for i, name in enumerate(batch.ids):
            document = None if batch.documents is None else batch.documents[i]
            metadata = (batch.metadatas[i] if batch.metadatas else None) or {}
            new[name] = Row(document, metadata, self._vector(batch, i))
        self._put_last(new)

    def update(self, batch: Batch) -> None:
        """Changes what is given; a new vector is a row stored anew."""
        moved: dict[str, Row] = {}
        for i, name in enumerate(batch.ids):
            row = self.rows[name]
            if batch.documents is not None:
                row = replace(row, document=batch.documents[i])
            if batch.metadatas is not None:
                row = replace(row, metadata={**row.metadata, **(batch.metadatas[i] or {})})
            if batch.documents is None and batch.embeddings is None:
                self.rows[name] = row
            else:
                moved[name] = replace(row, vector=self._vector(batch, i))
        self._put_last(moved)

    def delete(self, ids: Iterable[str] | None, where: dict[str, Any] | None) -> int:
        """Removes what both name; returns how many."""
        named = self.rows if ids is None else set(ids)
        gone = [name for name in self.passing(where) if name in named]
        for name in gone:
            del self.rows[name]
        return len(gone)

    def _vector(self, batch: Batch, i: int) -> np.ndarray:
        if batch.embeddings is not None:
            return np.asarray(batch.embeddings[i], np.float32)
        assert batch.documents is not None
        return self.words.encode(batch.documents[i])

    def _put_last(self, rows: dict[str, Row]) -> None:
        for name in rows:
            self.rows.pop(name, None)
        self.rows.update(rows)

    def passing(self, where: dict[str, Any] | None) -> list[str]:
        """Ids that a filter lets through, in the order of storing."""
        return [name for name, row in self.rows.items() if not where or holds(row.metadata, where)]

    def scores(self, query: np.ndarray, ids: Sequence[str]) -> dict[str, float]:
        """What each of these documents scores, larger being nearer."""
        q = np.asarray(query, np.float64)
        return {name: self._score(q, self.rows[name].vector.astype(np.float64)) for name in ids}

    def _score(self, q: np.ndarray, v: np.ndarray) -> float:
        if self.metric == "cosine":
            lengths = np.linalg.norm(q) * np.linalg.norm(v)
            return float(q @ v / lengths) if lengths else 0.0
        if self.metric == "dot":
            return float(q @ v)
        return -float(np.linalg.norm(q - v, ord=2 if self.metric == "euclidean" else 1))

    def check_record(self, record: Record, with_vector: bool) -> None:
        """A record is the row of its id, to the bit."""
        row = self.rows[record.id]
        assert (record.document, record.metadata) == (row.document, row.metadata)
        if with_vector:
            assert record.vector is not None
            assert record.vector.dtype == np.float32
            assert record.vector.tobytes() == row.vector.tobytes()
        else:
            assert record.vector is None

    def check_records(self, records: Iterable[Record], ids: Sequence[str], vectors: bool) -> None:
        """The records are those of these ids, in this order."""
        records = list(records)
        assert [record.id for record in records] == list(ids)
        for record in records:
            self.check_record(record, vectors)
