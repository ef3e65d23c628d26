"""A process that has imported what the tests need, opened nothing, and forks a child a task.

A new interpreter takes the better part of a second, a fork of this one a few milliseconds, and the
child is as fresh as a new process: no collection, no thread and no lock of it is older than itself.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Seconds after which a child that hangs is ended by a signal, which `wait` then returns.
PATIENCE = 4 * 3600

_WARMED = ("numpy.random", "apsw", "unitvec.collection", "unitvec.index", "unitvec._core")


class Zygote:
    """Starts, one after the other, children that each run one function of an importable module."""

    def __init__(self) -> None:
        folders = [str(Path(__file__).parent), str(Path(__file__).parents[1]), *sys.path]
        self._server = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, folders))},
        )

    def _ask(self, *request: Any) -> int:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())

    def start(self, task: Callable[..., None], *arguments: Any) -> int:
        """Starts `task(*arguments)` in a child and returns its process id.

        The arguments must pass through JSON; paths become texts.
        """
        texts = [str(a) if isinstance(a, Path) else a for a in arguments]
        return self._ask("start", task.__module__, task.__name__, texts)

    def wait(self, pid: int) -> int:
        """The exit code of a child, or minus the number of the signal that ended it."""
        return self._ask("wait", pid)

    def run(self, task: Callable[..., None], *arguments: Any) -> None:
        """Runs `task(*arguments)` in a child to its end, which must be a good one."""
        code = self.wait(self.start(task, *arguments))
        assert code == 0, f"{task.__name__} ended with {code}"

    def close(self) -> None:
        """Ends the process; children that still run are left alone."""
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait()
        assert self._server.stdout is not None
        self._server.stdout.close()


def _serve() -> None:
    for name in _WARMED:
        importlib.import_module(name)
    for line in sys.stdin:
        verb, *request = json.loads(line)
        if verb == "wait":
            answer = os.waitstatus_to_exitcode(os.waitpid(request[0], 0)[1])
        else:
            module, name, arguments = request
            task = getattr(importlib.import_module(module), name)  # here, so that it is read once
            answer = os.fork()
            if answer == 0:
                _run(task, arguments)
        print(answer, flush=True)


def _run(task: Callable[..., None], arguments: list[Any]) -> None:
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # however the tests were started
        signal.alarm(PATIENCE)
        task(*arguments)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
