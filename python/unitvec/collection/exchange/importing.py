"""From files to rows that a collection can store, each checked and named by its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from unitvec.collection.batches import BATCH_CHARACTERS, BATCH_DOCUMENTS, Batch, Columns
from unitvec.collection.exchange.damage import damaged
from unitvec.collection.exchange.jsonl import read_jsonl
from unitvec.collection.exchange.layouts import Layout
from unitvec.collection.exchange.parquet import count_rows, parquet_facts, read_parquet
from unitvec.collection.exchange.pinecone import PineconeLayout, require_namespace
from unitvec.collection.exchange.rows import Facts, PlacedRow, format_of
from unitvec.collection.inputs import check_document, check_id, check_metadata, check_vectors
from unitvec.collection.named_vectors import are_named, space_named
from unitvec.collection.results import Record
from unitvec.collection.rows import NewRow, encode_vectors
from unitvec.collection.vector_rows import Space
from unitvec.collection.writing import Column, Kind, by_row

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
        if facts.dims():
            return facts
        column = self.layout.vector_column()
        for row in self.rows():
            named = row.values.get("vectors")
            vectors = None
            if isinstance(named, dict) and named:
                vectors = {name: Facts(_length(vector)) for name, vector in named.items()}
            return facts._replace(dim=_length(row.values.get(column)), vectors=vectors)
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


def _length(vector: Any) -> int | None:
    return len(vector) if isinstance(vector, (list, np.ndarray)) else None


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
        kinds: of vectors that the collection has.
        using: the kind that vectors without a name are of; None: the own one, or the only one.
        encode_texts: leave the files' vectors unread.
        atomic: whether all batches are one transaction.
    """

    def __init__(
        self,
        source: Source,
        kinds: Sequence[Kind],
        using: str | None,
        encode_texts: bool,
        atomic: bool,
    ) -> None:
        self.given = {}
        self.is_stream = not atomic
        self.size = source.count()
        self.encoded = 0
        self.stored = 0
        self._source = source
        self._kinds = {kind.space.name: kind for kind in kinds}
        self._using, self._encode_texts = using, encode_texts

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
            NewRow(*checked, vectors)
            for checked, vectors in zip(fields, self._vectors(group), strict=True)
        ]
        batch.places = [f"{row.file} {row.place}" for row, _ in group]
        self.stored += len(group)
        return batch

    def _vectors(self, group: list[tuple[PlacedRow, Record]]) -> list[dict[int, bytes]]:
        """The files' vectors, and those of the texts where there are none, by space."""
        given = [self._by_name(row, record) for row, record in group]
        wanted = [
            self._to_encode(row, record, g) for (row, record), g in zip(group, given, strict=True)
        ]
        columns: dict[int, Column] = {}
        for name, kind in self._kinds.items():
            there = [i for i in range(len(group)) if name in given[i]]
            rows = [(group[i][0], given[i][name]) for i in there]
            column: Column = [None] * len(group)
            _put(column, there, _given(rows, kind.space))
            columns[kind.space.space] = column
        for name, kind in self._kinds.items():  # the work, when all is checked
            lacking = [i for i in range(len(group)) if name in wanted[i]]
            if lacking:
                texts = [group[i][1].document or "" for i in lacking]
                _put(columns[kind.space.space], lacking, kind.embed(texts))
        self.encoded += sum(map(bool, wanted))
        return by_row(columns, len(group))

    def _by_name(self, row: PlacedRow, record: Record) -> dict[str, Any]:
        """The vectors of a row; one without a name is of the kind that is meant."""
        vector = record.vector
        if vector is None or self._encode_texts:
            return {}
        if not isinstance(vector, dict):
            return {self._meant: vector}
        if not are_named(self._kinds) and len(vector) == 1:
            return {"": next(iter(vector.values()))}  # under whichever name another program has it
        if not are_named(self._kinds) and len(vector) > 1:
            raise damaged(row.file, row.place, "expected one vector an object, got several")
        unknown = [name for name in vector if name not in self._kinds]
        if unknown:
            raise damaged(
                row.file,
                row.place,
                f"vectors: expected names of {list(self._kinds)}, got {unknown[0]!r}",
            )
        return vector

    @property
    def _meant(self) -> str:
        spaces = {name: kind.space for name, kind in self._kinds.items()}
        return space_named(spaces, self._using, "import_from").name

    def _to_encode(self, row: PlacedRow, record: Record, given: dict[str, Any]) -> list[str]:
        """The kinds whose vectors are to be made of the text.

        A row with vectors by name says by that which it lacks; but for the own one, which none may.
        """
        says_all = isinstance(record.vector, dict) and not self._encode_texts
        lacking = [
            name
            for name, kind in self._kinds.items()
            if name not in given and (kind.is_own or (kind.has_encoder and not says_all))
        ]
        if record.document is not None and (lacking or given or says_all):
            return lacking
        if record.document is None and given and ("" in given or "" not in self._kinds):
            return []
        expected = "a vector, or a text to encode"
        if record.document is not None:
            expected = "vectors, as no vectors here have an encoder"
        raise damaged(row.file, row.place, f"expected {expected}")


def _put(column: Column, places: list[int], vectors: NDArray[np.float32]) -> None:
    for i, vector in zip(places, encode_vectors(vectors), strict=True):
        column[i] = vector


def _given(rows: list[tuple[PlacedRow, Any]], space: Space) -> NDArray[np.float32]:
    """Vectors of the files, checked; all at once, and one by one to find an error."""
    what = f"vector{space.called}"

    def check(vectors: list[Any]) -> NDArray[np.float32]:
        return check_vectors(vectors, space.dim, space.metric, "vector")

    for row, vector in rows:
        # NumPy would take a list of numbers and booleans, or of their digits, for numbers.
        if isinstance(vector, list) and not {*map(type, vector)} <= {int, float}:
            raise damaged(row.file, row.place, f"{what}: expected a list of numbers")
    try:
        return check([vector for _, vector in rows])
    except (TypeError, ValueError):
        each = [_checked(row, what, lambda v, _: check([v]), vector) for row, vector in rows]
        return np.concatenate(each)


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
