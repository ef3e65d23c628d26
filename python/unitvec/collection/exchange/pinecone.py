"""Pinecone's bulk import: id, values and metadata, a folder of Parquet files a namespace.

Sources: https://docs.pinecone.io/guides/index-data/import-data (columns and folders),
https://docs.pinecone.io/reference/quotas-and-limits (lengths), and the checks of its Python client.
"""

from __future__ import annotations

from typing import Any

from unitvec.collection.exchange.layouts import Column, Layout, UnfitError, joined_vectors
from unitvec.collection.results import Record
from unitvec.collection.rows import encode_metadata

DEFAULT_NAMESPACE = "__default__"
_ID_CHARACTERS_MAX = 512
_DIM_MAX = 20_000
_METADATA_BYTES_MAX = 40 * 1024

#: Pinecone keeps every number as a float64, which holds integers up to here.
EXACT_INTEGERS = range(-(2**53), 2**53 + 1)


class PineconeLayout(Layout):
    """Columns id (string), values (list of float), metadata (JSON text or null)."""

    NAME = "pinecone"
    FORMATS = ("parquet", "jsonl")
    COLUMNS = (Column("id", "text"), Column("values", "vector"), Column("metadata", "json"))

    def to_row(self, record: Record) -> dict[str, Any]:
        """The record of a dense index; the text goes into the metadata."""
        _require_id(record.id)
        _require_values(record)
        metadata = self._with_text(record)
        size = len(encode_metadata(metadata).encode())
        if size > _METADATA_BYTES_MAX:
            raise ValueError(
                f"[export] id {record.id!r}: expected at most {_METADATA_BYTES_MAX} bytes of "
                f"metadata and text, which Pinecone keeps together, got {size}"
            )
        return {"id": record.id, "values": record.vector, "metadata": metadata or None}

    def from_row(self, row: dict[str, Any]) -> Record:
        """The document; its text is what stands under `text_key`, if that is text."""
        metadata = row.get("metadata")
        text = None
        if isinstance(metadata, dict):
            text, metadata = self._without_text(metadata)
        identity: Any = row.get("id")
        vector = joined_vectors(row.get("values"), None)
        return Record(identity, text, {} if metadata is None else metadata, vector)

    def _key_problem(self, key: str) -> str | None:
        return "a key that begins with $" if key.startswith("$") else None

    def _fit_value(self, value: Any) -> Any:
        if value is None:
            raise UnfitError("null")  # Pinecone would strip it without a word
        if isinstance(value, dict):
            raise UnfitError("a nested object")
        if isinstance(value, list) and not all(isinstance(item, str) for item in value):
            raise UnfitError("a list of other things than texts")
        return exact_number(value)


def exact_number(value: Any) -> Any:
    """The value; raises UnfitError for an integer that a float64 would round."""
    if isinstance(value, int) and value not in EXACT_INTEGERS:
        raise UnfitError("an integer beyond 2^53")
    return value


def require_namespace(name: str) -> str:
    """A namespace that is also the name of a folder.

    Raises:
        ValueError: it is not.
    """
    is_folder = "/" not in name and name not in (".", "..") and len(name) <= 255
    if not (name.isascii() and name and "\0" not in name and is_folder):
        raise ValueError(
            "[name] expected a namespace of 1 to 255 ASCII characters without / and NUL, got "
            f"{name!r}"
        )
    return name


def _require_id(identity: str) -> None:
    if not identity.isascii() or len(identity) > _ID_CHARACTERS_MAX:
        raise ValueError(
            f"[export] id {identity!r}: expected at most {_ID_CHARACTERS_MAX} ASCII characters, as "
            "Pinecone's ids are"
        )


def _require_values(record: Record) -> None:
    vector = record.vector
    if vector is None:
        raise ValueError(f"[export] id {record.id!r}: expected vectors for Pinecone, got none")
    if len(vector) > _DIM_MAX:
        raise ValueError(f"[export] expected dim up to {_DIM_MAX} for Pinecone, got {len(vector)}")
    if not vector.any():
        raise ValueError(
            f"[export] id {record.id!r}: expected a vector that is not all zeros: Pinecone has none"
        )
