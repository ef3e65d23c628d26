"""Index files: a disposable, verified cache of what SQLite holds.

A file is a generation: written whole under a new name, never changed, and believed only if the
pointer row in SQLite gives the collection's uuid, its length and its header, which holds hashes of
itself and of everything after it. Anything doubtful is renamed to `.bad-TIME` and rebuilt; nothing
is deleted on suspicion.
"""

from __future__ import annotations

import re
import stat
import time
import warnings
from collections.abc import Iterable
from pathlib import Path

from unitvec.collection.inputs import DIM_MAX, LENGTH_MAX
from unitvec.collection.number_check import is_count
from unitvec.collection.store import Generation, State
from unitvec.collection.vector_rows import Space
from unitvec.index import Index

#: Of codes: vectors are at most that long, and manhattan's distance at most `dim` times so.
_ERROR_MAX = DIM_MAX * LENGTH_MAX

#: Of an index file (cpp/src/search/index_file.hpp).
HEADER_BYTES = 192

#: What the database says is not believed to name a file elsewhere.
_OWN_NAME = re.compile(r"index-[0-9]+-[0-9]{8,}\.uvi")


class IndexFileWarning(UserWarning):
    """An index file was missing or damaged; the documents are safe, the index is rebuilt."""


class DoubtfulIndexError(Exception):
    """Why an index file cannot be believed; never leaves the collection."""


def write_generation(directory: Path, index: Index, pointer: Generation) -> Generation:
    """Writes an index file and returns its pointer, completed with the file's name and header.

    The caller stores the pointer in SQLite; until then a crash leaves a file nobody points to.

    Args:
        directory: the collection's.
        index: what is written.
        pointer: whose number names the file.

    Raises:
        OSError: if the file could not be written whole.
    """
    path = directory / f"index-{pointer.space}-{pointer.generation:08d}.uvi"
    index.save(path)
    return pointer._replace(file=path.name, bytes=path.stat().st_size, header=_header(path))


def examine_generation(
    directory: Path, pointer: Generation, space: Space, uuid: str, state: State
) -> Index:
    """The index that a pointer names; changes nothing.

    Args:
        directory: the collection's.
        pointer: as the database has it.
        space: whose vectors it must hold.
        uuid: of the collection.
        state: of the same moment as the pointer.

    Raises:
        DoubtfulIndexError: with the reason why it cannot be believed.
    """
    path = directory / pointer.file
    try:
        reason = _doubt_of_numbers(pointer, state) or _doubt(path, pointer, uuid)
        if reason is None:
            index = Index.load(path)
            expected = (space.dim, pointer.live, space.metric)
            if (index.dim, len(index), index.metric) == expected:
                return index
            reason = "holds other vectors than the collection"
    except FileNotFoundError:
        reason = "is missing"
    except (OSError, ValueError) as error:  # FormatError is a ValueError
        reason = str(error)
    raise DoubtfulIndexError(reason)


def own_file(directory: Path, pointer: Generation) -> Path | None:
    """The file that a pointer names; None where that is no file, or none of the directory's own."""
    if not _OWN_NAME.fullmatch(pointer.file):
        return None
    path = directory / pointer.file
    try:
        return path if stat.S_ISREG(path.lstat().st_mode) else None
    except FileNotFoundError:
        return None


def _doubt_of_numbers(pointer: Generation, state: State) -> str | None:
    """The first number of a pointer that no index file can have."""
    sound = {
        "generation": is_count(pointer.generation),
        "sequence": is_count(pointer.sequence, state.sequence),
        "last_key": is_count(pointer.last_key, state.next_key - 1),
        "live": is_count(pointer.live),
        "recall": 0 <= pointer.recall <= 1,
        "error": 0 <= pointer.error <= _ERROR_MAX,
    }
    wrong = [name for name, is_sound in sound.items() if not is_sound]
    return f"is described with an absurd {wrong[0]}" if wrong else None


def _doubt(path: Path, pointer: Generation, uuid: str) -> str | None:
    if pointer.uuid != uuid:
        return "belongs to another collection"
    if not _OWN_NAME.fullmatch(pointer.file) or not stat.S_ISREG(path.lstat().st_mode):
        return "is a link or has a name that no index file gets"
    if path.stat().st_size != pointer.bytes:
        return f"has {path.stat().st_size} bytes instead of {pointer.bytes}"
    if _header(path) != pointer.header:
        return "is not the one that was written"
    return None


def _header(path: Path) -> str:
    """The header as hex; `Index.load` verifies the hashes in it."""
    with path.open("rb") as stream:
        return stream.read(HEADER_BYTES).hex()


def put_aside(directory: Path, pointer: Generation, reason: str, read_only: bool) -> None:
    """Warns that an index file cannot be believed, and renames it unless that is not allowed."""
    path = directory / Path(pointer.file).name
    outcome = "searching exactly instead"
    if not read_only:
        outcome = "rebuilt from the documents, which are safe"
        if _OWN_NAME.fullmatch(path.name) and (path.is_symlink() or path.exists()):
            now = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
            kept = path.with_name(f"{path.name}.bad-{now}")
            path.rename(kept)
            outcome = f"kept as {kept.name} and {outcome}"
    warnings.warn(f"index file {path} {reason}; {outcome}", IndexFileWarning, stacklevel=2)


def remove_stale(directory: Path, current: Iterable[Generation]) -> None:
    """Deletes earlier generations and unfinished files; never a current or a `.bad-` one."""
    keep = {pointer.file for pointer in current}
    for path in directory.glob("index-*.uvi*"):
        if path.name not in keep and ".bad-" not in path.name:
            path.unlink(missing_ok=True)
