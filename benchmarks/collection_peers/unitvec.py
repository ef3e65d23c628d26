"""unitvec's collection, through its public interface."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

import unitvec
import unitvec._core
from benchmarks.collection_documents import Documents, Filter

Collection = unitvec.Collection  # loaded here, not as the first store is opened

OPERATORS = {"=": "$eq", ">=": "$gte", "<": "$lt"}


class UnitvecStore:
    def __init__(self, path: str, dim: int) -> None:
        self._collection = Collection(path, dim=dim)

    def add(self, documents: Documents) -> None:
        self._collection.add(**_columns(documents))

    def finish(self) -> None:
        self._collection.build_index()

    def search(
        self, vector: np.ndarray, k: int, where: Filter | None
    ) -> list[tuple[str, str, dict[str, Any]]]:
        hits = self._collection.search(vector, k=k, where=where and _where(where))
        return [(hit.id, hit.document, hit.metadata) for hit in hits]

    def upsert(self, documents: Documents) -> None:
        self._collection.upsert(**_columns(documents))

    def delete(self, ids: Sequence[str]) -> None:
        self._collection.delete(list(ids))

    def count(self) -> int:
        return self._collection.count()

    def close(self) -> None:
        self._collection.close()


def _columns(documents: Documents) -> dict[str, Any]:
    return {
        "documents": documents.texts,
        "ids": documents.ids,
        "metadatas": documents.fields,
        "embeddings": documents.vectors,
        "show_progress_bar": False,
    }


def _where(conditions: Filter) -> dict[str, dict[str, Any]]:
    where: dict[str, dict[str, Any]] = {}
    for field, operator, value in conditions:
        where.setdefault(field, {})[OPERATORS[operator]] = value
    return where


def load(path: str, dim: int) -> UnitvecStore:
    return UnitvecStore(path, dim)


def versions() -> dict[str, str]:
    return {"unitvec": version("unitvec"), "instruction set": unitvec._core.active_isa()}
