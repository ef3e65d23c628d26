"""F1: an operation that fails gives an error with its number, and loses nothing acknowledged."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import gates
import io_trace
from gate_faults import FAULTS, FOR_EVER, LENGTH, Fault, fail_at, places
from gate_faults import require_read_only_after_failed_sync as require_read_only
from io_checks import NotReachedError
from io_jobs import Runner
from io_workload import WRITING, script


def test_failing_operations(runner: Runner) -> None:
    """A sample in short runs; in full ones every fault at every operation of three workloads."""
    struck: Counter[str] = Counter()
    missed = 0
    for run in range(gates.tries(short=1, full=3)):
        found = places(runner, gates.SEED + run)
        count = gates.tries(short=120, full=len(found))
        for fault, number in random.Random(gates.SEED).sample(found, count):
            if strikes(runner, gates.SEED + run, fault, number):
                struck[fault.error] += 1
            else:
                missed += 1
    assert struck.keys() == {fault.error for fault in FAULTS}
    assert missed <= struck.total() // 20
    gates.record("F1", runs=struck.total(), **struck)


def strikes(runner: Runner, seed: int, fault: Fault, number: int) -> bool:
    """Whether a run came to the operation that was to fail; what is left is checked."""
    try:
        fail_at(runner, seed, fault, number)
    except NotReachedError:
        return False
    return True


def test_after_a_failed_sync_a_handle_reads_and_no_longer_writes(runner: Runner) -> None:
    """The third call adds; its COMMIT is the sync that fails, once: the next would succeed."""
    verbs = ((seed, script(seed, LENGTH)) for seed in itertools.count(gates.SEED))
    seed = next(seed for seed, found in verbs if found[4] in WRITING)
    trace = runner.run(seed, LENGTH, settings={"IO_DATA": 0}).trace
    begin = [op.path for op in trace].index("begin 2")
    earlier = sum(op.kind == io_trace.SYNC for op in trace[:begin])
    outcome = runner.run(
        seed,
        LENGTH,
        settings={"IO_FAULT": "EIO", "IO_FAULT_KINDS": "S", "IO_FAULT_AT": earlier},
    )
    require_read_only(outcome)
    marks = io_trace.marks(outcome.trace)
    assert any(mark.startswith("failed 2 5 ") for mark in marks)
    assert "undone 2" in marks
    assert "done 3" in marks  # a search
    refused = [mark for mark in marks if "read-only since a sync to the disk failed" in mark]
    assert refused
    assert all(mark.split()[2] == "5" for mark in refused)  # EIO
    fail_at(runner, seed, Fault("EIO", "S", 1), earlier)
    fail_at(runner, seed, Fault("EIO", "S", FOR_EVER), earlier)


@pytest.mark.parametrize("number", [4, 5])
def test_a_failed_sync_in_a_checkpoint_is_told(runner: Runner, folder: Path, number: int) -> None:
    """After those of opening (two folders) and of the log's header (log, folder): log, database."""
    root = folder / f"checkpoint {number}"
    root.mkdir()
    settings = {"IO_FAULT": "EIO", "IO_FAULT_KINDS": "S", "IO_FAULT_AT": str(number)}
    worker = Path(__file__).with_name("checkpoint_worker.py")
    said = subprocess.run(
        [sys.executable, str(worker), str(root / "c.uv")],
        env={
            **os.environ,
            **settings,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "LD_PRELOAD": str(runner.library),
            "IO_WATCH": str(root),
            "IO_TRACE": str(folder / "checkpoint.trace"),
        },
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.splitlines()
    faults = [op for op in io_trace.read_trace(folder / "checkpoint.trace") if op.flags]
    assert [io_trace.file_kind(op.name) for op in faults] == [{4: "log", 5: "database"}[number]]
    assert "disk I/O error" in said[0]
    assert "read-only since a sync to the disk failed" in said[1]
