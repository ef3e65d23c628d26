"""FAISS, with the index that a factory string names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

OLDEST = (1, 15)


class FaissIndex:
    """Takes {lists} in the string for 4 times the root of n."""

    def __init__(self, factory: str, ef_construction: int, candidates: int) -> None:
        self._factory = factory
        self._ef_construction = ef_construction
        self._candidates = candidates
        self._index: Any = None

    def build(self, vectors: np.ndarray) -> None:
        import faiss

        count, dim = vectors.shape
        factory = self._factory.format(lists=round(4 * math.sqrt(count)))
        self._index = faiss.index_factory(dim, factory, faiss.METRIC_INNER_PRODUCT)
        if isinstance(self._index, faiss.IndexHNSW):
            self._index.hnsw.efConstruction = self._ef_construction
        if isinstance(self._index, faiss.IndexRefine):
            self._index.k_factor = self._candidates
        self._index.train(vectors)
        self._index.add(vectors)

    def set(self, value: int) -> None:
        import faiss

        if isinstance(self._index, faiss.IndexHNSW):
            self._index.hnsw.efSearch = value
        else:
            faiss.extract_index_ivf(self._index).nprobe = value

    def search(self, queries: np.ndarray, k: int) -> np.ndarray:
        return np.asarray(self._index.search(queries, k)[1])

    def stated_bytes(self) -> int | None:
        return None


def load(
    threads: int,
    factory: str = "",
    m: int = 32,
    ef_construction: int = 40,
    candidates: int = 1,
) -> FaissIndex:
    """An index of `factory`, else an HNSW graph.

    Args:
        threads: of OpenMP.
        factory: as for `faiss.index_factory`.
        m: links of a vector in a graph.
        ef_construction: candidates looked at as a graph is built.
        candidates: times k of the codes' best that are compared exactly, where the string refines.
    """
    import faiss

    version = tuple(map(int, faiss.__version__.split(".")[:2]))
    if version < OLDEST:
        raise ValueError(f"expected faiss-cpu 1.15 or newer, got {faiss.__version__}")
    faiss.omp_set_num_threads(threads)
    return FaissIndex(factory or f"HNSW{m}", ef_construction, candidates)


def versions() -> dict[str, str]:
    import faiss

    return {"faiss-cpu": faiss.__version__, "faiss": faiss.get_compile_options().strip()}
