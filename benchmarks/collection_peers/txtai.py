"""txtai with its defaults, FAISS beside SQLite, and vectors that are given.

It works in memory: what was written since the last `save` is lost with the process, and `save`
writes the whole index again, so that rows are upserted without it, as they are acknowledged.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from txtai import Embeddings

from benchmarks.collection_documents import Documents, Filter

SELECT = "select id, text, number, category, tag from txtai where similar(:vector)"


class TxtaiStore:
    def __init__(self, path: str) -> None:
        self._path = path
        self._vectors: Iterator[np.ndarray] = iter(())

        def transform(texts: list[str]) -> np.ndarray:
            """The vectors of the next texts: it asks in the order of the documents."""
            return np.stack([next(self._vectors) for _ in texts])

        settings = {"method": "external", "transform": transform, "content": True}
        self._embeddings = Embeddings(settings)
        if os.path.isdir(path):
            self._embeddings.load(path, config=settings)

    def add(self, documents: Documents) -> None:
        self.upsert(documents)  # the first one indexes

    def finish(self) -> None:
        self._embeddings.save(self._path)

    def search(
        self, vector: np.ndarray, k: int, where: Filter | None
    ) -> list[tuple[str, str, dict[str, Any]]]:
        conditions = "".join(
            f" and {field} {operator} {value!r}" for field, operator, value in where or ()
        )
        rows = self._embeddings.search(
            f"{SELECT}{conditions} limit {k}", parameters={"vector": vector}
        )
        return [(row.pop("id"), row.pop("text"), row) for row in rows]

    def upsert(self, documents: Documents) -> None:
        self._vectors = iter(documents.vectors)
        self._embeddings.upsert(
            (id_, {"text": text, **fields}, None)
            for id_, text, fields in zip(
                documents.ids, documents.texts, documents.fields, strict=True
            )
        )

    def delete(self, ids: Sequence[str]) -> None:
        self._embeddings.delete(list(ids))

    def count(self) -> int:
        return self._embeddings.count()

    def close(self) -> None:
        self._embeddings.save(self._path)
        self._embeddings.close()


def load(path: str, dim: int) -> TxtaiStore:
    return TxtaiStore(path)


def versions() -> dict[str, str]:
    return {"txtai": version("txtai"), "torch": version("torch")}
