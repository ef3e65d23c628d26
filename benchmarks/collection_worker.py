"""One store in a process of its own; `worker` says why, and how requests and answers are written.

Started by `benchmarks.collection_systems`, as `python -m benchmarks.collection_worker MODULE`.
Libraries are imported at the start, before anything is measured.

Requests                                            answers
  {"do": "read", "texts": PATH, "vectors": PATH,
   "begin": I, "end": J, "count": N}                {}   documents to `add`, `replace`, `upsert`
  {"do": "open", "path": P, "dim": D,
   "options": {...}}                                {"versions": {...}}
  {"do": "add"}, {"do": "replace"}                  {"seconds": S}    of all that were read
  {"do": "finish"}, {"do": "close"}                 {"seconds": S}
  {"do": "first", "path": P, "dim": D, "options":
   {...}, "queries": PATH, "k": K}                  {"seconds": S}    opening, and one search
  {"do": "search", "queries": PATH, "numbers":
   [I, ...], "where": [FILTER, ...] or null,
   "warm_up": N, "k": K, "save": PATH}              {"seconds": [S, ...]}
  {"do": "upsert", "ids": [I, ...]}                 {"seconds": [S, ...], "found": SHARE}
  {"do": "delete", "ids": [I, ...]}                 {"seconds": S}
  {"do": "count"}                                   {"count": N}
  {"do": "mark"}                                    {}
  {"do": "memory"}                                  {"grown_bytes": B,      at most, since `mark`
                                                     "mapped_bytes": B}     now, pages of files
A search is that of the queries with these numbers, each with its own filter; the first `warm_up` of
them are not timed, and of the others ids are saved as int64, (n, K), -1 where there are fewer.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import re
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.collection_documents import Documents, Filter, read_documents
from benchmarks.worker import Answering, main

STATUS = Path("/proc/self/status")

Hits = Sequence[tuple[str, str, dict[str, Any]]]


class CollectionWorker(Answering):
    """Answers requests with one library's module; `open` or `first` comes before all that asks."""

    verbs = (
        "read",
        "open",
        "add",
        "replace",
        "finish",
        "first",
        "search",
        "upsert",
        "delete",
        "count",
        "mark",
        "memory",
        "close",
    )

    def __init__(self, module: str) -> None:
        self._module = importlib.import_module(f"benchmarks.collection_peers.{module}")
        self._store: Any = None
        self._read: Documents | None = None
        self.mark()

    def read(self, texts: str, vectors: str, begin: int, end: int, count: int) -> dict[str, Any]:
        self._read = None
        self._read = read_documents(Path(texts), Path(vectors), begin, end, count)
        return {}

    def open(self, path: str, dim: int, options: dict[str, Any]) -> dict[str, Any]:
        self._store = self._module.load(path, dim, **options)
        return {"versions": self._module.versions()}

    def add(self) -> dict[str, Any]:
        return _timed(partial(self._opened().add, self._documents()))

    def replace(self) -> dict[str, Any]:
        return _timed(partial(self._opened().upsert, self._documents()))

    def finish(self) -> dict[str, Any]:
        return _timed(self._opened().finish)

    def first(
        self, path: str, dim: int, options: dict[str, Any], queries: str, k: int
    ) -> dict[str, Any]:
        query = np.load(queries)[0]
        start = time.perf_counter()
        self.open(path, dim, options)
        hits = self._store.search(query, k, None)
        seconds = time.perf_counter() - start
        _ids(hits, k)
        return {"seconds": seconds}

    def search(
        self,
        queries: str,
        numbers: list[int],
        where: list[Filter] | None,
        warm_up: int,
        k: int,
        save: str,
    ) -> dict[str, Any]:
        store, rows = self._opened(), np.load(queries, mmap_mode="r")
        seconds, found = [], []
        conditions: Sequence[Filter | None] = where or [None] * len(numbers)
        for number, condition in zip(numbers, conditions, strict=True):
            row = np.array(rows[number])
            start = time.perf_counter()
            hits = store.search(row, k, condition)
            seconds.append(time.perf_counter() - start)
            found.append(_ids(hits, k))
        np.save(save, np.array(found[warm_up:], np.int64))
        return {"seconds": seconds[warm_up:]}

    def upsert(self, ids: list[int]) -> dict[str, Any]:
        """A row a call: the documents that were read, under these ids; are they found after it?"""
        store = self._opened()
        rows = [
            Documents([str(id_)], one.texts, one.fields, one.vectors)
            for id_, one in zip(ids, self._documents().blocks(1), strict=False)
        ]
        seconds = [_timed(partial(store.upsert, row))["seconds"] for row in rows]
        found = [[hit[:2] for hit in store.search(row.vectors[0], 1, None)] for row in rows]
        as_written = [[(row.ids[0], row.texts[0])] for row in rows]
        share = sum(map(list.__eq__, found, as_written)) / len(rows)
        return {"seconds": seconds, "found": share}

    def delete(self, ids: list[int]) -> dict[str, Any]:
        return _timed(partial(self._opened().delete, [str(id_) for id_ in ids]))

    def count(self) -> dict[str, Any]:
        return {"count": self._opened().count()}

    def mark(self) -> dict[str, Any]:
        """Memory is what the process grows by at most from here."""
        gc.collect()
        with contextlib.suppress(OSError):  # else the peak is that since the start
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        self._marked = resident_bytes("VmRSS")
        self._mapped = resident_bytes("RssFile")
        return {}

    def memory(self) -> dict[str, Any]:
        return {
            "grown_bytes": resident_bytes("VmHWM") - self._marked,
            "mapped_bytes": resident_bytes("RssFile") - self._mapped,
        }

    def close(self) -> dict[str, Any]:
        store, self._store = self._opened(), None
        return _timed(store.close)

    def _opened(self) -> Any:
        if self._store is None:
            raise RuntimeError("[collection_worker] expected an open request first")
        return self._store

    def _documents(self) -> Documents:
        if self._read is None:
            raise RuntimeError("[collection_worker] expected a read request first")
        return self._read


def _timed(work: Callable[[], Any]) -> dict[str, float]:
    start = time.perf_counter()
    work()
    return {"seconds": time.perf_counter() - start}


def _ids(hits: Hits, k: int) -> list[int]:
    """Rows that were found, filled up with -1; each must have its text and its three fields."""
    for id_, text, fields in hits:
        if not text or set(fields) != {"number", "category", "tag"}:
            raise ValueError(f"[collection_worker] expected {id_} with its fields, got {fields}")
    ids = [int(id_) for id_, _, _ in hits][:k]
    return ids + [-1] * (k - len(ids))


def resident_bytes(what: str) -> int:
    """`VmRSS`, resident now, `RssFile` of it, or `VmHWM`, at most; 0 if not known."""
    text = STATUS.read_text(encoding="utf-8") if STATUS.is_file() else ""
    found = re.search(rf"^{what}:\s*(\d+) kB$", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


if __name__ == "__main__":
    main(CollectionWorker(sys.argv[1]))
