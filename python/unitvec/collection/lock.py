"""One writer: a `flock` on a file of its own, with the holder's process id inside.

A second line holds the number of the last change that was acknowledged. SQLite ends its log at the
first damaged frame, and takes what was before for everything there ever was: by this number it is
seen that something is missing.

The database file itself is never opened by hand: closing any descriptor of it would drop the
POSIX locks that SQLite holds on it in this process.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
import weakref
import zlib
from pathlib import Path

from unitvec.errors import StoreLockedError

LOCK_FILE = "LOCK"

_MARK_AT = 32  # the process id has the bytes before
_MARK = re.compile(rb"([0-9]{20}) ([0-9a-f]{8})\n")
_NO_MARK = b"\0" * 30

#: Seconds a refused opener waits for the holder to have written its process id.
_PATIENCE = 0.05

_live: weakref.WeakSet[ProcessLock] = weakref.WeakSet()


class LockFileWarning(UserWarning):
    """The number of a change could not be noted; the change is stored."""


class ProcessLock:
    """Holds a collection for writing (or, shared, keeps writers away) until `release`.

    The system drops the lock when the process ends, however it ends.

    Raises:
        StoreLockedError: at once, if another open file holds the lock, in this process or another.
        OSError: if the file cannot be opened.
    """

    def __init__(self, directory: Path, shared: bool = False) -> None:
        self._fd: int | None = None
        self._holder = 0 if shared else os.getpid()
        flags = os.O_RDONLY if shared else os.O_RDWR | os.O_CREAT
        fd = _open(directory / LOCK_FILE, flags | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = _holder_of(fd)
            os.close(fd)
            raise StoreLockedError(directory, pid) from None
        except BaseException:
            os.close(fd)
            raise
        self._fd = fd
        _live.add(self)
        if not shared:
            os.pwrite(fd, f"{self._holder}\n".encode().ljust(_MARK_AT, b"\0"), 0)

    def mark(self, sequence: int) -> None:
        """Notes that changes up to this number are on the disk; takes a microsecond."""
        if self._fd is not None:
            digits = f"{sequence:020d}".encode()
            os.pwrite(self._fd, digits + f" {zlib.crc32(digits):08x}\n".encode(), _MARK_AT)

    def unmark(self) -> None:
        """Notes nothing: for changes that power loss may take."""
        if self._fd is not None:
            os.pwrite(self._fd, _NO_MARK, _MARK_AT)

    def release(self) -> None:
        """Gives the lock back; a second call does nothing."""
        fd, self._fd = self._fd, None
        if fd is None:
            return
        try:
            if self._holder == os.getpid():
                os.pwrite(fd, b"\0" * _MARK_AT, 0)  # or it is taken for the next holder's
        finally:
            os.close(fd)  # gone also where it raises: to close it again could close another's

    __del__ = release  # a collection that is forgotten without close() keeps nobody out


def _open(path: Path, flags: int) -> int:
    try:
        return os.open(path, flags, 0o666)
    except OSError as error:
        raise OSError(  # of the same kind: the number decides the class
            error.errno,
            f"[Collection] cannot lock for writing ({error.strerror}); to read, "
            "Collection.open(path, read_only=True)",
            str(path),
        ) from error


def _holder_of(fd: int) -> int | None:
    """The process that holds the lock; None if it does not say so in time.

    Between locking the file and writing to it, the holder's number is not there yet, or is still
    that of a holder before it that was killed.
    """
    end = time.monotonic() + _PATIENCE
    while True:
        pid = _read_pid(fd)
        if (pid is not None and _is_alive(pid)) or time.monotonic() > end:
            return pid
        time.sleep(0.001)


def _read_pid(fd: int) -> int | None:
    text = os.pread(fd, _MARK_AT, 0).rstrip(b"\0").strip()
    return int(text) if text.isdigit() else None


def read_mark(directory: Path) -> int:
    """The number of the last change that was acknowledged; 0 where none can be read."""
    try:
        content = (directory / LOCK_FILE).read_bytes()
    except OSError:
        return 0
    found = _MARK.match(content, _MARK_AT)
    if found is None or int(found[2], 16) != zlib.crc32(found[1]):
        return 0  # never written, or damaged itself: then it says nothing
    return int(found[1])


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)  # signal 0 only asks
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's
        return True
    return True


def _forget_in_child() -> None:
    """A forked child must not keep its parent's lock alive: closing a copy does not unlock."""
    for lock in list(_live):
        lock.release()


os.register_at_fork(after_in_child=_forget_in_child)
