"""What the tests of docs/inputs.md share: which row each stands for, and what a refusal is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from hashed_words import HashedWords
from unitvec import Collection

MIB = 2**20
TEXTS = ["The cat sat on the mat", "Shares fell today", "a dog barks at the cat"]
ROW = np.arange(1.0, 5.0)
REFUSED = (TypeError, ValueError)

_Test = TypeVar("_Test", bound=Callable[..., Any])


def row(name: str) -> Callable[[_Test], _Test]:
    """Says which row of the documentation a test stands for; a test sees to it that none lacks one.

    Args:
        name: the row's first cell.
    """
    assert name
    return lambda test: test


def three_documents(folder: Path, words: HashedWords) -> Iterator[Collection]:
    """For a fixture: three documents, texts and all."""
    with Collection(folder / "notes.uv", encoder=words) as collection:
        collection.add(TEXTS, ids=["a", "b", "c"], metadatas=[{"year": 1}, {"year": 2}, None])
        yield collection


def two_vectors(folder: Path) -> Iterator[Collection]:
    """For a fixture: two vectors of dim 4 under "cosine"."""
    with Collection(folder / "vectors.uv", dim=4) as collection:
        collection.add(embeddings=[ROW, -ROW], ids=["a", "b"])
        yield collection


def contents(db: Collection) -> list[Any]:
    records = db.get(include=["embeddings"])
    return [(r.id, r.document, r.metadata, r.vector.tobytes()) for r in records]


def refuses(db: Collection, call: Callable[[], Any], error: Any, message: str) -> None:
    """The call raises this, and leaves everything as it was."""
    before, state = contents(db), db.stats()["sequence"]
    with pytest.raises(error, match=message) as caught:
        call()
    assert type(caught.value) in REFUSED
    assert (contents(db), db.stats()["sequence"]) == (before, state)


def writers_refuse(db: Collection, error: Any, message: str, **columns: Any) -> None:
    """`add`, `upsert` and `update` all refuse it, as a list and as a stream."""
    size = len(next(iter(columns.values())))
    new = {"ids": [f"new {i}" for i in range(size)], **columns}
    known = {"ids": db.get(limit=size)["ids"], **columns}
    if "documents" not in new and "embeddings" not in new:
        new["embeddings"] = np.ones((size, db.dim))
    refuses(db, lambda: db.add(**new), error, message)
    refuses(db, lambda: db.upsert(**new), error, message)
    refuses(db, lambda: db.update(**known), error, message)
    refuses(db, lambda: db.add(**{name: iter(c) for name, c in new.items()}), error, message)
