"""Room on the disk for what must work when it is full: folding the log in, and deleting.

SQLite folds a log by writing its pages into the database. Were the database to grow only then, a
full disk would keep the log for ever, and the log would keep the disk full. So the database has
the bytes it needs before a change is committed, and the log can always be folded and cut.

A delete, too, is written to the log first. A file of its own, RESERVE, keeps room for that where
there is none else; only deletes, and opening the files at all, may use it.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw

from unitvec.collection.schema import CHECKPOINT_PAGES, PAGE_SIZE, is_failed_sync

RESERVE_FILE = "RESERVE"

#: Some thirty pages of log, which a delete of about eight documents takes.
RESERVE_BYTES = 512 * 1024

#: What a log may grow to before it is folded in, and a reserve that has room for that, too. While
#: a large collection is open, it is quicker than giving the database some bytes with each change.
_LOG_BYTES = CHECKPOINT_PAGES * PAGE_SIZE
LARGE_RESERVE_BYTES = _LOG_BYTES + RESERVE_BYTES

#: Bytes that opening a collection to write takes: the log's index (32 KiB) and the names.
_OPENING_BYTES = 64 * 1024

#: Bytes of database from which on a reserve is kept (with less, where the disk has little left),
#: and a large one.
_KEPT_FROM = 1024 * 1024
_LARGE_FROM = 64 * 1024 * 1024

#: Bytes left on the disk that are little; that are so many that no single change fills them.
_LITTLE = 64 * 1024 * 1024
_PLENTY = 1024 * 1024 * 1024

#: Milliseconds for which folding waits for readers, in whatever process, to end what they read.
_PATIENCE = 2000


class Growth:
    """Sees to it that the log of a writing connection can be folded in whenever that is wanted."""

    def __init__(self, path: Path, connection: apsw.Connection) -> None:
        self._path = path
        self._connection = connection
        self._committed = self._bytes()
        size = ctypes.c_int(PAGE_SIZE)  # without it, hints of a size do nothing
        connection.file_control("main", apsw.SQLITE_FCNTL_CHUNK_SIZE, ctypes.addressof(size))

    def _bytes(self) -> int:
        pages: int = self._connection.pragma("page_count")
        return pages * PAGE_SIZE

    def secure(self) -> None:
        """Gives the database the bytes that a transaction will need; before its COMMIT.

        Raises:
            apsw.FullError: there are not so many.
        """
        needed, before = self._bytes(), self._committed
        self._committed = needed
        there = self._path.stat().st_size
        missing = needed - there
        if missing <= 0 or self._is_covered(before - there, missing):
            return
        size = ctypes.c_int64(needed)
        try:
            hint = apsw.SQLITE_FCNTL_SIZE_HINT
            self._connection.file_control("main", hint, ctypes.addressof(size))
        except apsw.IOError as error:
            if _free(self._path) > missing:  # SQLite does not say why
                raise
            raise apsw.FullError("no room for the database to grow") from error

    def _is_covered(self, logged: int, missing: int) -> bool:
        """Whether there is room anyway: for what is logged by a large reserve, for more by much.

        More than that reserve is folded in right after the commit.
        """
        if logged > _LOG_BYTES or _held(self._path.with_name(RESERVE_FILE)) < LARGE_RESERVE_BYTES:
            return False
        return _free(self._path) > _PLENTY + 2 * missing


def fold(connection: apsw.Connection) -> None:
    """Folds the log into the database and cuts it to nothing, if readers let it.

    Raises:
        apsw.IOError: a sync failed. Other failures are no harm: the log is kept.
    """
    connection.set_busy_timeout(_PATIENCE)
    try:
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    except apsw.Error as error:
        if is_failed_sync(error):
            raise
    finally:
        connection.set_busy_timeout(0)


class Reserve:
    """The file that keeps room; used by the one session that writes, under its lock.

    It is a precaution: where it cannot be made, everything else goes on without it.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._file = database.with_name(RESERVE_FILE)
        self._size = min(_held(self._file), LARGE_RESERVE_BYTES)  # whoever made it
        if self._size and not has_room_to_open(database.parent):
            with suppress(OSError):
                os.truncate(self._file, max(0, self._size - _OPENING_BYTES))

    def keep(self) -> None:
        """Takes room, if the collection is worth it and there is some to spare."""
        if self._size >= LARGE_RESERVE_BYTES:
            return
        with suppress(OSError):
            wanted = self._wanted(self._database.stat().st_size, _free(self._database))
            if wanted > self._size:
                self._size = wanted
                self.take_back()

    def _wanted(self, database: int, free: int) -> int:
        if database >= _LARGE_FROM and free > _PLENTY:
            return LARGE_RESERVE_BYTES
        return min(RESERVE_BYTES, free // 4) if database >= _KEPT_FROM or free < _LITTLE else 0

    def shrink(self) -> None:
        """Gives back what an open collection has more than one that is closed."""
        self._size = min(self._size, RESERVE_BYTES)
        with suppress(OSError):
            if _held(self._file) > self._size:
                os.truncate(self._file, self._size)

    @contextmanager
    def given_up(self) -> Iterator[None]:
        """Its room is free inside, for whoever comes first."""
        with suppress(OSError):
            self._file.unlink()
        try:
            yield
        finally:
            self.take_back()

    def take_back(self) -> None:
        """Takes the room it had, or what there is of it."""
        with suppress(OSError):
            held = _held(self._file)
            size = min(self._size, held + _free(self._database))
            if size > held:
                _allocate(self._file, size)


def has_room_to_open(directory: Path) -> bool:
    """Whether the disk has the room that SQLite's files beside the database take."""
    return _free(directory) >= _OPENING_BYTES


def is_full(error: OSError) -> bool:
    """Whether an error says that the disk has no room."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def _held(reserve: Path) -> int:
    try:
        return reserve.stat().st_size
    except OSError:
        return 0


def _free(path: Path) -> int:
    """Bytes that this process may still take on the disk."""
    disk = os.statvfs(path)
    return disk.f_frsize * (disk.f_bfree if os.geteuid() == 0 else disk.f_bavail)


def _allocate(path: Path, size: int) -> None:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(fd, 0, size)
        else:
            os.pwrite(fd, b"\0" * size, 0)
    finally:
        os.close(fd)
