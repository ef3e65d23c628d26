"""One system in a process of its own: a request a line on stdin, an answer a line on stdout, JSON.

Two systems in one process would share thread pools and allocators and spoil each other's times; a
process that stays alive between requests lets the runner take turns, A B A B, without paying for
loading again. Started by `benchmarks.process`, as `python -m benchmarks.worker PEER`.

Requests                                         answers
  {"do": "load", "model": DIR, "threads": N,
   "options": {...}}                             {"seconds": S, "versions": {...}}
  {"do": "encode", "texts": [...], "save": PATH or null}   {"seconds": S, "cpu_seconds": C}
  {"do": "encode_each", "texts": [...], "size": N}         {"seconds": [S, ...]}   N texts a call
  {"do": "memory"}                               {"peak_bytes": B}
An exception becomes {"error": "..."}; end of input ends the process.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, ClassVar, TextIO

import numpy as np

Encode = Callable[[list[str]], "np.ndarray[Any, np.dtype[np.float32]]"]


class Answering:
    """Answers each request with the method that its verb names."""

    verbs: ClassVar[tuple[str, ...]]

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        arguments = dict(request)
        verb = arguments.pop("do")
        if verb not in self.verbs:
            raise ValueError(f"[worker] expected one of {sorted(self.verbs)}, got {verb!r}")
        answer: dict[str, Any] = getattr(self, verb)(**arguments)
        return answer


class Worker(Answering):
    """Answers requests with one peer's module; `load` comes first."""

    verbs = ("load", "encode", "encode_each", "memory")

    def __init__(self, peer: str) -> None:
        self._module = importlib.import_module(f"benchmarks.peers.{peer}")
        self._encode: Encode | None = None

    def load(self, model: str, threads: int, options: dict[str, Any]) -> dict[str, Any]:
        start = time.perf_counter()
        self._encode = self._module.load(model, threads, **options)
        return {"seconds": time.perf_counter() - start, "versions": self._module.versions()}

    def encode(self, texts: list[str], save: str | None) -> dict[str, Any]:
        start, cpu_start = time.perf_counter(), time.process_time()
        vectors = self._loaded()(texts)
        seconds = time.perf_counter() - start
        cpu_seconds = time.process_time() - cpu_start  # of every thread
        if vectors.shape[0] != len(texts):
            raise ValueError(f"[worker] expected {len(texts)} vectors, got {vectors.shape[0]}")
        if save is not None:
            np.save(save, vectors)
        return {"seconds": seconds, "cpu_seconds": cpu_seconds}

    def encode_each(self, texts: list[str], size: int = 1) -> dict[str, Any]:
        encode = self._loaded()
        seconds = []
        for first in range(0, len(texts), size):
            call = texts[first : first + size]
            start = time.perf_counter()
            encode(call)
            seconds.append(time.perf_counter() - start)
        return {"seconds": seconds}

    def memory(self) -> dict[str, Any]:
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {"peak_bytes": kilobytes * 1024}

    def _loaded(self) -> Encode:
        if self._encode is None:
            raise RuntimeError("[worker] expected a load request first")
        return self._encode


def serve(worker: Answering, requests: TextIO, answers: TextIO) -> None:
    """Answers line by line until the requests end."""
    for line in requests:
        try:
            answer = worker.answer(json.loads(line))
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def main(worker: Answering) -> None:
    """Serves this process's stdin; what libraries print must not mix with the answers."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # it goes to stderr
    serve(worker, sys.stdin, answers)


if __name__ == "__main__":
    main(Worker(sys.argv[1]))
