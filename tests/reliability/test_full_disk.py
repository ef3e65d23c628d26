"""F3: on a disk that is really full, errors are clear, reading and deleting go on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gates import before_a_release, record

_PROGRAM = Path(__file__).with_name("full_disk.py")


def _in_own_namespace(*command: str) -> subprocess.CompletedProcess[str]:
    """Runs a command where its mounts are its own; skips where that is not allowed."""
    if shutil.which("unshare") is None:
        pytest.skip("no unshare here to mount a small disk with")
    own = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "-r", "--mount"]
    tried = subprocess.run([*own, "true"], capture_output=True, text=True)
    if tried.returncode != 0:
        pytest.skip(f"no mount namespace of one's own here: {tried.stderr.strip()}")
    return subprocess.run([*own, *command], capture_output=True, text=True, timeout=600)


@pytest.mark.parametrize("indexed_from", [200, 1_000_000])  # documents: early, and never
@pytest.mark.parametrize("free", ["ballast", "delete", "hog"])
@pytest.mark.parametrize("megabytes", [2, 8, pytest.param(32, marks=before_a_release)])
def test_a_full_disk_stops_writing_alone(
    megabytes: int, free: str, indexed_from: int, tmp_path: Path
) -> None:
    arguments = (str(tmp_path), str(megabytes), str(indexed_from), free)
    done = _in_own_namespace(sys.executable, str(_PROGRAM), *arguments)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    if "skipped" in figures:
        pytest.skip(f"a small disk cannot be mounted here: {figures['skipped']}")
    assert figures["documents"] > 100
    record("F3", disks=1, lost=0, **figures)
