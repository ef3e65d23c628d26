"""S2: Ctrl-C at a random time stops the work, and loses and breaks nothing."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

import ledger
from gates import SEED, record, tries
from interrupted import VERBS, encode, work
from killed_writer import Victim, read_log
from zygote import Zygote

_EACH = 10  # interrupts of one collection


@pytest.mark.parametrize("verb", VERBS)
def test_ctrl_c_loses_nothing(verb: str, zygote: Zygote, memory_path: Path) -> None:
    rng = random.Random(f"S2 {verb} {SEED}")
    count = tries(8, 170)  # with encoding a thousand
    longest = 0.0
    victim = Victim(zygote, memory_path / "c.uv")
    for turn in range(count):
        if turn % _EACH == 0:
            ledger.discard(victim.path)
            victim = Victim(zygote, victim.path)
        longest = max(longest, _interrupt(victim, rng, verb))
        assert not victim.problems(), f"turn {turn}"
    record("S2", interrupts=count, lost=0, ms_max=round(1000 * longest, 1))


def _interrupt(victim: Victim, rng: random.Random, verb: str) -> float:
    """Seconds from the signal to the KeyboardInterrupt in a process that did its work."""
    log = victim.path.with_name("log")
    log.unlink(missing_ok=True)
    start = (victim.path, log, victim.states[0], rng.randrange(2**32), victim.number, verb)
    pid = victim.zygote.start(work, *start)
    seconds = _send(victim.zygote, pid, log, rng)
    victim.take_down(read_log(log))
    return seconds


def _send(zygote: Zygote, pid: int, log: Path, rng: random.Random) -> float:
    """Interrupts a process at a random time of its work, which it must end well."""
    _wait_for(log, "opened")
    time.sleep(rng.uniform(0, 0.15))
    sent = time.monotonic()
    os.kill(pid, signal.SIGINT)
    assert zygote.wait(pid) == 0, read_log(log)[-3:]
    (raised,) = [line["interrupted"] for line in read_log(log) if "interrupted" in line]
    return float(raised) - sent


def _wait_for(log: Path, event: str) -> None:
    patience = time.monotonic() + 60
    while not any(event in line for line in read_log(log)):
        assert time.monotonic() < patience, f"no {event} in {read_log(log)}"
        time.sleep(0.002)


def test_ctrl_c_stops_encoding(zygote: Zygote, model_directory: Path, tmp_path: Path) -> None:
    rng = random.Random(f"S2 encode {SEED}")
    count = tries(4, 170)
    longest = 0.0
    for turn in range(count):
        log = tmp_path / f"log-{turn}"
        pid = zygote.start(encode, model_directory, log)
        longest = max(longest, _send(zygote, pid, log, rng))
    record("S2", interrupts=count, lost=0, ms_max=round(1000 * longest, 1))
