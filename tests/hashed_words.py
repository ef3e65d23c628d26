"""A stand-in for an encoder that needs no model."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import numpy as np


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
