"""One stored row, and the checksums that say it is still what was written."""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

#: Vectors are stored as little-endian float32, whatever the machine.
VECTOR_DTYPE = np.dtype("<f4")

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_LENGTHS = struct.Struct("<4q")
_KEY = struct.Struct("<q")
_PIECE = 1 << 23  # characters


class Row(NamedTuple):
    """A document as the database holds it; `metadata` is JSON."""

    key: int
    id: str
    document: str | None
    metadata: str


class NewRow(NamedTuple):
    """A row to be stored, checked already; its key is given by the store.

    Attributes:
        id: the document's.
        document: its text, if any.
        metadata: JSON.
        vectors: float32 bytes, by number of the space.
    """

    id: str
    document: str | None
    metadata: str
    vectors: Mapping[int, bytes]


def checksum(row: Row) -> int:
    """CRC-32 over key, id, document and metadata.

    The lengths go in first, so that a byte moved from one field to the next is seen, and so that
    no document (length -1) differs from an empty one.
    """
    id_bytes, metadata = row.id.encode(), row.metadata.encode()
    pieces: Iterable[bytes] = ()
    length = -1
    if row.document is not None:
        if len(row.document) > _PIECE:
            length, pieces = sum(map(len, _utf8(row.document))), _utf8(row.document)
        else:
            pieces = [row.document.encode()]
            length = len(pieces[0])
    lengths = _LENGTHS.pack(row.key, len(id_bytes), length, len(metadata))
    crc = zlib.crc32(lengths + id_bytes)
    for piece in pieces:
        crc = zlib.crc32(piece, crc)
    return zlib.crc32(metadata, crc)  # not joined: they may be large


def _utf8(text: str) -> Iterator[bytes]:
    """A large text as UTF-8, some at a time: all of it would take its memory once more."""
    return (text[start : start + _PIECE].encode() for start in range(0, len(text), _PIECE))


def vector_checksum(key: int, vector: bytes) -> int:
    """CRC-32 over key and vector: that of another row is not taken for this one's."""
    return zlib.crc32(vector, zlib.crc32(_KEY.pack(key)))


def encode_metadata(metadata: Mapping[str, Any]) -> str:
    """Metadata as compact JSON, keys in the order given."""
    return _ENCODER.encode(metadata)


def decode_metadata(text: str) -> dict[str, Any]:
    """The dictionary behind `encode_metadata`'s text.

    Raises:
        ValueError: it is no JSON object, or one that is never stored: with NaN or infinity, the
            same key twice, or a key with NUL.
    """
    try:
        metadata, end = _QUICK.raw_decode(text)
        if type(metadata) is not dict or end != len(text):  # nothing stands before or behind it
            raise ValueError("expected a JSON object")
        if "\\u" in text:  # rare: of control characters alone
            _require_text(metadata)
        # A colon follows each key: where there are as many colons as keys, none was there twice.
        if text.count(":") != len(metadata):
            _DECODER.decode(text)  # of one within, or with colons in texts: looks at each
    except RecursionError:
        raise ValueError("too many levels") from None
    return metadata


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("the same key twice")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:20]} is no finite number")
    return number


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _require_text(value: Any) -> None:
    """What escapes can spell and nobody stores: keys with NUL, and halves of characters."""
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, list):
        for item in value:
            _require_text(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if "\0" in key:
                raise ValueError("a key with NUL")
            _require_text(key)
            _require_text(item)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_finite, parse_constant=_refuse)
_QUICK = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse)


def encode_vector(vector: NDArray[np.float32]) -> bytes:
    """One vector, shape (dim,), as bytes."""
    return vector.astype(VECTOR_DTYPE, copy=False).tobytes()


def encode_vectors(vectors: NDArray[np.float32]) -> list[bytes]:
    """Vectors, shape (n, dim), as bytes each."""
    size = vectors.shape[1] * VECTOR_DTYPE.itemsize
    content = vectors.astype(VECTOR_DTYPE, copy=False).tobytes()
    return [content[start : start + size] for start in range(0, len(content), size)]
