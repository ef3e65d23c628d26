"""The database of a collection: its tables, and how a connection to it is opened.

SQLite holds the only truth. `documents` and `vectors` share a key, a number that grows with every
stored row and is never used twice, so "rows after key K" are exactly those an index built up to K
does not know. `deletions` lists the keys that went since an index may have been built.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

FORMAT_VERSION = 1
APPLICATION_ID = 0x75766563  # "uvec" in the file's header

#: Before 3.51.3 a WAL reset could lose committed pages (sqlite.org/wal.html, "the WAL-reset bug").
SQLITE_MINIMUM = (3, 51, 3)

#: One page then holds ten vectors of 384 floats; with SQLite's own 4 KiB they took twice the bytes.
PAGE_SIZE = 16384

#: Of the SQLite file format; no database is shorter than 512 bytes, its smallest page.
HEADER_BYTES = 512

#: The log is folded into the database once it has so many pages, after the COMMIT; as in SQLite.
CHECKPOINT_PAGES = 1000

#: What a collection says of itself, by name.
PROPERTIES = {"uuid", "dim", "metric", "fingerprint", "model"}

TABLES = """
CREATE TABLE properties (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
CREATE TABLE documents (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    document TEXT,
    metadata TEXT NOT NULL,
    crc INTEGER NOT NULL
) STRICT;
CREATE TABLE vectors (key INTEGER PRIMARY KEY, vector BLOB NOT NULL) STRICT;
CREATE TABLE deletions (key INTEGER PRIMARY KEY, sequence INTEGER NOT NULL) STRICT;
CREATE TABLE generations (
    generation INTEGER PRIMARY KEY,
    file TEXT NOT NULL,
    uuid TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    last_key INTEGER NOT NULL,
    live INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    recall REAL NOT NULL
) STRICT;
CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    sequence INTEGER NOT NULL,
    purged INTEGER NOT NULL,
    next_key INTEGER NOT NULL,
    live INTEGER NOT NULL
) STRICT;
INSERT INTO state VALUES (1, 0, 0, 1, 0);
"""


def require_sqlite() -> None:
    """Raises RuntimeError if the SQLite that apsw brings is older than `SQLITE_MINIMUM`."""
    version = apsw.sqlite_lib_version()
    if tuple(int(part) for part in version.split(".")) < SQLITE_MINIMUM:
        minimum = ".".join(map(str, SQLITE_MINIMUM))
        raise RuntimeError(
            f"[Collection] expected SQLite {minimum} or later, got {version}: "
            "pip install --upgrade apsw"
        )


def configure_writer(connection: apsw.Connection, durability: str) -> None:
    """Settings of the one connection that writes; it also folds the write-ahead log back in.

    Args:
        connection: to a collection's database, or to an empty file.
        durability: "full" syncs every commit to the disk; "normal" may lose the last commits
            at a power loss (never at a crash of the process), and never tears one.
    """
    connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")  # heeded only before the first write
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {durability}")
    connection.set_wal_hook(_fold_log)


def _fold_log(connection: apsw.Connection, name: str, pages: int) -> int:
    """SQLite's automatic checkpoint, which however keeps to itself that a sync failed.

    With durability "normal" the next checkpoint would then overwrite the database while the log
    that could repair it is not on the disk. Other failures are no harm: the log is kept.
    """
    if pages >= CHECKPOINT_PAGES:
        try:
            connection.wal_checkpoint(name)
        except apsw.Error as error:
            if is_failed_sync(error):
                raise
    return apsw.SQLITE_OK


def connect_reader(path: Path, immutable: bool = False) -> apsw.Connection:
    """A connection that cannot write; `immutable` needs no other file beside the database."""
    query = "mode=ro&immutable=1" if immutable else "mode=ro"
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    connection = apsw.Connection(f"{path.absolute().as_uri()}?{query}", flags=flags)
    connection.set_busy_timeout(5000)  # ms; a reader waits only while a log is being recovered
    return connection


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Turns SQLite's errors into this library's: FormatError for damage, OSError for the disk."""
    try:
        yield
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise damaged(path, str(error)) from error
    except apsw.FullError as error:
        raise OSError(errno.ENOSPC, f"[Collection] disk full, nothing stored: {error}") from error
    except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError) as error:
        raise PermissionError(
            errno.EACCES,
            f"[Collection] cannot open or write ({error}); to read, Collection.open(path, "
            "read_only=True)",
            str(path),
        ) from error
    except (apsw.IOError, apsw.BusyError, apsw.ProtocolError) as error:
        raise OSError(errno.EIO, f"[Collection] {error}", str(path)) from error


def is_failed_sync(error: BaseException | None) -> bool:
    """Whether an error of SQLite's, or the cause of one of ours, is that a sync failed."""
    codes = (apsw.SQLITE_IOERR_FSYNC, apsw.SQLITE_IOERR_DIR_FSYNC)
    if isinstance(error, apsw.IOError):
        return getattr(error, "extendedresult", None) in codes  # an attribute its stubs leave out
    return error is not None and is_failed_sync(error.__cause__)


def damaged(path: Path, what: str) -> ValueError:
    """A `FormatError` for a database that does not hold what was written."""
    from unitvec._core import FormatError  # only now: the core takes 0.3 s to load

    error: ValueError = FormatError(
        f"[Collection] {path}: {what}; run `unitvec verify` for the whole list"
    )
    return error
