"""The systems that a question measures, each in a process of its own, and why others are absent."""

from __future__ import annotations

import contextlib
import functools
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.environment import UnavailableError
from benchmarks.peers import PEERS, Peer
from benchmarks.process import PeerError, PeerProcess
from benchmarks.settings import Settings

REASON = 200  # characters at most

Processes = Mapping[str, PeerProcess]
T = TypeVar("T")


@dataclass(frozen=True)
class Systems:
    """Running systems, by name."""

    processes: dict[str, PeerProcess]
    about: dict[str, dict[str, Any]]  # load_seconds and versions
    left_out: dict[str, str]  # with the reason


def chosen(names: Iterable[str], settings: Settings) -> list[str]:
    """Those of a question's systems that the caller asked for and that there are."""
    return [n for n in names if n in PEERS and (not settings.peers or n in settings.peers)]


@contextlib.contextmanager
def running(names: Iterable[str], settings: Settings, **options: Any) -> Iterator[Systems]:
    """Starts the systems that this machine can run; they end with the context.

    Args:
        names: of `PEERS`.
        settings: model and threads.
        options: further arguments of each peer's `load`.

    Raises:
        PeerError: if it can run none.
    """
    with started(names, settings, **options) as systems:
        if not systems.processes:
            raise nothing_runs(systems.left_out)
        yield systems


@contextlib.contextmanager
def started(names: Iterable[str], settings: Settings, **options: Any) -> Iterator[Systems]:
    """`running`, where it may be that none can be run."""
    systems = Systems({}, {}, {})
    with contextlib.ExitStack() as stack:
        for name in names:
            load = functools.partial(_load, PEERS[name], settings, options)
            loaded = attempt(load, name, systems.left_out)
            if loaded is not None:
                process, answer = loaded
                systems.processes[name] = stack.enter_context(process)
                about = {"load_seconds": answer["seconds"], "versions": answer["versions"]}
                systems.about[name] = about
        yield systems


def nothing_runs(left_out: Mapping[str, str]) -> PeerError:
    """The error of a question that no system can answer."""
    return PeerError(f"[benchmarks] expected a system that can be run, got {dict(left_out)}")


def attempt(work: Callable[[], T], name: str, left_out: dict[str, str]) -> T | None:
    """What `work` returns; None where the system cannot do it, with the reason in `left_out`."""
    try:
        return work()
    except (UnavailableError, PeerError) as error:
        left_out[name] = textwrap.shorten(str(error).splitlines()[0], REASON, placeholder=" ...")
        print(f"left out: {name}: {left_out[name]}", file=sys.stderr, flush=True)
        return None


def _load(
    peer: Peer, settings: Settings, options: Mapping[str, Any]
) -> tuple[PeerProcess, dict[str, Any]]:
    """A peer's process, which ends here if loading fails, and its answer to loading."""
    with contextlib.ExitStack() as stack:
        process = stack.enter_context(PeerProcess(peer, settings.threads))
        answer = process.load(settings.model_directory(), **options)
        stack.pop_all()  # it lives on, for the caller to end
    return process, answer


def encode(process: PeerProcess, texts: list[str], save: Path | None = None) -> dict[str, float]:
    """`seconds` for one call with all texts, and the `cpu_seconds` of the process's threads."""
    return process.ask(do="encode", texts=texts, save=str(save) if save else None)


def encode_each(process: PeerProcess, texts: list[str], size: int = 1) -> list[float]:
    """Seconds of each call with `size` texts."""
    return list(process.ask(do="encode_each", texts=texts, size=size)["seconds"])


def absent_lines(left_out: Mapping[str, str]) -> list[str]:
    """What a table says below of the systems that it has no figures for."""
    return [f"Absent: {name}: {reason}." for name, reason in left_out.items()]
