"""A collection in SQLite: what it is, its rows, how they changed, and where they are indexed."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import numpy as np
from numpy.typing import NDArray

from unitvec.collection import document_filters, large_texts, schema
from unitvec.collection.large_texts import insert_documents
from unitvec.collection.lexical import LexicalTable
from unitvec.collection.migrations import DamagedRowError, migrate
from unitvec.collection.number_check import require_own_numbers
from unitvec.collection.room import Growth
from unitvec.collection.row_reader import RowReader
from unitvec.collection.rows import NewRow, Row, checksum, decode_metadata
from unitvec.collection.schema_check import require_own_schema
from unitvec.collection.vector_rows import (
    Space,
    as_carray,
    create_vectors,
    insert_vectors,
    remove_vectors,
)


class State(NamedTuple):
    """What a reader compares to learn whether anything changed.

    Attributes:
        sequence: grows by one with every transaction that changes rows.
        purged: deletions and rewrites up to this sequence number are no longer listed.
        next_key: key of the next row stored.
        live: rows there are.
        switches: how often another model's vectors became the collection's own.
    """

    sequence: int
    purged: int
    next_key: int
    live: int
    switches: int


class Generation(NamedTuple):
    """The pointer to an index file: which file, whose, of what state, with which bytes.

    Attributes:
        generation: its number; it grows with every file.
        space: whose vectors it holds.
        file: its name in the collection's directory.
        uuid: of the collection.
        sequence: of the state that was read; later changes are not in it.
        last_key: rows up to this key are in it, later ones are not.
        live: vectors in it.
        bytes: the file's size.
        header: its header as hex, which holds hashes of itself and of everything after it.
        recall: share of the true 10 nearest that its graph found on a sample.
        error: the largest distance between a vector and its code in the file.
    """

    generation: int
    space: int
    file: str
    uuid: str
    sequence: int
    last_key: int
    live: int
    bytes: int
    header: str
    recall: float
    error: float


class Store(RowReader):
    """The rows, vectors and properties behind one connection; used by one thread at a time."""

    def __init__(
        self, path: Path, connection: apsw.Connection, mapped: apsw.Connection | None = None
    ) -> None:
        super().__init__(path, connection, mapped)
        self._more_vectors: Counter[int] = Counter()  # by space, in this transaction
        self._known: State | None = None  # of this transaction
        self.lexical = LexicalTable(connection)
        document_filters.register(connection)
        large_texts.register(connection)

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
            store = cls(path, schema.connect_writer(path))
            try:
                schema.harden(store.connection)
                is_empty = store.is_empty_file()
                if not is_empty:
                    store.require_own_schema()
                    store.migrate()
                    store.require_own_numbers()
                schema.configure_writer(store.connection, durability)
                store._growth = Growth(path, store.connection)
                if not is_empty:
                    schema.require_checksums(path, store.connection)
            except BaseException:
                store.connection.close()
                raise
            return store

    @classmethod
    def open_reader(cls, path: Path, immutable: bool = False) -> Store:
        """A connection that cannot write."""
        with schema.sqlite_errors(path):
            connection = schema.connect_reader(path, immutable)
            try:
                return cls(path, connection, schema.connect_mapped(path, immutable))
            except BaseException:
                connection.close()
                raise

    def create(self, spaces: Sequence[Space]) -> None:
        """Makes the tables and writes what the collection is, in one transaction."""
        with self.writing():
            self.connection.execute(schema.TABLES)
            self.set_properties({"uuid": uuid.uuid4().hex})
            for space in spaces:
                self.add_space(space)
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
            properties = dict(self._all("SELECT name, value FROM properties"))
        if schema.PROPERTIES - properties.keys():
            raise schema.damaged(self.path, "the properties are not complete")
        return properties

    def require_own_schema(self, oldest: int = 1) -> None:
        """To be called before anything else is read.

        Args:
            oldest: format version that will do.

        Raises:
            FormatError: the file is not a collection, or of a version this one cannot read, or it
                holds tables, views, triggers or indexes that are not those of a collection.
        """
        with schema.sqlite_errors(self.path):
            if self.connection.pragma("application_id") != schema.APPLICATION_ID:
                raise schema.damaged(self.path, "not a unitvec collection")
            version = self.connection.pragma("user_version")
            if not oldest <= version <= schema.FORMAT_VERSION:
                way_out = (
                    "a later unitvec may read it"
                    if version > schema.FORMAT_VERSION
                    else "opened once to write, it is brought to that"
                )
                raise schema.damaged(
                    self.path,
                    f"expected format version {schema.FORMAT_VERSION}, got {version}; {way_out}",
                )
            require_own_schema(self.path, self.connection, version)

    def require_own_numbers(self) -> None:
        """Raises FormatError where the collection says of itself what no collection can."""
        with self.reading():
            require_own_numbers(self)

    def migrate(self) -> None:
        """Brings a collection of an earlier format version to the present one.

        Raises:
            FormatError: a row is damaged, or a number absurd; then nothing is changed.
        """
        version = self.connection.pragma("user_version")
        try:
            migrate(self.connection, version, lambda: require_own_numbers(self))
        except (DamagedRowError, apsw.ConstraintError) as error:
            raise schema.damaged(self.path, f"{error}; format version {version} stays") from None

    def last_number(self, name: str) -> int:
        """The largest number that was given: "last_generation", "last_space"; 0: none yet."""
        rows = self._all("SELECT value FROM properties WHERE name = ?", [name])
        return int(rows[0][0]) if rows else 0

    def spaces(self) -> list[Space]:
        """The kinds of vectors there are, by number; the collection's own has the name ""."""
        with schema.sqlite_errors(self.path):
            self._count_vectors()
            return [Space(*row) for row in self._all("SELECT * FROM spaces ORDER BY space")]

    def add_space(self, space: Space) -> None:
        """Makes room for another kind of vectors, inside a writing transaction."""
        create_vectors(self.connection, space.space)
        self.connection.execute("INSERT INTO spaces VALUES (?, ?, ?, ?, ?, ?, ?)", space)

    def drop_space(self, space: Space) -> None:
        """Removes a kind of vectors, inside a writing transaction."""
        self.connection.execute("DELETE FROM generations WHERE space = ?", (space.space,))
        self.connection.execute("DELETE FROM spaces WHERE space = ?", (space.space,))
        self.connection.execute(f"DROP TABLE {schema.vector_table(space.space)}")

    def changed_spaces(self) -> None:
        """Tells readers that the collection's own vectors are others, and indexes that all are."""
        state = self.state()
        sequence = state.sequence + 1
        self._set_state(
            state._replace(sequence=sequence, purged=sequence, switches=state.switches + 1)
        )

    def count_vectors_after(self, space: Space, key: int, most: int = -1) -> int:
        """How many rows after a key have a vector in a space; counted up to `most`, unless -1."""
        rows = f"SELECT 1 FROM {schema.vector_table(space.space)} WHERE key > ? LIMIT ?"
        return int(self._all(f"SELECT count(*) FROM ({rows})", [key, most])[0][0])

    def has_space(self, space: Space) -> bool:
        """Whether there still are such vectors, under whatever name."""
        return any(each.space == space.space for each in self.spaces())

    def live(self, space: Space) -> int:
        """How many vectors the database says there are in a space; 0: it has no such space."""
        return next((each.live for each in self.spaces() if each.space == space.space), 0)

    def most_vectors(self, space: Space) -> int:
        """How many the file has room for, whatever it says."""
        size = self.connection.pragma("page_count") * self.connection.pragma("page_size")
        return int(size) // (4 * space.dim)

    def add_vectors(self, space: Space, vectors: Mapping[int, bytes]) -> None:
        """Gives rows that exist a vector in a space where they have none."""
        insert_vectors(self.connection, space.space, vectors.items())
        self._more_vectors[space.space] += len(vectors)

    def existing(self, keys: Sequence[int]) -> list[int]:
        """Those of these keys that there are."""
        sql = "SELECT key FROM documents WHERE key IN carray(?)"
        return [key for (key,) in self._all(sql, [as_carray(keys)])]

    def state(self) -> State:
        """The sequence number and its company."""
        if self._known is not None:
            return self._known
        rows = self._all("SELECT sequence, purged, next_key, live, switches FROM state")
        if len(rows) != 1:
            raise schema.damaged(self.path, "the state row is missing")
        state = State(*rows[0])
        if self._mapped is not None and self._inside:
            self._known = state  # readers change nothing
        return state

    def _sequence(self) -> int:
        return self.state().sequence

    def _set_state(self, state: State) -> None:
        self.connection.execute(
            "UPDATE state SET sequence = ?, purged = ?, next_key = ?, live = ?, switches = ?", state
        )

    def insert(self, rows: Sequence[NewRow]) -> None:
        """Stores rows whose ids are unknown, under new keys."""
        state = self.state()
        keyed = [
            Row(key, row.id, row.document, row.metadata)
            for key, row in enumerate(rows, state.next_key)
        ]
        insert_documents(self.connection, keyed)
        for space in {space for row in rows for space in row.vectors}:
            vectors = [
                (key, row.vectors[space])
                for key, row in enumerate(rows, state.next_key)
                if space in row.vectors
            ]
            insert_vectors(self.connection, space, vectors)
            self._more_vectors[space] += len(vectors)
        self.lexical.insert((r.key, r.document) for r in keyed)
        self._set_state(
            state._replace(
                sequence=state.sequence + 1,
                next_key=state.next_key + len(rows),
                live=state.live + len(rows),
            )
        )

    def _end(self) -> None:
        self._known = None
        self._more_vectors.clear()
        super()._end()

    def _before_commit(self) -> None:
        self._count_vectors()

    def _count_vectors(self) -> None:
        """Writes how many vectors came and went; where one replaced another, nothing is written."""
        sql = "UPDATE spaces SET live = live + ? WHERE space = ?"
        changes = [(more, space) for space, more in self._more_vectors.items() if more]
        self._more_vectors.clear()
        self.connection.executemany(sql, changes)

    def rewrite(self, rows: Iterable[Row]) -> None:
        """Replaces the metadata of rows whose vectors and texts stay as they are."""
        state = self.state()
        sequence = state.sequence + 1
        rows = list(rows)
        self.connection.executemany(
            "UPDATE documents SET metadata = ?, crc = ? WHERE key = ?",
            ((r.metadata, checksum(r), r.key) for r in rows),
        )
        self._list("rewrites", [row.key for row in rows], sequence)
        self._set_state(state._replace(sequence=sequence))

    def remove(self, keys: Sequence[int]) -> None:
        """Deletes rows and lists their keys, for the indexes that still hold them."""
        state = self.state()
        sequence = state.sequence + 1
        self.connection.execute("DELETE FROM documents WHERE key IN carray(?)", (as_carray(keys),))
        for space in self.spaces():
            removed = remove_vectors(self.connection, space.space, keys)
            self._more_vectors[space.space] -= removed
        self.lexical.remove(keys)
        self._list("deletions", keys, sequence)
        self._set_state(state._replace(sequence=sequence, live=state.live - len(keys)))

    def _list(self, table: str, keys: Sequence[int], sequence: int) -> None:
        self.connection.execute(
            f"INSERT OR REPLACE INTO {table} SELECT value, ? FROM carray(?)",
            (sequence, as_carray(keys)),
        )

    def deleted_since(self, sequence: int) -> list[int]:
        """Keys deleted after a sequence number, which must not be below `State.purged`."""
        return self._listed_since("deletions", sequence)

    def rewritten_since(self, sequence: int) -> list[int]:
        """Keys whose text or metadata changed after a sequence number; the same holds for it."""
        return self._listed_since("rewrites", sequence)

    def _listed_since(self, table: str, sequence: int) -> list[int]:
        sql = f"SELECT key FROM {table} WHERE sequence > ? ORDER BY key"
        return [key for (key,) in self._all(sql, [sequence])]

    def generation(self, space: Space) -> Generation | None:
        """The pointer to a space's current index file, if one was written."""
        sql = "SELECT * FROM generations WHERE space = ? ORDER BY generation DESC LIMIT 1"
        with schema.sqlite_errors(self.path):
            rows = self._all(sql, [space.space])
        return Generation(*rows[0]) if rows else None

    def generations(self) -> list[Generation]:
        """The pointers of every space."""
        with schema.sqlite_errors(self.path):
            return [Generation(*row) for row in self._all("SELECT * FROM generations")]

    def set_generation(self, space: Space, generation: Generation | None) -> None:
        """Points to another index file (or none), inside a writing transaction.

        What every index file knows of is forgotten: lists of deleted keys stay short. A space
        without a file needs no list: what is read of it begins at its rows. But one may be built
        meanwhile, unless it is just this one that was.
        """
        self.connection.execute(  # and none to those of vectors that there are not
            "DELETE FROM generations WHERE space = ? OR space NOT IN (SELECT space FROM spaces)",
            (space.space,),
        )
        if generation is not None:
            self.connection.execute(
                f"INSERT INTO generations VALUES ({', '.join('?' * len(generation))})", generation
            )
            self.set_properties({"last_generation": generation.generation})
            self.forget_changes(min(pointer.sequence for pointer in self.generations()))

    def forget_changes(self, sequence: int) -> None:
        """Drops the lists of changes up to a sequence number; older readers then start afresh."""
        state = self.state()
        for table in ("deletions", "rewrites"):
            self.connection.execute(f"DELETE FROM {table} WHERE sequence <= ?", (sequence,))
        self._set_state(state._replace(purged=max(state.purged, sequence)))


def metadata_of(path: Path, row: Row) -> dict[str, Any]:
    """The dictionary that a row's JSON says.

    Raises:
        FormatError: naming the row, where it is none that is ever stored.
    """
    try:
        return decode_metadata(row.metadata)
    except ValueError as error:
        raise schema.damaged(
            path, f"the metadata of id {row.id!r} (key {row.key}) is damaged: {error}"
        ) from None


def read_vectors(store: Store, space: Space, keys: Sequence[int]) -> dict[int, NDArray[np.float32]]:
    """Key -> vector, shape (dim,), of those keys that have one in a space."""
    found = store.vectors(space, keys)
    return dict(zip(found.keys, found.rows.copy(), strict=True))
