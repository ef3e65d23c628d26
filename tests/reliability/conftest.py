"""Fixtures of the gates of reliability."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import damage
import io_library
from io_jobs import Runner
from zygote import Zygote


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


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """Starts fresh processes within milliseconds."""
    server = Zygote()
    yield server
    server.close()


@pytest.fixture
def memory_path(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is such a place, for what needs no disk but many turns."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> damage.Images:
    """The files of a collection to be damaged."""
    return damage.Images(tmp_path_factory.mktemp("images"))
