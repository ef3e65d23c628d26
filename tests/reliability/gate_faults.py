"""F1: lets the n-th operation fail, and checks what the calls said and what they left."""

from __future__ import annotations

import shutil
from typing import NamedTuple

import io_trace
import io_workload
from io_checks import NotReachedError, ViolationError, check
from io_jobs import Outcome, Runner, require_finished
from io_trace import Operation
from io_workload import State

#: Every verb once.
LENGTH = 17
FOR_EVER = 10**9

_STORE = ("database", "log", "journal")


class Fault(NamedTuple):
    """What goes wrong: an error (or "SHORT") of operations of these kinds, and how often."""

    error: str
    kinds: str
    times: int


#: A call that is interrupted for ever is one that never ends: EINTR comes three times instead.
FAULTS = (
    Fault("EIO", "ORWTSNUMC", 1),
    Fault("EIO", "ORWTSNUMC", FOR_EVER),
    Fault("ENOSPC", "OWTSNM", 1),
    Fault("ENOSPC", "OWTSNM", FOR_EVER),
    Fault("SHORT", "W", 1),
    Fault("SHORT", "W", FOR_EVER),
    Fault("EINTR", "ORWS", 1),
    Fault("EINTR", "ORWS", 3),
    Fault("EIO", "S", 1),
    Fault("EIO", "S", FOR_EVER),
)


def places(runner: Runner, seed: int) -> list[tuple[Fault, int]]:
    """Every fault at every operation of a workload that it may strike."""
    outcome = runner.run(seed, LENGTH, settings={"IO_DATA": 0, "IO_READS": 1})
    require_finished(outcome)
    shutil.rmtree(outcome.root)
    kinds = [operation.kind for operation in outcome.trace]
    return [
        (fault, number)
        for fault in FAULTS
        for number in range(sum(kind in fault.kinds for kind in kinds))
    ]


def fail_at(
    runner: Runner,
    seed: int,
    fault: Fault,
    number: int,
    settings: dict[str, str | int] | None = None,
) -> None:
    """Plays a workload in which the operations from a number on fail, and checks it.

    Raises:
        ViolationError: naming seed, fault and number; also if nothing failed.
    """
    plan = {
        "IO_DATA": 0,
        "IO_FAULT": fault.error,
        "IO_FAULT_KINDS": fault.kinds,
        "IO_FAULT_AT": number,
        "IO_FAULT_TIMES": fault.times,
    }
    outcome = runner.run(seed, LENGTH, settings={**plan, **(settings or {})})
    try:
        _require_faults(outcome)
        require_read_only_after_failed_sync(outcome)
        exists = any(mark.startswith("opened") for mark in io_trace.marks(outcome.trace))
        # Where the index file could not be read it is built anew, and that may have failed, too.
        check(outcome.collection, possible_states(outcome), exists, index_may_be_lost=True)
    except ViolationError as error:
        raise type(error)(f"seed {seed}, {fault} at {number}: {error}") from error
    shutil.rmtree(outcome.root)


def _require_faults(outcome: Outcome) -> None:
    if outcome.status != 0:
        raise ViolationError(f"the process ended with {outcome.status}")
    if not any(operation.flags & io_trace.FAULTED for operation in outcome.trace):
        raise NotReachedError("no operation failed")


def possible_states(outcome: Outcome) -> list[State]:
    """What may be stored in the end: a failed call is whole or absent, the others are there.

    Raises:
        ViolationError: for a call that raised something else than an OSError with an errno, or that
            left something else.
    """
    state: State = {}
    doubtful: State | None = None  # with a call whose sync failed: stored, but perhaps not for good
    sync_failed = False
    for operation in outcome.trace:
        sync_failed |= _is_failed_sync(operation)
        if operation.kind != io_trace.MARK:
            continue
        verdict, text, *rest = operation.path.split(maxsplit=3)
        number = int(text)
        verb = io_workload.script(outcome.seed, outcome.length)[number]
        step = io_workload.next_step(outcome.seed, number, verb, state)
        if verdict == "begin":
            sync_failed = False
        elif verdict in ("done", "kept"):
            state = io_workload.after(state, step)
        elif verdict == "undone" and sync_failed:
            doubtful = doubtful or io_workload.after(state, step)
        elif verdict == "late" and doubtful is not None:
            state = doubtful
        elif verdict == "opened":
            doubtful = None
        elif verdict == "unknown":
            return [state, io_workload.after(state, step)]
        elif verdict != "undone" and not (verdict == "failed" and _is_told(rest[0], outcome)):
            raise ViolationError(f"{verb}: {operation.path}")
    return [state] if doubtful is None else [state, doubtful]


def _is_failed_sync(operation: Operation) -> bool:
    """Whether a file of SQLite's could not be synced."""
    return (
        operation.kind == io_trace.SYNC
        and bool(operation.flags & io_trace.FAULTED)
        and io_trace.file_kind(operation.name) in _STORE
    )


def _is_told(errno: str, outcome: Outcome) -> bool:
    """Whether a call failed as it should: with an errno.

    SQLite takes an EIO in reading for damage (SQLITE_IOERR_CORRUPTFS), and so do we: "damaged".
    """
    failed_reads = any(
        operation.kind == io_trace.READ and operation.flags & io_trace.FAULTED
        for operation in outcome.trace
    )
    return errno.isdigit() or (errno == "damaged" and failed_reads)


def require_read_only_after_failed_sync(outcome: Outcome) -> None:
    """Checks that nothing is written once a call has raised because of a failed sync of the store.

    A file that could not be synced may read well and still not be on the disk, and the next sync
    says nothing of it: only opening the collection anew shows what is there.
    """
    verbs = io_workload.script(outcome.seed, outcome.length)
    sync_failed = is_open = is_read_only = False
    for operation in outcome.trace:
        sync_failed |= _is_failed_sync(operation)
        if operation.kind != io_trace.MARK:
            continue
        verdict, number, *_ = operation.path.split()
        verb = verbs[int(number)]
        if verdict == "begin":
            sync_failed = False
            is_open &= verb not in ("reopen", "close")
            is_read_only &= is_open
        elif verdict == "opened":
            is_open = True
        elif is_read_only and verb in io_workload.WRITING and verdict in ("done", "failed"):
            if "since a sync to the disk failed" not in operation.path:
                raise ViolationError(f"after a failed sync, {verb}: {operation.path}")
        elif verdict == "failed" and sync_failed and is_open:
            is_read_only = True
