"""Lists, columns and endless streams of documents, cut into batches of bounded size."""

from __future__ import annotations

import itertools
import numbers
from collections.abc import Iterable, Iterator, Mapping, Sized
from typing import Any, NamedTuple

import numpy as np

from unitvec.collection.inputs import refuse_mask

#: Documents per batch: enough that the encoder sorts texts of like length together.
BATCH_DOCUMENTS = 512
#: Characters per batch, so that a stream of whole books stays in bounded memory too.
BATCH_CHARACTERS = 16 * 2**20

_MISSING = object()


class Batch(NamedTuple):
    """Parallel columns of one batch; a column is None when the caller gave none."""

    start: int
    size: int
    documents: list[Any] | None
    ids: list[Any] | None
    metadatas: list[Any] | None
    embeddings: list[Any] | None


class Columns:
    """The columns that the caller gave, single items wrapped, not yet read.

    Attributes:
        is_stream: whether some column has no length, and therefore can be read only once.
        size: number of rows, or None for a stream.

    Raises:
        ValueError: if nothing was given, or lengths differ (for streams: when that is reached).
        TypeError: if a column is not iterable.
    """

    def __init__(self, documents: Any, ids: Any, metadatas: Any, embeddings: Any) -> None:
        columns = {
            "documents": [documents] if isinstance(documents, (str, bytes)) else documents,
            "ids": [ids] if isinstance(ids, (str, bytes)) else ids,
            "metadatas": [metadatas] if isinstance(metadatas, Mapping) else metadatas,
            "embeddings": _wrap_vector(embeddings),
        }
        self.given = {name: column for name, column in columns.items() if column is not None}
        for name, column in self.given.items():
            if isinstance(column, Mapping) or not isinstance(column, Iterable):
                raise TypeError(f"[{name}] expected a list or stream, got {type(column).__name__}")
        self.is_stream = any(not isinstance(column, Sized) for column in self.given.values())
        lengths = {n: len(c) for n, c in self.given.items() if isinstance(c, Sized)}
        if len(set(lengths.values())) > 1:
            given = ", ".join(f"{length} {name}" for name, length in lengths.items())
            raise ValueError(f"[Collection] expected as many of each, got {given}")
        self.size = None if self.is_stream else next(iter(lengths.values()), 0)

    def batches(self) -> Iterator[Batch]:
        """The rows in order, at most `BATCH_DOCUMENTS` and about `BATCH_CHARACTERS` at a time."""
        names = list(self.given)
        rows = itertools.zip_longest(*self.given.values(), fillvalue=_MISSING)
        start = 0
        for group in _groups(rows):
            _refuse_short(names, group, start)
            columns: dict[str, Any] = dict(
                zip(names, map(list, zip(*group, strict=True)), strict=True)
            )
            yield Batch(start, len(group), *(columns.get(name) for name in Batch._fields[2:]))
            start += len(group)


def _refuse_short(names: list[str], group: list[tuple[Any, ...]], start: int) -> None:
    """Only the last rows can lack a column: all columns are read side by side."""
    if not any(value is _MISSING for value in group[-1]):
        return
    for i, row in enumerate(group):
        short = [name for name, value in zip(names, row, strict=True) if value is _MISSING]
        if short:
            raise ValueError(
                f"[Collection] expected as many of each, got {' and '.join(short)} for only "
                f"{start + i} rows"
            )


def _wrap_vector(embeddings: Any) -> Any:
    """One vector, shape (dim,), as a list of one; other libraries' arrays as NumPy's."""
    if isinstance(embeddings, (list, tuple)):
        is_one = bool(embeddings) and isinstance(embeddings[0], (numbers.Real, np.generic))
        return [embeddings] if is_one else embeddings
    refuse_mask(embeddings, "embeddings")
    if not hasattr(embeddings, "__array__"):
        return embeddings
    array = np.asarray(embeddings)
    if array.ndim == 0:
        raise ValueError("[embeddings] expected shape (n, dim) or (dim,), got a single number")
    return array[np.newaxis, :] if array.ndim == 1 and array.size else array


def _groups(rows: Iterable[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    group: list[tuple[Any, ...]] = []
    characters = 0
    for row in rows:
        group.append(row)
        characters += sum(len(value) for value in row if isinstance(value, str))
        if len(group) == BATCH_DOCUMENTS or characters >= BATCH_CHARACTERS:
            yield group
            group, characters = [], 0
    if group:
        yield group
