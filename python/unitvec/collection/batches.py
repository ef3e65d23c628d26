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
    embeddings: dict[str, list[Any]] | None  # by name of the kind, "" for the own one


def embeddings_of(name: str) -> str:
    """What a column of vectors is called in messages."""
    return f"embeddings {name!r}" if name else "embeddings"


class Columns:
    """The columns that the caller gave, single items wrapped, not yet read.

    Args:
        documents, ids, metadatas: one column each, or None.
        embeddings: one column a name, where None is as if it were not there; or None.

    Attributes:
        is_stream: whether some column has no length, and therefore can be read only once.
        size: number of rows, or None for a stream.

    Raises:
        ValueError: if nothing was given, or lengths differ (for streams: when that is reached).
        TypeError: if a column is not iterable, or a set, which has no order.
    """

    def __init__(
        self, documents: Any, ids: Any, metadatas: Any, embeddings: Mapping[str, Any] | None
    ) -> None:
        vectors = {name: col for name, col in (embeddings or {}).items() if col is not None}
        self._names = {embeddings_of(name): name for name in vectors}
        self._has_embeddings = embeddings is not None
        columns = {
            "documents": [documents] if isinstance(documents, (str, bytes)) else documents,
            "ids": [ids] if isinstance(ids, (str, bytes)) else ids,
            "metadatas": [metadatas] if isinstance(metadatas, Mapping) else metadatas,
            **{embeddings_of(name): _wrap_vector(col, name) for name, col in vectors.items()},
        }
        self.given = {name: column for name, column in columns.items() if column is not None}
        for name, column in self.given.items():
            # The order of a set is nobody's: its items would be paired with any of the others'.
            if isinstance(column, (Mapping, set, frozenset)) or not isinstance(column, Iterable):
                raise TypeError(f"[{name}] expected a list or stream, got {type(column).__name__}")
        self.is_stream = any(not isinstance(column, Sized) for column in self.given.values())
        lengths = {n: len(c) for n, c in self.given.items() if isinstance(c, Sized)}
        if len(set(lengths.values())) > 1:
            given = ", ".join(f"{length} {name}" for name, length in lengths.items())
            raise ValueError(f"[Collection] expected as many of each, got {given}")
        self.size = None if self.is_stream else next(iter(lengths.values()), 0)

    @property
    def has_content(self) -> bool:
        """Whether there are documents or vectors."""
        return "documents" in self.given or bool(self._names)

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
            vectors = {name: columns[label] for label, name in self._names.items()}
            yield Batch(
                start,
                len(group),
                columns.get("documents"),
                columns.get("ids"),
                columns.get("metadatas"),
                vectors if self._has_embeddings else None,
            )
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


def _wrap_vector(embeddings: Any, name: str) -> Any:
    """One vector, shape (dim,), as a list of one; other libraries' arrays as NumPy's."""
    if isinstance(embeddings, (list, tuple)):
        is_one = bool(embeddings) and isinstance(embeddings[0], (numbers.Real, np.generic))
        return [embeddings] if is_one else embeddings
    refuse_mask(embeddings, embeddings_of(name))
    if not hasattr(embeddings, "__array__"):
        return embeddings
    array = np.asarray(embeddings)
    if array.ndim == 0:
        raise ValueError(
            f"[{embeddings_of(name)}] expected shape (n, dim) or (dim,), got a single number"
        )
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
