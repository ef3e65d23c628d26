"""A checksum over all of a Parquet file, which other readers pass over.

Parquet's own checksums cover the content of pages, neither their headers nor the table of contents
(the footer), and a flipped bit there can end the reading process (seen with pyarrow 26). So a seal
of 12 bytes goes between the last page and the footer, a place that readers never look at, since
the footer says where the pages are: b"UVcrc32", a zero byte, and the CRC-32 of the file without the
seal, little-endian. A file that another program wrote anew has no seal, and is read as it is.
"""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

from unitvec.collection.exchange.damage import damaged

_MAGIC = b"UVcrc32\0"
_SEAL = struct.Struct(f"<{len(_MAGIC)}sI")
_END = struct.Struct("<I4s")  # length of the footer, "PAR1"
_READ_AT_ONCE = 1 << 20


def seal(path: Path) -> None:
    """Puts the seal into a file that was just written."""
    with path.open("r+b") as file:
        start, _ = _footer(file)
        checksum = _checksum(file, 0, start, 0)
        file.seek(start)
        footer = file.read()
        file.seek(start)
        file.write(_SEAL.pack(_MAGIC, zlib.crc32(footer, checksum)) + footer)


def require_seal_unbroken(path: Path) -> None:
    """Compares the checksum of a sealed file; a file without a seal passes.

    Raises:
        FormatError: a byte of it is not what was written.
    """
    with path.open("rb") as file:
        start, end = _footer(file)
        if start < _SEAL.size:
            return
        file.seek(start - _SEAL.size)
        magic, expected = _SEAL.unpack(file.read(_SEAL.size))
        if magic != _MAGIC:
            return
        checksum = _checksum(file, 0, start - _SEAL.size, 0)
        if _checksum(file, start, end, checksum) != expected:
            raise damaged(path, "", "expected the checksum that it was written with, got another")


def _footer(file: BinaryIO) -> tuple[int, int]:
    """Where the footer begins and the file ends; (0, size) where there is none."""
    size = file.seek(0, os.SEEK_END)
    if size < _END.size:
        return 0, size
    file.seek(size - _END.size)
    length, magic = _END.unpack(file.read(_END.size))
    start = size - _END.size - length
    return (start, size) if magic == b"PAR1" and start > 0 else (0, size)


def _checksum(file: BinaryIO, start: int, end: int, checksum: int) -> int:
    file.seek(start)
    while start < end:
        block = file.read(min(_READ_AT_ONCE, end - start))
        if not block:
            break
        checksum = zlib.crc32(block, checksum)
        start += len(block)
    return checksum
