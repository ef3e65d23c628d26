"""A run of a collection's verbs that a seed decides, and what must be stored after each of them.

Everything goes through the public interface of `Collection`.
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import numpy as np

from unitvec import Collection
from unitvec.collection import IndexPolicy

DIM = 8
#: A graph from 64 rows, another for every 16 that it lacks: index files in short runs.
POLICY = IndexPolicy(64, 16, 0.05)
#: Two adds of so many reach the graph.
FIRST_ROWS = 40

WRITING = ("add", "upsert", "update", "rewrite", "delete", "delete_where")


class Stored(NamedTuple):
    """One document as it must be found; the vector as float32 bytes."""

    document: str
    metadata: dict[str, Any]
    vector: bytes


#: Id -> document.
State = dict[str, Stored]


class Step(NamedTuple):
    """One call; `rows` are new or changed documents, `ids` and `group` what to remove."""

    verb: str
    rows: State
    ids: tuple[str, ...] = ()
    group: int = -1


def script(seed: int, length: int) -> list[str]:
    """The verbs of a run: made, filled beyond the graph's threshold, used, closed."""
    rng = random.Random(f"script {seed}")
    usual = [*WRITING, "add", "upsert", "search", "index", "compact", "reopen"]
    verbs = ["open", "add", "add", "search"]
    while len(verbs) < length - 1:
        rng.shuffle(usual)
        verbs += usual
    return [*verbs[: length - 1], "close"]


def next_step(seed: int, number: int, verb: str, state: State) -> Step:
    """The call that follows in a given state; where there is nothing to change, one that adds."""
    rng = random.Random(f"step {seed} {number}")
    if verb == "add" or (verb in WRITING and not state):
        count = FIRST_ROWS if number < 4 else rng.randint(1, 24)
        return Step("add", _rows(rng, [f"{number}-{i}" for i in range(count)]))
    if verb == "delete_where":
        return Step(verb, {}, group=rng.randrange(10))
    known = rng.sample(sorted(state), min(len(state), rng.randint(1, 12)))
    if verb == "delete":
        return Step(verb, {}, ids=tuple(known))
    if verb == "upsert":
        return Step(verb, _rows(rng, [*known, *(f"{number}-{i}" for i in range(4))]))
    if verb == "update":
        return Step(verb, _rows(rng, known))
    if verb == "rewrite":  # metadata alone: the vectors stay
        rows = {i: state[i]._replace(metadata={"group": rng.randrange(10)}) for i in known}
        return Step(verb, rows)
    return Step(verb, {})


def _rows(rng: random.Random, ids: list[str]) -> State:
    return {name: _row(rng, name) for name in ids}


def _row(rng: random.Random, name: str) -> Stored:
    vector = np.array([rng.gauss(0, 1) for _ in range(DIM)], np.float32)
    length = 30_000 if rng.random() < 0.02 else rng.randint(0, 300)
    text = f"{name} {rng.random()} " + "x" * length
    return Stored(text, {"group": rng.randrange(10)}, vector.tobytes())


def after(state: State, step: Step) -> State:
    """What must be stored once a call has returned."""
    kept = {
        name: row
        for name, row in state.items()
        if name not in step.ids and row.metadata["group"] != step.group
    }
    return {**kept, **step.rows}


def states(seed: int, length: int) -> list[State]:
    """What must be stored before the first call, and after each, where all of them succeed."""
    found: list[State] = [{}]
    for number, verb in enumerate(script(seed, length)):
        found.append(after(found[-1], next_step(seed, number, verb, found[-1])))
    return found


def contents(db: Collection) -> State:
    """What a collection holds."""
    return {
        record.id: Stored(record.document, record.metadata, record.vector.tobytes())
        for record in db.scan(include=["documents", "metadatas", "embeddings"])
    }


def carry_out(db: Collection, step: Step) -> None:
    """Makes the call on an open collection; opening and closing are the caller's."""
    rows = list(step.rows.values())
    columns = {
        "ids": list(step.rows),
        "documents": [row.document for row in rows],
        "metadatas": [row.metadata for row in rows],
        "embeddings": np.array([np.frombuffer(row.vector, np.float32) for row in rows]),
    }
    if step.verb in ("add", "upsert", "update"):
        getattr(db, step.verb)(**columns)
    elif step.verb == "rewrite":
        db.update(columns["ids"], metadatas=columns["metadatas"])
    elif step.verb == "delete":
        db.delete(ids=list(step.ids))
    elif step.verb == "delete_where":
        db.delete(where={"group": step.group})
    elif step.verb == "compact":
        db.compact()
    elif step.verb == "index":
        db.build_index()
    elif step.verb == "search":
        db.search(np.ones(DIM), k=5)
    if step.verb in WRITING:
        db.build_index()  # in a thread of its own: waited for, so that runs hardly differ
