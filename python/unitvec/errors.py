"""The exceptions of the Python layer; `FormatError` is the core's and is raised by both."""

from __future__ import annotations

from pathlib import Path


class ModelNotFoundError(FileNotFoundError):
    """No model of that name: the message lists the places looked in and what to do.

    An `OSError`, as transformers and sentence-transformers raise for the same mistake.
    """


class StoreLockedError(RuntimeError):
    """Another process (or another object of this one) holds the collection open for writing.

    Attributes:
        pid: process id of the holder, or None when it could not be read.
    """

    def __init__(self, path: Path, pid: int | None) -> None:
        self.path = path
        self.pid = pid
        holder = "another process" if pid is None else f"process {pid}"
        super().__init__(
            f"[Collection] {path} is open for writing in {holder}; close it there, or open it "
            "here with Collection.open(path, read_only=True)"
        )


class FingerprintError(ValueError):
    """The collection's vectors were made by another model than the one it was opened with."""
