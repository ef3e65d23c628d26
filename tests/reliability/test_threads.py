"""Many threads at once: each result is that of one thread alone, and the memory stays flat."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gates import record, tries

_PROGRAM = Path(__file__).with_name("threaded_work.py")
_THREADS = 16
_GROWTH_MAX = 48 << 20  # bytes; a leak of one result a turn would come to more within minutes


def _work(folder: Path, model: Path, seconds: int, *options: str) -> dict[str, Any]:
    """What the program reports; one that hangs is ended, and fails."""
    arguments = [str(folder), str(model), str(seconds), str(_THREADS), *options]
    done = subprocess.run(
        [sys.executable, str(_PROGRAM), *arguments],
        capture_output=True,
        text=True,
        timeout=120 + 3 * seconds,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["wrong"] == []
    assert min(report["counts"].values()) > 0
    return report


def test_threads_get_the_results_of_one(model_directory: Path, tmp_path: Path) -> None:
    """T2: encode, search and store for a while."""
    seconds = tries(5, 1800)
    report = _work(tmp_path, model_directory, seconds)
    assert report["grown"] < _GROWTH_MAX
    grown = round(report["grown"] / 2**20, 1)
    record("T2", threads=_THREADS, seconds=seconds, differing=0, grown_mb=grown, **report["counts"])


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no way to be on one CPU here")
@pytest.mark.parametrize(
    "options",
    [(), ("before:faiss", "before:torch"), ("after:faiss", "after:torch")],
    ids=["alone", "before", "after"],
)
def test_threads_on_one_cpu_do_not_wait_for_ever(
    options: tuple[str, ...], model_directory: Path, tmp_path: Path
) -> None:
    """T3: sixteen threads on one CPU, with other users of OpenMP in the process, imported
    before or after."""
    for option in options:
        pytest.importorskip(option.split(":")[1])
    seconds = tries(2, 600)
    report = _work(tmp_path, model_directory, seconds, "one-cpu", *options)
    record("T3", runs=1, seconds=seconds, hung=0, differing=0, **report["counts"])
