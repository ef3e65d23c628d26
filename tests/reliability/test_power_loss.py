"""C3: what was acknowledged survives power loss, with durability="normal" up to some moment."""

from __future__ import annotations

import pytest

import gates
import io_trace
from gate_power_loss import lose_power
from io_jobs import Runner

IMAGES_A_RUN = 50


@pytest.mark.parametrize("durability", ["full", "normal"])
def test_power_loss(runner: Runner, durability: str) -> None:
    images = gates.tries(short=300, full=20_000)
    for run in range(images // IMAGES_A_RUN):
        lose_power(runner, gates.SEED + run, durability, IMAGES_A_RUN)
    gates.record("C3", durability=durability, images=images, runs=images // IMAGES_A_RUN)


def test_a_sync_of_the_folder_that_fails_unnoticed(runner: Runner) -> None:
    """SQLite goes on where it cannot sync the name of a new log."""
    syncs = [op for op in runner.run(gates.SEED).trace if op.kind == io_trace.SYNC]
    unnoticed = 0
    for number, sync in enumerate(syncs):
        if io_trace.file_kind(sync.name) != "folder":
            continue
        fault = {"IO_FAULT": "EIO", "IO_FAULT_KINDS": "S", "IO_FAULT_AT": number}
        marks = io_trace.marks(runner.run(gates.SEED, settings=fault).trace)
        if not any(mark.startswith("failed") for mark in marks):
            lose_power(runner, gates.SEED, "full", 60, settings=fault)
            unnoticed += 1
    assert unnoticed
