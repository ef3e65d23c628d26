"""A connection to a collection's database: transactions, and what one is told of its errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from unitvec.collection import schema
from unitvec.collection.room import Growth, fold

_SEQUENCE = "SELECT sequence FROM state"


class Database:
    """One connection to a collection's database; used by one thread at a time.

    Readers have a second one, through which rows and vectors are read where they lie in the mapped
    file: in half the time. It does not verify pages; each row and each vector has a checksum of its
    own, with its key in it, and one that is missing is looked for by the other connection.
    """

    def __init__(
        self, path: Path, connection: apsw.Connection, mapped: apsw.Connection | None = None
    ) -> None:
        self.path = path
        self.connection = connection
        self._mapped = mapped
        self._source: apsw.Connection | None = None  # for rows of this transaction, once known
        self._growth: Growth | None = None  # of the writing connection
        self._inside = False  # a transaction, unless SQLite knows of none

    def _before_commit(self) -> None:
        """What is written only at a transaction's end; for subclasses."""

    def require_sound(self) -> None:
        """Raises FormatError unless pages are verified as they are read."""
        with schema.sqlite_errors(self.path):
            schema.require_checksums(self.path, self.connection)

    def close(self) -> None:
        """Closes the connection; the last one to close folds the write-ahead log back in."""
        with schema.sqlite_errors(self.path):
            if self._mapped is not None:
                self._mapped.close()
            self.connection.close()

    def free_cache(self) -> None:
        """Gives the memory of cached pages back to the system, which has most of them as well."""
        with schema.sqlite_errors(self.path):
            self.connection.execute("PRAGMA shrink_memory")

    def read_once(self) -> None:
        """Keeps next to nothing of what is read, for one pass over everything."""
        with schema.sqlite_errors(self.path):
            self.connection.execute(f"PRAGMA cache_size = -{schema.LEAST_CACHE_KIB}")
            if self._mapped is not None:
                self._mapped.close()
                self._mapped = None

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Everything read inside is of one moment, that of the outermost."""
        if self._is_inside():  # such as a function of the caller's that searches in turn
            yield
            return
        with schema.sqlite_errors(self.path):
            try:
                self._begin("BEGIN")
                yield
            finally:
                self._inside = False
                self._end()

    def _is_inside(self) -> bool:
        # Neither alone: a Ctrl-C may have come between the end of a transaction and its undoing.
        return self._inside and self.connection.in_transaction

    def _begin(self, sql: str) -> None:
        self._end()
        self.connection.execute(sql)
        self._inside = True

    def _end(self) -> None:
        self._source = None
        for connection in (self.connection, self._mapped):
            # An error of the disk has ended it already.
            if connection is not None and connection.in_transaction:
                connection.execute("ROLLBACK")

    def begin_again(self) -> None:
        """Moves the reading transaction to the present."""
        self._begin("BEGIN")

    def _unverified(self) -> apsw.Connection:
        """The mapped connection, if it sees the same moment as the other."""
        if self._mapped is None or not self.connection.in_transaction:
            return self.connection
        if self._source is None:
            if not self._mapped.in_transaction:
                self._mapped.execute("BEGIN")
            there = self._mapped.execute(_SEQUENCE).get
            self._source = self._mapped if self._sequence() == there else self.connection
        return self._source

    def _sequence(self) -> Any:
        """The number of the last change that this transaction sees."""
        return self.connection.execute(_SEQUENCE).get

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Everything written inside is stored as a whole at the end, or not at all.

        Raises:
            RuntimeError: inside another transaction, which would be torn.
        """
        if self._is_inside():
            raise RuntimeError(
                "[Collection] expected no change from inside another one: a function that it calls "
                "(an encoder, an iterable of documents) changes the same collection"
            )
        with schema.sqlite_errors(self.path):
            try:
                self._begin("BEGIN IMMEDIATE")
                yield
                self._before_commit()
                if self._growth is not None:
                    self._growth.secure()
                self.connection.execute("COMMIT")
            except BaseException:
                self._end()
                raise
            finally:
                self._inside = False

    def _all(self, sql: str, bindings: Sequence[Any] = ()) -> list[Any]:
        return self.connection.execute(sql, tuple(bindings)).fetchall()

    @contextmanager
    def writing_durably(self) -> Iterator[None]:
        """As `writing`, and on the disk at the end whatever the durability."""
        with schema.sqlite_errors(self.path):
            usual = self.connection.pragma("synchronous")
            self.connection.execute("PRAGMA synchronous = FULL")
        try:
            with self.writing():
                yield
        finally:
            with schema.sqlite_errors(self.path):
                self.connection.execute(f"PRAGMA synchronous = {usual}")

    def fold(self) -> None:
        """Folds the log into the database, which needs no room on the disk, and cuts it."""
        with schema.sqlite_errors(self.path):
            fold(self.connection)

    def is_empty_file(self) -> bool:
        """Whether the database holds no table yet (new, or killed while it was created)."""
        with schema.sqlite_errors(self.path):
            return not self._all("SELECT 1 FROM sqlite_schema LIMIT 1")

    def vacuum(self) -> None:
        """Rewrites the database without its free pages and folds the log in."""
        with schema.sqlite_errors(self.path):
            schema.vacuum(self.connection)
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def copy_to(self, path: Path) -> None:
        """A consistent, compact copy of the database; to sync it is the caller's."""
        with schema.sqlite_errors(self.path):
            self.connection.execute("VACUUM INTO ?", (str(path),))
