"""usearch; vectors are kept as f32 or bf16."""

from __future__ import annotations

from typing import Any

import numpy as np


class UsearchIndex:
    def __init__(self, threads: int, m: int, ef_construction: int, dtype: str) -> None:
        self._threads = threads
        self._parameters = {"connectivity": m, "expansion_add": ef_construction, "dtype": dtype}
        self._index: Any = None

    def build(self, vectors: np.ndarray) -> None:
        from usearch.index import Index

        count, dim = vectors.shape
        self._index = Index(ndim=dim, metric="ip", **self._parameters)
        self._index.add(np.arange(count), vectors, threads=self._threads)

    def set(self, value: int) -> None:
        self._index.expansion_search = value

    def search(self, queries: np.ndarray, k: int) -> np.ndarray:
        threads = min(self._threads, len(queries))  # it starts threads in every call
        return np.asarray(self._index.search(queries, k, threads=threads).keys).reshape(-1, k)

    def stated_bytes(self) -> int | None:
        return int(self._index.memory_usage)


def load(threads: int, m: int, ef_construction: int, dtype: str) -> UsearchIndex:
    import usearch.index  # noqa: F401 (fails here rather than in building)

    return UsearchIndex(threads, m, ef_construction, dtype)


def versions() -> dict[str, str]:
    from importlib.metadata import version

    return {"usearch": version("usearch")}
