"""What runs in the children of the kill tests, and how the tests read what they wrote down."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ledger
from zygote import Zygote


class Log:
    """Lines of JSON that outlive a kill: each is one write to the system."""

    def __init__(self, path: str | Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)

    def say(self, **line: Any) -> None:
        os.write(self._fd, (json.dumps(line) + "\n").encode())


def read_log(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a log."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def write(
    path: str, log: str, state: ledger.State, seed: int, number: int, early: bool = False
) -> None:
    """Random operations for ever, each announced before and acknowledged after (or too early)."""
    rng = random.Random(seed)
    said = Log(log)
    db = ledger.open_writer(Path(path))
    said.say(opened=time.monotonic())
    while True:
        operation = ledger.choose(rng, state, number)
        said.say(begun=operation)
        if early:
            said.say(done=number)
        db = ledger.perform(db, operation)
        if not early:
            said.say(done=number)
        state = ledger.after(state, operation)
        number += 1


def recover(path: str, log: str) -> None:
    """Opens what a kill left, asks it something and closes it."""
    with ledger.open_writer(Path(path)) as db:
        Log(log).say(opened=time.monotonic())
        db.search([1.0] * ledger.DIM, k=3)
    Log(log).say(closed=time.monotonic())


def check(path: str, answer: str, states: list[ledger.State], snapshots: dict[str, Any]) -> None:
    """Writes down what is wrong with a collection and with the snapshots made of it."""
    problems: list[str] = []
    held = 0
    for read_only in (True, False):
        found, held = _problems_of(Path(path), states, read_only)
        problems += found
    for name, state in snapshots.items():
        if Path(name).exists():
            problems += [f"snapshot: {p}" for p in _problems_of(Path(name), [state], True)[0]]
    Path(answer).write_text(json.dumps([problems, held]), encoding="utf-8")


def _problems_of(path: Path, states: list[ledger.State], read_only: bool) -> tuple[list[str], int]:
    try:
        return ledger.problems_of(path, states, read_only)
    except Exception as error:
        return [f"does not open: {type(error).__name__}: {error}"], 0


@dataclass
class Victim:
    """A collection whose writers are killed, and what it must hold.

    Attributes:
        path: the collection.
        states: what it may hold: what was acknowledged, and that with what was cut off.
        number: of the next operation.
        early: whether operations are acknowledged before they are carried out.
        killed_in: how many kills hit which verb ("open" before the first).
        acknowledged: operations that returned.
        cut_off: the verb that the last kill hit.
        snapshots: made since the last check, by path, and what each must hold if it is there.
    """

    zygote: Zygote
    path: Path
    states: list[ledger.State] = field(default_factory=lambda: [{}])
    number: int = 0
    early: bool = False
    killed_in: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    cut_off: str = ""
    snapshots: dict[str, ledger.State] = field(default_factory=dict)

    def kill_a_writer(self, seconds: float, seed: int) -> None:
        """Lets a writer work for a while and kills it."""
        log = self.path.with_name("log")
        log.unlink(missing_ok=True)
        start = (self.path, log, self.states[0], seed, self.number, self.early)
        pid = self.zygote.start(write, *start)
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
        assert self.zygote.wait(pid) == -signal.SIGKILL, "the writer failed before it was killed"
        self.take_down(read_log(log))

    def take_down(self, lines: list[dict[str, Any]]) -> None:
        """Brings the states up to what a log acknowledges; what was cut off is there or not."""
        pending: ledger.Operation | None = None
        for line in lines:
            if "begun" in line:
                pending = line["begun"]
                self.number = pending["number"] + 1
                if pending["verb"] == "snapshot":
                    path = ledger.snapshot_path(self.path, pending["number"])
                    self.snapshots[str(path)] = self.states[0]
            elif "done" in line and pending is not None:
                self.states = [ledger.after(state, pending) for state in self.states]
                self.acknowledged += 1
                pending = None
            elif "interrupted" in line:
                self._cut_off(pending)
                pending = None
        self._cut_off(pending)
        self.cut_off = pending["verb"] if pending else "open"
        self.killed_in[self.cut_off] += 1

    def _cut_off(self, operation: ledger.Operation | None) -> None:
        if operation is not None:
            self.states += [ledger.after(state, operation) for state in self.states]

    def problems(self) -> list[str]:
        """What a new process finds wrong."""
        answer = self.path.with_name("answer")
        if not (self.path / "store.sqlite").exists():  # killed before it was made
            return [f"{name} is lost" for name in self.states[0]]
        if not self.acknowledged:
            ledger.open_writer(self.path).close()  # killed while it was made: it can be made
        self.zygote.run(check, self.path, answer, self.states, self.snapshots)
        problems, held = json.loads(answer.read_text(encoding="utf-8"))
        self.states = [self.states[held]]
        self.snapshots.clear()
        return problems
