"""The vectors of a collection in SQLite, space by space; each is checked when it is read."""

from __future__ import annotations

import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import apsw
import numpy as np
from numpy.typing import NDArray

from unitvec.collection.rows import vector_checksum
from unitvec.collection.schema import VECTOR_TABLE, vector_table

#: Begins the name of a space whose vectors are not complete yet: another model's for the space
#: whose name follows, see `reembedding`.
STAGED = "~migration"

#: Begins the names that callers cannot give: those of spaces that are not complete.
INTERNAL = "~"

#: A row whose vector is wanted: its key, and the float32 bytes.
KeyedVector = tuple[int, bytes]


class Space(NamedTuple):
    """Vectors that can be compared with each other: those of one model, or of one kind.

    Attributes:
        space: its number, which names its table.
        name: "" is the collection's own.
        dim: length of the vectors.
        metric: "cosine", "dot", "euclidean" or "manhattan".
        model: name of the encoder, if it has one.
        fingerprint: of the encoder; None for vectors of unknown origin.
        live: rows that have a vector here.
    """

    space: int
    name: str
    dim: int
    metric: str
    model: str | None
    fingerprint: str | None
    live: int


def staged_name(name: str) -> str:
    """What the space is called that is to take the place of another."""
    return f"{STAGED}:{name}" if name else STAGED


def visible(spaces: Mapping[str, Space]) -> dict[str, Space]:
    """All but the internal ones."""
    return {name: space for name, space in spaces.items() if not name.startswith(INTERNAL)}


class WrongChecksumError(Exception):
    """A vector is not what was written; never leaves the collection."""

    def __init__(self, key: int) -> None:
        super().__init__(f"the vector of key {key} is damaged: wrong checksum")
        self.key = key


def create_vectors(connection: apsw.Connection, space: int) -> None:
    """Makes the table of a space."""
    connection.execute(VECTOR_TABLE.format(table=vector_table(space)))


def insert_vectors(connection: apsw.Connection, space: int, vectors: Iterable[KeyedVector]) -> None:
    """Stores vectors under keys that have none in this space."""
    connection.executemany(
        f"INSERT INTO {vector_table(space)} VALUES (?, ?, ?)",
        ((key, vector, vector_checksum(key, vector)) for key, vector in vectors),
    )


def remove_vectors(connection: apsw.Connection, space: int, keys: Sequence[int]) -> int:
    """Removes vectors; keys without one are no error. Returns how many there were."""
    before = connection.total_changes()
    connection.execute(
        f"DELETE FROM {vector_table(space)} WHERE key IN carray(?)", (as_carray(keys),)
    )
    return connection.total_changes() - before


def vectors_of(connection: apsw.Connection, space: int, keys: Sequence[int]) -> list[KeyedVector]:
    """The vectors of keys, each checked, ascending by key; keys without one are left out.

    Raises:
        WrongChecksumError: naming the first that is damaged.
    """
    sql = f"SELECT key, vector, crc FROM {vector_table(space)} WHERE key IN carray(?) ORDER BY key"
    return [_checked(row) for row in connection.execute(sql, (as_carray(keys),))]


def vectors_between(
    connection: apsw.Connection, space: int, after: int, before: int, limit: int
) -> list[KeyedVector]:
    """Up to `limit` vectors with after < key < before, each checked, ascending by key."""
    sql = (
        f"SELECT key, vector, crc FROM {vector_table(space)} "
        "WHERE key > ? AND key < ? ORDER BY key LIMIT ?"
    )
    return [_checked(row) for row in connection.execute(sql, (after, before, limit))]


def all_vectors(connection: apsw.Connection, space: int) -> Iterator[tuple[int, bytes, int]]:
    """(key, vector, crc) of every row, unchecked, ascending by key."""
    rows: Iterator[tuple[int, bytes, int]] = connection.execute(
        f"SELECT key, vector, crc FROM {vector_table(space)} ORDER BY key"
    )
    return rows


def _checked(row: tuple[Any, ...]) -> KeyedVector:
    key, vector, crc = row
    if type(vector) is not bytes or vector_checksum(key, vector) != crc:
        raise WrongChecksumError(key)
    return key, vector


def as_carray(keys: Sequence[int] | NDArray[np.int64]) -> Any:
    """Keys as one SQL parameter, however many there are, for `IN carray(?)`."""
    if isinstance(keys, np.ndarray):
        keys = keys.tolist()
    return apsw.carray(array.array("q", keys or [-1]))  # no table has the key -1; none is an error
