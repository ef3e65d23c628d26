"""C2: ends the process at named points, and checks what it left."""

from __future__ import annotations

import contextlib
import shutil
import signal
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import io_trace
import io_workload
from io_checks import NotReachedError, ViolationError, check
from io_jobs import Outcome, Runner, acknowledged, require_finished
from io_trace import Operation

#: Enough of a write to tell the header of a log frame.
HEAD = {"IO_DATA": 64}

_FRAME_HEADER = 24  # bytes, sqlite.org/fileformat2.html, "The Write-Ahead Log"
_LOG_HEADER = 32

_VERBS = {
    io_trace.WRITE: "write",
    io_trace.TRUNCATE: "truncate",
    io_trace.SYNC: "sync",
    io_trace.RENAME: "rename",
    io_trace.UNLINK: "remove",
    io_trace.MKDIR: "make",
}


class Point(NamedTuple):
    """Where to end a run: before or after one of its operations."""

    when: str
    what: str


def names(trace: list[Operation]) -> Iterator[str | None]:
    """What each recorded operation is called; None for those that change nothing.

    A COMMIT is "write commit frame", its page, and "sync log"; the update of the pointer to an
    index file is the same with "pointer" before it.
    """
    is_commit = is_pointer = False
    for operation in trace:
        if operation.kind in (io_trace.MARK, io_trace.READ):
            continue
        kind = io_trace.file_kind(operation.name)
        if operation.kind == io_trace.OPEN:
            yield f"create {kind}" if operation.size == io_trace.CREATED else None
            continue
        if operation.kind not in _VERBS:
            yield None
            continue
        what = f"{_VERBS[operation.kind]} {kind}"
        if kind == "log" and operation.kind == io_trace.WRITE:
            if operation.size == _FRAME_HEADER:
                is_commit = any(operation.data[4:8])  # the size of the database after it
            part = "commit frame" if is_commit else "frame"
            what = f"write {'log header' if operation.size == _LOG_HEADER else part}"
        if what == "rename index":
            is_pointer = True
        yield f"pointer: {what}" if is_pointer and kind == "log" else what
        if what == "sync log":
            is_commit = is_pointer = False


def points(runner: Runner, seeds: range) -> dict[Point, list[tuple[int, int]]]:
    """Every named point of the workloads, with the (seed, number) of its operations."""
    found: dict[Point, list[tuple[int, int]]] = defaultdict(list)
    for seed in seeds:
        outcome = runner.run(seed, settings=HEAD)
        require_finished(outcome)
        shutil.rmtree(outcome.root)
        for number, what in enumerate(names(outcome.trace)):
            for when in ("before", "after") if what else ():
                found[Point(when, str(what))].append((seed, number))
    return dict(found)


def kill_at(
    runner: Runner,
    seed: int,
    number: int,
    when: str,
    settings: dict[str, str | int] | None = None,
    **control: bool,
) -> Point:
    """Runs a workload up to an operation, checks what is left; returns the point that it was.

    Raises:
        ViolationError: naming seed and point; also if the process survived.
    """
    plan = {**HEAD, "IO_KILL_AT": number, "IO_KILL_WHEN": when, **(settings or {})}
    outcome = runner.run(seed, settings=plan, **control)
    point = _point_of(outcome)
    done, begun = acknowledged(outcome.trace)
    allowed = io_workload.states(seed, outcome.length)[done : max(done, begun) + 1]
    try:
        check(outcome.collection, allowed, must_exist=done > 0)
    except ViolationError as error:
        raise ViolationError(
            f"seed {seed}, killed {point.when} {point.what} ({number}): {error}"
        ) from error
    shutil.rmtree(outcome.root)
    return point


def _point_of(outcome: Outcome) -> Point:
    """Where a run ended, from its last record."""
    killed = io_trace.KILLED_BEFORE | io_trace.KILLED_AFTER
    if outcome.status != -signal.SIGKILL or not outcome.trace[-1].flags & killed:
        raise NotReachedError(
            f"seed {outcome.seed}: the process was not killed (status {outcome.status})"
        )
    *_, what = names(outcome.trace)
    before = outcome.trace[-1].flags & io_trace.KILLED_BEFORE
    return Point("before" if before else "after", str(what))


def kill_at_every_point(runner: Runner, seeds: range, times: int) -> Counter[Point]:
    """Kills at every named point so many times; returns how often each was hit.

    Runs that are not the same every time may end elsewhere: what counts is where they ended.
    """
    hits: Counter[Point] = Counter()
    for point, places in points(runner, seeds).items():
        for attempt in range(3 * times):
            if hits[point] >= times:
                break
            seed, number = places[attempt * 7919 % len(places)]  # spread over seeds and calls
            with contextlib.suppress(NotReachedError):
                hits[kill_at(runner, seed, number, point.when)] += 1
        if hits[point] < times:
            raise ViolationError(f"{point} was hit {hits[point]} times of {times}")
    return hits
