"""Qdrant's local mode, which its client warns against for more than 20,000 points."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from qdrant_client import QdrantClient, models

from benchmarks.collection_documents import Documents, Filter

NAME = "documents"
BOUNDS = {">=": "gte", "<": "lt"}

#: Points in a call.
BATCH = 1_000


class QdrantStore:
    def __init__(self, path: str, dim: int) -> None:
        warnings.simplefilter("ignore", UserWarning)
        self._client = QdrantClient(path=path)
        if not self._client.collection_exists(NAME):
            vectors = models.VectorParams(size=dim, distance=models.Distance.COSINE)
            self._client.create_collection(NAME, vectors_config=vectors)

    def add(self, documents: Documents) -> None:
        for block in documents.blocks(BATCH):
            self.upsert(block)

    def finish(self) -> None:
        pass  # searches are exact, without an index

    def search(
        self, vector: np.ndarray, k: int, where: Filter | None
    ) -> list[tuple[str, str, dict[str, Any]]]:
        found = self._client.query_points(
            NAME, query=vector, limit=k, query_filter=where and _filter(where), with_payload=True
        )
        payloads = [(str(point.id), dict(point.payload)) for point in found.points]
        return [(id_, payload.pop("document"), payload) for id_, payload in payloads]

    def upsert(self, documents: Documents) -> None:
        payloads = [
            {"document": text, **fields}
            for text, fields in zip(documents.texts, documents.fields, strict=True)
        ]
        points = models.Batch(
            ids=[int(id_) for id_ in documents.ids],
            vectors=documents.vectors.tolist(),
            payloads=payloads,
        )
        self._client.upsert(NAME, points)

    def delete(self, ids: Sequence[str]) -> None:
        self._client.delete(NAME, points_selector=[int(id_) for id_ in ids])

    def count(self) -> int:
        return int(self._client.count(NAME).count)

    def close(self) -> None:
        self._client.close()


def _filter(conditions: Filter) -> models.Filter:
    must = []
    for field, operator, value in conditions:
        if operator == "=":
            condition = models.FieldCondition(key=field, match=models.MatchValue(value=value))
        else:
            bound = models.Range(**{BOUNDS[operator]: value})
            condition = models.FieldCondition(key=field, range=bound)
        must.append(condition)
    return models.Filter(must=must)


def load(path: str, dim: int) -> QdrantStore:
    return QdrantStore(path, dim)


def versions() -> dict[str, str]:
    return {"qdrant-client": version("qdrant-client")}
