"""Writes `format-N.zip`: collections as the code of this version leaves them, for all later ones.

usage: PYTHONPATH=python python tests/formats/make.py    once, when a format is new

A file, once released, is never written again. It holds `closed.uv`, `killed.uv` (its last changes
are in SQLite's log alone) and `expected.json`: what both hold, so that no later code is asked.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from unitvec import Collection
from unitvec.collection import IndexPolicy
from unitvec.collection.schema import FORMAT_VERSION

_DIM = 8
_COUNT = 160
_POLICY = IndexPolicy(approximate_from=64, tail_min=1000, tail_share=1.0)


def _content() -> list[dict[str, Any]]:
    rng = np.random.default_rng(7)
    vectors = rng.standard_normal((_COUNT, _DIM)).astype(np.float32)
    documents = [f"Text {i}: größer, 大きい, 🙂." * (1 + i % 3) for i in range(_COUNT)]
    documents[3] = ""
    metadatas = [
        {"number": i, "half": i / 2, "even": i % 2 == 0, "tags": ["a", f"t{i % 5}"], "none": None}
        for i in range(_COUNT)
    ]
    rows = zip(documents, metadatas, vectors.tolist(), strict=True)
    return [
        {
            "id": f"id {i}",
            "document": None if i == 4 else text,
            "metadata": {} if i == 5 else metadata,
            "vector": vector,
        }
        for i, (text, metadata, vector) in enumerate(rows)
    ]


def _add(db: Collection, rows: list[dict[str, Any]]) -> None:
    for given in (True, False):
        some = [row for row in rows if (row["document"] is not None) == given]
        if some:
            db.add(
                [row["document"] for row in some] if given else None,
                ids=[row["id"] for row in some],
                metadatas=[row["metadata"] for row in some],
                embeddings=np.array([row["vector"] for row in some], np.float32),
            )


def _write(path: Path, rows: list[dict[str, Any]], kill: bool) -> None:
    """Most rows, an index file over them, deletions, and the last rows after it."""
    early, late = rows[:100], rows[100:]
    with Collection(path, dim=_DIM, index_policy=_POLICY) as db:
        _add(db, early)
        db.build_index()
        assert db.stats()["index"] == "hnsw"
        db.delete(["id 10", "id 11"])
    db = Collection(path, index_policy=_POLICY)
    _add(db, late)
    db.update("id 20", metadatas={"updated": True})
    db.delete("id 120")
    if kill:
        os.kill(os.getpid(), signal.SIGKILL)
    db.close()


def _in_child(path: Path, rows: list[dict[str, Any]]) -> None:
    child = os.fork()
    if child == 0:
        try:
            _write(path, rows, kill=True)
        finally:
            os._exit(1)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])


def main() -> None:
    target = Path(__file__).with_name(f"format-{FORMAT_VERSION}.zip")
    if target.exists():
        sys.exit(f"{target} is there already; what was released is never written again")
    rows = _content()
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder) / "closed.uv", rows, kill=False)
        _in_child(Path(folder) / "killed.uv", rows)
        expected = [row for row in rows if row["id"] not in ("id 10", "id 11", "id 120")]
        next(row for row in expected if row["id"] == "id 20")["metadata"]["updated"] = True
        text = json.dumps(expected, ensure_ascii=False)
        (Path(folder) / "expected.json").write_text(text, encoding="utf-8")
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for path in sorted(Path(folder).rglob("*")):
                if path.is_file() and path.suffix != ".sqlite-shm":
                    archive.write(path, path.relative_to(folder))
    print(f"{target}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
