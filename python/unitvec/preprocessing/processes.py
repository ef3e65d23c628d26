"""Batches of work in new processes, with their results in order."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

#: Batches that each process has waiting: enough that none pauses.
_AHEAD = 2


def in_processes(
    work: Callable[[list[str]], list[Any]], batches: Iterable[list[str]], processes: int
) -> Iterator[list[Any]]:
    """What `work` makes of each batch, in order; few batches are held at a time.

    Processes are spawned, not forked: a fork copies locks that other threads hold.
    """
    context = multiprocessing.get_context("spawn")
    pending: deque[Future[list[Any]]] = deque()
    pool = ProcessPoolExecutor(processes, context, initializer=_start, initargs=(work,))
    try:
        for batch in batches:
            pending.append(pool.submit(_run, batch))
            if len(pending) > processes * _AHEAD:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


_work: Callable[[list[str]], list[Any]]


def _start(work: Callable[[list[str]], list[Any]]) -> None:
    global _work
    _work = work


def _run(batch: list[str]) -> list[Any]:
    return _work(batch)
