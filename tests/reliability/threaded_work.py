"""A program: threads encode, search and store at once, and compare each result with one thread's.

usage: threaded_work.py FOLDER MODEL SECONDS THREADS [before:MODULE | after:MODULE | one-cpu ...]

Prints a line of JSON: how often each was done, what differed, and how far the memory grew after the
first third of the time.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import sys
import threading
import time
from pathlib import Path
from typing import Any

#: Documents that stay, and those that each thread may have stored at a time.
_KEPT, _OWN = 200, 12


def main(folder: str, model: str, seconds: str, threads: str, *options: str) -> None:
    if "one-cpu" in options:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    _import("before", options)
    work = _work_of(Path(folder), model)
    _import("after", options)
    started = time.monotonic()
    end = started + float(seconds)
    counts: list[dict[str, int]] = []
    wrong: list[str] = []
    workers = [
        threading.Thread(target=_until, args=(end, work, number, counts, wrong))
        for number in range(int(threads))
    ]
    for worker in workers:
        worker.start()
    time.sleep(float(seconds) / 3)
    early = _resident_bytes()
    for worker in workers:
        worker.join()
    total = {verb: sum(count.get(verb, 0) for count in counts) for verb in counts[0]}
    print(json.dumps({"counts": total, "wrong": wrong, "grown": _resident_bytes() - early}))
    work.close()


def _import(when: str, options: tuple[str, ...]) -> None:
    for option in options:
        if option.startswith(f"{when}:"):
            importlib.import_module(option.split(":")[1])


def _resident_bytes() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _until(
    end: float, work: Any, number: int, counts: list[dict[str, int]], wrong: list[str]
) -> None:
    rng = random.Random(number)
    verbs = (work.encode, work.search_index, work.search, work.store)
    done = {verb.__name__: 0 for verb in verbs}
    try:
        while time.monotonic() < end and not wrong:
            verb = rng.choice(verbs)
            if not verb(rng, number):
                wrong.append(f"{verb.__name__} in thread {number}")
            done[verb.__name__] += 1
    except BaseException as error:
        wrong.append(f"thread {number}: {type(error).__name__}: {error}")
    counts.append(done)


def _work_of(folder: Path, model: str) -> Any:
    import numpy as np

    import unitvec as uv

    class Work:
        """What the threads share: an encoder, an index, a collection, and one thread's results."""

        def __init__(self) -> None:
            self.texts = [f"{a} {i} {b} " * (1 + i % 5) for i in range(_KEPT)
                          for a, b in [("the cat", "sat on the mat") if i % 2 else
                                       ("shares", "fell again")]]  # fmt: skip
            self.encoder = uv.Encoder(model)
            self.vectors = uv.Encoder(model, threads=1).encode(self.texts)
            self.index = uv.Index(self.vectors.shape[1], kind="hnsw")
            self.index.add(self.vectors)
            self.found = self.index.search(self.vectors, 5, threads=1)
            self.db = uv.Collection(folder / "c.uv", encoder=self.encoder, durability="normal")
            ids = [f"kept {i}" for i in range(_KEPT)]
            kept = [{"kept": True}] * _KEPT
            self.db.add(self.texts, ids=ids, metadatas=kept, embeddings=self.vectors)
            self.hits = [self._search(i) for i in range(_KEPT)]

        def _search(self, i: int) -> list[tuple[str, float]]:
            hits = self.db.search(self.vectors[i], k=5, where={"kept": True})
            return [(hit.id, hit.score) for hit in hits]

        def encode(self, rng: random.Random, number: int) -> bool:
            chosen = rng.sample(range(_KEPT), rng.choice((1, 3, 20)))
            vectors = self.encoder.encode([self.texts[i] for i in chosen])
            return bool(np.array_equal(vectors, self.vectors[chosen]))

        def search_index(self, rng: random.Random, number: int) -> bool:
            first = rng.randrange(_KEPT - 20)
            found = self.index.search(self.vectors[first : first + 20], 5)
            same = [np.array_equal(a, b[first : first + 20])
                    for a, b in zip(found, self.found, strict=True)]  # fmt: skip
            return all(same)

        def search(self, rng: random.Random, number: int) -> bool:
            i = rng.randrange(_KEPT)
            return self._search(i) == self.hits[i]

        def store(self, rng: random.Random, number: int) -> bool:
            chosen = rng.sample(range(_KEPT), _OWN)
            ids = [f"{number}-{i}" for i in range(_OWN)]
            self.db.add([self.texts[i] for i in chosen], ids=ids)
            records = self.db.get(ids, include=["documents", "embeddings"])
            same = [r.document == self.texts[i] and np.array_equal(r.vector, self.vectors[i])
                    for r, i in zip(records, chosen, strict=True)]  # fmt: skip
            return all(same) and self.db.delete(ids) == _OWN

        def close(self) -> None:
            assert self.db.count() == _KEPT
            assert self.db.verify().ok
            self.db.close()

    return Work()


if __name__ == "__main__":
    main(*sys.argv[1:])
