"""Databases of earlier format versions, brought to the present one when they are opened to write.

Each step is one transaction: a crash leaves the old version or the new one.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import apsw

from unitvec.collection import schema
from unitvec.collection.rows import Row, checksum
from unitvec.collection.vector_rows import create_vectors, insert_vectors

_ROWS_AT_ONCE = 1000


class DamagedRowError(Exception):
    """A row of an old database is not what was written; never leaves the collection."""


def migrate(connection: apsw.Connection, version: int) -> None:
    """Brings a database to `schema.FORMAT_VERSION`.

    Args:
        connection: the writing one, outside a transaction.
        version: that it has now.

    Raises:
        DamagedRowError: naming the row; nothing is changed then.
    """
    if version == 1:
        _reserve_bytes(connection)
        with connection:
            _from_1(connection)


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
    connection.execute("ALTER TABLE state ADD COLUMN switches INTEGER NOT NULL DEFAULT 0")
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
                raise DamagedRowError(f"the row of id {row.id!r} (key {row.key})")
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
