"""What runs in the processes that get a Ctrl-C at a random time."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import ledger
from killed_writer import Log
from unitvec import Collection, Encoder

#: Seconds after which a process that heeds no Ctrl-C is ended.
_PATIENCE = 60


def work(path: str, log: str, state: ledger.State, seed: int, number: int, verb: str) -> None:
    """Repeats one operation until the Ctrl-C, then goes on with the same collection, and closes."""
    signal.alarm(_PATIENCE)
    said = Log(log)
    db = ledger.open_writer(Path(path))
    turn = _TURNS[verb]
    rng = random.Random(seed)
    try:
        said.say(opened=number)
        while True:
            operation = turn(db, rng, state, number)
            if operation is not None:
                said.say(begun=operation)
                ledger.perform(db, operation)
                said.say(done=number)
                state = ledger.after(state, operation)
                number += 1
    except KeyboardInterrupt:
        said.say(interrupted=time.monotonic())
    _go_on(db, said, number + 1)
    db.close()
    said.say(closed=True)


def _go_on(db: Collection, said: Log, number: int) -> None:
    """The collection still answers and stores."""
    assert db.count() == len(list(db.scan()))
    db.search(np.ones(ledger.DIM), k=3)
    last = {"verb": "add", "ids": [f"{number}-after"], "number": number}
    said.say(begun=last)
    ledger.perform(db, last)
    said.say(done=number)


def _write(verb: str) -> Callable[..., ledger.Operation]:
    def turn(
        db: Collection, rng: random.Random, state: ledger.State, number: int
    ) -> ledger.Operation:
        while True:
            operation = ledger.choose(rng, state, number)
            if operation["verb"] == verb or (verb == "write" and operation["verb"] != "reopen"):
                return operation

    return turn


def _add(db: Collection, rng: random.Random, state: ledger.State, number: int) -> ledger.Operation:
    if len(state) > 200:
        return {"verb": "delete", "ids": sorted(state), "number": number}
    ids = [f"{number}-{i}" for i in range(rng.choice((1, 30)))]
    return {"verb": "add", "ids": ids, "number": number}


def _build(db: Collection, rng: random.Random, state: ledger.State, number: int) -> Any:
    if len(state) < 100:
        ids = [f"{number}-{i}" for i in range(100)]
        return {"verb": "add", "ids": ids, "number": number}
    return {"verb": "build", "ids": [], "number": number}


def _search(db: Collection, rng: random.Random, state: ledger.State, number: int) -> Any:
    if len(state) < 100:
        return _add(db, rng, state, number)
    for _ in range(20):
        db.search(ledger.vector(rng.choice(sorted(state)), number), k=5)
        db.get(where={"ninth": rng.randrange(9)})
    return None


_TURNS: dict[str, Callable[..., Any]] = {
    "add": _add,
    "search": _search,
    "build": _build,
    "compact": _write("compact"),
    "write": _write("write"),
}

VERBS = tuple(_TURNS)


def encode(model: str, log: str) -> None:
    """Encodes until the Ctrl-C, then once more: the encoder is as good as before."""
    signal.alarm(_PATIENCE)
    said = Log(log)
    encoder = Encoder(model)
    texts = [f"sentence {i} of those that are encoded over and over" for i in range(200)]
    expected = encoder.encode(texts[:20])
    try:
        said.say(opened=True)
        while True:
            encoder.encode(texts)
    except KeyboardInterrupt:
        said.say(interrupted=time.monotonic())
    assert np.array_equal(encoder.encode(texts[:20]), expected)
