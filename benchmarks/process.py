"""The runner's side of a worker process (`worker` and `index_worker` have what is said)."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from benchmarks.conversions import converted
from benchmarks.environment import Environment, interpreter
from benchmarks.peers import Peer

if TYPE_CHECKING:
    from typing_extensions import Self

ROOT = Path(__file__).resolve().parent.parent

#: Every runtime that the peers bring takes its number of threads from one of these.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "LANCE_CPU_THREADS",
)


class PeerError(RuntimeError):
    """A system that is measured failed; the message ends with the last lines of its output."""


def environment_variables(threads: int) -> dict[str, str]:
    """This process's variables, with equal threads, no network, and the repository to import."""
    variables = dict(os.environ)
    variables.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
    variables.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="true")
    variables["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])
    )
    return variables


def printed(worker: str, threads: int, *arguments: object) -> dict[str, Any]:
    """What a worker of this package printed as JSON, run once in a process of its own.

    Raises:
        PeerError: with the last line of what it said, where it failed.
    """
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{worker}", *map(str, arguments)],
        check=False,
        env=environment_variables(threads),
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise PeerError(f"[{worker}] {lines[-1]}")
    return dict(json.loads(done.stdout))


class WorkerProcess:
    """A worker that answers requests in a process of its own. A context manager."""

    def __init__(
        self, name: str, environment: Environment, arguments: Iterable[str], threads: int
    ) -> None:
        """Starts it.

        Args:
            name: what errors call it.
            environment: whose Python runs it.
            arguments: the worker's module, and what it is started with.
            threads: of every runtime that takes their number from a variable.

        Raises:
            UnavailableError: if the environment cannot be made.
        """
        self.name = name
        self.threads = threads
        python = interpreter(environment)
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 (__exit__ closes it)
        self._process = subprocess.Popen(
            [str(python), "-m", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment_variables(threads),
            encoding="utf-8",
        )
        self._requests = cast(TextIO, self._process.stdin)
        self._answers = cast(TextIO, self._process.stdout)

    def ask(self, **request: Any) -> dict[str, Any]:
        """Sends a request and waits for its answer.

        Raises:
            PeerError: if the peer answers with an error, or ends.
        """
        try:
            self._requests.write(json.dumps(request) + "\n")
            self._requests.flush()
            line = self._answers.readline()
        except BrokenPipeError:
            line = ""
        answer = json.loads(line) if line else {"error": f"ended with {self._process.wait()}"}
        if "error" in answer:
            raise PeerError(f"[{self.name}] {answer['error']}\n{self._last_lines()}")
        return dict(answer)

    def kill(self) -> None:
        """Ends it at once with SIGKILL, as a crash would."""
        self._process.kill()
        self._process.wait()

    def _last_lines(self) -> str:
        self._log.seek(0)
        return "".join(self._log.readlines()[-15:])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(BrokenPipeError):  # it has ended, and a request is still buffered
            self._requests.close()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._answers.close()
        self._log.close()


class PeerProcess(WorkerProcess):
    """One peer, loaded in a process of its own."""

    def __init__(self, peer: Peer, threads: int) -> None:
        super().__init__(peer.name, peer.environment, ("benchmarks.worker", peer.module), threads)
        self.peer = peer

    def load(self, model: Path, **options: Any) -> dict[str, Any]:
        """Has the peer load a model; the first time, its format may have to be made.

        Args:
            model: its directory.
            options: arguments of the peer's `load`, beside its own.

        Raises:
            UnavailableError: if the model cannot be converted.
            PeerError: as `ask`.
        """
        options = {**self.peer.options, **options}
        if self.peer.conversion:
            options["converted"] = str(converted(self.peer.conversion, model))
        return self.ask(do="load", model=str(model), threads=self.threads, options=options)
