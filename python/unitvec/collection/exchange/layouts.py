"""Which columns a document becomes, and how it is read back: one class a layout."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from typing import Any, ClassVar, Literal, NamedTuple

from unitvec.collection.results import Record
from unitvec.collection.rows import encode_metadata

Policy = Literal["error", "json", "drop"]


class Column(NamedTuple):
    """A column of strings ("text"), objects, float32 ("vector"), or such by name; or of nulls."""

    name: str
    kind: Literal["text", "json", "vector", "vectors"]


class Options(NamedTuple):
    """What a caller may choose of a layout.

    Attributes:
        name: Pinecone's namespace or Weaviate's collection; None: the layout's own choice.
        text_key: the metadata key or property that the text goes into, and comes from.
        policy: what becomes of metadata that the target cannot hold.
    """

    name: str | None = None
    text_key: str = "text"
    policy: Policy = "error"


class UnfitError(ValueError):
    """The target cannot hold a value; the message says what it is."""


class Layout(ABC):
    """How a document lies in a row, for one kind of reader.

    Attributes:
        NAME: as callers write it.
        FORMATS: the file formats it comes in, the usual one first.
        COLUMNS: in order.
        changes: how often which kind of metadata was left out or written as JSON text.
        skipped: how many rows belonged to another namespace or collection.
    """

    NAME: ClassVar[str]
    FORMATS: ClassVar[tuple[str, ...]]
    COLUMNS: ClassVar[tuple[Column, ...]]

    def __init__(self, options: Options) -> None:
        self._options = options
        self.changes: Counter[str] = Counter()
        self.skipped = 0

    @abstractmethod
    def to_row(self, record: Record) -> dict[str, Any]:
        """The row of a document; what is None is left out.

        Raises:
            ValueError: the target cannot hold it; names the id.
        """

    @abstractmethod
    def from_row(self, row: dict[str, Any]) -> Record | None:
        """The document of a row, its types not checked yet; None: one to pass over.

        Raises:
            ValueError: the row says what a collection cannot hold.
        """

    def vector_column(self) -> str:
        """The name of the column that holds vectors."""
        return next(column.name for column in self.COLUMNS if column.kind == "vector")

    def _with_text(self, record: Record) -> dict[str, Any]:
        """Metadata as the target holds it, and the text in it."""
        fields = self._fitted(record)
        self._require_free(record, self._options.text_key, "text_key= names another for the text")
        if record.document is not None:
            fields[self._options.text_key] = record.document
        return fields

    def _without_text(self, fields: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
        """The text and the metadata; what stands in the text's place and is no text stays."""
        text = fields.get(self._options.text_key)
        if not isinstance(text, str):
            return None, fields
        return text, {k: v for k, v in fields.items() if k != self._options.text_key}

    def _require_free(self, record: Record, key: str, way_out: str) -> None:
        if key in record.metadata:
            raise ValueError(
                f"[export] id {record.id!r}: expected no metadata key {key!r}, whose place is "
                f"taken in the layout {self.NAME!r}; {way_out}"
            )

    def _fitted(self, record: Record) -> dict[str, Any]:
        """Metadata without what the target cannot hold, as the policy says."""
        fitted: dict[str, Any] = {}
        for key, value in record.metadata.items():
            problem = self._key_problem(key)
            is_name = problem is None
            if problem is None:
                fitted[key], problem = self._try(value)
            if problem is not None:
                fitted.pop(key, None)
                self._count_change(record.id, key, problem, is_name)
                if self._options.policy == "json":
                    fitted[key] = encode_metadata(value)
        return fitted

    def _try(self, value: Any) -> tuple[Any, str | None]:
        try:
            return self._fit_value(value), None
        except UnfitError as error:
            return None, str(error)

    def _count_change(self, identity: str, key: str, problem: str, is_name: bool) -> None:
        """Counts what the policy allows to be changed; a name cannot become JSON text."""
        policy = self._options.policy
        if policy == "drop":
            self.changes[f"{problem}: left out"] += 1
        elif policy == "json" and is_name:
            self.changes[f"{problem}: written as JSON text"] += 1
        else:
            as_json = "on_unsupported='json' writes it as JSON text, " if is_name else ""
            raise ValueError(
                f"[export] id {identity!r}: expected metadata that the layout {self.NAME!r} can "
                f"hold, got {problem} at {key!r}; {as_json}on_unsupported='drop' leaves it out"
            )

    def _key_problem(self, key: str) -> str | None:
        """What is wrong with a key as a name in the target, if anything is."""
        return None

    def _fit_value(self, value: Any) -> Any:
        """The value as the target holds it; raises UnfitError where it cannot."""
        return value


class OwnLayout(Layout):
    """id, document, metadata, vector, vectors: all that a collection holds of a document.

    The vector is the collection's own; where it has named ones, `vectors` has those that there are.
    """

    NAME = "unitvec"
    FORMATS = ("parquet", "jsonl")
    COLUMNS = (
        Column("id", "text"),
        Column("document", "text"),
        Column("metadata", "json"),
        Column("vector", "vector"),
        Column("vectors", "vectors"),
    )

    def to_row(self, record: Record) -> dict[str, Any]:
        """The record, field by field."""
        vector, vectors = own_and_named(record)
        return {
            "id": record.id,
            "document": record.document,
            "metadata": record.metadata,
            "vector": vector,
            "vectors": vectors,
        }

    def from_row(self, row: dict[str, Any]) -> Record:
        """The record, field by field."""
        metadata = row.get("metadata")
        return Record(
            row.get("id"),  # type: ignore[arg-type]  # checked with all else, by the importer
            row.get("document"),
            {} if metadata is None else metadata,
            joined_vectors(row.get("vector"), row.get("vectors")),
        )


def own_and_named(record: Record) -> tuple[Any, dict[str, Any] | None]:
    """The own vector of a record, and its named ones; None where the collection has none such."""
    if not isinstance(record.vector, dict):
        return record.vector, None
    return record.vector.get(""), {name: v for name, v in record.vector.items() if name}


def joined_vectors(own: Any, named: Any) -> Any:
    """The opposite of `own_and_named`.

    Raises:
        ValueError: what should be by name is not, or the other way round.
    """
    if isinstance(own, dict):
        raise ValueError("vector: expected real numbers, got an object")
    if named is None:
        return own
    if not isinstance(named, dict) or "" in named:
        raise ValueError("vectors: expected an object of names and vectors")
    named = {name: vector for name, vector in named.items() if vector is not None}
    return named if own is None else {"": own, **named}
