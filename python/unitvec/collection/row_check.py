"""Is a document's row one that could have been stored? A right checksum alone does not say so."""

from __future__ import annotations

from typing import Any

import apsw

from unitvec.collection.inputs import check_document, check_id, check_metadata
from unitvec.collection.rows import Row, checksum, decode_metadata


def problem_of(row: Row, crc: Any) -> str | None:
    """What is wrong with a row: its bytes, or that nobody could have stored it; None: nothing."""
    try:
        if checksum(row) != crc:
            return "wrong checksum"
        check_id(row.id, 0)
        if row.document is not None:
            check_document(row.document, 0)
        check_metadata(decode_metadata(row.metadata), 0)
    except (AttributeError, TypeError):
        return "its row has values of other kinds"
    except ValueError as error:
        return f"it could not have been stored: {error}"
    return None


def unreadable_text(connection: apsw.Connection, key: int) -> str | None:
    """In words, which row it is whose texts are not all UTF-8; None: they are."""
    sql = (
        "SELECT CAST(id AS BLOB), CAST(document AS BLOB), CAST(metadata AS BLOB) FROM documents "
        "WHERE key = ?"
    )
    texts = [text or b"" for text in connection.execute(sql, (key,)).fetchone() or ()]
    try:
        b"\0".join(texts).decode()
    except UnicodeDecodeError as error:
        identity = texts[0].decode(errors="replace")
        return f"id {identity!r} (key {key}) is damaged: no UTF-8, {error.reason}"
    return None
