"""What a search or a look-up returns: typed rows, in lists that print themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, overload

from unitvec.collection.tables import Rows, preview


@dataclass(frozen=True, slots=True)
class Hit:
    """One document found.

    Attributes:
        id: its id.
        score: larger is nearer: the cosine or dot product, or the negative distance; BM25 of a
            lexical search, the fused score of a hybrid one, the reranker's where there was one.
        document: its text; None where only a vector was stored.
        metadata: its metadata, empty where none was stored.
        vector: shape (dim,), only where it was asked for; of a collection with named vectors a
            dictionary of those that the document has; two hits are equal whatever it is.
    """

    id: str
    score: float
    document: str | None
    metadata: dict[str, Any]
    vector: Any = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Record:
    """One stored document; `vector`, as of a `Hit`, only where it was asked for.

    Two records are equal whatever their vectors are: an array has no single truth value.
    """

    id: str
    document: str | None
    metadata: dict[str, Any]
    vector: Any = field(default=None, compare=False)


class SearchResult(Rows[Hit], Sequence[Hit]):
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

    _FIELDS = ("id", "score", "document", "metadata")

    def __init__(
        self,
        hits: list[Hit],
        exact: bool,
        recall_estimate: float,
        took_ms: float,
        dim: int | Mapping[str, int] | None = None,
    ) -> None:
        """Wraps hits; `dim` is the vectors' length where they were asked for, also without hits.

        Of named vectors it is a dictionary of the lengths.
        """
        super().__init__(hits, dim)
        self.exact = exact
        self.recall_estimate = recall_estimate
        self.took_ms = took_ms

    @overload
    def __getitem__(self, index: int) -> Hit: ...
    @overload
    def __getitem__(self, index: slice) -> list[Hit]: ...
    def __getitem__(self, index: int | slice) -> Hit | list[Hit]:
        """One hit, or a slice as a list."""
        return self._items[index]

    def __repr__(self) -> str:
        """For people: what it is, and the most important of it."""
        lines = [f"SearchResult({self._summary()})"]
        lines += [f"  {hit.score:.4f}  {hit.id}  {preview(hit.document)}" for hit in self]
        return "\n".join(lines)

    def _summary(self) -> str:
        how = "exact" if self.exact else f"recall about {self.recall_estimate:.2f}"
        return f"{len(self)} hits, {how}, {self.took_ms:.1f} ms"


class Records(Rows[Record], Sequence[Record]):
    """Stored documents in the order of storing (or of the ids asked for).

    Beside `records[0].document`, columns can be had by name, as from Chroma's `get`:
    `records["ids"]`, `records["documents"]`, `records["metadatas"]`, `records["embeddings"]`.
    """

    _FIELDS = ("id", "document", "metadata")
    _BY_NAME: ClassVar = {
        "ids": "id",
        "documents": "document",
        "metadatas": "metadata",
        "embeddings": "vector",
    }

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice | str) -> list[Any]: ...
    def __getitem__(self, index: int | slice | str) -> Record | list[Any]:
        """One record, a slice as a list, or a column by its name."""
        if not isinstance(index, str):
            return self._items[index]
        if index not in self._BY_NAME:
            raise KeyError(f"expected one of {sorted(self._BY_NAME)}, got {index!r}")
        return [getattr(record, self._BY_NAME[index]) for record in self]

    def __repr__(self) -> str:
        """For people: what it is, and the most important of it."""
        lines = [f"Records({len(self)})"]
        return "\n".join(lines + [f"  {r.id}  {preview(r.document)}" for r in self._items[:20]])

    def _summary(self) -> str:
        return f"{len(self)} documents"
