"""What a collection must hold: operations, their effect on a dictionary, and the comparison.

A document's content follows from its id and the number of the operation that wrote it, so a ledger
of ids and numbers says what every byte must be.
"""

from __future__ import annotations

import random
import shutil
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from unitvec import Collection
from unitvec.collection import IndexPolicy

DIM = 8

#: Thresholds so low that a few calls lead to an index file.
POLICY = IndexPolicy(approximate_from=64, tail_min=16, tail_share=0.05)

_DOCUMENTS_MAX = 300

#: By id: the numbers of the operations that wrote its text and vector, and its metadata.
State = dict[str, list[int]]

#: A verb, the ids it is about and its number; JSON all through.
Operation = dict[str, Any]

VERBS = {
    "add": 8,
    "upsert": 5,
    "update": 3,
    "update metadata": 3,
    "delete": 5,
    "delete where": 1,
    "compact": 2,
    "snapshot": 2,
    "build": 2,
    "reopen": 2,
}


def vector(name: str, number: int) -> np.ndarray:
    seed = zlib.crc32(f"{name} {number}".encode())
    return np.random.default_rng(seed).standard_normal(DIM).astype(np.float32)


def document(name: str, number: int) -> str:
    return f"{name} as of operation {number} " * (1 + number % 9)


def metadata(number: int) -> dict[str, Any]:
    return {"number": number, "ninth": number % 9}


def choose(rng: random.Random, state: State, number: int) -> Operation:
    """A random operation that suits the state."""
    verb = rng.choices(list(VERBS), list(VERBS.values()))[0]
    known = sorted(state)
    if len(known) > _DOCUMENTS_MAX:
        verb = "delete"
    elif len(known) < 20 and verb not in ("upsert", "reopen", "snapshot"):
        verb = "add"
    some = rng.sample(known, min(len(known), rng.choice((1, 3, 20))))
    fresh = [f"{number}-{i}" for i in range(rng.choice((1, 8, 40)))]
    ids = {"add": fresh, "upsert": some + fresh}.get(verb, some)
    if verb == "delete where":
        ids = [name for name in known if metadata(state[name][1])["ninth"] == number % 9]
    if len(known) > _DOCUMENTS_MAX:
        ids = rng.sample(known, _DOCUMENTS_MAX // 2)
    return {"verb": verb, "ids": ids, "number": number}


def after(state: State, operation: Operation | None) -> State:
    """The state that an operation leads to."""
    if operation is None:
        return state
    verb, ids, number = operation["verb"], operation["ids"], operation["number"]
    if verb in ("add", "upsert"):
        return {**state, **{name: [number, number] for name in ids}}
    if verb == "update":
        return {**state, **{name: [number, number] for name in ids}}
    if verb == "update metadata":
        return {**state, **{name: [state[name][0], number] for name in ids}}
    if verb in ("delete", "delete where"):
        return {name: numbers for name, numbers in state.items() if name not in set(ids)}
    return state


def perform(db: Collection, operation: Operation) -> Collection:
    """Carries an operation out; returns the collection to go on with."""
    verb, ids, number = operation["verb"], operation["ids"], operation["number"]
    content = {
        "documents": [document(name, number) for name in ids],
        "metadatas": [metadata(number)] * len(ids),
        "embeddings": [vector(name, number) for name in ids],
    }
    if verb in ("add", "upsert", "update"):
        getattr(db, verb)(ids=ids, **content)
    elif verb == "update metadata":
        db.update(ids, metadatas=content["metadatas"])
    elif verb == "delete":
        db.delete(ids)
    elif verb == "delete where":
        db.delete(where={"ninth": number % 9})
    elif verb == "snapshot":
        db.snapshot(snapshot_path(db.path, number))
    elif verb == "reopen":
        db.close()
        return open_writer(db.path)
    elif verb == "build":
        db.build_index()
    else:
        db.compact()
    return db


def snapshot_path(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}-snapshot-{number}")


def open_writer(path: Path) -> Collection:
    return Collection(path, dim=DIM, index_policy=POLICY)


def problems_of(path: Path, states: list[State], read_only: bool) -> tuple[list[str], int]:
    """What is wrong with a collection, and which of the possible states it is in.

    Args:
        path: the collection.
        states: what it may hold: as acknowledged, and with the operation that was cut off.
        read_only: how to open it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a kill leaves nothing to warn of
        with Collection.open(path, read_only=read_only) as db:
            records = {r.id: r for r in db.scan(include=("documents", "metadatas", "embeddings"))}
            held = next((i for i, s in enumerate(states) if s.keys() == records.keys() and not
                         _differences(s, records)), None)  # fmt: skip
            problems = _differences(states[0], records) if held is None else []
            problems += db.verify().problems
            problems += _search_problems(db, records)
    return problems, held or 0


def _differences(state: State, records: dict[str, Any]) -> list[str]:
    found = [f"{name} is lost" for name in state.keys() - records.keys()]
    found += [f"{name} should not be there" for name in records.keys() - state.keys()]
    for name in state.keys() & records.keys():
        text, meta = state[name]
        record = records[name]
        if record.document != document(name, text) or record.metadata != metadata(meta):
            found.append(f"{name} is not as of {text} and {meta}")
        elif not np.array_equal(record.vector, vector(name, text)):
            found.append(f"{name} has another vector than that of {text}")
    return found


def _search_problems(db: Collection, records: dict[str, Any]) -> list[str]:
    """The index holds the ids of the store, and each vector finds itself."""
    if db.count() != len(records):
        return [f"{db.count()} counted, {len(records)} stored"]
    if not records:
        return []
    names = list(records)
    everything = db.search(records[names[0]].vector, k=len(names) + 5, min_recall=1.0)
    problems = []
    if sorted(hit.id for hit in everything) != sorted(names):
        problems.append("the index holds other ids than the store")
    for name, hits in zip(names, db.search([records[n].vector for n in names], k=3), strict=True):
        if name not in [hit.id for hit in hits]:
            problems.append(f"{name} does not find itself")
    return problems


def discard(path: Path) -> None:
    """Removes a collection and what was made beside it."""
    for leftover in path.parent.glob(f"*{path.name}*"):
        shutil.rmtree(leftover)
