"""Rows, vectors and keys read from a database, each row and vector checked by its own checksum."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import apsw

from unitvec import _core
from unitvec.collection import schema
from unitvec.collection.database import Database
from unitvec.collection.field_indexes import indexed_fields, through_indexes
from unitvec.collection.filters import Condition
from unitvec.collection.row_check import unreadable_text
from unitvec.collection.rows import Row, checksum
from unitvec.collection.vector_rows import (
    DamagedVectorError,
    Space,
    StoredVectors,
    as_carray,
    vectors_between,
    vectors_of,
)

_ROW_COLUMNS = "d.key, d.id, d.document, d.metadata, d.crc"

#: Texts that are read where they lie in the mapped file: of larger ones, the file's pages would be
#: one more copy in memory.
_MAPPED_TEXT = "coalesce(octet_length(d.document), 0) <= 65536"


class RowReader(Database):
    """One connection, through which documents and vectors are read by key, by id or by a filter."""

    def keys_of(self, ids: Sequence[str]) -> dict[str, int]:
        """Id -> key of those ids that exist."""
        return dict(
            self._all(
                "SELECT id, key FROM documents WHERE id IN (SELECT value FROM json_each(?))",
                [json.dumps(list(ids))],
            )
        )

    def keys_where(self, condition: Condition) -> list[int]:
        """Keys of the rows that a filter lets through, in the order of storing."""
        where, bindings = self._where(condition)
        sql = f"SELECT key FROM documents AS d WHERE {where} ORDER BY key"
        return [key for (key,) in self._all(sql, bindings)]

    def _where(self, condition: Condition | None) -> tuple[str, tuple[Any, ...]]:
        """A filter's SQL, through the indexes that there are, and its parameters."""
        if condition is None:
            return "1", ()
        found = through_indexes(condition, indexed_fields(self.connection))
        return found.sql, found.bindings

    def rows(self, keys: Sequence[int]) -> list[Row]:
        """The rows of these keys in this order, each checked; unknown keys are left out.

        Raises:
            FormatError: naming the first row whose checksum is wrong.
        """
        by_key: dict[int, Row] = {}
        connection = self._unverified()
        if connection is not self.connection:
            with suppress(ValueError, TypeError, AttributeError, apsw.Error):
                by_key = self._rows_from(connection, keys, _MAPPED_TEXT)
        if len(by_key) < len(set(keys)):
            # Large texts, rows that there are not, or damage: verified pages say which.
            try:
                by_key = self._rows_from(self.connection, keys)
            except UnicodeDecodeError as error:
                raise self._no_text(keys) from error
        return [by_key[key] for key in keys if key in by_key]

    def _rows_from(
        self, connection: apsw.Connection, keys: Sequence[int], where: str = "true"
    ) -> dict[int, Row]:
        sql = (
            f"SELECT {_ROW_COLUMNS} FROM carray(?) AS wanted "
            f"CROSS JOIN documents AS d ON d.key = wanted.value WHERE {where}"
        )
        rows = connection.execute(sql, (as_carray(keys),)).fetchall()
        if _core.are_sound(rows):
            checked = [Row._make(row[:4]) for row in rows]
        else:
            checked = [self._checked(row) for row in rows]
        return {row.key: row for row in checked}

    def vectors(self, space: Space, keys: Sequence[int]) -> StoredVectors:
        """The vectors of these keys, each checked, ascending by key; unknown keys are left out.

        Raises:
            FormatError: naming the first whose checksum is wrong.
        """
        with self._naming_damage(space):
            connection = self._unverified()
            found = vectors_of(connection, space, keys)
            if connection is not self.connection and len(found) < len(set(keys)):
                # Rows that are missing for good, or pages that are damaged: the other one verifies.
                found = vectors_of(self.connection, space, keys)
            return found

    def vectors_there(self, space: Space, keys: Sequence[int]) -> StoredVectors:
        """The vectors of keys that an index holds, each checked, ascending by key.

        Raises:
            FormatError: naming the first that is damaged or missing.
        """
        found = self.vectors(space, keys)
        if len(found) != len(set(keys)):
            missing = min(set(keys).difference(found.keys))
            raise schema.damaged(self.path, f"the vector of key {missing} is missing")
        return found

    def vectors_between(self, space: Space, after: int, before: int, limit: int) -> StoredVectors:
        """Up to `limit` vectors with after < key < before, each checked, ascending by key."""
        with self._naming_damage(space):
            # By verified pages: nobody would miss rows that damaged ones do not show.
            return vectors_between(self.connection, space, after, before, limit)

    @contextmanager
    def _naming_damage(self, space: Space) -> Iterator[None]:
        try:
            yield
        except DamagedVectorError as error:
            ids = self._all("SELECT id FROM documents WHERE key = ?", [error.key])
            raise schema.damaged(
                self.path,
                f"the vector{space.called} of id {ids[0][0] if ids else '?'!r} (key {error.key}) "
                f"is damaged: {error.what}",
            ) from None

    def page(self, condition: Condition | None, limit: int | None, offset: int) -> list[int]:
        """Keys of one page of the rows, in the order of storing."""
        where, bindings = self._where(condition)
        sql = f"SELECT key FROM documents AS d WHERE {where} ORDER BY key LIMIT ? OFFSET ?"
        page = [-1 if limit is None else limit, offset]
        return [key for (key,) in self._all(sql, [*bindings, *page])]

    def next_keys(self, last: int, condition: Condition | None, count: int) -> list[int]:
        """The next keys after `last`, in the order of storing.

        Raises:
            FormatError: if the database gives them in another, which would never come to an end.
        """
        where, bindings = self._where(condition)
        sql = f"SELECT key FROM documents AS d WHERE key > ? AND {where} ORDER BY key LIMIT ?"
        keys = [key for (key,) in self._all(sql, [last, *bindings, count])]
        if keys != sorted(set(keys)):
            raise schema.damaged(self.path, "rows are out of order")
        return keys

    def keys_after(self, key: int) -> list[int]:
        """Every key after `key`, ascending."""
        return [
            k for (k,) in self._all("SELECT key FROM documents WHERE key > ? ORDER BY key", [key])
        ]

    def read_metadata(
        self, columns: str, bindings: Sequence[Any], where: str, where_bindings: Sequence[Any]
    ) -> list[Any]:
        """What SQL reads out of the metadata of some rows, ascending by key."""
        sql = f"SELECT {columns} FROM documents AS d WHERE {where} ORDER BY d.key"
        return self._all(sql, [*bindings, *where_bindings])

    def _checked(self, columns: tuple[Any, ...]) -> Row:
        row = Row(*columns[:4])
        try:
            if checksum(row) == columns[4]:
                return row
        except AttributeError:  # of a number in place of a text
            pass
        raise schema.damaged(
            self.path, f"the row of id {row.id!r} (key {row.key}) is damaged: wrong checksum"
        )

    def _no_text(self, keys: Sequence[int]) -> ValueError:
        """What to raise where a text of one of these rows is not UTF-8."""
        for key in keys:
            found = unreadable_text(self.connection, key)
            if found is not None:
                return schema.damaged(self.path, f"the row of {found}")
        return schema.damaged(self.path, "a text is no UTF-8")
