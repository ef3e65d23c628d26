"""One stored row, and the checksum that says it is still what was written."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Vectors are stored as little-endian float32, whatever the machine.
VECTOR_DTYPE = np.dtype("<f4")


class Row(NamedTuple):
    """A row as the database holds it; `metadata` is JSON, `vector` float32 bytes."""

    key: int
    id: str
    document: str | None
    metadata: str
    vector: bytes


@dataclass(frozen=True, slots=True)
class NewRow:
    """A row to be stored, checked already; its key is given by the store."""

    id: str
    document: str | None
    metadata: str
    vector: bytes


def checksum(row: Row) -> int:
    """CRC-32 over key, id, document, metadata and vector.

    The lengths go in first, so that a byte moved from one field to the next is seen, and so that
    no document (length -1) differs from an empty one.
    """
    id_bytes, metadata = row.id.encode(), row.metadata.encode()
    document = b"" if row.document is None else row.document.encode()
    length = -1 if row.document is None else len(document)
    lengths = struct.pack("<4q", row.key, len(id_bytes), length, len(metadata))
    crc = 0
    for part in (lengths, id_bytes, document, metadata, row.vector):
        crc = zlib.crc32(part, crc)  # not joined: a document may be large
    return crc


def encode_metadata(metadata: dict[str, Any]) -> str:
    """Metadata as compact JSON, keys in the order given."""
    return json.dumps(metadata, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def decode_metadata(text: str) -> dict[str, Any]:
    """The dictionary behind `encode_metadata`'s text."""
    metadata: dict[str, Any] = json.loads(text)
    return metadata


def encode_vector(vector: NDArray[np.float32]) -> bytes:
    """One vector, shape (dim,), as bytes."""
    return vector.astype(VECTOR_DTYPE, copy=False).tobytes()


def decode_vectors(blobs: list[bytes], dim: int) -> NDArray[np.float32]:
    """Vectors from their bytes, shape (len(blobs), dim); a writable copy."""
    flat = np.frombuffer(b"".join(blobs), dtype=VECTOR_DTYPE)
    return flat.reshape(len(blobs), dim).astype(np.float32)
