"""What a search or a look-up returns: typed rows, in lists that print themselves."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped,unused-ignore]

_PREVIEW = 120  # characters of a document shown in a table or on a line


@dataclass(frozen=True, slots=True)
class Hit:
    """One document found.

    Attributes:
        id: its id.
        score: larger is nearer: the cosine or dot product, or the negative distance; BM25 of a
            lexical search, the fused score of a hybrid one, the reranker's where there was one.
        document: its text; None where only a vector was stored.
        metadata: its metadata, empty where none was stored.
        vector: shape (dim,), only where it was asked for; two hits are equal whatever it is.
    """

    id: str
    score: float
    document: str | None
    metadata: dict[str, Any]
    vector: NDArray[np.float32] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Record:
    """One stored document; `vector`, shape (dim,), only where it was asked for."""

    id: str
    document: str | None
    metadata: dict[str, Any]
    vector: NDArray[np.float32] | None = None


class SearchResult(Sequence[Hit]):
    """The hits of one query, best first.

    Attributes:
        exact: whether no nearer document can have been missed. A lexical search is always exact; a
            hybrid one where its dense half is; reranking and diversity choose among candidates, of
            which the same is said.
        recall_estimate: expected share of the true nearest that is here; 1.0 when exact, else as
            measured on a sample when the index was built, for a hybrid search that of its dense
            half.
        took_ms: milliseconds the whole call took, encoding included.
    """

    def __init__(
        self, hits: list[Hit], exact: bool, recall_estimate: float, took_ms: float
    ) -> None:
        self._hits = hits
        self.exact = exact
        self.recall_estimate = recall_estimate
        self.took_ms = took_ms

    @overload
    def __getitem__(self, index: int) -> Hit: ...
    @overload
    def __getitem__(self, index: slice) -> list[Hit]: ...
    def __getitem__(self, index: int | slice) -> Hit | list[Hit]:
        """One hit, or a slice as a list."""
        return self._hits[index]

    def __len__(self) -> int:
        """How many there are."""
        return len(self._hits)

    def __iter__(self) -> Iterator[Hit]:
        """Best first."""
        return iter(self._hits)

    def __repr__(self) -> str:
        """For people: what it is, and the most important of it."""
        how = "exact" if self.exact else f"recall about {self.recall_estimate:.2f}"
        lines = [f"SearchResult({len(self)} hits, {how}, {self.took_ms:.1f} ms)"]
        lines += [f"  {hit.score:.4f}  {hit.id}  {_preview(hit.document)}" for hit in self]
        return "\n".join(lines)

    def to_pandas(self) -> pd.DataFrame:
        """One row a hit: id, score, document, metadata (a dictionary). Needs pandas."""
        import pandas as pd

        columns = ["id", "score", "document", "metadata"]
        rows = [(hit.id, hit.score, hit.document, hit.metadata) for hit in self]
        return pd.DataFrame(rows, columns=columns)

    def _repr_html_(self) -> str:
        rows = [(f"{h.score:.4f}", h.id, _preview(h.document), _pairs(h.metadata)) for h in self]
        return _table(("score", "id", "document", "metadata"), rows)


class Records(Sequence[Record]):
    """Stored documents in the order of storing (or of the ids asked for).

    Beside `records[0].document`, columns can be had by name, as from Chroma's `get`:
    `records["ids"]`, `records["documents"]`, `records["metadatas"]`, `records["embeddings"]`.
    """

    def __init__(self, records: list[Record]) -> None:
        self._records = records

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice | str) -> list[Any]: ...
    def __getitem__(self, index: int | slice | str) -> Record | list[Any]:
        """One record, a slice as a list, or a column by its name."""
        return self._column(index) if isinstance(index, str) else self._records[index]

    def _column(self, name: str) -> list[Any]:
        attributes = {"ids": "id", "documents": "document", "metadatas": "metadata"}
        attributes["embeddings"] = "vector"
        if name not in attributes:
            raise KeyError(f"expected one of {sorted(attributes)}, got {name!r}")
        return [getattr(record, attributes[name]) for record in self._records]

    def __len__(self) -> int:
        """How many there are."""
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        """In order."""
        return iter(self._records)

    def __repr__(self) -> str:
        """For people: what it is, and the most important of it."""
        lines = [f"Records({len(self)})"]
        return "\n".join(lines + [f"  {r.id}  {_preview(r.document)}" for r in self._records[:20]])

    def to_pandas(self) -> pd.DataFrame:
        """One row a document: id, document, metadata (a dictionary). Needs pandas."""
        import pandas as pd

        rows = [(record.id, record.document, record.metadata) for record in self]
        return pd.DataFrame(rows, columns=["id", "document", "metadata"])

    def _repr_html_(self) -> str:
        rows = [(r.id, _preview(r.document), _pairs(r.metadata)) for r in self]
        return _table(("id", "document", "metadata"), rows)


def _preview(document: str | None) -> str:
    text = " ".join((document or "")[: 2 * _PREVIEW].split())
    return text if len(text) <= _PREVIEW else text[: _PREVIEW - 1] + "…"


def _pairs(metadata: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in metadata.items())


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
