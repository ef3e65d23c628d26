"""Documents on their way into SQLite.

A text that is bound as a parameter keeps its UTF-8 beside itself for as long as it lives: once more
the bytes of a text that is not ASCII. A large one is handed over as an object instead, which a
function turns into bytes within the statement: they are gone before SQLite makes a row of its copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apsw

from unitvec.collection.rows import Row, checksum

_LARGE = 1 << 20  # characters


def register(connection: apsw.Connection) -> None:
    """Lets a connection insert documents."""
    connection.create_scalar_function("utf8_of", _utf8_of, 1)


def _utf8_of(*texts: Any) -> bytes:
    (text,) = texts
    return str(text).encode()


def insert_documents(connection: apsw.Connection, rows: Sequence[Row]) -> None:
    """Stores rows with their checksums, inside a writing transaction."""
    large = {row.key for row in rows if _is_large(row.document)}
    connection.executemany(
        "INSERT INTO documents VALUES (?, ?, ?, ?, ?)",
        ((*row, checksum(row)) for row in rows if row.key not in large),
    )
    connection.executemany(
        "INSERT INTO documents VALUES (?, ?, CAST(utf8_of(?) AS TEXT), ?, ?)",
        (
            (row.key, row.id, apsw.pyobject(row.document), row.metadata, checksum(row))
            for row in rows
            if row.key in large
        ),
    )


def _is_large(document: str | None) -> bool:
    return document is not None and len(document) >= _LARGE and not document.isascii()
