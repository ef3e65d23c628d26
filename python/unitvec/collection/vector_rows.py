"""The vectors of a collection in SQLite, space by space; each is checked when it is read."""

from __future__ import annotations

import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import apsw
import numpy as np
from numpy.typing import NDArray

from unitvec import _core
from unitvec.collection.inputs import check_vectors, plain_squares
from unitvec.collection.rows import VECTOR_DTYPE, vector_checksum
from unitvec.collection.schema import VECTOR_TABLE, vector_table

#: Begins the name of a space whose vectors are not complete yet: another model's for the space
#: whose name follows, see `reembedding`.
STAGED = "~migration"

#: Begins the names that callers cannot give: those of spaces that are not complete.
INTERNAL = "~"

#: A row that gets a vector: its key, and the float32 bytes.
KeyedVector = tuple[int, bytes]


@dataclass(frozen=True)
class StoredVectors:
    """Vectors as they were read and checked.

    Attributes:
        keys: of their rows, ascending.
        rows: shape (n, dim); not to be written to.
    """

    keys: list[int]
    rows: NDArray[np.float32]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.keys)


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

    @property
    def called(self) -> str:
        """What stands behind "vector" or "vectors" in messages: its name, quoted, if it has one."""
        return f" {self.name!r}" if self.name else ""


def staged_name(name: str) -> str:
    """What the space is called that is to take the place of another."""
    return f"{STAGED}:{name}" if name else STAGED


def visible(spaces: Mapping[str, Space]) -> dict[str, Space]:
    """All but the internal ones."""
    return {name: space for name, space in spaces.items() if not name.startswith(INTERNAL)}


class DamagedVectorError(Exception):
    """A vector is not what was written, or none that is ever written; never leaves the collection.

    Attributes:
        key: of its row.
        what: is wrong with it.
    """

    def __init__(self, key: int, what: str) -> None:
        super().__init__(f"the vector of key {key} is damaged: {what}")
        self.key = key
        self.what = what


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


def vectors_of(connection: apsw.Connection, space: Space, keys: Sequence[int]) -> StoredVectors:
    """The vectors of keys, each checked, ascending by key; keys without one are left out.

    Raises:
        DamagedVectorError: naming the first that is damaged.
    """
    sql = (
        "SELECT v.key, v.vector, v.crc FROM carray(?) AS wanted "
        f"CROSS JOIN {vector_table(space.space)} AS v ON v.key = wanted.value"
    )
    return _checked(connection.execute(sql, (as_carray(sorted(set(keys))),)).fetchall(), space)


def vectors_between(
    connection: apsw.Connection, space: Space, after: int, before: int, limit: int
) -> StoredVectors:
    """Up to `limit` vectors with after < key < before, each checked, ascending by key."""
    sql = (
        f"SELECT key, vector, crc FROM {vector_table(space.space)} "
        "WHERE key > ? AND key < ? ORDER BY key LIMIT ?"
    )
    return _checked(connection.execute(sql, (after, before, limit)).fetchall(), space)


def all_vectors(connection: apsw.Connection, space: int) -> Iterator[tuple[int, bytes, int]]:
    """(key, vector, crc) of every row, unchecked, ascending by key."""
    rows: Iterator[tuple[int, bytes, int]] = connection.execute(
        f"SELECT key, vector, crc FROM {vector_table(space)} ORDER BY key"
    )
    return rows


def _checked(rows: list[tuple[Any, ...]], space: Space) -> StoredVectors:
    sound = _core.stored_vectors(rows, space.dim, *plain_squares(space.metric))
    if sound is not None:
        return StoredVectors(*sound)
    size = VECTOR_DTYPE.itemsize * space.dim
    for key, vector, crc in rows:
        if type(vector) is not bytes or vector_checksum(key, vector) != crc:
            raise DamagedVectorError(key, "wrong checksum")
        if len(vector) != size:
            raise DamagedVectorError(key, f"expected {size} bytes, got {len(vector)}")
        what = unfit(vector, space)
        if what is not None:
            raise DamagedVectorError(key, what)
    matrix = np.frombuffer(b"".join(row[1] for row in rows), VECTOR_DTYPE)
    found = matrix.reshape(len(rows), space.dim).astype(np.float32, copy=False)
    return StoredVectors([row[0] for row in rows], found)


def unfit(vector: bytes, space: Space) -> str | None:
    """Why a space cannot have this vector, by the rule for those that are stored; None: it can."""
    size = VECTOR_DTYPE.itemsize * space.dim
    if len(vector) != size:
        return f"expected {size} bytes, got {len(vector)}"
    try:
        check_vectors(np.frombuffer(vector, VECTOR_DTYPE), space.dim, space.metric, "vector")
    except ValueError as error:
        return str(error).partition(": ")[2]
    return None


def as_carray(keys: Sequence[int] | NDArray[np.int64]) -> Any:
    """Keys as one SQL parameter, however many there are, for `IN carray(?)`."""
    if isinstance(keys, np.ndarray):
        keys = keys.tolist()
    return apsw.carray(array.array("q", keys or [-1]))  # no table has the key -1; none is an error
