"""A small collection with everything that a document may hold, and its contents to compare."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from unitvec import Collection

#: Every type that JSON has, the ends of their ranges, and names that mean something elsewhere.
METADATA = {
    "i": -(2**63), "j": 2**63 - 1, "f": 5e-324, "g": 1.7976931348623157e308, "z": -0.0, "t": True,
    "n": None, "s": 'é"\\\0\u2028\x85\r\n', "l": [1, 1.0, "1", None, [{}], []],
    "d": {"x": {"y": []}}, "": "empty", "id": "id", "vector": [1.5], "$k": 1, 'k".\\': 1, "text": 7,
}  # fmt: skip


def notes(path: Path) -> Collection:
    """Documents with and without text, empty and not, with and without metadata."""
    collection = Collection(path, dim=4, metric="dot")
    given = np.random.default_rng(0).standard_normal((2, 4)).astype(np.float32)
    collection.add(
        ["", "𝒳\u2028 漢\x85字\0"], ["b", "a'\"/ é"], metadatas=[METADATA, None], embeddings=given
    )
    collection.add(ids="c", embeddings=[[-0.0, 1e-45, 3e17, 0.1]])
    return collection


def contents(collection: Collection) -> list[tuple[Any, ...]]:
    """Everything, in order: JSON text tells 1 from 1.0 and True, bytes tell 0.0 from -0.0."""
    return [
        (r.id, r.document, json.dumps(r.metadata), r.vector.tobytes())
        for r in collection.scan(include=["documents", "metadatas", "embeddings"])
        if r.vector is not None
    ]
