"""Collections to be tampered with, and what must not happen when they are used."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unitvec import Collection, FormatError
from unitvec.collection import IndexFileWarning, IndexPolicy, schema
from watched import Watched

DIM, COUNT = 4, 40
POLICY = IndexPolicy(approximate_from=10, tail_min=5, tail_share=0.05)
VECTORS = np.random.default_rng(0).standard_normal((COUNT, DIM)).astype(np.float32)
SECRET = b"a secret that nobody may read or change\n" * 50
#: What may be said of a collection that is not as this library makes them.
REFUSALS = (FormatError, OSError)


def sql(path: Path, *statements: str, bindings: tuple[Any, ...] = ()) -> None:
    """Changes the database as an enemy would, whose pages have the right checksums."""
    connection = schema.connect_writer(path / "store.sqlite")
    for statement in statements:
        connection.execute(statement, bindings)
    connection.close()


def use(path: Path, read_only: bool = False) -> list[BaseException]:
    """Calls every verb; what is answered must be right, what is refused must be said in a sentence.

    Returns:
        The refusals.
    """
    refused: list[BaseException] = []

    def attempt(call: Callable[[], Any]) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", IndexFileWarning)
            try:
                return call()
            except REFUSALS as error:
                refused.append(error)
                return None

    if read_only:
        db = attempt(lambda: Collection.open(path, read_only=True))
    else:
        db = attempt(lambda: Collection(path, index_policy=POLICY, durability="normal"))
    if db is None:
        return refused
    snapshot = path.parent / "copies" / f"copy{read_only}.uv"
    try:
        hits = attempt(lambda: db.search(VECTORS[3], k=3))
        assert hits is None or hits[0].id == "id3"
        attempt(db.count)
        attempt(db.get)
        attempt(lambda: db.get(where={"n": 3}))
        attempt(lambda: list(db.scan()))
        attempt(db.stats)
        attempt(db.verify)
        if not read_only:
            new = 2 * VECTORS[:20]
            attempt(lambda: db.upsert(ids=[f"new{i}" for i in range(20)], embeddings=new))
            attempt(lambda: db.update("id1", metadatas={"n": -1}))
            attempt(lambda: db.delete("id2"))
            hits = attempt(lambda: db.search(VECTORS[3], k=3))
            assert hits is None or hits[0].score == pytest.approx(1, abs=1e-5)
        attempt(lambda: db.snapshot(snapshot))
        if not read_only:
            attempt(db.compact)
    finally:
        attempt(db.close)
    return refused


def everything(folder: Path) -> dict[str, bytes | str]:
    """Every entry below a folder with its content, or where it leads."""
    return {
        str(entry.relative_to(folder)): os.readlink(entry) if entry.is_symlink() else
        entry.read_bytes() if entry.is_file() else "" for entry in sorted(folder.rglob("*"))
    }  # fmt: skip


def leaves_alone(path: Path, outside: Path, hard_linked: bool = False) -> list[BaseException]:
    """Uses the collection in every way: what is beside it stays unread and as it was.

    Args:
        path: the collection's directory.
        outside: what must be left alone.
        hard_linked: a name in the collection is a file outside; then reading cannot be told.
    """
    before = everything(outside)
    beside = set(os.listdir(path.parent)) | {"copies"}
    refused = []
    watched = Watched(outside)
    try:
        for read_only in (True, False):
            refused += use(path, read_only)
            assert hard_linked or watched.touched() == []
    finally:
        watched.close()
    assert everything(outside) == before
    assert set(os.listdir(path.parent)) <= beside
    copies = path.parent / "copies"
    inside = [copies, path] if not hard_linked else [copies]
    for folder in inside:
        for name, content in everything(folder).items() if folder.exists() else ():
            assert isinstance(content, str) or SECRET[:40] not in content, name
            if folder == copies:
                assert name.count("/") <= 1
                assert name.split("/")[0] in ("copyTrue.uv", "copyFalse.uv")
    return refused
