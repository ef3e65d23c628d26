"""sqlite-vec: a virtual table in SQLite, whose searches are exact.

Through apsw, since Python's own sqlite3 is often built without extensions; with a write-ahead log,
and SQLite's default of syncing every transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any

import apsw
import numpy as np
import sqlite_vec

from benchmarks.collection_documents import Documents, Filter

FIELDS = ("number", "category", "tag")
INSERT = "INSERT INTO documents (id, vector, number, category, tag, document) VALUES (?,?,?,?,?,?)"


class SqliteVecStore:
    def __init__(self, path: str, dim: int) -> None:
        self._connection = apsw.Connection(path)
        self._connection.enable_load_extension(True)
        self._connection.load_extension(sqlite_vec.loadable_path())
        self._connection.pragma("journal_mode", "wal")
        self._connection.pragma("synchronous", "full")
        self._connection.execute(
            "CREATE VIRTUAL TABLE IF NOT EXISTS documents USING vec0("
            f"id INTEGER PRIMARY KEY, vector float[{dim}] distance_metric=cosine, "
            "number INTEGER, category TEXT, tag TEXT, +document TEXT)"
        )

    def add(self, documents: Documents) -> None:
        with self._connection:
            self._connection.executemany(INSERT, _rows(documents))

    def finish(self) -> None:
        pass  # there is no index

    def search(
        self, vector: np.ndarray, k: int, where: Filter | None
    ) -> list[tuple[str, str, dict[str, Any]]]:
        conditions = "".join(f" AND {field} {operator} ?" for field, operator, _ in where or ())
        rows = self._connection.execute(
            "SELECT id, document, number, category, tag FROM documents "
            f"WHERE vector MATCH ? AND k = ?{conditions} ORDER BY distance",
            (vector.tobytes(), k, *(value for _, _, value in where or ())),
        )
        return [
            (str(id_), text, dict(zip(FIELDS, fields, strict=True))) for id_, text, *fields in rows
        ]

    def upsert(self, documents: Documents) -> None:
        """Rows of such a table cannot be replaced by an insertion."""
        with self._connection:
            self.delete(documents.ids)
            self._connection.executemany(INSERT, _rows(documents))

    def delete(self, ids: Sequence[str]) -> None:
        with self._connection:
            self._connection.executemany(
                "DELETE FROM documents WHERE id = ?", [(int(id_),) for id_ in ids]
            )

    def count(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM documents").get)

    def close(self) -> None:
        self._connection.close()


def _rows(documents: Documents) -> Iterator[tuple[Any, ...]]:
    columns = (documents.ids, documents.vectors, documents.fields, documents.texts)
    for id_, vector, fields, text in zip(*columns, strict=True):
        yield int(id_), vector.tobytes(), *(fields[field] for field in FIELDS), text


def load(path: str, dim: int) -> SqliteVecStore:
    return SqliteVecStore(path, dim)


def versions() -> dict[str, str]:
    return {"sqlite-vec": version("sqlite-vec"), "SQLite": apsw.sqlite_lib_version()}
