"""The rows of a collection in SQLite: written as a whole, checked when read."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from unitvec.collection import schema
from unitvec.collection.filters import Condition
from unitvec.collection.rows import NewRow, Row, checksum
from unitvec.durable import sync_to_disk

_ROW_COLUMNS = "d.key, d.id, d.document, d.metadata, v.vector, d.crc"
_ROW_TABLES = "documents AS d JOIN vectors AS v ON v.key = d.key"


class State(NamedTuple):
    """What a reader compares to learn whether anything changed.

    Attributes:
        sequence: grows by one with every transaction that changes rows.
        purged: deletions up to this sequence number are no longer listed.
        next_key: key of the next row stored.
        live: rows there are.
    """

    sequence: int
    purged: int
    next_key: int
    live: int


class Generation(NamedTuple):
    """The pointer to an index file: which file, whose, of what state, with which bytes."""

    generation: int
    file: str
    uuid: str
    sequence: int
    last_key: int
    live: int
    bytes: int
    sha256: str
    recall: float


class Store:
    """One connection to a collection's database; used by one thread at a time."""

    def __init__(self, path: Path, connection: apsw.Connection) -> None:
        self.path = path
        self.connection = connection

    @classmethod
    def open_writer(cls, path: Path, durability: str) -> Store:
        """The writing connection; creates an empty database file where there is none.

        Raises:
            FormatError: the file is something else; then it is left as it was.
        """
        # SQLite would take a file cut to less than a header for an empty one, and start afresh.
        if path.exists() and 0 < path.stat().st_size < schema.HEADER_BYTES:
            raise schema.damaged(path, "the file is shorter than a database's header")
        with schema.sqlite_errors(path):
            store = cls(path, apsw.Connection(str(path)))
            try:
                if not store.is_empty_file():
                    store.properties()
                schema.configure_writer(store.connection, durability)
            except BaseException:
                store.connection.close()
                raise
            return store

    @classmethod
    def open_reader(cls, path: Path, immutable: bool = False) -> Store:
        """A connection that cannot write."""
        with schema.sqlite_errors(path):
            return cls(path, schema.connect_reader(path, immutable))

    def close(self) -> None:
        """Closes the connection; the last one to close folds the write-ahead log back in."""
        with schema.sqlite_errors(self.path):
            self.connection.close()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Everything read inside is of one moment."""
        with schema.sqlite_errors(self.path):
            self.connection.execute("BEGIN")
            try:
                yield
            finally:
                self.connection.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Everything written inside is stored as a whole at the end, or not at all."""
        with schema.sqlite_errors(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:  # a full disk may have rolled it back already
                    self.connection.execute("ROLLBACK")
                raise

    def _all(self, sql: str, bindings: Sequence[Any] = ()) -> list[Any]:
        return self.connection.execute(sql, tuple(bindings)).fetchall()

    def is_empty_file(self) -> bool:
        """Whether the database holds no table yet (new, or killed while it was created)."""
        with schema.sqlite_errors(self.path):
            return not self._all("SELECT 1 FROM sqlite_schema LIMIT 1")

    def create(self, properties: dict[str, Any]) -> None:
        """Makes the tables and writes the collection's properties, in one transaction."""
        with self.writing():
            self.connection.execute(schema.TABLES)
            self.set_properties({"uuid": uuid.uuid4().hex, **properties})
            self.connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
            self.connection.execute(f"PRAGMA user_version = {schema.FORMAT_VERSION}")

    def set_properties(self, properties: dict[str, Any]) -> None:
        """Stores properties by name, inside a writing transaction."""
        self.connection.executemany(
            "INSERT OR REPLACE INTO properties VALUES (?, ?)", properties.items()
        )

    def properties(self) -> dict[str, Any]:
        """The collection's properties.

        Raises:
            FormatError: if the file is not a collection, or of a version this one cannot read.
        """
        with schema.sqlite_errors(self.path):
            application = self.connection.pragma("application_id")
            version = self.connection.pragma("user_version")
            if application != schema.APPLICATION_ID:
                raise schema.damaged(self.path, "not a unitvec collection")
            if version != schema.FORMAT_VERSION:
                raise schema.damaged(
                    self.path,
                    f"expected format version {schema.FORMAT_VERSION}, got {version}; "
                    "a later unitvec may read it",
                )
            properties = dict(self._all("SELECT name, value FROM properties"))
        if schema.PROPERTIES - properties.keys():
            raise schema.damaged(self.path, "the properties are not complete")
        return properties

    def state(self) -> State:
        """The sequence number and its company."""
        rows = self._all("SELECT sequence, purged, next_key, live FROM state")
        if len(rows) != 1:
            raise schema.damaged(self.path, "the state row is missing")
        return State(*rows[0])

    def _set_state(self, state: State) -> None:
        self.connection.execute(
            "UPDATE state SET sequence = ?, purged = ?, next_key = ?, live = ?", state
        )

    def insert(self, rows: Sequence[NewRow]) -> None:
        """Stores rows whose ids are unknown, under new keys."""
        state = self.state()
        keyed = [
            Row(state.next_key + i, row.id, row.document, row.metadata, row.vector)
            for i, row in enumerate(rows)
        ]
        self.connection.executemany(
            "INSERT INTO documents VALUES (?, ?, ?, ?, ?)",
            ((r.key, r.id, r.document, r.metadata, checksum(r)) for r in keyed),
        )
        self.connection.executemany(
            "INSERT INTO vectors VALUES (?, ?)", ((r.key, r.vector) for r in keyed)
        )
        self._set_state(
            State(
                state.sequence + 1,
                state.purged,
                state.next_key + len(rows),
                state.live + len(rows),
            )
        )

    def rewrite(self, rows: Iterable[Row]) -> None:
        """Replaces document and metadata of rows whose vectors stay as they are."""
        state = self.state()
        self.connection.executemany(
            "UPDATE documents SET document = ?, metadata = ?, crc = ? WHERE key = ?",
            ((r.document, r.metadata, checksum(r), r.key) for r in rows),
        )
        self._set_state(state._replace(sequence=state.sequence + 1))

    def remove(self, keys: Sequence[int]) -> None:
        """Deletes rows and lists their keys, for the indexes that still hold them."""
        state = self.state()
        sequence = state.sequence + 1
        bindings = [(key,) for key in keys]
        self.connection.executemany("DELETE FROM documents WHERE key = ?", bindings)
        self.connection.executemany("DELETE FROM vectors WHERE key = ?", bindings)
        self.connection.executemany(
            f"INSERT OR REPLACE INTO deletions VALUES (?, {sequence})", bindings
        )
        self._set_state(state._replace(sequence=sequence, live=state.live - len(keys)))

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
        sql = f"SELECT key FROM documents AS d WHERE {condition.sql} ORDER BY key"
        return [key for (key,) in self._all(sql, condition.bindings)]

    def rows(self, keys: Sequence[int]) -> list[Row]:
        """The rows of these keys in this order, each checked; unknown keys are left out.

        Raises:
            FormatError: naming the first row whose checksum is wrong.
        """
        found = self._all(
            f"SELECT {_ROW_COLUMNS} FROM {_ROW_TABLES} "
            "WHERE d.key IN (SELECT value FROM json_each(?))",
            [json.dumps(list(keys))],
        )
        by_key = {columns[0]: self._checked(columns) for columns in found}
        return [by_key[key] for key in keys if key in by_key]

    def rows_after(self, key: int) -> Iterator[Row]:
        """Every row stored after a key, each checked, in the order of storing."""
        sql = f"SELECT {_ROW_COLUMNS} FROM {_ROW_TABLES} WHERE d.key > ? ORDER BY d.key"
        return (self._checked(columns) for columns in self.connection.execute(sql, (key,)))

    def page(self, condition: Condition | None, limit: int | None, offset: int) -> list[int]:
        """Keys of one page of the rows, in the order of storing."""
        where, bindings = (condition.sql, condition.bindings) if condition else ("1", ())
        sql = f"SELECT key FROM documents AS d WHERE {where} ORDER BY key LIMIT ? OFFSET ?"
        page = [-1 if limit is None else limit, offset]
        return [key for (key,) in self._all(sql, [*bindings, *page])]

    def next_keys(self, last: int, condition: Condition | None, count: int) -> list[int]:
        """The next keys after `last`, in the order of storing.

        Raises:
            FormatError: if the database gives them in another, which would never come to an end.
        """
        where, bindings = (condition.sql, condition.bindings) if condition else ("1", ())
        sql = f"SELECT key FROM documents AS d WHERE key > ? AND {where} ORDER BY key LIMIT ?"
        keys = [key for (key,) in self._all(sql, [last, *bindings, count])]
        if keys != sorted(set(keys)):
            raise schema.damaged(self.path, "rows are out of order")
        return keys

    def _checked(self, columns: tuple[Any, ...]) -> Row:
        row = Row(*columns[:5])
        if checksum(row) != columns[5]:
            raise schema.damaged(
                self.path, f"the row of id {row.id!r} (key {row.key}) is damaged: wrong checksum"
            )
        return row

    def deleted_since(self, sequence: int) -> list[int]:
        """Keys deleted after a sequence number, which must not be below `State.purged`."""
        return [
            key
            for (key,) in self._all(
                "SELECT key FROM deletions WHERE sequence > ? ORDER BY key", [sequence]
            )
        ]

    def generation(self) -> Generation | None:
        """The pointer to the current index file, if one was written."""
        rows = self._all("SELECT * FROM generations ORDER BY generation DESC LIMIT 1")
        return Generation(*rows[0]) if rows else None

    def set_generation(self, generation: Generation | None) -> None:
        """Points to another index file (or none) and forgets the deletions that it knows of."""
        with self.writing():
            self.connection.execute("DELETE FROM generations")
            if generation is not None:
                self.connection.execute(
                    "INSERT INTO generations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", generation
                )
                self.forget_deletions(generation.sequence)

    def forget_deletions(self, sequence: int) -> None:
        """Drops the list of deletions up to a sequence number; older readers then start afresh."""
        state = self.state()
        self.connection.execute("DELETE FROM deletions WHERE sequence <= ?", (sequence,))
        self._set_state(state._replace(purged=max(state.purged, sequence)))

    def vacuum(self) -> None:
        """Rewrites the database without its free pages and folds the log in."""
        with schema.sqlite_errors(self.path):
            self.connection.execute("VACUUM")
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def copy_to(self, path: Path) -> None:
        """A consistent, compact copy of the database, on the disk when this returns."""
        with schema.sqlite_errors(self.path):
            self.connection.execute("VACUUM INTO ?", (str(path),))
        sync_to_disk(path)
