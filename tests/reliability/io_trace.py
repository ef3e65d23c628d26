"""What the recorder wrote: one operation after the other, with the program's own marks between."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HEAD = struct.Struct("=BBHHHiIqq")  # struct record of io_recorder.h

OPEN, READ, WRITE, TRUNCATE, SYNC = "O", "R", "W", "T", "S"
RENAME, UNLINK, MKDIR, RMDIR, CLOSE, MARK = "N", "U", "M", "D", "C", "K"

CREATED, EMPTIED = 1, 2  # sizes of an OPEN
KILLED_BEFORE, KILLED_AFTER, FAULTED, FAILED = 1, 2, 4, 8  # flags


class Operation(NamedTuple):
    """One record; `size` and `offset` in bytes, `data` what was written, perhaps cut short."""

    kind: str
    flags: int
    fd: int
    path: str
    other: str
    offset: int
    size: int
    data: bytes

    @property
    def is_done(self) -> bool:
        """Whether it changed anything."""
        return not self.flags & (FAILED | KILLED_BEFORE)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


def read_trace(path: Path) -> list[Operation]:
    """Every record of a file; a last one that a kill cut short is an error, for none can be."""
    return list(_operations(path.read_bytes()))


def _operations(content: bytes) -> Iterator[Operation]:
    at = 0
    while at < len(content):
        kind, flags, path_size, other_size, _, fd, data_size, offset, size = HEAD.unpack_from(
            content, at
        )
        ends = [at + HEAD.size]
        for length in (path_size, other_size, data_size):
            ends.append(ends[-1] + length)
        path, other, data = (content[a:b] for a, b in itertools.pairwise(ends))
        if ends[-1] > len(content):
            raise ValueError(f"[read_trace] record at {at} ends at {ends[-1]} of {len(content)}")
        yield Operation(chr(kind), flags, fd, path.decode(), other.decode(), offset, size, data)
        at = ends[-1]


def marks(trace: list[Operation]) -> list[str]:
    """The program's marks, in order."""
    return [operation.path for operation in trace if operation.kind == MARK]


def file_kind(name: str) -> str:
    """What a file of a collection is for, by the last part of its path."""
    for suffix, kind in (("-wal", "log"), ("-journal", "journal"), (".sqlite", "database")):
        if name.endswith(suffix):
            return kind
    if name.startswith("index-"):
        return "index"
    return "lock" if name == "LOCK" else "folder"
