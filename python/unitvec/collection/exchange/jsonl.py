"""JSON Lines: one object a line, in UTF-8; also inside gzip (.gz) or Zstandard (.zst)."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from unitvec.collection.exchange.damage import damaged
from unitvec.collection.exchange.layouts import Column
from unitvec.collection.exchange.rows import PlacedRow
from unitvec.extras import load_extra

#: The longest row there can be: 64 MiB of text and 16 MiB of metadata, every character escaped.
LINE_BYTES_MAX = 512 * 2**20

#: Ends of lines to some readers, although JSON allows them in strings.
_ESCAPED = str.maketrans({"\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"})


class JsonlWriter:
    """Writes rows as lines; a vector's numbers in nine digits, which no two float32 share."""

    def __init__(self, path: Path, compression: str, columns: Sequence[Column]) -> None:
        if compression == ".zst":
            load_extra("pyarrow", "parquet", "export")  # before a file is made
        self._file = path.open("xb")
        self._stream = _compressing(self._file, compression)
        self._kinds = {column.name: column.kind for column in columns}

    def write(self, row: dict[str, Any]) -> None:
        """Adds a line."""
        fields = [
            f"{json.dumps(name)}:{self._value(name, value)}"
            for name, value in row.items()
            if value is not None
        ]
        line = f"{{{','.join(fields)}}}\n".translate(_ESCAPED)
        self._stream.write(line.encode())

    def _value(self, name: str, value: Any) -> str:
        if self._kinds[name] == "vector":
            return vector_text(value)
        if self._kinds[name] == "vectors":
            fields = [
                f"{json.dumps(kind, ensure_ascii=False)}:{vector_text(vector)}"
                for kind, vector in value.items()
            ]
            return f"{{{','.join(fields)}}}"
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)

    def finish(self) -> None:
        """Writes the end of what is compressed."""
        if self._stream is not self._file:
            self._stream.close()
        self._file.close()

    def abandon(self) -> None:
        """Closes the file."""
        self._file.close()


def vector_text(vector: NDArray[np.float32]) -> str:
    """A vector as a JSON list that gives back every bit.

    Nine significant digits are within 5e-10 of a float32, whose neighbours are 6e-8 away: read as
    float64 and rounded to float32 they are it again.
    """
    text = "%.9g," * len(vector) % tuple(vector.tolist())
    if np.signbit(vector[vector == 0]).any():  # JSON's -0 is an integer, which has no sign
        text = text.replace(",-0,", ",-0.0,").replace(",-0,", ",-0.0,")
        text = "-0.0" + text[2:] if text.startswith("-0,") else text
    return f"[{text[:-1]}]"


def _compressing(file: BinaryIO, compression: str) -> Any:
    if compression == ".gz":
        # Without name and time, so that equal exports are equal files.
        return gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0)
    if compression == ".zst":
        return load_extra("pyarrow", "parquet", "export").CompressedOutputStream(file, "zstd")
    return file


def read_jsonl(path: Path) -> Iterator[PlacedRow]:
    """The rows of a file, one line at a time; empty lines are passed over.

    Raises:
        FormatError: a line is no JSON object, or the file ends within one.
        OSError: it cannot be read.
    """
    number = 0
    with path.open("rb") as file, _broken_stream(path, lambda: number):
        stream = _expanding(path, file)
        while line := stream.readline(LINE_BYTES_MAX + 1):
            number += 1
            place = f"line {number}"
            if len(line) > LINE_BYTES_MAX:
                raise damaged(path, place, f"expected at most {LINE_BYTES_MAX} bytes")
            if line.strip():
                yield PlacedRow(path, place, len(line), _object(path, place, line))


@contextmanager
def _broken_stream(path: Path, lines: Any) -> Iterator[None]:
    """Turns the errors of decompression, which have no errno, into FormatError."""
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise damaged(path, f"after line {lines()}", f"cannot be decompressed: {error}") from error


def _expanding(path: Path, file: BinaryIO) -> BinaryIO:
    suffix = path.suffix.lower()
    if suffix in (".gz", ".zst") and path.stat().st_size == 0:
        raise damaged(path, "", "expected compressed data, got an empty file")
    if suffix == ".gz":
        return gzip.GzipFile(fileobj=file, mode="rb")  # type: ignore[return-value]
    if suffix == ".zst":
        arrow = load_extra("pyarrow", "parquet", "import_from")
        return io.BufferedReader(arrow.CompressedInputStream(file, "zstd"), 1 << 20)
    return file


def _object(path: Path, place: str, line: bytes) -> dict[str, Any]:
    try:
        text = line.decode("utf-8-sig" if place == "line 1" else "utf-8")
        row = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise damaged(path, place, f"expected a JSON object, got {_reason(error)}") from error
    if not isinstance(row, dict):
        raise damaged(path, place, f"expected a JSON object, got {type(row).__name__}")
    return row


def parse_object(text: str) -> Any:
    """JSON text as a value; a key twice, NaN and infinities are errors.

    Raises:
        ValueError: it is no such JSON.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"expected JSON, got {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "too many levels"
    if isinstance(error, UnicodeDecodeError):
        return f"bytes that are no UTF-8 at {error.start}"
    return str(error)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(k for k in keys if keys.count(k) > 1)!r} twice")
    return fields


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name}, which JSON does not have")
