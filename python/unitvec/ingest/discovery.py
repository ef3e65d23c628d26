"""Which files there are, and which reader understands each."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from unitvec.ingest.chunking import Chunker
from unitvec.ingest.lines import Line, html_lines, text_lines
from unitvec.ingest.records import TextRow, json_rows, table_rows

LINE_READERS: dict[str, Callable[[Path], Iterator[Line]]] = {
    **dict.fromkeys((".txt", ".text", ".md", ".markdown", ".rst"), text_lines),
    **dict.fromkeys((".html", ".htm", ".xhtml"), html_lines),
}
ROW_READERS: dict[str, Callable[[Path, str | None], Iterator[TextRow]]] = {
    **dict.fromkeys((".csv", ".tsv"), table_rows),
    **dict.fromkeys((".jsonl", ".ndjson"), json_rows),
}
SUFFIXES = (*LINE_READERS, *ROW_READERS)

#: Raised when the same file begins to give other passages, so that it is read again.
_READING_VERSION = b"unitvec passages 1"

#: Metadata that every passage has; a column of the same name gets an underscore after it.
OWN_FIELDS = ("file", "first_line", "last_line", "digest")  # "digest": the last passage only


class Passage(NamedTuple):
    """A text to be stored, with its place in its file and the other columns of its row."""

    text: str
    first_line: int
    last_line: int
    columns: dict[str, Any]


def find_files(paths: Iterable[str | os.PathLike[str]]) -> Iterator[Path]:
    """The files to read, as absolute paths, each once: those named, and those under directories.

    In directories only known suffixes count; hidden files, hidden directories and links to
    directories are passed over. A file that is named is read whatever its suffix.
    """
    seen: set[Path] = set()
    for given in paths:
        path = Path(os.path.abspath(given))
        for file in _walk(path) if path.is_dir() else [path]:
            if file not in seen:
                seen.add(file)
                yield file


def _walk(root: Path) -> Iterator[Path]:
    for directory, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(directory, name)


def passages(path: Path, column: str | None, chunker: Chunker) -> Iterator[Passage]:
    """The passages of a file, each as long as the model reads at most.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not UTF-8 or not well formed, with the place.
    """
    suffix = path.suffix.lower()
    try:
        if suffix in ROW_READERS:
            for row in ROW_READERS[suffix](path, column):
                lines = (Line(row.first_line, text) for text in row.text.split("\n"))
                for chunk in chunker.chunks(lines):
                    yield Passage(chunk.text, row.first_line, row.last_line, row.columns)
        else:
            reader = LINE_READERS.get(suffix, text_lines)
            yield from (Passage(*chunk, columns={}) for chunk in chunker.chunks(reader(path)))
    except UnicodeDecodeError as error:
        raise ValueError(
            f"[index] {path}: expected text in UTF-8, got byte 0x{error.object[error.start]:02x}"
        ) from error


def digest(path: Path, column: str | None) -> str:
    """SHA-256 of a file's bytes and of how it is read: the same, the same passages."""
    state = hashlib.sha256(_READING_VERSION + b"\0" + (column or "").encode() + b"\0")
    with path.open("rb") as stream:
        while block := stream.read(2**20):
            state.update(block)
    return state.hexdigest()


def metadata(file: str, passage: Passage) -> dict[str, Any]:
    """What is stored beside a passage."""
    renamed = {
        name + "_" if name in OWN_FIELDS else name: value for name, value in passage.columns.items()
    }
    own = {"file": file, "first_line": passage.first_line, "last_line": passage.last_line}
    return {**renamed, **own}
