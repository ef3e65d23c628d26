"""The indexes that a question measures, each in a process of its own, and what they are asked."""

from __future__ import annotations

import contextlib
import functools
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.index_peers import SYSTEMS, IndexSystem
from benchmarks.index_vectors import Vectors
from benchmarks.neighbours import IntArray
from benchmarks.process import WorkerProcess
from benchmarks.settings import Settings
from benchmarks.systems import attempt, nothing_runs

K = 10

#: Seconds before each measurement: threads of the system before may spin for a while.
PAUSE = 0.05


class IndexProcess(WorkerProcess):
    """One index in a process of its own."""

    def __init__(self, system: IndexSystem, threads: int) -> None:
        arguments = ("benchmarks.index_worker", system.module)
        super().__init__(system.name, system.environment, arguments, threads)
        self.system = system

    def load(self) -> dict[str, Any]:
        """Has the library make an empty index, to see that it can."""
        return self.ask(do="load", threads=self.threads, options=self.system.options)

    def build(self, vectors: Path) -> dict[str, Any]:
        """`seconds` and `cpu_seconds` of building anew, `resident_bytes` and `stated_bytes`."""
        time.sleep(PAUSE)
        return self.ask(do="build", vectors=str(vectors))

    def found(self, queries: Path, value: int | None) -> IntArray:
        """Ids of the `K` nearest of every query, shape (nq, K)."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "ids.npy"
            self.ask(do="find", queries=str(queries), k=K, value=value, save=str(path))
            return np.asarray(np.load(path))

    def search(self, queries: Path, value: int | None) -> dict[str, float]:
        """`seconds` and `cpu_seconds` of one call with every query."""
        time.sleep(PAUSE)
        return self.ask(do="search", queries=str(queries), k=K, value=value)

    def search_each(self, queries: Path, value: int | None, calls: int) -> list[float]:
        """Seconds of each call with one query."""
        time.sleep(PAUSE)
        answer = self.ask(do="search_each", queries=str(queries), k=K, value=value, calls=calls)
        return list(answer["seconds"])


@dataclass(frozen=True)
class Indexes:
    """Built indexes, by name."""

    processes: dict[str, IndexProcess]
    builds: dict[str, dict[str, Any]]  # what the first build answered
    about: dict[str, dict[str, Any]]  # versions
    left_out: dict[str, str]  # with the reason


def chosen(names: Iterable[str], settings: Settings) -> list[str]:
    """Those of a question's indexes that the caller asked for and that there are."""
    return [n for n in names if n in SYSTEMS and (not settings.peers or n in settings.peers)]


@contextlib.contextmanager
def built(names: Iterable[str], threads: int, vectors: Vectors) -> Iterator[Indexes]:
    """Starts the indexes that this machine can run, and builds each; they end with the context.

    Raises:
        PeerError: if it can run none.
    """
    indexes = Indexes({}, {}, {}, {})
    with contextlib.ExitStack() as stack:
        for name in names:
            start = functools.partial(_start, SYSTEMS[name], threads, vectors.vectors)
            started = attempt(start, name, indexes.left_out)
            if started is not None:
                process, versions, build = started
                indexes.processes[name] = stack.enter_context(process)
                indexes.about[name] = {"versions": versions}
                indexes.builds[name] = build
        if not indexes.processes:
            raise nothing_runs(indexes.left_out)
        yield indexes


def for_budgets(
    names: Iterable[str],
    settings: Settings,
    data: Vectors,
    measure: Callable[[Indexes, int], dict[str, Any]],
) -> dict[str, Any]:
    """What `measure` says of the indexes, built by one thread and by all: a question's result.

    Raises:
        PeerError: if the machine can run none of them.
    """
    vectors, queries = data.load()
    about: dict[str, Any] = {}
    left_out: dict[str, str] = {}
    budgets = []
    for threads in sorted({1, settings.threads}):
        with built(chosen(names, settings), threads, data) as indexes:
            budgets.append({"threads": threads, **measure(indexes, threads)})
        about |= indexes.about
        left_out |= indexes.left_out
    return {
        "systems": about,
        "left_out": left_out,
        "vectors": len(vectors),
        "dim": vectors.shape[1],
        "queries": len(queries),
        "budgets": budgets,
    }


def _start(
    system: IndexSystem, threads: int, vectors: Path
) -> tuple[IndexProcess, dict[str, str], dict[str, Any]]:
    """An index's process, which ends here if it fails, its versions and its first build."""
    with contextlib.ExitStack() as stack:
        process = stack.enter_context(IndexProcess(system, threads))
        versions = process.load()["versions"]
        build = process.build(vectors)
        stack.pop_all()  # it lives on, for the caller to end
    return process, versions, build
