"""The safetensors format, as far as a small head needs it: float32 matrices and vectors.

Format: 8 bytes, little-endian, the header's length; the header, JSON: name -> dtype, shape and
[begin, end) of its bytes; the bytes. https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unitvec._core import FormatError

#: Bytes of a header, far above what a head has.
_HEADER_MAX = 1 << 20

Tensors = Mapping[str, npt.NDArray[np.float32]]


def to_bytes(tensors: Tensors) -> bytes:
    """The contents of a file with these tensors, in their order."""
    header: dict[str, Any] = {}
    parts, begin = [], 0
    for name, values in tensors.items():
        raw = np.ascontiguousarray(values, "<f4").tobytes()
        header[name] = {
            "dtype": "F32",
            "shape": list(values.shape),
            "data_offsets": [begin, begin + len(raw)],
        }
        parts.append(raw)
        begin += len(raw)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # so that the numbers are aligned
    return struct.pack("<Q", len(text)) + text + b"".join(parts)


def from_bytes(path: Path, content: bytes) -> dict[str, npt.NDArray[np.float32]]:
    """The tensors of a file.

    Raises:
        FormatError: it is damaged, or has others than finite float32 numbers.
    """
    if len(content) < 8:
        raise FormatError(f"{path}: expected 8 bytes of header length, got {len(content)} in all")
    (size,) = struct.unpack("<Q", content[:8])
    if size > min(_HEADER_MAX, len(content) - 8):
        raise FormatError(f"{path}: expected a header within the file, got a length of {size}")
    try:
        header = json.loads(content[8 : 8 + size].decode("utf-8"))
        entries = {name: each for name, each in header.items() if name != "__metadata__"}
        return {
            name: _tensor(path, name, each, content[8 + size :]) for name, each in entries.items()
        }
    except (ValueError, AttributeError, RecursionError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{path}: expected a JSON header, got {error}") from error


def _tensor(path: Path, name: str, entry: Any, data: bytes) -> npt.NDArray[np.float32]:
    try:
        dtype, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        count = int(np.prod([int(n) for n in shape], dtype=object)) if shape else 1
        fits = dtype == "F32" and 0 <= begin <= end <= len(data) and end - begin == 4 * count
        fits = fits and all(isinstance(n, int) and n >= 0 for n in shape)
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(
            f"{path}: {name}: expected dtype, shape and offsets, got {entry}"
        ) from error
    if not fits:
        raise FormatError(f"{path}: {name}: expected F32 numbers within the file, got {entry}")
    values: npt.NDArray[np.float32] = (
        np.frombuffer(data[begin:end], "<f4").reshape(shape).astype(np.float32)
    )
    if not np.isfinite(values).all():
        raise FormatError(f"{path}: {name}: expected finite numbers, got NaN or infinity")
    return values
