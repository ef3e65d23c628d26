"""Databases of earlier format versions, brought to the present one when they are opened to write.

Each step is one transaction: a crash leaves the old version or the new one.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import apsw

from unitvec.collection import schema
from unitvec.collection.rows import Row, checksum
from unitvec.collection.vector_rows import create_vectors, insert_vectors

_ROWS_AT_ONCE = 1000

#: The column that version 1 did not have, as it is added to a table with rows.
_SWITCHES = "switches INTEGER NOT NULL DEFAULT 0"

_TABLES_OF_1 = """
CREATE TABLE vectors (key INTEGER PRIMARY KEY, vector BLOB NOT NULL) STRICT;
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
"""


class DamagedRowError(Exception):
    """A row of an old database is not what was written; never leaves the collection."""


def own_tables(version: int) -> dict[str, set[str]]:
    """The statements that the schema may have for each table of a version, by the table's name."""
    of_1, now = schema.tables_of(_TABLES_OF_1), schema.tables_of(schema.TABLES)
    if version == 1:
        same = {name: now[name] for name in ("properties", "documents", "deletions")}
        return {name: {sql} for name, sql in (of_1 | same).items()}
    own = {name: {sql} for name, sql in now.items()}
    own["state"].add(of_1["state"].replace(") STRICT", f", {_SWITCHES}) STRICT"))
    return own


def migrate(connection: apsw.Connection, version: int, check: Callable[[], None]) -> None:
    """Brings a database to `schema.FORMAT_VERSION`.

    Args:
        connection: the writing one, outside a transaction.
        version: that it has now.
        check: raises unless what the database says of itself, once it is migrated, can be so.

    Raises:
        DamagedRowError: naming the row; nothing is changed then.
    """
    if version == 1:
        _reserve_bytes(connection)
        with connection:
            _from_1(connection)
            check()


def _reserve_bytes(connection: apsw.Connection) -> None:
    """Makes room for a checksum at the end of each page, by writing every page anew."""
    if connection.reserve_bytes() == schema.RESERVED_BYTES:
        return
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.reserve_bytes(reserve=schema.RESERVED_BYTES)
    connection.execute("VACUUM")


def _from_1(connection: apsw.Connection) -> None:
    """Version 1 had the properties of its only space among its own, and one checksum a row."""
    dim, metric, model, fingerprint = (
        connection.execute("SELECT value FROM properties WHERE name = ?", (name,)).get
        for name in ("dim", "metric", "model", "fingerprint")
    )
    connection.execute("ALTER TABLE vectors RENAME TO vectors_of_1")
    connection.execute(f"ALTER TABLE state ADD COLUMN {_SWITCHES}")
    connection.execute("DROP TABLE generations")  # index files are built anew
    for name in ("spaces", "rewrites", "generations"):
        connection.execute(schema.table(name))
    create_vectors(connection, 0)
    for rows in _rows_of_1(connection):
        connection.executemany(
            "UPDATE documents SET crc = ? WHERE key = ?",
            ((checksum(row), row.key) for row, _ in rows),
        )
        insert_vectors(connection, 0, ((row.key, vector) for row, vector in rows))
    live = connection.execute("SELECT count(*) FROM vectors_0").get
    connection.execute(
        "INSERT INTO spaces VALUES (0, '', ?, ?, ?, ?, ?)", (dim, metric, model, fingerprint, live)
    )
    connection.execute("DROP TABLE vectors_of_1")
    connection.execute(
        "DELETE FROM properties WHERE name IN ('dim', 'metric', 'model', 'fingerprint')"
    )
    connection.execute("PRAGMA user_version = 2")


def _rows_of_1(connection: apsw.Connection) -> Iterator[list[tuple[Row, bytes]]]:
    after = 0
    while True:
        found: list[Any] = connection.execute(
            "SELECT d.key, d.id, d.document, d.metadata, v.vector, d.crc FROM documents AS d "
            "JOIN vectors_of_1 AS v ON v.key = d.key WHERE d.key > ? ORDER BY d.key LIMIT ?",
            (after, _ROWS_AT_ONCE),
        ).fetchall()
        if not found:
            return
        rows = []
        for key, identity, document, metadata, vector, crc in found:
            row = Row(key, identity, document, metadata)
            if _checksum_of_1(row, vector) != crc:
                raise DamagedRowError(
                    f"the row of id {row.id!r} (key {row.key}) is damaged: wrong checksum"
                )
            rows.append((row, vector))
        yield rows
        after = rows[-1][0].key


def _checksum_of_1(row: Row, vector: bytes) -> int:
    """CRC-32 over key, id, document, metadata and vector."""
    id_bytes, metadata = row.id.encode(), row.metadata.encode()
    document = b"" if row.document is None else row.document.encode()
    length = -1 if row.document is None else len(document)
    lengths = struct.pack("<4q", row.key, len(id_bytes), length, len(metadata))
    return zlib.crc32(vector, zlib.crc32(b"".join((lengths, id_bytes, document, metadata))))
