"""C3: what was acknowledged survives power loss, with durability="normal" up to some moment."""

from __future__ import annotations

import pytest

import gates
from gate_power_loss import lose_power
from io_jobs import Runner

IMAGES_A_RUN = 50


@pytest.mark.parametrize("durability", ["full", "normal"])
def test_power_loss(runner: Runner, durability: str) -> None:
    images = gates.tries(short=300, full=20_000)
    for run in range(images // IMAGES_A_RUN):
        lose_power(runner, gates.SEED + run, durability, IMAGES_A_RUN)
    gates.record("C3", durability=durability, images=images, runs=images // IMAGES_A_RUN)
