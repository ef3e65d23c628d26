"""C5: the suites fail where they must: a store that breaks its word, a fault left out."""

from __future__ import annotations

from typing import Any

import pytest

import gates
from gate_faults import Fault, fail_at
from gate_kills import Point, kill_at, points
from gate_power_loss import lose_power
from io_checks import ViolationError
from io_jobs import Runner

IMAGES = 100


@pytest.mark.parametrize(
    ("control", "told"),
    [
        ({"acknowledges_early": True}, "disk: (lost|changed)"),
        ({"settings": {"IO_SKIP_SYNC": "all"}}, "disk: "),
        ({"settings": {"IO_SKIP_SYNC": "file"}}, "disk: "),
        ({"settings": {"IO_SKIP_SYNC": "directory"}}, "disk: "),
        ({"synchronous_off": True}, "disk: "),
        ({"synchronous_normal": True}, "disk: "),
    ],
    ids=["early", "no sync", "no sync of files", "no sync of folders", "OFF", "NORMAL"],
)
def test_power_loss_finds(runner: Runner, control: dict[str, Any], told: str) -> None:
    """The fifth call and those after it: the collection is there, and is used."""
    with pytest.raises(ViolationError, match=told):
        lose_power(runner, gates.SEED, "full", IMAGES, from_call=4, **control)
    gates.record("C5", control=str(control), found=1)


def test_kills_find_an_acknowledgement_before_the_commit(runner: Runner) -> None:
    found = points(runner, range(gates.SEED, gates.SEED + 1))
    seed, number = found[Point("before", "write commit frame")][1]  # the first makes the tables
    with pytest.raises(ViolationError, match="killed before write commit frame"):
        kill_at(runner, seed, number, "before", acknowledges_early=True)
    gates.record("C5", control="early acknowledgement, killed", found=1)


def test_a_kill_that_is_switched_off_is_noticed(runner: Runner) -> None:
    with pytest.raises(ViolationError, match="was not killed"):
        kill_at(runner, gates.SEED, 50, "before", settings={"IO_DISARMED": 1})
    gates.record("C5", control="kill switched off", found=1)


def test_a_fault_that_is_switched_off_is_noticed(runner: Runner) -> None:
    with pytest.raises(ViolationError, match="no operation failed"):
        fail_at(runner, gates.SEED, Fault("EIO", "W", 1), 50, settings={"IO_DISARMED": 1})
    gates.record("C5", control="fault switched off", found=1)
