"""Files that vectors are written to, some at a time: `.npy` and Parquet."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from unitvec.durable import sync_to_disk

#: Bytes of the head of a growing `.npy` file: its magic, and its shape with room to grow. A
#: multiple of 64, as the format asks for.
NPY_HEAD = 128

KINDS = (".npy", ".parquet")


class VectorFile(Protocol):
    """A file, or a folder of files, that vectors are added to."""

    def start(self, rows: int) -> None:
        """Opens it with its first `rows` vectors; 0: makes it anew. What came later is dropped.

        Raises:
            ValueError: it does not hold as many.
        """

    def append(self, vectors: npt.NDArray[Any]) -> None:
        """Adds vectors, shape (n, dim), which may wait in memory for `sync`."""

    def sync(self) -> None:
        """Returns when all that was added survives a loss of power, readable by others."""

    def close(self) -> None:
        """Lets go of it; what was not synced may be lost."""


def vector_file(path: Path, dim: int, dtype: npt.DTypeLike) -> VectorFile:
    """The kind of file that the end of its name says.

    Raises:
        ValueError: it is neither `.npy` nor `.parquet`.
        ImportError: `.parquet` without pyarrow.
    """
    if path.suffix == ".npy":
        return NpyFile(path, dim, np.dtype(dtype))
    if path.suffix == ".parquet":
        return ParquetFolder(path, dim, np.dtype(dtype))
    raise ValueError(f"[encode_to] expected a path that ends in one of {KINDS}, got {path.name!r}")


class NpyFile:
    """An array (n, dim) in NumPy's own format, whose head says how many vectors are there so far.

    Source: the format's description, https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
    """

    def __init__(self, path: Path, dim: int, dtype: np.dtype[Any]) -> None:
        self._path, self._dim, self._dtype = path, dim, dtype
        self._rows = 0
        self._stream: Any = None

    def start(self, rows: int) -> None:
        """Opens the file, cut to its first `rows` vectors."""
        size = NPY_HEAD + rows * self._dim * self._dtype.itemsize
        found = self._path.stat().st_size if rows and self._path.exists() else 0
        if rows and found < size:
            raise ValueError(
                f"[encode_to] expected {self._path} to hold {rows} vectors in {size} bytes, got "
                f"{found} bytes; pass overwrite=True to begin again"
            )
        self._stream = self._path.open("r+b" if rows else "wb", buffering=0)
        self._rows = rows
        self._write_head()
        self._stream.truncate(size)
        self._stream.seek(size)

    def append(self, vectors: npt.NDArray[Any]) -> None:
        """Writes vectors, which the head does not count yet."""
        rest = memoryview(np.asarray(vectors, self._dtype).tobytes())
        while len(rest):
            rest = rest[self._stream.write(rest) :]
        self._rows += len(vectors)

    def sync(self) -> None:
        """Makes the vectors safe, then the head that counts them."""
        os.fsync(self._stream.fileno())  # no head may count vectors that are not there yet
        self._write_head()
        os.fsync(self._stream.fileno())

    def close(self) -> None:
        """Closes the file."""
        if self._stream is not None:
            self._stream.close()

    def _write_head(self) -> None:
        shape = (self._rows, self._dim)
        fields = {"descr": self._dtype.str, "fortran_order": False, "shape": shape}
        text = f"{fields!r}".ljust(NPY_HEAD - 11) + "\n"
        head = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()
        os.pwrite(self._stream.fileno(), head, 0)


class ParquetFolder:
    """A folder of Parquet files, which pandas, pyarrow, DuckDB and Spark read as one table.

    Columns: "index", int64, the text's position; "embedding", a list of `dim` numbers. A Parquet
    file cannot grow: its table of contents comes last. So every `sync` makes a file of its own.
    """

    def __init__(self, path: Path, dim: int, dtype: np.dtype[Any]) -> None:
        try:
            import pyarrow
        except ImportError as error:
            raise ImportError(
                "[encode_to] a path that ends in .parquet needs pyarrow: "
                "pip install 'unitvec[parquet]'"
            ) from error
        self._arrow = pyarrow
        self._path, self._dim, self._dtype = path, dim, dtype
        self._rows = 0
        self._waiting: list[npt.NDArray[Any]] = []

    def start(self, rows: int) -> None:
        """Makes the folder, and removes the parts behind the first `rows` vectors."""
        if rows == 0 and self._path.is_file():
            self._path.unlink()
        self._path.mkdir(exist_ok=True)
        for part in self._path.glob("*part-*.parquet"):
            if part.name.startswith("_") or int(part.stem.removeprefix("part-")) >= rows:
                part.unlink()
        self._require(rows)
        self._rows = rows

    def append(self, vectors: npt.NDArray[Any]) -> None:
        """Keeps vectors in memory."""
        self._waiting.append(np.array(vectors, self._dtype))

    def sync(self) -> None:
        """Writes what was added as one more part."""
        from pyarrow import parquet

        if self._rows and not self._waiting:
            return
        vectors = np.concatenate([np.empty((0, self._dim), self._dtype), *self._waiting])
        # Twelve digits: the order of names is that of positions. A part without vectors, of a job
        # that has none yet, is replaced by the first that has some.
        part = self._path / f"part-{self._rows:012d}.parquet"
        unfinished = self._path / f"_{part.name}"  # readers pass over names that begin so
        parquet.write_table(self._table(vectors), unfinished)
        sync_to_disk(unfinished)
        unfinished.replace(part)
        sync_to_disk(self._path)
        self._rows += len(vectors)
        self._waiting = []

    def close(self) -> None:
        """Forgets what was not synced."""
        self._waiting = []

    def _table(self, vectors: npt.NDArray[Any]) -> Any:
        arrow = self._arrow
        index = arrow.array(np.arange(self._rows, self._rows + len(vectors)))
        values = arrow.array(vectors.reshape(-1))
        lists = arrow.FixedSizeListArray.from_arrays(values, self._dim)
        return arrow.table({"index": index, "embedding": lists})

    def _require(self, rows: int) -> None:
        from pyarrow import parquet

        parts = sorted(self._path.glob("part-*.parquet"))
        found = sum(parquet.read_metadata(part).num_rows for part in parts)
        if found != rows:
            raise ValueError(
                f"[encode_to] expected {self._path} to hold {rows} vectors, got {found}; pass "
                "overwrite=True to begin again"
            )
