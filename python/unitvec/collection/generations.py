"""Index files: a disposable, verified cache of what SQLite holds.

A file is a generation: written whole under a new name, never changed, and believed only if the
pointer row in SQLite gives the collection's uuid and the SHA-256 of its bytes. Anything doubtful is
renamed to `.bad-TIME` and rebuilt; nothing is deleted on suspicion.
"""

from __future__ import annotations

import hashlib
import time
import warnings
from pathlib import Path

from unitvec.collection.store import Generation
from unitvec.index import Index

_READ_AT_ONCE = 2**20


class IndexFileWarning(UserWarning):
    """An index file was missing or damaged; the documents are safe, the index is rebuilt."""


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
        generation=number, file=path.name, bytes=path.stat().st_size, sha256=_sha256(path)
    )


def read_generation(
    directory: Path, pointer: Generation, uuid: str, dim: int, metric: str, read_only: bool
) -> Index | None:
    """The index that a pointer names, or None after a warning if it cannot be believed.

    Args:
        directory: the collection's.
        pointer: the row in SQLite.
        uuid: of the collection.
        dim: length of its vectors.
        metric: its measure.
        read_only: leave a doubtful file where it is.
    """
    path = directory / pointer.file
    try:
        reason = _doubt(path, pointer, uuid)
        if reason is None:
            index = Index.load(path)
            if (index.dim, len(index), index.metric) == (dim, pointer.count, metric):
                return index
            reason = "holds other vectors than the collection"
    except (OSError, ValueError) as error:  # FormatError is a ValueError
        reason = str(error)
    _quarantine(path, reason, read_only)
    return None


def _doubt(path: Path, pointer: Generation, uuid: str) -> str | None:
    if pointer.uuid != uuid:
        return "belongs to another collection"
    if path.name != pointer.file or path.is_symlink():
        return "is a link or has a path for a name"
    if path.stat().st_size != pointer.bytes:
        return f"has {path.stat().st_size} bytes instead of {pointer.bytes}"
    return None if _sha256(path) == pointer.sha256 else "does not have the bytes that were written"


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_READ_AT_ONCE):
            digest.update(block)
    return digest.hexdigest()


def _quarantine(path: Path, reason: str, read_only: bool) -> None:
    outcome = "searching exactly instead"
    if not read_only and (path.is_symlink() or path.exists()):
        kept = path.with_name(f"{path.name}.bad-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}")
        path.rename(kept)
        outcome = f"kept as {kept.name} and rebuilt from the documents, which are safe"
    elif not read_only:
        outcome = "rebuilt from the documents, which are safe"
    warnings.warn(f"index file {path}: {reason}; {outcome}", IndexFileWarning, stacklevel=2)


def remove_stale(directory: Path, current: Generation | None) -> None:
    """Deletes earlier generations and unfinished files; never the current or a `.bad-` one."""
    keep = current.file if current else None
    for path in directory.glob("index-*.uvi*"):
        if path.name != keep and ".bad-" not in path.name:
            path.unlink(missing_ok=True)
