"""The stores that a question measures, each in processes of its own, and what they are asked."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.collection_documents import Filter
from benchmarks.collection_peers import SYSTEMS, StoreSystem
from benchmarks.environment import interpreter
from benchmarks.neighbours import IntArray
from benchmarks.process import PeerError, WorkerProcess, environment_variables
from benchmarks.settings import Settings

K = 10


@dataclass(frozen=True)
class Corpus:
    """Files with the documents, which every process reads for itself, and the queries."""

    texts: Path  # what `write_texts` wrote
    vectors: Path  # (at least count, dim) float32
    queries: Path  # (nq, dim)
    count: int
    dim: int

    def rows(self, begin: int = 0, end: int | None = None) -> dict[str, Any]:
        """For a request to read documents."""
        return {
            "texts": str(self.texts),
            "vectors": str(self.vectors),
            "begin": begin,
            "end": self.count if end is None else end,
            "count": self.count,
        }


class StoreProcess(WorkerProcess):
    """One store in a process of its own."""

    def __init__(self, system: StoreSystem, threads: int) -> None:
        arguments = ("benchmarks.collection_worker", system.module)
        super().__init__(system.name, system.environment, arguments, threads)
        self.system = system

    def open(self, path: Path, dim: int) -> dict[str, str]:
        """Opens a store, or makes one; returns versions."""
        request = {"path": str(path), "dim": dim, "options": self.system.options}
        return dict(self.ask(do="open", **request)["versions"])

    def first(self, path: Path, corpus: Corpus) -> float:
        """Seconds of opening a store and of one search."""
        request = {"path": str(path), "dim": corpus.dim, "options": self.system.options}
        answer = self.ask(do="first", **request, queries=str(corpus.queries), k=K)
        return float(answer["seconds"])

    def seconds(self, verb: str, **arguments: Any) -> float:
        """Of what is done once."""
        return float(self.ask(do=verb, **arguments)["seconds"])

    def search(
        self,
        queries: Path,
        numbers: Sequence[int],
        where: Sequence[Filter] | None = None,
        warm_up: int = 0,
    ) -> tuple[list[float], IntArray]:
        """Seconds of each search, and the rows that each found, shape (n, K)."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "ids.npy"
            answer = self.ask(
                do="search",
                queries=str(queries),
                numbers=list(map(int, numbers)),
                where=None if where is None else list(where),
                warm_up=warm_up,
                k=K,
                save=str(path),
            )
            return list(answer["seconds"]), np.load(path)

    def require_count(self, count: int) -> None:
        """Raises PeerError unless the store holds so many documents."""
        answer = self.ask(do="count")
        if answer["count"] != count:
            raise PeerError(f"[{self.name}] expected {count} documents, got {answer['count']}")


def chosen(names: Iterable[str], settings: Settings) -> list[str]:
    """Those of a question's stores that the caller asked for and that there are."""
    return [n for n in names if n in SYSTEMS and (not settings.peers or n in settings.peers)]


@contextlib.contextmanager
def new_folder(settings: Settings) -> Iterator[Path]:
    """A folder for a store, on the disk that is measured; it is gone afterwards."""
    settings.stores.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.stores, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def bytes_in(folder: Path) -> int:
    """Of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def import_seconds(system: StoreSystem, threads: int) -> float:
    """Of a fresh process that only imports the library, with Python's own start."""
    command = [str(interpreter(system.environment)), "-c", system.statement]
    start = time.perf_counter()
    subprocess.run(command, check=True, env=environment_variables(threads), capture_output=True)
    return time.perf_counter() - start
