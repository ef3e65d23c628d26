"""Chroma, in the folder of a persistent client."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import chromadb
import numpy as np

from benchmarks.collection_documents import Documents, Filter

NAME = "documents"
OPERATORS = {"=": "$eq", ">=": "$gte", "<": "$lt"}


class ChromaStore:
    def __init__(self, path: str) -> None:
        settings = chromadb.Settings(anonymized_telemetry=False)
        self._client = chromadb.PersistentClient(path, settings=settings)
        self._batch = self._client.get_max_batch_size()
        self._collection = self._client.get_or_create_collection(
            NAME, configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
        )

    def add(self, documents: Documents) -> None:
        for block in documents.blocks(self._batch):
            self._collection.add(**_columns(block))

    def finish(self) -> None:
        pass  # its graph grows with every call

    def search(
        self, vector: np.ndarray, k: int, where: Filter | None
    ) -> list[tuple[str, str, dict[str, Any]]]:
        found = self._collection.query(
            query_embeddings=vector,
            n_results=k,
            where=where and _where(where),
            include=["documents", "metadatas"],
        )
        return list(zip(found["ids"][0], found["documents"][0], found["metadatas"][0], strict=True))

    def upsert(self, documents: Documents) -> None:
        self._collection.upsert(**_columns(documents))

    def delete(self, ids: Sequence[str]) -> None:
        for begin in range(0, len(ids), self._batch):
            self._collection.delete(ids=list(ids[begin : begin + self._batch]))

    def count(self) -> int:
        return self._collection.count()

    def close(self) -> None:
        self._client.close()


def _columns(documents: Documents) -> dict[str, Any]:
    return {
        "documents": documents.texts,
        "ids": documents.ids,
        "metadatas": documents.fields,
        "embeddings": documents.vectors,
    }


def _where(conditions: Filter) -> dict[str, Any]:
    """One comparison an entry, as it wants them."""
    entries = [{field: {OPERATORS[operator]: value}} for field, operator, value in conditions]
    return entries[0] if len(entries) == 1 else {"$and": entries}


def load(path: str, dim: int) -> ChromaStore:
    return ChromaStore(path)


def versions() -> dict[str, str]:
    return {"chromadb": version("chromadb")}
