"""Which Python runs something: this one where its packages are here, else one made for it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENTS = Path(__file__).resolve().parent.parent / "build" / "bench-venvs"


@dataclass(frozen=True)
class Environment:
    """Packages that are needed together."""

    name: str  # of the folder of the Python that is made for them
    imports: tuple[str, ...]  # what must be importable for this Python to do
    requirements: tuple[str, ...] = ()  # what pip installs otherwise; () means that it cannot


class UnavailableError(RuntimeError):
    """Something cannot be run on this machine; the message says why."""


def interpreter(environment: Environment) -> Path:
    """The Python of an environment; the first time this may install packages, for minutes.

    Raises:
        UnavailableError: if packages are missing and cannot be installed.
    """
    if all(importlib.util.find_spec(name) for name in environment.imports):
        return Path(sys.executable)
    if not environment.requirements:
        raise UnavailableError(
            f"[benchmarks] expected {', '.join(environment.imports)} to be installed; "
            "`make setup` installs what the benchmarks need"
        )
    return _own_interpreter(environment)


def _own_interpreter(environment: Environment) -> Path:
    directory = ENVIRONMENTS / environment.name
    python = directory / "bin" / "python"
    wanted = "\n".join(environment.requirements)
    stamp = directory / "installed.txt"
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        print(f"installing {', '.join(environment.requirements)}", file=sys.stderr, flush=True)
        try:
            venv.create(directory, clear=True, with_pip=True)
            install = [python, "-m", "pip", "install", "-qq", *environment.requirements]
            subprocess.run(install, check=True, stderr=subprocess.PIPE, text=True)
        except subprocess.CalledProcessError as error:
            lines = (error.stderr or str(error)).strip().splitlines()
            raise UnavailableError(
                f"[benchmarks] expected to install {', '.join(environment.requirements)}, got: "
                f"{lines[-1] if lines else error}"
            ) from error
        stamp.write_text(wanted, encoding="utf-8")
    return python
