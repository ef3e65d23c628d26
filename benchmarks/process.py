"""The runner's side of a worker process (see `worker` for what is said between the two)."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any, TextIO, cast

from benchmarks.conversions import converted
from benchmarks.environment import interpreter
from benchmarks.peers import Peer

ROOT = Path(__file__).resolve().parent.parent

#: Every runtime that the peers bring takes its number of threads from one of these.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "RAYON_NUM_THREADS",
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


class PeerProcess:
    """One peer, loaded in a process of its own. A context manager."""

    def __init__(self, peer: Peer, threads: int) -> None:
        self.peer = peer
        self.threads = threads
        python = interpreter(peer.environment)
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 (__exit__ closes it)
        self._process = subprocess.Popen(
            [str(python), "-m", "benchmarks.worker", peer.module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment_variables(threads),
            encoding="utf-8",
        )
        self._requests = cast(TextIO, self._process.stdin)
        self._answers = cast(TextIO, self._process.stdout)

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
            raise PeerError(f"[{self.peer.name}] {answer['error']}\n{self._last_lines()}")
        return dict(answer)

    def _last_lines(self) -> str:
        self._log.seek(0)
        return "".join(self._log.readlines()[-15:])

    def __enter__(self) -> PeerProcess:
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
