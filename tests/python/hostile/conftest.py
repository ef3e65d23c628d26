"""What the tests of damaged and hostile model directories and collections share."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hostile_collections import COUNT, DIM, POLICY, SECRET, VECTORS
from hostile_models import Worker, make_sound
from unitvec import Collection


@pytest.fixture(scope="module")
def load() -> Iterator[Worker]:
    """Loads a directory in another process: load(folder) is the kind of outcome and its message."""
    worker = Worker()
    yield worker
    worker.close()


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A directory of every architecture, to be copied before it is damaged."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    return make_sound(tmp_path_factory.mktemp("sound"))


@pytest.fixture
def bert(sound: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of the BERT, to be damaged."""
    return Path(shutil.copytree(sound["bert"], tmp_path / "model"))


@pytest.fixture
def in_time() -> Iterator[None]:
    """A call that waits for ever (for a pipe, in a recursive view) fails the test instead."""

    def late(*_: Any) -> None:
        raise AssertionError("no answer within a minute")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder beside the collection with a file in it."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "victim").write_bytes(SECRET)
    return folder


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A sound collection with an index file, closed, to be tampered with."""
    path = tmp_path / "c.uv"
    with Collection(path, dim=DIM, index_policy=POLICY, durability="normal") as db:
        db.add([f"text {i}" for i in range(COUNT)], ids=[f"id{i}" for i in range(COUNT)],
               embeddings=VECTORS, metadatas=[{"n": i} for i in range(COUNT)])  # fmt: skip
        db.build_index()
        assert db.stats()["index"] == "hnsw"
    return path
