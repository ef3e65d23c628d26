"""Runs workloads under the recorder, each in a forked child: starting Python anew takes longer.

Reads a job a line (JSON), answers with how the child ended: its exit status, or minus the signal.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import traceback
from typing import Any

import apsw

from io_workload import DIM, POLICY, State, Step, after, carry_out, contents, next_step, script
from unitvec import Collection, StoreLockedError

#: Seconds after which a run hangs: it gets SIGALRM.
PATIENCE = 60

#: Exit statuses of a child.
WENT_WRONG = 3


class Run:
    """One workload, with a mark in the trace for everything that the checks must know.

    "begin N", then "done N", or "failed N ERRNO MESSAGE" and whether the open collection shows it
    as "kept N" or "undone N"; "unknown N" ends a run that can no longer tell, "wrong N ..." one
    that saw what must not be.
    """

    def __init__(self, job: dict[str, Any]) -> None:
        self.recorder = ctypes.CDLL(None)
        self.path: str = job["path"]
        self.seed: int = job["seed"]
        self.length: int = job["length"]
        self.durability: str = job["durability"]
        self.acknowledges_early: bool = job.get("acknowledges_early", False)
        self.db: Collection | None = None
        self.state: State = {}

    def mark(self, text: str) -> None:
        self.recorder.io_mark(text.encode())

    def play(self) -> None:
        for number, verb in enumerate(script(self.seed, self.length)):
            step = next_step(self.seed, number, verb, self.state)
            self.mark(f"begin {number}")
            if self.acknowledges_early:
                self.mark(f"done {number}")
            try:
                self._do(step)
            except StoreLockedError as error:
                return self.mark(f"wrong {number} {error}")
            except OSError as error:
                self.mark(f"failed {number} {error.errno} {error}")
                if not self._resolve(number, step):
                    return
            except Exception:
                return self.mark(f"wrong {number} {traceback.format_exc()}")
            else:
                self.state = after(self.state, step)
                if not self.acknowledges_early:
                    self.mark(f"done {number}")

    def _do(self, step: Step) -> None:
        if step.verb in ("reopen", "close") and self.db is not None:
            db, self.db = self.db, None
            db.close()
        if step.verb != "close" and self.db is None:
            self.db = Collection(
                self.path, dim=DIM, durability=self.durability, index_policy=POLICY
            )
        if self.db is not None:
            carry_out(self.db, step)

    def _resolve(self, number: int, step: Step) -> bool:
        """Finds out what a failed call left; False where this cannot be read."""
        try:
            if self.db is None:
                found = self.state  # opening or closing: nothing was to change
            else:
                found = contents(self.db)
        except OSError:
            self.mark(f"unknown {number}")
            return False
        if found == self.state:
            self.mark(f"undone {number}")
        elif found == after(self.state, step):
            self.mark(f"kept {number}")
            self.state = found
        else:
            self.mark(f"wrong {number} neither the state before nor that after")
            return False
        return True


class Unsynced(apsw.Connection):
    """A positive control: SQLite that never syncs, whatever it is told."""

    def execute(self, sql: str, *arguments: Any, **options: Any) -> Any:
        if sql.lower().startswith("pragma synchronous"):
            sql = "PRAGMA synchronous = OFF"
        return super().execute(sql, *arguments, **options)


def child(job: dict[str, Any]) -> int:
    """Carries out one job in this process."""
    signal.alarm(PATIENCE)
    os.environ.update(job["settings"])
    ctypes.CDLL(None).io_start()
    if job.get("synchronous_off"):
        apsw.Connection = Unsynced
    try:
        Run(job).play()
    except BaseException:
        traceback.print_exc()
        return WENT_WRONG
    return 0


def main() -> None:
    """Answers until the input ends."""
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os._exit(child(json.loads(line)))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
