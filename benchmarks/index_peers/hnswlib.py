"""hnswlib; pip compiles it for the processor at hand."""

from __future__ import annotations

from typing import Any

import numpy as np


class HnswlibIndex:
    def __init__(self, threads: int, m: int, ef_construction: int) -> None:
        self._threads = threads
        self._parameters = {"M": m, "ef_construction": ef_construction}
        self._index: Any = None

    def build(self, vectors: np.ndarray) -> None:
        import hnswlib

        count, dim = vectors.shape
        self._index = hnswlib.Index(space="ip", dim=dim)
        self._index.init_index(max_elements=count, **self._parameters)
        self._index.add_items(vectors, num_threads=self._threads)

    def set(self, value: int) -> None:
        self._index.set_ef(value)

    def search(self, queries: np.ndarray, k: int) -> np.ndarray:
        labels, _ = self._index.knn_query(queries, k=k, num_threads=self._threads)
        return np.asarray(labels)

    def stated_bytes(self) -> int | None:
        return None


def load(threads: int, m: int, ef_construction: int) -> HnswlibIndex:
    import hnswlib  # noqa: F401 (fails here rather than in building)

    return HnswlibIndex(threads, m, ef_construction)


def versions() -> dict[str, str]:
    from importlib.metadata import version

    return {"hnswlib": version("hnswlib")}
