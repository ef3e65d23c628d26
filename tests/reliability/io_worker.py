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

from io_workload import DIM, POLICY, State, after, carry_out, contents, next_step, script
from unitvec import Collection, FormatError, StoreLockedError

#: Seconds after which a run hangs: it gets SIGALRM.
PATIENCE = 60

#: Exit statuses of a child.
WENT_WRONG = 3


class Run:
    """One workload, with a mark in the trace for everything that the checks must know.

    "begin N", "opened N" for a new handle, then "done N", or "failed N ERRNO MESSAGE" ("damaged" in
    place of an errno for a FormatError) and whether the open collection shows it as "kept N" or
    "undone N"; in the second case "late N" if a new handle finds it after all. "unknown N"
    ends a run that can no longer tell, "wrong N ..." one that saw what must not be.
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
        self.doubtful: tuple[int, State] | None = None  # a failed call that may turn out stored

    def mark(self, text: str) -> None:
        self.recorder.io_mark(text.encode())

    def play(self) -> None:
        for number, verb in enumerate(script(self.seed, self.length)):
            self.mark(f"begin {number}")
            if self.acknowledges_early:
                self.mark(f"done {number}")
            try:
                self._open_or_close(number, verb)
                step = next_step(self.seed, number, verb, self.state)
                if self.db is not None:
                    carry_out(self.db, step)
            except StoreLockedError as error:
                return self.mark(f"wrong {number} {error}")
            except (OSError, FormatError) as error:
                errno = error.errno if isinstance(error, OSError) else "damaged"
                self.mark(f"failed {number} {errno} {error}")
                if not self._resolve(number, verb):
                    return
            except Exception:
                return self.mark(f"wrong {number} {traceback.format_exc()}")
            else:
                self.state = after(self.state, step)
                if not self.acknowledges_early:
                    self.mark(f"done {number}")

    def _open_or_close(self, number: int, verb: str) -> None:
        if verb in ("reopen", "close") and self.db is not None:
            db, self.db = self.db, None
            db.close()
        if verb != "close" and self.db is None:
            db = Collection(self.path, dim=DIM, durability=self.durability, index_policy=POLICY)
            if self.doubtful is not None:
                self._settle(db, *self.doubtful)
            self.mark(f"opened {number}")
            self.db, self.doubtful = db, None

    def _settle(self, db: Collection, number: int, changed: State) -> None:
        """Looks whether a call whose failure left nothing to be seen is there after all."""
        try:
            found = contents(db)
        except BaseException:
            db.close()
            raise
        if found == changed != self.state:
            self.mark(f"late {number}")
            self.state = changed

    def _resolve(self, number: int, verb: str) -> bool:
        """Finds out what a failed call left; False where this cannot be read."""
        if self.db is None:  # opening or closing: nothing was to change
            self.mark(f"undone {number}")
            return True
        changed = after(self.state, next_step(self.seed, number, verb, self.state))
        try:
            found = contents(self.db)
        except (OSError, FormatError):
            self.mark(f"unknown {number}")
            return False
        if found == self.state:
            self.mark(f"undone {number}")
            self.doubtful = self.doubtful or (number, changed)
        elif found == changed:
            self.mark(f"kept {number}")
            self.state = found
        else:
            self.mark(f"wrong {number} neither the state before nor that after")
            return False
        return True


class Unsynced(apsw.Connection):
    """A positive control: SQLite that syncs less than it is told to."""

    level = "OFF"

    def execute(self, sql: str, *arguments: Any, **options: Any) -> Any:
        if sql.lower().startswith("pragma synchronous"):
            sql = f"PRAGMA synchronous = {self.level}"
        return super().execute(sql, *arguments, **options)


class Undersynced(Unsynced):
    """The same with what durability="normal" asks for."""

    level = "NORMAL"


def child(job: dict[str, Any]) -> int:
    """Carries out one job in this process."""
    signal.alarm(PATIENCE)
    os.environ.update(job["settings"])
    ctypes.CDLL(None).io_start()
    if job.get("synchronous_off"):
        apsw.Connection = Unsynced
    if job.get("synchronous_normal"):
        apsw.Connection = Undersynced
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
