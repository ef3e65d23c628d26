"""Milvus Lite: a graph of the vectors and inverted indexes of the fields."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from milvus_lite.server_manager import server_manager_instance
from pymilvus import DataType, MilvusClient

from benchmarks.collection_documents import Documents, Filter

NAME = "documents"
FIELDS = ["number", "category", "tag"]

#: Rows in a message, of which the longest may have 256 MB.
BATCH = 10_000

#: Bytes: it wants a limit for each text.
TEXT, WORD = 65_535, 64


class MilvusStore:
    def __init__(self, path: str, dim: int) -> None:
        self._path = f"{path}.db"
        self._client = MilvusClient(self._path)
        if self._client.has_collection(NAME):
            self._client.load_collection(NAME)
        else:
            self._create(dim)

    def _create(self, dim: int) -> None:
        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=WORD)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dim)
        schema.add_field("document", DataType.VARCHAR, max_length=TEXT)
        schema.add_field("number", DataType.INT64)
        schema.add_field("category", DataType.VARCHAR, max_length=WORD)
        schema.add_field("tag", DataType.VARCHAR, max_length=WORD)
        indexes = self._client.prepare_index_params()
        indexes.add_index("vector", index_type="HNSW", metric_type="COSINE")
        for field in FIELDS:
            indexes.add_index(field, index_type="INVERTED")
        self._client.create_collection(NAME, schema=schema, index_params=indexes)

    def add(self, documents: Documents) -> None:
        for block in documents.blocks(BATCH):
            self._client.insert(NAME, _rows(block))

    def finish(self) -> None:
        """Flushing leaves the graph to a thread of its own; loading builds what is missing."""
        self._client.flush(NAME)
        self._client.release_collection(NAME)
        self._client.load_collection(NAME)

    def search(
        self, vector: np.ndarray, k: int, where: Filter | None
    ) -> list[tuple[str, str, dict[str, Any]]]:
        (hits,) = self._client.search(
            NAME,
            [vector],
            filter=" and ".join(_condition(*each) for each in where or ()),
            limit=k,
            output_fields=["document", *FIELDS],
        )
        entities = [(hit["id"], dict(hit["entity"])) for hit in hits]
        return [(id_, entity.pop("document"), entity) for id_, entity in entities]

    def upsert(self, documents: Documents) -> None:
        self._client.upsert(NAME, _rows(documents))

    def delete(self, ids: Sequence[str]) -> None:
        self._client.delete(NAME, ids=list(ids))

    def count(self) -> int:
        return int(self._client.query(NAME, output_fields=["count(*)"])[0]["count(*)"])

    def close(self) -> None:
        """And the server within this process, which writes what is left."""
        self._client.close()
        server_manager_instance.release_server(self._path)


def _rows(documents: Documents) -> list[dict[str, Any]]:
    columns = (documents.ids, documents.texts, documents.fields, documents.vectors)
    return [
        {"id": id_, "document": text, "vector": vector, **fields}
        for id_, text, fields, vector in zip(*columns, strict=True)
    ]


def _condition(field: str, operator: str, value: Any) -> str:
    return f"{field} {'==' if operator == '=' else operator} {value!r}"


def load(path: str, dim: int) -> MilvusStore:
    return MilvusStore(path, dim)


def versions() -> dict[str, str]:
    return {name: version(name) for name in ("milvus-lite", "pymilvus")}
