"""The directory of a collection: what belongs in it, and how it is opened or made."""

from __future__ import annotations

import errno
import shutil
import stat
from contextlib import suppress
from pathlib import Path

from unitvec.collection.lock import LOCK_FILE, ProcessLock, read_mark
from unitvec.collection.room import RESERVE_FILE, has_room_to_open
from unitvec.collection.schema import FORMAT_VERSION, damaged
from unitvec.collection.store import Store
from unitvec.durable import sync_to_disk

STORE_FILE = "store.sqlite"
_OWN_FILES = {
    LOCK_FILE,
    RESERVE_FILE,
    *(STORE_FILE + suffix for suffix in ("", "-wal", "-shm", "-journal")),
}


def is_collection(path: Path) -> bool:
    """Whether a collection, or at least its database file, is there."""
    return (path / STORE_FILE).is_file()


def require_collection(path: Path) -> None:
    """Raises FileNotFoundError or NotADirectoryError unless a collection is there."""
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(f"[Collection] expected a directory, got the file {path}")
    if not is_collection(path):
        raise FileNotFoundError(
            f"[Collection] no collection at {path}; Collection(path, encoder=...) makes one"
        )


def require_own_files(path: Path, read_only: bool) -> None:
    """Raises FormatError where a name in the directory leads out of it.

    A collection from elsewhere may hold links: whoever opens it must not read, lock or write the
    files of others by them. (That the directory itself is a link is its owner's wish.)
    """
    from unitvec._core import FormatError  # only now: the core takes 0.3 s to load

    for name in sorted(_OWN_FILES):
        try:
            status = (path / name).lstat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        if not stat.S_ISREG(status.st_mode):
            raise FormatError(
                f"[Collection] {path / name}: expected a file, got a link, a folder or a device"
            )
        if status.st_nlink > 1 and not read_only:
            raise FormatError(
                f"[Collection] {path / name}: expected a file with one name, got one with "
                f"{status.st_nlink} (hard links), all of which a change would change; copy the "
                "collection, or open it with read_only=True"
            )


def prepare_directory(path: Path) -> None:
    """Makes the directory for a new collection; refuses one that holds anything else.

    Raises:
        FileExistsError: the directory holds other files.
        OSError: it cannot be made or written.
    """
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(f"[Collection] expected a directory, got the file {path}")
    missing = [folder for folder in path.absolute().parents if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in missing:
        sync_to_disk(folder.parent)
    foreign = {entry.name for entry in path.iterdir()} - _OWN_FILES
    if foreign and not is_collection(path):
        raise FileExistsError(
            f"[Collection] expected an empty directory or a collection, got {path} with "
            f"{min(foreign)!r} in it"
        )


def sync_names(path: Path) -> None:
    """Returns when the names of a collection's files, and its own in its parent, are on the disk.

    Without its own, power loss could take the directory with everything in it. The files' were
    synced by SQLite, which goes on where that fails: the log of the database is new at each open.
    """
    sync_to_disk(path)
    try:
        sync_to_disk(path.resolve().parent)
    except OSError as error:
        # A parent that may be passed but not read, or on a system that does not sync folders.
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EINVAL):
            raise


def remove_new(path: Path, keep_directory: bool) -> None:
    """Removes a collection that was made for a job which then failed, and nothing else.

    Args:
        path: the collection's directory, closed; it held nothing before, or was not there.
        keep_directory: whether it was there before.
    """
    if not keep_directory:
        shutil.rmtree(path)
        return
    for entry in path.iterdir():
        entry.unlink()


def open_reader(path: Path) -> tuple[Store, ProcessLock | None]:
    """A reading connection; where nothing can be written, under a shared lock.

    SQLite's readers share a log index beside the database. Where that file can neither be found nor
    made, the database is read as one that nobody changes, and the lock keeps writers away.
    """
    mark = read_mark(path)  # before the database: beside a writer both grow
    try:
        store = _sound_reader(path, immutable=False)
        require_complete(store, mark)
        return store, None
    except OSError as error:
        may_not = isinstance(error, PermissionError) or not has_room_to_open(path)
        if not may_not or _has_log(path):
            raise
    lock = ProcessLock(path, shared=True)
    try:
        store = _sound_reader(path, immutable=True)
        require_complete(store, mark)
        return store, lock
    except BaseException:
        lock.release()
        raise


def require_complete(store: Store, mark: int) -> None:
    """Raises FormatError, and closes the store, if changes are missing that were acknowledged.

    Args:
        store: outside a transaction.
        mark: `read_mark`, from before the store was opened.
    """
    with store.reading():
        sequence = store.state().sequence
    if sequence < mark:
        store.close()
        raise damaged(
            store.path,
            f"{mark - sequence} changes are missing that were stored (its log is damaged, or it "
            f"is an older copy); repair() saves what is there, and without {LOCK_FILE} beside it "
            "it is taken as it is",
        )


def _sound_reader(path: Path, immutable: bool) -> Store:
    store = Store.open_reader(path / STORE_FILE, immutable)
    try:
        store.require_own_schema(FORMAT_VERSION)
        store.require_sound()
        store.require_own_numbers()
    except BaseException:
        store.close()
        raise
    return store


def _has_log(path: Path) -> bool:
    """Whether committed changes may still be outside the database file."""
    log = path / (STORE_FILE + "-wal")
    return log.is_file() and log.stat().st_size > 0


def bytes_on_disk(path: Path) -> dict[str, int]:
    """Size in bytes of every file of the collection; a writer may remove some meanwhile."""
    sizes = {}
    for entry in sorted(path.iterdir()):
        with suppress(FileNotFoundError):
            if entry.is_file():
                sizes[entry.name] = entry.stat().st_size
    return sizes
