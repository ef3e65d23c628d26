"""What runs in processes that want the same collection, and in those that read meanwhile."""

from __future__ import annotations

import random
import time
import warnings
from pathlib import Path
from typing import Any

import ledger
from killed_writer import Log
from unitvec import Collection, StoreLockedError

BATCH = 8  # documents of one call


def contend(path: str, log: str, moment: float, number: int) -> None:
    """At a given moment of the monotonic clock, tries to open for writing; holds what it gets."""
    said = Log(log)
    while time.monotonic() < moment:
        pass
    begun = time.monotonic()
    try:
        db = ledger.open_writer(Path(path))
    except StoreLockedError as error:
        said.say(lost=error.pid, ms=1000 * (time.monotonic() - begun))
        return
    said.say(won=number, ms=1000 * (time.monotonic() - begun))
    db.add(ids=[str(number)], embeddings=ledger.vector(str(number), 0))
    said.say(stored=number)
    time.sleep(3600)


def open_once(path: str, log: str) -> None:
    """Opens for writing, which must succeed, and notes how long it took."""
    begun = time.monotonic()
    with ledger.open_writer(Path(path)) as db:
        Log(log).say(ms=1000 * (time.monotonic() - begun), count=db.count())


def write_batches(path: str, log: str, seconds: float) -> None:
    """Adds, replaces and removes whole batches; notes its number of calls and the longest one."""
    rng = random.Random(seconds)
    end = time.monotonic() + seconds
    longest, number = 0.0, 0
    with ledger.open_writer(Path(path)) as db:
        while time.monotonic() < end:
            number += 1
            begun = time.monotonic()
            _write_batch(db, rng, number)
            longest = max(longest, time.monotonic() - begun)
    Log(log).say(calls=number, longest_ms=1000 * longest)


def _write_batch(db: Collection, rng: random.Random, number: int) -> None:
    ids = [f"{number}-{i}" for i in range(BATCH)]
    db.add(
        [f"batch {number}"] * BATCH,
        ids=ids,
        metadatas=[{"batch": number, "version": 0}] * BATCH,
        embeddings=[ledger.vector(name, 0) for name in ids],
    )
    other = rng.randrange(max(1, number - 30), number + 1)
    if other != number and rng.random() < 0.5:
        db.update(
            [record.id for record in db.get(where={"batch": other})],
            metadatas=[{"version": number}] * len(db.get(where={"batch": other})),
        )
    if number > 40:
        db.delete(where={"batch": number - 40})
    if number % 50 == 0:
        db.compact()


def read_batches(path: str, log: str, seconds: float, seed: int) -> None:
    """Reads for a while in every way; notes what it saw that no committed state can show."""
    rng = random.Random(seed)
    end = time.monotonic() + seconds
    wrong: list[str] = []
    newest, sequence, turns = 0, 0, 0
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        db = Collection.open(path, read_only=True)
        while time.monotonic() < end and not wrong:
            turns += 1
            if rng.random() < 0.1:
                db.close()
                db = Collection.open(path, read_only=True)
            last, at = _look(db, rng, wrong)
            if last < newest or at < sequence:
                wrong.append(f"batch {last} after {newest}, sequence {at} after {sequence}")
            newest, sequence = last, at
        db.close()
    alarms = [str(warning.message) for warning in caught]
    Log(log).say(turns=turns, wrong=wrong, newest=newest, alarms=alarms)


def _look(db: Collection, rng: random.Random, wrong: list[str]) -> tuple[int, int]:
    """The newest batch and the sequence number seen; adds to `wrong`."""
    sequence = db.stats()["sequence"]
    if db.count() % BATCH:
        wrong.append(f"{db.count()} documents")
    batches: dict[int, list[Any]] = {}
    for record in db.get():
        batches.setdefault(record.metadata["batch"], []).append(record.metadata["version"])
    for number, versions in batches.items():
        if len(versions) != BATCH or len(set(versions)) != 1:
            wrong.append(f"batch {number} with versions {versions}")
    chosen = rng.choice(list(batches) or [0])
    hits = db.search(ledger.vector(f"{chosen}-0", 0), k=2 * BATCH, where={"batch": chosen})
    if len(hits) not in (0, BATCH):
        wrong.append(f"{len(hits)} hits of batch {chosen}")
    return max(batches, default=0), sequence
