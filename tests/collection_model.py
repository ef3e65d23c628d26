"""A collection as a dictionary and NumPy: what every verb must do, slowly and obviously."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from filter_model import holds
from hashed_words import HashedWords
from unitvec.collection import Record

#: The name of a second vector, which a document may lack, and how it is compared.
SIDE, SIDE_METRIC = "side", "euclidean"

#: float32 sums of four products of single digits against float64.
SCORE_ERROR = 1e-4


@dataclass(frozen=True)
class Row:
    """One document; `vector`, shape (dim,), in float32; `side` is the named one, if any."""

    document: str | None
    metadata: dict[str, Any]
    vector: np.ndarray
    side: np.ndarray | None = None


@dataclass
class Batch:
    """Columns as a caller gives them; None for a column that is not given."""

    ids: list[str]
    documents: list[str] | None = None
    metadatas: list[dict[str, Any] | None] | None = None
    embeddings: list[np.ndarray] | None = None
    side: list[np.ndarray | None] | None = None

    def columns(self, wrap: Callable[[Any], Any] = list) -> dict[str, Any]:
        """The columns that are given, by the verbs' names for them, each as `wrap` makes it."""
        columns = {name: wrap(column) for name, column in vars(self).items() if column is not None}
        if "side" in columns:
            vectors = {SIDE: columns.pop("side")}
            if "embeddings" in columns:
                vectors[""] = columns["embeddings"]
            columns["embeddings"] = vectors
        return columns

    def of(self, ids: list[str]) -> Batch:
        """The same columns for other documents, as many or fewer."""
        given = {name: column for name, column in vars(self).items() if column is not None}
        cut = {name: column[: len(ids)] for name, column in given.items()}
        return Batch(**{**cut, "ids": ids})


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
            side = batch.side[i] if batch.side is not None else None
            new[name] = Row(document, metadata, self._vector(batch, i), side)
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
            if batch.documents is not None or batch.embeddings is not None:
                moved[name] = row = replace(row, vector=self._vector(batch, i))
            if batch.side is not None:
                moved[name] = row = replace(row, side=batch.side[i])
            if name not in moved:
                self.rows[name] = row
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
        return {
            name: self._score(self.metric, q, self.rows[name].vector.astype(np.float64))
            for name in ids
        }

    def side_scores(self, query: np.ndarray, ids: Sequence[str]) -> dict[str, float]:
        """The same by the named vectors, of the documents that have one."""
        q = np.asarray(query, np.float64)
        sides = {name: self.rows[name].side for name in ids}
        return {
            name: self._score(SIDE_METRIC, q, side.astype(np.float64))
            for name, side in sides.items()
            if side is not None
        }

    @staticmethod
    def _score(metric: str, q: np.ndarray, v: np.ndarray) -> float:
        if metric == "cosine":
            lengths = np.linalg.norm(q) * np.linalg.norm(v)
            return float(q @ v / lengths) if lengths else 0.0
        if metric == "dot":
            return float(q @ v)
        return -float(np.linalg.norm(q - v, ord=2 if metric == "euclidean" else 1))

    def check_record(self, record: Record, with_vector: bool) -> None:
        """A record is the row of its id, to the bit."""
        row = self.rows[record.id]
        assert (record.document, record.metadata) == (row.document, row.metadata)
        if with_vector:
            expected = {"": row.vector} if row.side is None else {"": row.vector, SIDE: row.side}
            assert {vector.dtype for vector in record.vector.values()} == {np.dtype(np.float32)}
            assert {name: vector.tobytes() for name, vector in record.vector.items()} == {
                name: vector.tobytes() for name, vector in expected.items()
            }
        else:
            assert record.vector is None

    def check_records(self, records: Iterable[Record], ids: Sequence[str], vectors: bool) -> None:
        """The records are those of these ids, in this order."""
        records = list(records)
        assert [record.id for record in records] == list(ids)
        for record in records:
            self.check_record(record, vectors)
