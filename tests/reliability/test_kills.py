"""Kills at random times: what was acknowledged is there, and the collection opens."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import ledger
from gates import SEED, record, tries
from killed_writer import Victim, read_log, recover
from zygote import Zygote

_KILLS_EACH = 20  # of one collection; the first ones hit it while it is made


def test_what_was_acknowledged_survives_kills(
    zygote: Zygote, tmp_path: Path, memory_path: Path
) -> None:
    """C1: kills during every operation; the one cut off is stored whole or not at all.

    Every other collection is in memory, where a second has many more operations: a kill, unlike a
    power loss, cannot tell the two apart.
    """
    rng = random.Random(f"C1 {SEED}")
    kills = tries(200, 10_000)
    killed_in: Counter[str] = Counter()
    acknowledged = 0
    for first in range(0, kills, _KILLS_EACH):
        home = (tmp_path, memory_path)[first // _KILLS_EACH % 2]
        victim = Victim(zygote, home / "c.uv")
        for kill in range(first, min(kills, first + _KILLS_EACH)):
            victim.kill_a_writer(rng.uniform(0, 0.2), rng.randrange(2**32))
            assert not victim.problems(), f"kill {kill} in {victim.cut_off}"
        killed_in += victim.killed_in
        acknowledged += victim.acknowledged
        ledger.discard(victim.path)
    assert set(ledger.VERBS) <= set(killed_in) or kills < 1000
    during = {f"in {verb}": count for verb, count in sorted(killed_in.items())}
    record("C1", kills=kills, acknowledged=acknowledged, lost=0, unopenable=0, drift=0, **during)


def test_an_early_acknowledgement_is_noticed(zygote: Zygote, memory_path: Path) -> None:
    """The check can fail: a writer that acknowledges before it writes is found out."""
    rng = random.Random(f"C1 control {SEED}")
    for _ in range(60):
        victim = Victim(zygote, memory_path / "c.uv", early=True)
        ledger.discard(victim.path)
        victim.kill_a_writer(rng.uniform(0.05, 0.3), rng.randrange(2**32))
        if victim.problems():
            return
    raise AssertionError("no early acknowledgement was noticed")


def test_what_was_acknowledged_survives_kills_of_its_recovery(
    zygote: Zygote, memory_path: Path
) -> None:
    """C4: the process that opens what a kill left is killed as well, and the next, and the next."""
    rng = random.Random(f"C4 {SEED}")
    chains = tries(20, 1000)
    unfinished = 0
    for chain in range(chains):
        victim = Victim(zygote, memory_path / "c.uv")
        ledger.discard(victim.path)
        victim.kill_a_writer(rng.uniform(0.05, 0.2), rng.randrange(2**32))
        for depth in range(3):
            log = memory_path / f"log-{depth}"
            log.unlink(missing_ok=True)
            pid = zygote.start(recover, victim.path, log)
            time.sleep(rng.uniform(0, 0.06))
            os.kill(pid, signal.SIGKILL)
            zygote.wait(pid)
            unfinished += not any("closed" in line for line in read_log(log))
        assert not victim.problems(), f"chain {chain}"
    assert unfinished > 0
    record("C4", chains=chains, kills=3 * chains, before_the_end=unfinished, lost=0)
