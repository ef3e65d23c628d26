"""Index files: a disposable, verified cache of what SQLite holds.

A file is a generation: written whole under a new name, never changed, and believed only if the
pointer row in SQLite gives the collection's uuid and the SHA-256 of its bytes. Anything doubtful is
renamed to `.bad-TIME` and rebuilt; nothing is deleted on suspicion.
"""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import Any

from unitvec.collection.store import Generation
from unitvec.fingerprint import file_digest
from unitvec.index import Index


class IndexFileWarning(UserWarning):
    """An index file was missing or damaged; the documents are safe, the index is rebuilt."""


class DoubtfulIndexError(Exception):
    """Why an index file cannot be believed; never leaves the collection."""


def write_generation(
    directory: Path, index: Index, previous: Generation | None, pointer: Generation
) -> Generation:
    """Writes an index file and returns its pointer, completed with the file's name and hash.

    The caller stores the pointer in SQLite; until then a crash leaves a file nobody points to.

    Raises:
        OSError: if the file could not be written whole.
    """
    number = 1 if previous is None else previous.generation + 1
    path = directory / f"index-{number:08d}.uvi"
    index.save(path)
    return pointer._replace(
        generation=number, file=path.name, bytes=path.stat().st_size, sha256=file_digest(path)
    )


def read_generation(
    directory: Path, pointer: Generation, properties: dict[str, Any], read_only: bool
) -> Index | None:
    """The index that a pointer names, or None after a warning if it cannot be believed.

    Args:
        directory: the collection's.
        pointer: the row in SQLite.
        properties: of the collection.
        read_only: leave a doubtful file where it is.
    """
    try:
        return examine_generation(directory, pointer, properties)
    except DoubtfulIndexError as error:
        _put_aside(directory / pointer.file, str(error), read_only)
        return None


def examine_generation(directory: Path, pointer: Generation, properties: dict[str, Any]) -> Index:
    """The index that a pointer names; changes nothing.

    Raises:
        DoubtfulIndexError: with the reason why it cannot be believed.
    """
    path = directory / pointer.file
    try:
        reason = _doubt(path, pointer, properties["uuid"])
        if reason is None:
            index = Index.load(path)
            expected = (properties["dim"], pointer.live, properties["metric"])
            if (index.dim, len(index), index.metric) == expected:
                return index
            reason = "holds other vectors than the collection"
    except FileNotFoundError:
        reason = "is missing"
    except (OSError, ValueError) as error:  # FormatError is a ValueError
        reason = str(error)
    raise DoubtfulIndexError(reason)


def _doubt(path: Path, pointer: Generation, uuid: str) -> str | None:
    if pointer.uuid != uuid:
        return "belongs to another collection"
    if path.name != pointer.file or path.is_symlink():
        return "is a link or has a path for a name"
    if path.stat().st_size != pointer.bytes:
        return f"has {path.stat().st_size} bytes instead of {pointer.bytes}"
    if file_digest(path) != pointer.sha256:
        return "does not have the bytes that were written"
    return None


def _put_aside(path: Path, reason: str, read_only: bool) -> None:
    outcome = "searching exactly instead"
    if not read_only:
        outcome = "rebuilt from the documents, which are safe"
        if path.is_symlink() or path.exists():
            now = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
            kept = path.with_name(f"{path.name}.bad-{now}")
            path.rename(kept)
            outcome = f"kept as {kept.name} and {outcome}"
    warnings.warn(f"index file {path} {reason}; {outcome}", IndexFileWarning, stacklevel=2)


def remove_stale(directory: Path, current: Generation | None) -> None:
    """Deletes earlier generations and unfinished files; never the current or a `.bad-` one."""
    keep = current.file if current else None
    for path in directory.glob("index-*.uvi*"):
        if path.name != keep and ".bad-" not in path.name:
            path.unlink(missing_ok=True)
