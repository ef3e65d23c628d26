"""Asks `io_worker` for runs of the workload, and reads what the recorder saw of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import io_trace
from io_trace import Operation

#: Two levels below what is watched: the upper one is made with the collection, too.
COLLECTION = "new/c.uv"


class Outcome(NamedTuple):
    """How a run ended: `status` is 0, or minus the signal; `root` holds what it left."""

    status: int
    root: Path
    trace: list[Operation]
    seed: int
    length: int

    @property
    def collection(self) -> Path:
        """The directory of the collection."""
        return self.root / COLLECTION


class Runner:
    """A process in which the recorder is preloaded, and the folder for what its children do."""

    def __init__(self, library: Path, folder: Path) -> None:
        self.library = library
        self.folder = folder
        self.count = 0
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("io_worker.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "LD_PRELOAD": str(library),
                "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
            },
        )

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def run(
        self,
        seed: int,
        length: int = 24,
        durability: str = "full",
        settings: dict[str, str | int] | None = None,
        **control: bool,
    ) -> Outcome:
        """Plays a workload in an empty folder.

        Args:
            seed: of the workload.
            length: its calls.
            durability: of the collection.
            settings: of the recorder, see io_recorder.h.
            control: what to do wrongly on purpose: acknowledges_early, synchronous_off,
                synchronous_normal.
        """
        self.count += 1
        root, trace = self.folder / f"{self.count}", self.folder / f"{self.count}.trace"
        root.mkdir()
        job: dict[str, Any] = {
            "path": str(root / COLLECTION),
            "seed": seed,
            "length": length,
            "durability": durability,
            "settings": {"IO_ROOT": str(root), "IO_TRACE": str(trace)},
            **control,
        }
        job["settings"].update({name: str(value) for name, value in (settings or {}).items()})
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        status = int(self._process.stdout.readline())
        if not trace.exists():
            raise RuntimeError(f"[run] no trace was written; the process ended with {status}")
        operations = io_trace.read_trace(trace)
        trace.unlink()
        return Outcome(status, root, operations, seed, length)


def acknowledged(trace: list[Operation]) -> tuple[int, int]:
    """How many calls had returned, and how many had begun, by the marks of a trace."""
    begun = done = 0
    for mark in io_trace.marks(trace):
        verb, number = mark.split()[:2]
        if verb == "begin":
            begun = int(number) + 1
        elif verb == "done":
            done = int(number) + 1
    return done, begun


def require_finished(outcome: Outcome) -> None:
    """Raises AssertionError unless a run came to its end with every call done."""
    done, _ = acknowledged(outcome.trace)
    usual = ("begin", "opened", "done")
    odd = [m for m in io_trace.marks(outcome.trace) if m.split()[0] not in usual]
    assert outcome.status == 0, f"seed {outcome.seed}: status {outcome.status}"
    assert not odd, f"seed {outcome.seed}: {odd}"
    assert done == outcome.length, f"seed {outcome.seed}: {done} of {outcome.length} calls"
