"""Reading what can be read of damaged tables, and knowing which documents the rest held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import apsw

from unitvec.collection.schema import vector_table
from unitvec.collection.vector_rows import Space

#: What SQLite raises of pages that are not as they were written, and of texts.
UNREADABLE = (apsw.Error, UnicodeDecodeError)

KEYS_AT_ONCE = 512

_LEAST_BYTES = 8  # of the file, for each id that the index of ids holds


def called(key: int, name: str | None) -> str:
    """How a document is named of which perhaps nothing but its key is known."""
    return f"key {key}" if name is None else f"id {name!r} (key {key})"


class Salvage:
    """The tables of a collection through a connection that verifies no page.

    Attributes:
        ids: by key, as the index of ids has them, which lies on pages of its own: the documents
            that there were, also where their rows cannot be read.
        knows_all: whether that index could be read to its end.
    """

    def __init__(self, connection: apsw.Connection, path: Path, spaces: Sequence[Space]) -> None:
        self._connection = connection
        self._tables = ["documents", *(vector_table(space.space) for space in spaces)]
        self._room = path.stat().st_size
        self.ids: dict[int, str] = {}
        self.knows_all = self._read_ids()

    def _read_ids(self) -> bool:
        sql = "SELECT key, id FROM documents INDEXED BY sqlite_autoindex_documents_1"
        try:
            for key, name in self._connection.execute(sql):
                if isinstance(key, int) and isinstance(name, str):
                    self.ids[key] = name
                if _LEAST_BYTES * len(self.ids) > self._room:
                    return False  # pages that lead back to themselves
        except UNREADABLE:
            return False
        return True

    def end(self) -> int:
        """A key that no row reaches."""
        ends = [self._number("SELECT next_key FROM state"), 1 + max(self.ids, default=0)]
        ends += [self._number(f"SELECT max(key) + 1 FROM {table}") for table in self._tables]
        return min(max(ends), 1 + self._room)  # a row takes more than a byte

    def _number(self, sql: str) -> int:
        """What SQL gives; 1 where it cannot be read: others will tell."""
        try:
            number = self._connection.execute(sql).get
        except UNREADABLE:
            return 1
        return number if isinstance(number, int) else 1

    def rows(
        self, table: str, columns: str, start: int, end: int
    ) -> Iterator[tuple[int, Sequence[Any] | None]]:
        """Keys from `start` and below `end`, ascending, and what stands beside each.

        None in place of the values for every key at which nothing can be read: of a damaged page
        also for keys that there never were.

        Args:
            table: whose rows they are.
            columns: in SQL; the first is the key.
            start: the first key that is asked for.
            end: the key behind the last.
        """
        for first in range(start, end, KEYS_AT_ONCE):
            yield from self._some(table, columns, first, min(first + KEYS_AT_ONCE, end))

    def _some(
        self, table: str, columns: str, start: int, end: int
    ) -> Iterator[tuple[int, Sequence[Any] | None]]:
        # A single key by itself: a range looks at the row behind it, which may be on a lost page.
        where = "key >= ? AND key < ? ORDER BY key"
        bindings: tuple[int, ...] = (start, end)
        if end - start == 1:
            where, bindings = "key = ?", (start,)
        sql = f"SELECT {columns} FROM {table} WHERE {where}"
        try:
            rows: list[Any] = self._connection.execute(sql, bindings).fetchall()
        except UNREADABLE:
            if end - start == 1:
                yield start, None
                return
            middle = (start + end) // 2
            yield from self._some(table, columns, start, middle)
            yield from self._some(table, columns, middle, end)
            return
        yield from ((row[0], row[1:]) for row in rows if start <= row[0] < end)
