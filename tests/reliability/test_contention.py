"""One writer and many readers, each a process of its own."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import ledger
from contenders import contend, open_once, read_batches, write_batches
from gates import record, tries
from killed_writer import read_log
from zygote import Zygote

_PROCESSES = 8


class Watched(NamedTuple):
    """What the writer noted alone and beside readers, and what these noted."""

    seconds: int
    alone: dict[str, Any]
    beside: dict[str, Any]
    readers: list[dict[str, Any]]


def test_one_of_eight_writers_wins(zygote: Zygote, memory_path: Path) -> None:
    """P1: the others are told at once by whom; a killed writer leaves the collection free."""
    rounds = tries(20, 1000)
    path = memory_path / "c.uv"
    ledger.open_writer(path).close()
    refused_ms, freed_ms = [], []
    for turn in range(rounds):
        logs = [memory_path / f"log-{i}" for i in range(_PROCESSES)]
        for log in logs:
            log.unlink(missing_ok=True)
        moment = time.monotonic() + 0.15
        number = turn * _PROCESSES
        pids = [zygote.start(contend, path, log, moment, number + i) for i, log in enumerate(logs)]
        winner = _winner(logs, pids)
        for log, pid in zip(logs, pids, strict=True):
            if pid != winner:
                assert zygote.wait(pid) == 0
                (line,) = read_log(log)
                assert line["lost"] == winner, f"round {turn}: {line}"
                refused_ms.append(line["ms"])
        os.kill(winner, signal.SIGKILL)
        assert zygote.wait(winner) == -signal.SIGKILL
        zygote.run(open_once, path, memory_path / "freed")
    freed = read_log(memory_path / "freed")
    assert [line["count"] for line in freed] == list(range(1, rounds + 1))
    freed_ms = [line["ms"] for line in freed]
    most = {"refused_ms_max": round(max(refused_ms), 1), "freed_ms_max": round(max(freed_ms), 1)}
    record("P1", rounds=rounds, refused=len(refused_ms), misnamed=0, **most)


def _winner(logs: list[Path], pids: list[int]) -> int:
    """The process that stored something; there must be one only."""
    patience = time.monotonic() + 60
    while time.monotonic() < patience:
        lines = [read_log(log) for log in logs]
        if all(lines) and any("stored" in line for each in lines for line in each):
            (winner,) = [p for p, each in zip(pids, lines, strict=True) if "won" in each[0]]
            return winner
        time.sleep(0.005)
    raise AssertionError(f"no writer won: {[read_log(log) for log in logs]}")


@pytest.fixture(scope="module")
def watched(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """A writer alone, then the same with eight readers beside it."""
    watched = tries(4, 600)
    alone = min(60, watched)  # tells what its longest call takes without readers
    folder = tmp_path_factory.mktemp("watched")
    path = folder / "c.uv"
    wrote = []
    for readers, seconds in ((0, alone), (_PROCESSES, watched)):
        ledger.discard(path)
        ledger.open_writer(path).close()
        log = folder / f"writer-{readers}"
        writer = zygote.start(write_batches, path, log, seconds)
        logs = [folder / f"reader-{i}" for i in range(readers)]
        pids = [zygote.start(read_batches, path, at, seconds, i) for i, at in enumerate(logs)]
        assert {pid: zygote.wait(pid) for pid in (writer, *pids)} == dict.fromkeys(
            (writer, *pids), 0
        )
        wrote += read_log(log)
    return Watched(watched, *wrote, [read_log(at)[0] for at in logs])


def test_readers_see_whole_batches_beside_a_writer(watched: Watched) -> None:
    """P2: what each of eight readers sees only ever moves on, and the writer is not held up."""
    readers = watched.readers
    assert [reader["wrong"] for reader in readers] == [[]] * _PROCESSES
    assert min(reader["newest"] for reader in readers) > 1
    record(
        "P2",
        seconds=watched.seconds,
        readings=sum(reader["turns"] for reader in readers),
        batches=watched.beside["calls"],
        torn=0,
        writer_ms_max=round(watched.beside["longest_ms"], 1),
        writer_ms_max_alone=round(watched.alone["longest_ms"], 1),
    )


def test_readers_beside_a_writer_get_no_false_alarm(watched: Watched) -> None:
    assert [reader["alarms"] for reader in watched.readers] == [[]] * _PROCESSES
