"""A collection to be damaged, and the questions that tell whether the damage went unnoticed."""

from __future__ import annotations

import fnmatch
import os
import shutil
import signal
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from unitvec import Collection
from unitvec.collection import IndexPolicy

#: What a collection consists of, as patterns, by how its writer ended.
FILES = {
    "killed": ("store.sqlite", "store.sqlite-wal", "store.sqlite-shm", "index-*", "LOCK"),
    "closed": ("store.sqlite", "index-*"),
}

#: How the writer ended and which file is damaged.
CASES = [(left, pattern) for left, patterns in FILES.items() for pattern in patterns]

PAGE = 16384  # bytes

#: What a damaged collection comes to.
KINDS = ("wrong", "warned", "refused", "harmless")

DOCUMENTS = 900
DIM = 16
_INDEXED = 600  # of the documents; the later ones are stored after the index
_LOGGED = 5  # calls whose changes are in the log alone when the writer is killed
_CLUSTERS = 30

Question = Callable[[Collection], Any]


def _vectors() -> np.ndarray:
    """Rows in well-separated clusters, so that the graph finds the true neighbours."""
    rng = np.random.default_rng(5)
    centres = rng.standard_normal((_CLUSTERS, DIM))
    rows = centres[np.arange(DOCUMENTS) % _CLUSTERS] + 0.1 * rng.standard_normal((DOCUMENTS, DIM))
    return rows.astype(np.float32)


VECTORS = _vectors()
IDS = [f"document-{i:04d}" for i in range(DOCUMENTS)]


def _add(db: Collection, first: int, last: int) -> None:
    db.add(
        [f"The text of number {i}, of group {i % 7}." for i in range(first, last)],
        ids=IDS[first:last],
        metadatas=[{"number": i, "group": f"g{i % 7}"} for i in range(first, last)],
        embeddings=VECTORS[first:last],
    )


def _write_and_die(path: Path) -> None:
    policy = IndexPolicy(approximate_from=_INDEXED, tail_min=DOCUMENTS, tail_share=1.0)
    with Collection(path, dim=DIM, index_policy=policy) as db:
        _add(db, 0, _INDEXED)
        db.build_index()
        db.delete(ids=IDS[10:20])
    db = Collection(path, index_policy=policy)
    step = (DOCUMENTS - _INDEXED) // _LOGGED
    for first in range(_INDEXED, DOCUMENTS, step):
        _add(db, first, first + step)
        db.delete(ids=IDS[first : first + 2])
    os.kill(os.getpid(), signal.SIGKILL)


def make_killed(path: Path) -> None:
    """A collection whose writer was killed: database, log, index file and lock lie there."""
    child = os.fork()
    if child == 0:
        try:
            _write_and_die(path)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the writer failed before it was killed"


def make_closed(path: Path) -> None:
    """The same collection closed well: without a log."""
    make_killed(path)
    Collection.open(path).close()


def _record(record: Any) -> tuple[Any, ...]:
    vector = None if record.vector is None else record.vector.tobytes()
    return record.id, record.document, record.metadata, vector


_EVERYTHING = ("documents", "metadatas", "embeddings")
_WANTED = IDS[::9]

QUESTIONS: dict[str, Question] = {
    "count": lambda db: db.count(),
    "get by ids": lambda db: [_record(r) for r in db.get(_WANTED, include=_EVERYTHING)],
    "scan": lambda db: [_record(r) for r in db.scan(include=_EVERYTHING)],
    "where": lambda db: [_record(r) for r in db.get(where={"group": "g3"})],
    "where not": lambda db: [r.id for r in db.get(where={"number": {"$not": {"$lt": 700}}})],
    "search": lambda db: [
        (hit.id, round(hit.score, 5), hit.document, hit.metadata)
        for hits in db.search(VECTORS[5::90], k=5)
        for hit in hits
    ],
    "search where": lambda db: [
        (hit.id, round(hit.score, 5)) for hit in db.search(VECTORS[0], k=5, where={"group": "g5"})
    ],
}


def truth(path: Path) -> dict[str, Any]:
    """The answers of an undamaged collection."""
    with Collection.open(path) as db:
        return {name: ask(db) for name, ask in QUESTIONS.items()}


@dataclass
class Outcome:
    """What came of a damaged collection.

    Attributes:
        wrong: questions that were answered wrongly without a word.
        refused: questions that raised, "open" among them.
        warned: whether a warning was given.
        errors: kinds of the exceptions.
    """

    wrong: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    warned: bool = False
    errors: set[str] = field(default_factory=set)

    @contextmanager
    def refusing(self, what: str) -> Iterator[None]:
        """Takes an error for a refusal."""
        try:
            yield
        except Exception as error:
            self.refused.append(what)
            self.errors.add(type(error).__name__)

    @property
    def kind(self) -> str:
        """One of `KINDS`."""
        if self.wrong:
            return "wrong"
        return "warned" if self.warned else "refused" if self.refused else "harmless"


def examine(path: Path, expected: dict[str, Any], read_only: bool) -> Outcome:
    """Asks a damaged collection every question."""
    outcome = Outcome()
    with warnings.catch_warnings(record=True) as caught, outcome.refusing("open"):
        warnings.simplefilter("always")
        with Collection.open(path, read_only=read_only) as db:
            for name, ask in QUESTIONS.items():
                with outcome.refusing(name):
                    if ask(db) != expected[name] and not caught:
                        outcome.wrong.append(name)
    outcome.warned = bool(caught)
    return outcome


class Images:
    """The files of a collection, by name, as a kill and as `close` left them.

    Attributes:
        truth: the answer to each of `QUESTIONS`; the same for both.
    """

    def __init__(self, folder: Path) -> None:
        self._contents = {}
        for left, make in (("killed", make_killed), ("closed", make_closed)):
            make(folder / left)
            self._contents[left] = {p.name: p.read_bytes() for p in (folder / left).iterdir()}
        self.truth = truth(folder / "closed")

    def __getitem__(self, left: str) -> dict[str, bytes]:
        """The contents by name."""
        return self._contents[left]

    def file(self, left: str, pattern: str) -> str:
        """The name of the one file that a pattern of `FILES` stands for."""
        (name,) = fnmatch.filter(self._contents[left], pattern)
        return name


def lay_out(contents: dict[str, bytes], path: Path) -> None:
    """The files of a collection, afresh."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    for name, content in contents.items():
        (path / name).write_bytes(content)


def flipped(content: bytes, bit: int) -> bytes:
    """The same bytes but for one bit."""
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << (bit % 8)
    return bytes(changed)
