"""From a collection to files: one document at a time, all of one moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from unitvec.collection.exchange.jsonl import JsonlWriter
from unitvec.collection.exchange.layouts import Layout, Options, OwnLayout
from unitvec.collection.exchange.parquet import ParquetWriter
from unitvec.collection.exchange.pinecone import (
    DEFAULT_NAMESPACE,
    PineconeLayout,
    require_namespace,
)
from unitvec.collection.exchange.rows import Facts, RowWriter, format_by_name, format_of
from unitvec.collection.exchange.weaviate import WeaviateLayout
from unitvec.collection.filters import Condition
from unitvec.collection.named_vectors import shown_vectors
from unitvec.collection.publishing import published
from unitvec.collection.results import Record
from unitvec.collection.store import Store, metadata_of, read_vectors
from unitvec.collection.vector_rows import Space
from unitvec.progress import Bar

_LAYOUTS: dict[str, type[Layout]] = {
    layout.NAME: layout for layout in (OwnLayout, PineconeLayout, WeaviateLayout)
}
_POLICIES = ("error", "json", "drop")

#: Bytes of rows in one file of a folder, before compression; Pinecone takes files up to 10 GB.
_FILE_BYTES = 1 << 30

_KEYS_AT_ONCE = 1000
_ROWS_AT_ONCE = 16  # of up to 80 MiB each


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote.

    Attributes:
        documents: how many.
        files: in order.
        bytes: of all files together.
        changes: metadata that the target cannot hold, by kind and what became of it, counted.
    """

    documents: int
    files: list[Path]
    bytes: int
    changes: dict[str, int]


def layout_of(name: str, options: Options, function: str) -> Layout:
    """The layout of that name.

    Raises:
        ValueError: there is none, or an option is not one of its.
    """
    if name not in _LAYOUTS:
        raise ValueError(f"[{function}] expected a layout of {sorted(_LAYOUTS)}, got {name!r}")
    if options.policy not in _POLICIES:
        raise ValueError(
            f"[{function}] expected on_unsupported of {_POLICIES}, got {options.policy!r}"
        )
    if name == OwnLayout.NAME and options.name is not None:
        raise ValueError(f"[{function}] expected no name= for the layout {name!r}, which has none")
    return _LAYOUTS[name](options)


def documents(
    store: Store, condition: Condition | None, spaces: Space | Mapping[str, Space] | None
) -> Iterator[Record]:
    """The documents of a filter in the order of storing, few in memory at a time.

    Args:
        store: in a reading transaction, so that all are of one moment.
        condition: a filter, or None for all.
        spaces: whose vectors to read: of one, or of several by name; None leaves them out.
    """
    last = 0
    while keys := store.next_keys(last, condition, _KEYS_AT_ONCE):
        for start in range(0, len(keys), _ROWS_AT_ONCE):
            some = keys[start : start + _ROWS_AT_ONCE]
            vectors: Mapping[int, Any] = {}
            if isinstance(spaces, Space):
                vectors = read_vectors(store, spaces, some)
            elif spaces is not None:
                vectors = shown_vectors(store, spaces, some)
            for row in store.rows(some):
                metadata = metadata_of(store.path, row)
                yield Record(row.id, row.document, metadata, vectors.get(row.key))
        last = keys[-1]


@dataclass(frozen=True)
class Target:
    """Where an export goes, and how.

    Attributes:
        path: the file, or the folder of Pinecone's namespaces.
        layout: columns.
        format: "parquet" or "jsonl".
        dims: the vectors' lengths by name, "" for the own ones; without any they are left out.
        facts: what our own files say about the collection.
        overwrite: whether a file at `path` may be replaced.
    """

    path: Path
    layout: Layout
    format: str
    dims: Mapping[str, int]
    facts: Facts
    overwrite: bool

    @classmethod
    def of(
        cls, path: Path, layout: Layout, file_format: str | None, facts: Facts, overwrite: bool
    ) -> Target:
        """Settles the format; a path whose name says none is a folder of Pinecone's."""
        if layout.NAME == PineconeLayout.NAME and format_by_name(path) is None:
            file_format = file_format or "parquet"
        chosen = format_of(path, file_format, layout.FORMATS, "export")
        return cls(path, layout, chosen, facts.dims(), facts, overwrite)

    def without_vectors(self) -> Target:
        """The same, with the vectors left out."""
        return replace(self, dims={})

    @property
    def is_folder(self) -> bool:
        """Whether Pinecone's folders are made, one a namespace."""
        is_named = format_by_name(self.path) is not None
        return self.layout.NAME == PineconeLayout.NAME and self.format == "parquet" and not is_named


def export_documents(
    records: Iterable[Record], target: Target, namespace: str | None, bar: Bar
) -> ExportReport:
    """Writes the files and, when they are whole and on the disk, gives them their names.

    Raises:
        ValueError: a document does not fit the layout; then nothing is left on the disk.
        OSError: as when the disk is full; then too.
    """
    count = 0
    folder = None
    if target.is_folder:
        folder = require_namespace(DEFAULT_NAMESPACE if namespace is None else namespace)
    with published(target.path, "export", target.overwrite) as path:
        with _writing(target, path, folder) as writer:
            for record in records:
                writer.write(target.layout.to_row(record))
                bar.update(1)
                count += 1
        made = sorted(path.rglob("*.parquet")) if folder is not None else [path]
        size = sum(file.stat().st_size for file in made)
        files = [target.path / file.relative_to(path) for file in made]
    return ExportReport(count, files, size, dict(target.layout.changes))


@contextmanager
def _writing(target: Target, path: Path, folder: str | None) -> Iterator[RowWriter]:
    writer = _writer(target, path) if folder is None else FolderWriter(target, path / folder)
    try:
        yield writer
        writer.finish()
    except BaseException:
        writer.abandon()
        raise


def _writer(target: Target, path: Path) -> Any:
    if target.format == "jsonl":
        suffix = target.path.suffix.lower()  # not of `path`, which is a temporary name
        return JsonlWriter(path, suffix, target.layout.COLUMNS)
    facts = target.facts if target.layout.NAME == OwnLayout.NAME else None
    return ParquetWriter(path, target.layout, target.dims, facts)


class FolderWriter:
    """A folder of Parquet files of about a gibibyte before compression, numbered from 0."""

    def __init__(self, target: Target, folder: Path) -> None:
        self._target, self._folder = target, folder
        self._files = 0
        folder.mkdir(parents=True)
        self._writer = self._next()

    def _next(self) -> Any:
        name = f"{self._files:06d}.parquet"  # six digits: the order of names is that of numbers
        self._files += 1
        return _writer(self._target, self._folder / name)

    def write(self, row: dict[str, Any]) -> None:
        """Adds a row, if need be to a new file."""
        if self._writer.bytes_written >= _FILE_BYTES:
            self._writer.finish()
            self._writer = self._next()
        self._writer.write(row)

    def finish(self) -> None:
        """Ends the last file."""
        self._writer.finish()

    def abandon(self) -> None:
        """Lets go of the last file."""
        self._writer.abandon()
