"""The database of a collection: its tables, and how a connection to it is opened.

docs/FORMAT.md specifies every table. SQLite holds the only truth. A document and its vectors share
a key, a number that grows with every stored row and is never used twice, so "rows after key K" are
exactly those an index built up to K does not know. `deletions` and `rewrites` list the keys that
went, or got another text or other metadata, since an index may have been built.
"""

from __future__ import annotations

import errno
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import apsw
import apsw.sqlite_extra

from unitvec.collection.forking import closed_in_child, in_sqlite, require_quiet_fork

FORMAT_VERSION = 2
APPLICATION_ID = 0x75766563  # "uvec" in the file's header

#: Before 3.51.3 a WAL reset could lose committed pages (sqlite.org/wal.html, "the WAL-reset bug").
SQLITE_MINIMUM = (3, 51, 3)

#: One page then holds ten vectors of 384 floats; with SQLite's own 4 KiB they took twice the bytes.
PAGE_SIZE = 16384

#: Of the SQLite file format; no database is shorter than 512 bytes, its smallest page.
HEADER_BYTES = 512

#: At the end of each page, for the checksum that SQLite's checksum VFS writes and verifies there.
RESERVED_BYTES = 8
CHECKSUM_VFS = "cksmvfs"

#: More than any database: all of it may be mapped.
MAPPED_BYTES = 1 << 40

#: Pages that a connection keeps, verified once, as KiB.
CACHE_KIB = 32 * 1024
#: Where they would be read once, or the system keeps them.
LEAST_CACHE_KIB = 1024

#: The log is folded into the database once it has so many pages, after the COMMIT; as in SQLite.
CHECKPOINT_PAGES = 1000

#: What a collection says of itself, by name.
PROPERTIES = {"uuid"}

TABLES = """
CREATE TABLE properties (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
CREATE TABLE documents (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    document TEXT,
    metadata TEXT NOT NULL,
    crc INTEGER NOT NULL
) STRICT;
CREATE TABLE spaces (
    space INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    dim INTEGER NOT NULL,
    metric TEXT NOT NULL,
    model TEXT,
    fingerprint TEXT,
    live INTEGER NOT NULL
) STRICT;
CREATE TABLE deletions (key INTEGER PRIMARY KEY, sequence INTEGER NOT NULL) STRICT;
CREATE TABLE rewrites (key INTEGER PRIMARY KEY, sequence INTEGER NOT NULL) STRICT;
CREATE TABLE generations (
    generation INTEGER PRIMARY KEY,
    space INTEGER NOT NULL,
    file TEXT NOT NULL,
    uuid TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    last_key INTEGER NOT NULL,
    live INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    header TEXT NOT NULL,
    recall REAL NOT NULL,
    error REAL NOT NULL
) STRICT;
CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    sequence INTEGER NOT NULL,
    purged INTEGER NOT NULL,
    next_key INTEGER NOT NULL,
    live INTEGER NOT NULL,
    switches INTEGER NOT NULL
) STRICT;
INSERT INTO state VALUES (1, 0, 0, 1, 0, 0);
"""

#: What `integrity_check` says of a database that is sound but for pages that nothing is in.
_UNUSED = re.compile(r"ok|\*\*\* in database main \*\*\*|Page \d+: never used")

_loading = threading.Lock()

#: The vectors of one space; those of several are apart, so that a search reads only its own.
VECTOR_TABLE = """
CREATE TABLE {table} (key INTEGER PRIMARY KEY, vector BLOB NOT NULL, crc INTEGER NOT NULL) STRICT;
"""


#: What SQLite is told not to do for a schema from elsewhere. Whether it is ours is looked up, too.
HARDENED = (
    (apsw.SQLITE_DBCONFIG_DEFENSIVE, 1),  # neither the schema nor FTS5's tables changed by hand
    (apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0),  # no functions with effects in views and the like
    (apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0),
    (apsw.SQLITE_DBCONFIG_ENABLE_VIEW, 0),
)


def tables_of(script: str) -> dict[str, str]:
    """The statements of a script that make tables, by the table's name, as SQLite keeps them."""
    statements = (statement.strip() for statement in script.split(";"))
    return {s.split()[2]: s for s in statements if s.startswith("CREATE TABLE ")}


def table(name: str) -> str:
    """The statement of `TABLES` that makes one of them."""
    return tables_of(TABLES)[name]


def vector_table(space: int) -> str:
    """Name of the table that holds a space's vectors."""
    return f"vectors_{int(space)}"


def require_sqlite() -> None:
    """Raises RuntimeError if the SQLite that apsw brings is older than `SQLITE_MINIMUM`."""
    version = apsw.sqlite_lib_version()
    if tuple(int(part) for part in version.split(".")) < SQLITE_MINIMUM:
        minimum = ".".join(map(str, SQLITE_MINIMUM))
        raise RuntimeError(
            f"[Collection] expected SQLite {minimum} or later, got {version}: "
            "pip install --upgrade apsw"
        )


@cache
def _checksum_vfs() -> str:
    """The VFS that verifies pages; loading it once serves every connection of the process.

    It makes itself the process's default, which is given back: other users of apsw keep theirs.
    """
    usual = apsw.vfs_names()[0]
    with _loading:
        if CHECKSUM_VFS not in apsw.vfs_names():
            if not apsw.sqlite_extra.has("cksumvfs"):
                raise RuntimeError(
                    "[Collection] expected an apsw with SQLite's checksum VFS, as its wheels have: "
                    "pip install --force-reinstall apsw"
                )
            connection = apsw.Connection(":memory:")
            apsw.sqlite_extra.load(connection, "cksumvfs")
            connection.close()
            apsw.set_default_vfs(usual)
    return CHECKSUM_VFS


def connect_writer(path: Path) -> apsw.Connection:
    """A connection that may write, and creates an empty file where there is none."""
    require_quiet_fork()
    return closed_in_child(apsw.Connection(str(path), vfs=_checksum_vfs()))


def harden(connection: apsw.Connection) -> None:
    """Has SQLite run nothing that a database may hold; to be called before the first statement."""
    for option, value in HARDENED:
        connection.config(option, value)


@contextmanager
def schema_writable(connection: apsw.Connection) -> Iterator[None]:
    """The schema's own table may be changed; inside a writing transaction."""
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 0)
    connection.execute("PRAGMA writable_schema = ON")
    try:
        yield
    finally:
        connection.execute("PRAGMA writable_schema = RESET")
        connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)


def configure_writer(connection: apsw.Connection, durability: str) -> None:
    """Settings of the one connection that writes; it also folds the write-ahead log back in.

    Args:
        connection: to a collection's database, or to an empty file.
        durability: "full" syncs every commit to the disk; "normal" may lose the last commits
            at a power loss (never at a crash of the process), and never tears one.
    """
    connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")  # heeded only before the first write
    connection.reserve_bytes(reserve=RESERVED_BYTES)  # the same
    mode = connection.execute("PRAGMA journal_mode = WAL").get
    if mode != "wal":  # it keeps to itself why not: a failed sync, a file system without
        raise OSError(errno.EIO, f"[Collection] expected a write-ahead log, got mode {mode!r}")
    connection.execute(f"PRAGMA synchronous = {durability}")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
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
    return _connect_to_read(path, immutable, _checksum_vfs(), {"cache_size": -CACHE_KIB})


def connect_mapped(path: Path, immutable: bool = False) -> apsw.Connection:
    """A connection that reads pages where they lie in the mapped file, and does not verify them."""
    vfs = next(name for name in apsw.vfs_names() if name != CHECKSUM_VFS)
    settings = {"mmap_size": MAPPED_BYTES, "cache_size": -LEAST_CACHE_KIB}
    return _connect_to_read(path, immutable, vfs, settings)


def _connect_to_read(
    path: Path, immutable: bool, vfs: str, settings: dict[str, int]
) -> apsw.Connection:
    require_quiet_fork()
    query = "mode=ro&immutable=1" if immutable else "mode=ro"
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    uri = f"{path.absolute().as_uri()}?{query}"
    connection = closed_in_child(apsw.Connection(uri, flags=flags, vfs=vfs))
    connection.set_busy_timeout(5000)  # ms; a reader waits only while a log is being recovered
    try:
        harden(connection)
        for name, value in settings.items():
            connection.execute(f"PRAGMA {name} = {value}")
    except BaseException:
        connection.close()
        raise
    return connection


def require_checksums(path: Path, connection: apsw.Connection) -> None:
    """Raises FormatError if pages would be read without being verified.

    The number of reserved bytes stands in the file's header: a flipped bit there would switch
    verification off. A last page that is cut short is not verified either; on a full disk there may
    be one that is whole in the log.
    """
    reserved = connection.reserve_bytes()
    if reserved != RESERVED_BYTES or not connection.pragma("checksum_verification"):
        raise damaged(path, f"expected pages with {RESERVED_BYTES} reserved bytes, got {reserved}")
    page_size = connection.pragma("page_size")
    whole, rest = divmod(path.stat().st_size, page_size)
    is_needed = whole < connection.pragma("page_count")
    if rest and is_needed and not _is_logged(path, page_size, whole + 1):
        raise damaged(path, f"its page {whole + 1} is cut after {rest} bytes of {page_size}")


def _is_logged(path: Path, page_size: int, page: int) -> bool:
    """Whether the write-ahead log holds a page (sqlite.org/fileformat2.html#walformat)."""
    log = path.with_name(path.name + "-wal")
    if not log.is_file():
        return False
    with log.open("rb") as stream:
        salts = stream.read(32)[16:24]
        while len(header := stream.read(24)) == 24:
            if header[8:16] == salts and int.from_bytes(header[:4], "big") == page:
                return True
            stream.seek(page_size, os.SEEK_CUR)
    return False


def vacuum(connection: apsw.Connection) -> None:
    """Rewrites the database in as few pages as it needs, also where unused ones are damaged.

    SQLite reads each page before it writes over it, and refuses one without the bytes that were
    written, even where nothing is in it, as after a damaged table was taken out of the schema. So
    it does not verify them where all that is in use has just been read and found sound.
    """
    try:
        connection.execute("VACUUM")
    except apsw.IOError as error:
        if not is_damaged_page(error) or not _is_sound_in_use(connection):
            raise
        connection.execute("PRAGMA checksum_verification = OFF")
        try:
            connection.execute("VACUUM")
        finally:
            connection.execute("PRAGMA checksum_verification = ON")


def _is_sound_in_use(connection: apsw.Connection) -> bool:
    connection.release_memory()  # pages are verified as they are read from the file
    try:
        found = connection.execute("PRAGMA integrity_check(1000000000)").fetchall()
    except apsw.Error:
        return False
    lines = "\n".join(str(line) for (line,) in found).splitlines()
    return all(_UNUSED.fullmatch(line) for line in lines)


def is_damaged_page(error: apsw.Error) -> bool:
    """Whether a page does not have the bytes that were written."""
    # An attribute that apsw's stubs leave out.
    return getattr(error, "extendedresult", None) == apsw.SQLITE_IOERR_DATA


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Turns SQLite's errors into this library's: FormatError for damage, OSError for the disk."""
    try:
        with in_sqlite():
            yield
    except (apsw.CorruptError, apsw.NotADBError, UnicodeDecodeError) as error:
        raise damaged(path, str(error)) from error
    except apsw.SQLError as error:
        if "malformed JSON" not in str(error):  # that is some document's metadata, and not a query
            raise
        raise damaged(path, "the metadata of a document is no JSON") from error
    except apsw.IOError as error:
        if is_damaged_page(error):
            raise damaged(path, "a page does not have the bytes that were written") from error
        raise OSError(errno.EIO, f"[Collection] {error}", str(path)) from error
    except apsw.FullError as error:
        raise OSError(errno.ENOSPC, f"[Collection] disk full, nothing stored: {error}") from error
    except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError) as error:
        raise PermissionError(
            errno.EACCES,
            f"[Collection] cannot open or write ({error}); to read, Collection.open(path, "
            "read_only=True)",
            str(path),
        ) from error
    except (apsw.BusyError, apsw.ProtocolError) as error:
        raise OSError(errno.EIO, f"[Collection] {error}", str(path)) from error


def is_failed_sync(error: BaseException | None) -> bool:
    """Whether an error of SQLite's, or the cause of one of ours, is that a sync failed."""
    codes = (apsw.SQLITE_IOERR_FSYNC, apsw.SQLITE_IOERR_DIR_FSYNC)
    if isinstance(error, apsw.IOError):
        return getattr(error, "extendedresult", None) in codes  # an attribute its stubs leave out
    return error is not None and is_failed_sync(error.__cause__)


_WAY_OUT = "; run `unitvec verify` for the whole list"


def damaged(path: Path, what: str) -> ValueError:
    """A `FormatError` for a database that does not hold what was written."""
    from unitvec._core import FormatError  # only now: the core takes 0.3 s to load

    error: ValueError = FormatError(f"[Collection] {path}: {what}{_WAY_OUT}")
    return error


def what_is_damaged(error: Exception) -> str:
    """What `damaged` says, for who is verifying already."""
    return str(error).removesuffix(_WAY_OUT)
