"""A process with the recorder of file operations in it, and a folder in memory for what it does."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import io_library
from io_jobs import Runner


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """In memory where there is such a place: what a disk would keep, the recorder decides."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def runner(folder: Path) -> Iterator[Runner]:
    """Runs workloads under the recorder."""
    reason = io_library.why_not()
    if reason:
        pytest.skip(reason)
    started = Runner(io_library.build(folder), folder)
    yield started
    started.close()
