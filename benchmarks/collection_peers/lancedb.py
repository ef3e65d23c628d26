"""LanceDB: without any index, and with those that its documentation advises."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.index import Bitmap, BTree, HnswSq

from benchmarks.collection_documents import Documents, Filter

NAME = "documents"
FIELDS = ["number", "category", "tag"]
SELECT = ["id", "document", *FIELDS, "_distance"]

#: Candidates of the graph, the first of 30, 60, 100, 200 that found 0.98 of the neighbours of 200
#: queries; and the times k of its best, in 8 bits, that are compared exactly.
EF, REFINE = 60, 2

#: Documents in a call: a table is a version of its own, with files of its own.
BATCH = 100_000


class LanceStore:
    def __init__(self, path: str, dim: int, is_tuned: bool) -> None:
        self._is_tuned = is_tuned
        self._database = lancedb.connect(path)
        self._dim = dim
        self._table = self._database.create_table(NAME, schema=_schema(dim), exist_ok=True)

    def add(self, documents: Documents) -> None:
        for block in documents.blocks(BATCH):
            self._table.add(self._rows(block))

    def finish(self) -> None:
        if self._is_tuned:
            self._table.create_index("vector", config=HnswSq(distance_type="cosine"))
            for field, kind in (("id", BTree), ("number", BTree), ("category", Bitmap)):
                self._table.create_index(field, config=kind())
            self._table.create_index("tag", config=Bitmap())

    def search(
        self, vector: np.ndarray, k: int, where: Filter | None
    ) -> list[tuple[str, str, dict[str, Any]]]:
        query = self._table.search(vector).distance_type("cosine").select(SELECT).limit(k)
        if self._is_tuned:
            query = query.ef(EF).refine_factor(REFINE)
        if where:
            query = query.where(" AND ".join(f"{f} {op} {value!r}" for f, op, value in where))
        rows = query.to_list()
        return [(row["id"], row["document"], {f: row[f] for f in FIELDS}) for row in rows]

    def upsert(self, documents: Documents) -> None:
        merge = self._table.merge_insert("id").when_matched_update_all()
        merge.when_not_matched_insert_all().execute(self._rows(documents))

    def delete(self, ids: Sequence[str]) -> None:
        self._table.delete(f"id IN ({', '.join(map(repr, ids))})")

    def count(self) -> int:
        return self._table.count_rows()

    def close(self) -> None:
        pass  # nothing is held open

    def _rows(self, documents: Documents) -> pa.Table:
        vectors = pa.FixedSizeListArray.from_arrays(documents.vectors.ravel(), self._dim)
        fields = {f: [row[f] for row in documents.fields] for f in FIELDS}
        columns = {"id": documents.ids, "vector": vectors, "document": documents.texts, **fields}
        return pa.table(columns, schema=_schema(self._dim))


def _schema(dim: int) -> pa.Schema:
    return pa.schema(
        [
            ("id", pa.string()),
            ("vector", pa.list_(pa.float32(), dim)),
            ("document", pa.string()),
            ("number", pa.int64()),
            ("category", pa.string()),
            ("tag", pa.string()),
        ]
    )


def load(path: str, dim: int, is_tuned: bool = False) -> LanceStore:
    return LanceStore(path, dim, is_tuned)


def versions() -> dict[str, str]:
    return {"lancedb": version("lancedb")}
