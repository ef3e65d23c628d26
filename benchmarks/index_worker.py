"""One index in a process of its own; `worker` says why, and how requests and answers are written.

Started by `benchmarks.index_systems`, as `python -m benchmarks.index_worker MODULE`; vectors lie in
.npy files, which all processes share in the system's cache.

Requests                                         answers
  {"do": "load", "threads": N, "options": {...}} {"versions": {...}}
  {"do": "build", "vectors": PATH}               {"seconds": S, "cpu_seconds": C,
                                                  "resident_bytes": B, "stated_bytes": B or null}
  {"do": "find", "queries": PATH, "k": K,
   "value": V or null, "save": PATH}             {}                     ids as int64, (nq, K)
  {"do": "search", "queries": PATH, "k": K,
   "value": V or null}                           {"seconds": S, "cpu_seconds": C}   of one call
  {"do": "search_each", "queries": PATH, "k": K,
   "value": V or null, "calls": N}               {"seconds": [S, ...]}              a query a call
V is the search parameter. Every build is a new index, once the one before is gone.
"""

from __future__ import annotations

import gc
import importlib
import re
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.worker import Answering, main

#: Queries that are searched before those of `search_each`: the process's before has had the caches.
WARM_UP = 20

#: Seconds that `search` takes at least: it searches for the same queries again until then.
SHORTEST = 0.25


class IndexWorker(Answering):
    """Answers requests with one library's module; `load` comes first, then `build`."""

    verbs = ("load", "build", "find", "search", "search_each")

    def __init__(self, module: str) -> None:
        self._module = importlib.import_module(f"benchmarks.index_peers.{module}")
        self._arguments: dict[str, Any] = {}
        self._index: Any = None

    def load(self, threads: int, options: dict[str, Any]) -> dict[str, Any]:
        self._arguments = {"threads": threads, **options}
        self._module.load(**self._arguments)
        return {"versions": self._module.versions()}

    def build(self, vectors: str) -> dict[str, Any]:
        self._index = None
        gc.collect()
        rows = np.asarray(np.load(vectors, mmap_mode="r"))
        rows.sum()  # reads them, so that no build waits for the disk
        index = self._module.load(**self._arguments)
        before, start, cpu_start = anonymous_bytes(), time.perf_counter(), time.process_time()
        index.build(rows)
        seconds = time.perf_counter() - start
        self._index = index
        return {
            "seconds": seconds,
            "cpu_seconds": time.process_time() - cpu_start,  # of every thread
            "resident_bytes": anonymous_bytes() - before,
            "stated_bytes": index.stated_bytes(),
        }

    def find(self, queries: str, k: int, value: int | None, save: str) -> dict[str, Any]:
        rows = np.load(queries)
        ids = self._built(value).search(rows, k)
        if ids.shape != (len(rows), k):
            raise ValueError(f"[index_worker] expected {len(rows)} x {k} ids, got {ids.shape}")
        np.save(save, ids.astype(np.int64))
        return {}

    def search(self, queries: str, k: int, value: int | None) -> dict[str, Any]:
        rows = np.load(queries)
        index = self._built(value)
        rounds = 0
        start, cpu_start = time.perf_counter(), time.process_time()
        while (seconds := time.perf_counter() - start) < SHORTEST or rounds == 0:
            index.search(rows, k)
            rounds += 1
        cpu_seconds = time.process_time() - cpu_start
        return {"seconds": seconds / rounds, "cpu_seconds": cpu_seconds / rounds}

    def search_each(self, queries: str, k: int, value: int | None, calls: int) -> dict[str, Any]:
        index = self._built(value)
        rows = [row[None] for row in np.load(queries)[:calls]]
        for row in rows[:WARM_UP]:
            index.search(row, k)
        seconds = []
        for row in rows:
            start = time.perf_counter()
            index.search(row, k)
            seconds.append(time.perf_counter() - start)
        return {"seconds": seconds}

    def _built(self, value: int | None) -> Any:
        if self._index is None:
            raise RuntimeError("[index_worker] expected a build request first")
        if value is not None:
            self._index.set(value)
        return self._index


def anonymous_bytes() -> int:
    """Resident memory that is not a file's, so without the vectors that were read; 0 if unknown."""
    status = Path("/proc/self/status")
    text = status.read_text(encoding="utf-8") if status.is_file() else ""
    found = re.search(r"^RssAnon:\s*(\d+) kB$", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


if __name__ == "__main__":
    main(IndexWorker(sys.argv[1]))
