"""A program: fills a disk of its own, of so many megabytes, with a collection, and goes on.

usage: full_disk.py FOLDER MEGABYTES INDEXED_FROM FREE

Needs a mount namespace of its own. INDEXED_FROM: documents from which an index file is wanted.
FREE: how room is made on the full disk, by `ballast` (another file goes) or by `delete`; `hog`: the
disk is filled by another file, again and again, and the collection is opened and deletes meanwhile.
"""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from unitvec import Collection
from unitvec.collection import IndexPolicy

_DIM = 32
_BATCH = 64
_DELETED_AT_ONCE = 4
_BALLAST = 256 * 1024  # bytes: what the user removes when the disk is full


def main(folder: str, megabytes: str, indexed_from: str, free: str) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode != 0:
        print(json.dumps({"skipped": done.stderr.strip()}))
        return
    path = Path(folder) / "c.uv"
    policy = IndexPolicy(approximate_from=int(indexed_from), tail_min=100, tail_share=0.05)
    run = _beside_a_hog if free == "hog" else _filled_by_itself
    print(json.dumps(run(path, policy, free)))


def _filled_by_itself(path: Path, policy: IndexPolicy, free: str) -> dict[str, int]:
    ballast = path.with_name("ballast")
    ballast.write_bytes(b"x" * _BALLAST)
    with Collection(path, dim=_DIM, index_policy=policy) as db:
        stored: list[str] = []
        _fill(db, stored)
        _check(db, stored)
        filled = len(stored)
        if free == "delete":
            _delete(db, stored, stored[::7])
            _check(db, stored)
        else:
            ballast.unlink()
        more = db.add(**_batch(filled, 2))
        stored += more
        _check(db, stored)
        with suppress(OSError):  # there may be no room for an index file
            db.build_index()
        _check(db, stored)
    with Collection.open(path) as db:
        _check(db, stored)
    return {"documents": filled, "added after": len(more)}


def _beside_a_hog(path: Path, policy: IndexPolicy, _: str) -> dict[str, int]:
    """Another program leaves not one byte, while the collection is open and while it is not."""
    free = os.statvfs(path.parent)
    size = free.f_bavail * free.f_bsize // 2
    stored: list[str] = []
    with Collection(path, dim=_DIM, index_policy=policy) as db:
        while sum(file.stat().st_size for file in path.iterdir()) < size:
            stored += db.add(**_batch(len(stored), _BATCH))
        _hog(path)
        _fill(db, stored)  # what the collection itself has room for
        _hog(path)
        filled, gone = len(stored), stored[::7]
        half = len(gone) // 2
        _delete(db, stored, gone[:half])
        _check(db, stored)
    for part in (gone[half : -half // 2], gone[-half // 2 :]):
        _hog(path)
        with Collection.open(path, read_only=True) as db:
            _check(db, stored)
        with Collection.open(path, read_only=False) as db:
            _check(db, stored)
            _delete(db, stored, [name for name in part if name in set(stored)])
            _check(db, stored)
            _delete_at_once(db, stored, stored[::3])
            _check(db, stored)
    path.with_name("hog").unlink()
    with Collection.open(path) as db:
        more = db.add(**_batch(filled, _BATCH))
        _check(db, [*stored, *more])
    return {"documents": filled, "added after": len(more)}


def _hog(path: Path) -> None:
    with path.with_name("hog").open("ab", buffering=0) as stream, suppress(OSError):
        while True:
            stream.write(b"x" * 4096)


def _batch(first: int, count: int) -> dict[str, Any]:
    names = [f"document {i}" for i in range(first, first + count)]
    return {
        "ids": names,
        "documents": [f"{name}: " + "text " * 40 for name in names],
        "metadatas": [{"name": name} for name in names],
        "embeddings": [_vector(name) for name in names],
    }


def _vector(name: str) -> np.ndarray:
    seed = int(name.split()[1])
    return np.random.default_rng(seed).standard_normal(_DIM).astype(np.float32)


def _fill(db: Collection, stored: list[str]) -> None:
    """Adds batches until the disk is full, then smaller ones until not one document fits."""
    count = _BATCH
    while count:
        batch = _batch(len(stored), count)
        refused = _add(db, batch)
        if refused is None:
            stored += batch["ids"]
            continue
        assert refused.errno == errno.ENOSPC, refused
        there = len(db.get(batch["ids"]))
        assert there == 0, f"{there} of a failed batch of {count} are stored: {refused}"
        count //= 2


def _add(db: Collection, batch: dict[str, Any]) -> OSError | None:
    try:
        db.add(**batch)
    except OSError as error:
        return error
    return None


def _delete(db: Collection, stored: list[str], gone: list[str]) -> None:
    """Removes documents, a few a call, although the disk is full."""
    for first in range(0, len(gone), _DELETED_AT_ONCE):
        few = gone[first : first + _DELETED_AT_ONCE]
        assert db.delete(few) == len(few)
    stored[:] = [name for name in stored if name not in set(gone)]


def _delete_at_once(db: Collection, stored: list[str], gone: list[str]) -> None:
    """Removes all of them, or says that they are too many and removes none."""
    refused: OSError | None = None
    try:
        assert db.delete(gone) == len(gone)
        stored[:] = [name for name in stored if name not in set(gone)]
    except OSError as error:
        refused = error
    if refused is not None:
        assert refused.errno == errno.ENOSPC, refused
        assert "delete fewer at once" in str(refused)


def _check(db: Collection, stored: list[str]) -> None:
    """Reading goes on, and exactly what was acknowledged is there."""
    assert db.count() == len(stored)
    assert sorted(record.id for record in db.scan()) == sorted(stored)
    report = db.verify()
    assert report.ok, report.problems
    for name in stored[:: max(1, len(stored) // 20)]:
        assert db.search(_vector(name), k=1)[0].id == name


if __name__ == "__main__":
    main(*sys.argv[1:])
