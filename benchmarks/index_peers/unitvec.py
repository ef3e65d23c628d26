"""unitvec's own kinds of index."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np

#: Kinds that look through lists, which they learn from the vectors as these are added.
LISTS = ("ivf", "ivfpq")


class UnitvecIndex:
    def __init__(self, threads: int, kind: str, parameters: dict[str, Any]) -> None:
        self._threads = threads
        self._kind = kind
        self._parameters = parameters
        self._search: dict[str, int] = {}
        self._index: Any = None
        self._new(1)  # fails here rather than in building, where a kind is not known

    def build(self, vectors: np.ndarray) -> None:
        self._index = self._new(vectors.shape[1])
        self._index.add(vectors, threads=self._threads)

    def set(self, value: int) -> None:
        self._search = {"nprobe" if self._kind in LISTS else "ef_search": value}

    def search(self, queries: np.ndarray, k: int) -> np.ndarray:
        found = self._index.search(queries, k, threads=self._threads, **self._search)
        return np.asarray(found.ids)

    def stated_bytes(self) -> int | None:
        return int(self._index.stats()["bytes"])

    def _new(self, dim: int) -> Any:
        import unitvec

        return unitvec.Index(dim, kind=self._kind, metric="dot", **self._parameters)


def load(
    threads: int,
    kind: str,
    m: int | None = None,
    ef_construction: int | None = None,
    dtype: str | None = None,
) -> UnitvecIndex:
    given = {"M": m, "ef_construction": ef_construction, "dtype": dtype}
    parameters = {name: value for name, value in given.items() if value is not None}
    return UnitvecIndex(threads, kind, parameters)


def versions() -> dict[str, str]:
    import unitvec._core

    return {"unitvec": version("unitvec"), "instruction set": unitvec._core.active_isa()}
