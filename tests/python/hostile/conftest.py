"""What the tests of damaged and hostile model directories share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostile_models import Worker, make_sound


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
