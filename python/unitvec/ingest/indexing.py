"""Files into a collection: only what changed is encoded, and what went is removed."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from unitvec.collection import Collection
from unitvec.ingest.chunking import Chunker
from unitvec.ingest.discovery import digest, find_files, metadata, passages
from unitvec.ingest.records import ColumnError
from unitvec.progress import progress_bar

#: Passages stored in one transaction.
_PASSAGES_AT_ONCE = 512


@dataclass
class IndexReport:
    """What `index_files` did.

    Attributes:
        files: files found.
        unchanged: of these, files left alone because nothing in them changed.
        encoded: passages encoded and stored.
        reused: passages stored with the vector that their text already had.
        removed: passages removed, of files that changed or went.
        skipped: file -> why it could not be read; what was stored of it stays.
    """

    files: int = 0
    unchanged: int = 0
    encoded: int = 0
    reused: int = 0
    removed: int = 0
    skipped: dict[str, str] = field(default_factory=dict)


class _Stored(NamedTuple):
    """The passages of one file that the collection holds: id -> the file's digest, or ""."""

    passages: dict[str, str]

    def is_current(self, digest: str) -> bool:
        """Whether the file was stored to its end, from these very bytes, and nothing else is."""
        return {mark for mark in self.passages.values() if mark} == {digest}


class _Pending(NamedTuple):
    """A passage waiting to be stored; `vector` where its text has one already."""

    id: str
    text: str
    metadata: dict[str, Any]
    vector: NDArray[Any] | None


def index_files(
    collection: Collection,
    paths: Sequence[str | os.PathLike[str]],
    column: str | None = None,
    show_progress_bar: bool | None = None,
) -> IndexReport:
    """Makes the collection hold exactly the passages of the files under `paths`.

    A passage's id is its file and lines, such as "/home/ann/notes.md:10-24"; its metadata has
    "file", "first_line", "last_line", and a row's other columns; a file's last passage also has
    "digest", by which a later run knows that the file is complete and unchanged. Files indexed
    before from elsewhere stay. After a crash, running it again completes the work.

    Args:
        collection: made with an encoder.
        paths: files and directories.
        column: the column of CSV, TSV and JSONL files that holds the text.
        show_progress_bar: on stderr; None: on a terminal, after a second.

    Raises:
        FileNotFoundError: a path that is neither there nor known from before.
        ColumnError: a file's text column is not named or not there.
    """
    encoder: Any = collection.encoder
    prompts = getattr(encoder, "prompts", {})
    prefix = next((prompts[n] for n in ("document", "passage", "corpus") if n in prompts), "")
    chunker = Chunker(encoder.tokenizer.count, encoder.max_seq_length, prefix)
    stored = _stored_files(collection)
    files = list(_existing(paths, stored))
    report = IndexReport(files=len(files))
    writer = _Writer(collection, report)
    with progress_bar(len(files), "Indexing", "files", show_progress_bar) as bar:
        for file in files:
            try:
                _index_file(writer, file, column, chunker, stored.get(str(file)))
            except ColumnError:
                raise
            except (OSError, ValueError) as error:
                report.skipped[str(file)] = str(error)
            bar.update(1)
        writer.flush()
    _remove_gone(collection, paths, files, stored, report)
    return report


def _stored_files(collection: Collection) -> dict[str, _Stored]:
    """File -> its passages, as the collection holds them."""
    stored: dict[str, _Stored] = defaultdict(lambda: _Stored({}))
    for record in collection.scan({"file": {"$exists": True}}):
        file, mark = record.metadata["file"], record.metadata.get("digest", "")
        stored[str(file)].passages[record.id] = str(mark)
    return stored


def _existing(
    paths: Iterable[str | os.PathLike[str]], stored: dict[str, _Stored]
) -> Iterator[Path]:
    """The files to read; a path that went is only an error if it was never indexed."""
    for path in paths:
        absolute = Path(os.path.abspath(path))
        if absolute.exists():
            yield from find_files([absolute])
        elif not any(_is_under(file, absolute) for file in stored):
            raise FileNotFoundError(f"[index] no such file or directory: {path}")


def _is_under(file: str, root: Path) -> bool:
    return Path(file) == root or root in Path(file).parents


def _index_file(
    writer: _Writer, file: Path, column: str | None, chunker: Chunker, stored: _Stored | None
) -> None:
    """Stores a file's passages unless they are stored already.

    The digest is written with the last passage, after all else is done, and taken away before
    anything is touched: a file with the right digest is complete, however the last run ended.
    """
    now = digest(file, column)
    if stored is not None and stored.is_current(now):
        writer.report.unchanged += 1
        return
    known = writer.begin_again(str(file), stored) if stored is not None else {}
    current: set[str] = set()
    last: _Pending | None = None
    for passage in passages(file, column, chunker):
        if last is not None:
            writer.write(last)
        identity = _unique(f"{file}:{passage.first_line}-{passage.last_line}", current)
        vector = known.get(passage.text)
        last = _Pending(identity, passage.text, metadata(str(file), passage), vector)
    if stored is not None:
        writer.remove(identity for identity in stored.passages if identity not in current)
    if last is not None:
        last.metadata["digest"] = now
        writer.write(last)


class _Writer:
    """Stores passages of many files together, each batch in one transaction."""

    def __init__(self, collection: Collection, report: IndexReport) -> None:
        self._collection = collection
        self.report = report
        self._waiting: list[_Pending] = []

    def begin_again(self, file: str, stored: _Stored) -> dict[str, NDArray[Any]]:
        """Marks a file as incomplete; returns text -> vector of what is stored of it."""
        marked = [identity for identity, mark in stored.passages.items() if mark]
        if marked:
            self._collection.update(marked, metadatas=[{"digest": ""}] * len(marked))
        records = self._collection.scan({"file": file}, include=("documents", "embeddings"))
        vectors = ((r.document, _main_vector(r.vector)) for r in records)
        return {text: vector for text, vector in vectors if text and vector is not None}

    def remove(self, ids: Iterable[str]) -> None:
        """Removes passages that a file no longer has."""
        stale = list(ids)
        if stale:
            self.report.removed += self._collection.delete(ids=stale)

    def write(self, passage: _Pending) -> None:
        """Stores a passage, soon."""
        self._waiting.append(passage)
        if len(self._waiting) == _PASSAGES_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Encodes the texts that are new and stores all that waits."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        fresh = [p.text for p in waiting if p.vector is None]
        encoded = iter(self._collection.encoder.encode_document(fresh, show_progress_bar=False))
        self._collection.upsert(
            [p.text for p in waiting],
            ids=[p.id for p in waiting],
            metadatas=[p.metadata for p in waiting],
            embeddings=[next(encoded) if p.vector is None else p.vector for p in waiting],
            show_progress_bar=False,
        )
        self.report.encoded += len(fresh)
        self.report.reused += len(waiting) - len(fresh)


def _main_vector(vector: Any) -> NDArray[Any] | None:
    """The collection's own vector, or the only one, also where vectors have names."""
    if not isinstance(vector, dict):
        return vector  # type: ignore[no-any-return]
    return vector.get("", next(iter(vector.values()), None))


def _unique(identity: str, taken: set[str]) -> str:
    """Several chunks of one line or row differ by a number."""
    candidate, number = identity, 1
    while candidate in taken:
        number += 1
        candidate = f"{identity}#{number}"
    taken.add(candidate)
    return candidate


def _remove_gone(
    collection: Collection,
    paths: Sequence[str | os.PathLike[str]],
    files: Iterable[Path],
    stored: dict[str, _Stored],
    report: IndexReport,
) -> None:
    """Removes the passages of files under `paths` that are no longer there."""
    roots = [Path(os.path.abspath(path)) for path in paths]
    here = {str(file) for file in files}
    for file, entry in stored.items():
        if file not in here and any(_is_under(file, root) for root in roots):
            report.removed += collection.delete(ids=list(entry.passages))
