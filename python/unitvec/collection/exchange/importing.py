"""From files to rows that a collection can store, each checked and named by its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from unitvec.collection.batches import BATCH_CHARACTERS, BATCH_DOCUMENTS, Batch, Columns
from unitvec.collection.exchange.damage import damaged
from unitvec.collection.exchange.jsonl import read_jsonl
from unitvec.collection.exchange.layouts import Layout
from unitvec.collection.exchange.parquet import count_rows, parquet_facts, read_parquet
from unitvec.collection.exchange.pinecone import PineconeLayout, require_namespace
from unitvec.collection.exchange.rows import Facts, PlacedRow, format_of
from unitvec.collection.inputs import check_document, check_id, check_metadata, check_vectors
from unitvec.collection.results import Record
from unitvec.collection.rows import NewRow, encode_vector
from unitvec.collection.vector_rows import Space
from unitvec.collection.writing import Embed

Value = TypeVar("Value")


@dataclass(frozen=True)
class ImportReport:
    """What an import stored.

    Attributes:
        documents: how many.
        encoded: of these, how many got their vectors from the collection's encoder.
        skipped: rows of other collections than the chosen one, not stored.
    """

    documents: int
    encoded: int
    skipped: int


@dataclass(frozen=True)
class Source:
    """The files of one import, in order.

    Attributes:
        files: at least one.
        layout: columns.
        format: "parquet" or "jsonl".
    """

    files: list[Path]
    layout: Layout
    format: str

    @classmethod
    def of(cls, path: Path, layout: Layout, file_format: str | None, name: str | None) -> Source:
        """Finds the files: `path`, or those of a folder of Pinecone's.

        Raises:
            FileNotFoundError: nothing is there.
            ValueError: the format is unknown, or a folder has several namespaces.
        """
        if path.is_dir() and layout.NAME == PineconeLayout.NAME:
            return cls(_namespace_files(path, name), layout, "parquet")
        if path.is_dir():
            raise IsADirectoryError(f"[import_from] expected a file, got the folder {path}")
        if not path.exists():
            raise FileNotFoundError(f"[import_from] no file at {path}")
        return cls([path], layout, format_of(path, file_format, layout.FORMATS, "import_from"))

    def facts(self) -> Facts:
        """What the first file says about its collection; at least the length of its vectors."""
        facts = parquet_facts(self.files[0]) if self.format == "parquet" else Facts()
        if facts.dim is not None:
            return facts
        column = self.layout.vector_column()
        for row in self.rows():
            vector = row.values.get(column)
            return facts._replace(
                dim=len(vector) if isinstance(vector, (list, np.ndarray)) else None
            )
        return facts

    def count(self) -> int | None:
        """How many rows there are, where the files say so."""
        return sum(map(count_rows, self.files)) if self.format == "parquet" else None

    def rows(self) -> Iterator[PlacedRow]:
        """The rows of all files."""
        for file in self.files:
            if self.format == "parquet":
                yield from read_parquet(file, self.layout)
            else:
                yield from read_jsonl(file)


def _namespace_files(path: Path, name: str | None) -> list[Path]:
    """The Parquet files of a namespace, in the order of their names."""
    folder = path if name is None else path / require_namespace(name)
    files = sorted(folder.glob("*.parquet"))
    if not files and name is None:
        namespaces = sorted({file.parent.name for file in path.glob("*/*.parquet")})
        if len(namespaces) > 1:
            raise ValueError(f"[import_from] expected name= to be one of {namespaces}")
        files = sorted(path.glob("*/*.parquet"))
    if not files:
        raise FileNotFoundError(f"[import_from] no .parquet file in {folder}")
    return files


class PlacedBatch(Batch):
    """Rows ready to be stored, and where each came from."""

    rows: list[NewRow]
    places: list[str]


class FileRows(Columns):
    """The rows of files as batches of bounded size, checked, with vectors.

    Args:
        source: the files.
        space: for which the vectors are.
        embed: gives vectors to texts that have none.
        encode_texts: leave the files' vectors unread.
        atomic: whether all batches are one transaction.
    """

    def __init__(
        self, source: Source, space: Space, embed: Embed, encode_texts: bool, atomic: bool
    ) -> None:
        self.given = {}
        self.is_stream = not atomic
        self.size = source.count()
        self.encoded = 0
        self.stored = 0
        self._source = source
        self._space = space
        self._embed, self._encode_texts = embed, encode_texts

    def batches(self) -> Iterator[PlacedBatch]:
        """The rows in order."""
        group: list[tuple[PlacedRow, Record]] = []
        size = 0
        for row in self._source.rows():
            record = self._record(row)
            if record is not None:
                group.append((row, record))
                size += row.size
            if len(group) == BATCH_DOCUMENTS or size >= BATCH_CHARACTERS:
                yield self._batch(group)
                group, size = [], 0
        if group:
            yield self._batch(group)

    def _record(self, row: PlacedRow) -> Record | None:
        known = [column.name for column in self._source.layout.COLUMNS]
        unknown = [name for name in row.values if name not in known]
        if unknown:
            raise damaged(row.file, row.place, f"expected no fields but {known}, got {unknown}")
        try:
            return self._source.layout.from_row(row.values)
        except ValueError as error:
            raise damaged(row.file, row.place, str(error)) from error

    def _batch(self, group: list[tuple[PlacedRow, Record]]) -> PlacedBatch:
        batch = PlacedBatch(self.stored, len(group), None, None, None, None)
        fields = [_fields(row, record) for row, record in group]  # before the work of encoding
        batch.rows = [
            NewRow(*checked, {self._space.space: encode_vector(vector)})
            for checked, vector in zip(fields, self._vectors(group), strict=True)
        ]
        batch.places = [f"{row.file} {row.place}" for row, _ in group]
        self.stored += len(group)
        return batch

    def _vectors(self, group: list[tuple[PlacedRow, Record]]) -> list[Any]:
        """The files' vectors; where there are none, those of the texts."""
        vectors: list[Any] = [None] * len(group)
        given = [
            i for i, (_, r) in enumerate(group) if r.vector is not None and not self._encode_texts
        ]
        for i, vector in zip(given, self._given([group[i] for i in given]), strict=True):
            vectors[i] = vector
        missing = [i for i in range(len(group)) if vectors[i] is None]
        for i in missing:
            row, record = group[i]
            if record.document is None:
                raise damaged(row.file, row.place, "expected a vector, or a text to encode")
        if missing:
            encoded = self._embed([group[i][1].document or "" for i in missing])
            for i, vector in zip(missing, encoded, strict=True):
                vectors[i] = vector
        self.encoded += len(missing)
        return vectors

    def _given(self, group: list[tuple[PlacedRow, Record]]) -> Any:
        """Vectors of the files as checked float32; all at once, and one by one to find an error."""
        if not group:
            return []
        for row, record in group:
            # NumPy would take a list of numbers and booleans, or of their digits, for numbers.
            if isinstance(record.vector, list) and not {*map(type, record.vector)} <= {int, float}:
                raise damaged(row.file, row.place, "vector: expected a list of numbers")
        try:
            return self._check([record.vector for _, record in group])
        except (TypeError, ValueError):
            return [
                _checked(row, "vector", lambda v, _: self._check([v])[0], record.vector)
                for row, record in group
            ]

    def _check(self, vectors: list[Any]) -> Any:
        return check_vectors(vectors, self._space.dim, self._space.metric, "vector")


def _fields(row: PlacedRow, record: Record) -> tuple[str, str | None, str]:
    """Id, document and metadata as they are stored."""
    text = record.document
    return (
        _checked(row, "id", check_id, record.id),
        None if text is None else _checked(row, "document", check_document, text),
        _checked(row, "metadata", check_metadata, record.metadata),
    )


def _checked(row: PlacedRow, field: str, check: Callable[[Any, int], Value], value: Any) -> Value:
    """The checked value; errors name the file and the row in place of a position in a list."""
    try:
        return check(value, 0)
    except (TypeError, ValueError) as error:
        what = re.sub(r"^\[\w+\] (item 0: |row 0: )?", "", str(error))
        raise damaged(row.file, row.place, f"{field}: {what}") from error
