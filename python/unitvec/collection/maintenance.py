"""Looking after a collection: build its index file, check every byte, shrink it, copy it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import numpy as np

from unitvec.collection import files
from unitvec.collection.generations import (
    DoubtfulIndexError,
    examine_generation,
    read_generation,
    write_generation,
)
from unitvec.collection.index_cache import add_rows
from unitvec.collection.lexical import Preprocess
from unitvec.collection.lexical_check import lexical_problems
from unitvec.collection.rows import Row, checksum, decode_vectors
from unitvec.collection.store import Generation, State, Store
from unitvec.durable import sync_to_disk
from unitvec.index import Index

_RECALL_SAMPLE = 100  # queries: the estimate's standard error is then about 0.01
_RECALL_K = 10
_PROBLEMS_MAX = 100  # listed in a report; the rest is counted


@dataclass(frozen=True)
class VerifyReport:
    """What `verify` found.

    Attributes:
        ok: whether nothing is wrong.
        rows: documents checked.
        problems: one sentence each, at most 100.
        problem_count: how many there are.
    """

    ok: bool
    rows: int
    problems: list[str]
    problem_count: int


def build_generation(
    directory: Path, store: Store, properties: dict[str, Any], rebuild: bool = False
) -> tuple[Index, Generation]:
    """Builds and saves a graph over all rows; reads SQLite, changes nothing that is searched.

    Args:
        directory: the collection's.
        store: the writing connection, outside a transaction; nothing may write meanwhile.
        properties: of the collection.
        rebuild: start from nothing even where the previous file could be extended.
    """
    with store.reading():
        state, previous = store.state(), store.generation()
        index, last_key = None, 0
        if previous is not None and not rebuild:
            index = _previous_index(directory, store, properties, previous)
        if index is None:
            index = Index(properties["dim"], kind="hnsw", metric=properties["metric"])
        elif previous is not None:
            last_key = previous.last_key
        last_key = add_rows(index, store.rows_after(last_key), last_key)
        pointer = Generation(
            generation=0,
            file="",
            uuid=properties["uuid"],
            sequence=state.sequence,
            last_key=last_key,
            live=len(index),
            bytes=0,
            sha256="",
            recall=measure_recall(index, store, state),
        )
    return index, write_generation(directory, index, previous, pointer)


def _previous_index(
    directory: Path, store: Store, properties: dict[str, Any], previous: Generation
) -> Index | None:
    """The last generation's graph without what was deleted since."""
    index = read_generation(directory, previous, properties, read_only=False)
    if index is not None:
        gone = [k for k in store.deleted_since(previous.sequence) if k <= previous.last_key]
        index.remove(np.array(gone, np.int64))
    return index


def measure_recall(index: Index, store: Store, state: State) -> float:
    """Share of the true 10 nearest that the graph finds for rows of its own, without themselves."""
    step = max(1, (state.next_key - 1) // _RECALL_SAMPLE)
    rows = store.rows(range(1, state.next_key, step))
    if not rows:
        return 1.0
    queries = decode_vectors([row.vector for row in rows], index.dim)
    found = index.search(queries, _RECALL_K + 1)[1]
    truth = index.search(queries, _RECALL_K + 1, exact=True)[1]
    shares = []
    for row, got, expected in zip(rows, found, truth, strict=True):
        nearest = set(expected.tolist()) - {row.key, -1}
        shares.append(len(nearest & set(got.tolist())) / max(1, len(nearest)))
    return float(np.mean(shares))


def verify(
    directory: Path, store: Store, properties: dict[str, Any], preprocess: Preprocess | None = None
) -> VerifyReport:
    """Checks SQLite's pages, every row's checksum, counts, and both indexes against the rows."""
    problems: list[str] = []
    with store.reading():
        _verify_pages(store, problems)
        keys = _verify_rows(store, properties["dim"], problems)
        state = store.state()
        if state.live != len(keys):
            problems.append(f"{len(keys)} rows where the state says {state.live}")
        _verify_index(directory, store, properties, keys, problems)
        problems += lexical_problems(store, preprocess)
    return VerifyReport(not problems, len(keys), problems[:_PROBLEMS_MAX], len(problems))


def _verify_pages(store: Store, problems: list[str]) -> None:
    try:
        for (line,) in store.connection.execute("PRAGMA integrity_check"):
            if line != "ok":
                problems.append(f"SQLite: {line}")
    except apsw.SQLError as error:  # an FTS5 table that cannot even be opened
        problems.append(f"SQLite: {error}")


def _verify_rows(store: Store, dim: int, problems: list[str]) -> set[int]:
    keys: set[int] = set()
    sql = (
        "SELECT d.key, d.id, d.document, d.metadata, v.vector, d.crc FROM documents AS d "
        "LEFT JOIN vectors AS v ON v.key = d.key ORDER BY d.key"
    )
    for *columns, crc in store.connection.execute(sql):
        row = Row(*columns)
        keys.add(row.key)
        if row.vector is None:
            problems.append(f"id {row.id!r}: its vector is missing")
        elif len(row.vector) != 4 * dim or checksum(row) != crc:
            problems.append(f"id {row.id!r}: wrong checksum")
    orphans = "SELECT count(*) FROM vectors WHERE key NOT IN (SELECT key FROM documents)"
    ((count,),) = store.connection.execute(orphans)
    if count:
        problems.append(f"{count} vectors without a document")
    return keys


def _verify_index(
    directory: Path,
    store: Store,
    properties: dict[str, Any],
    keys: set[int],
    problems: list[str],
) -> None:
    generation = store.generation()
    if generation is None:
        return
    try:
        index = examine_generation(directory, generation, properties)
    except DoubtfulIndexError as error:
        problems.append(f"index file {generation.file} {error}; the next search replaces it")
        return
    gone = set(store.deleted_since(generation.sequence))
    expected = {key for key in keys if key <= generation.last_key}
    if set(index.ids.tolist()) - gone != expected:
        problems.append(f"index file {generation.file} holds other keys than the documents")


def snapshot(directory: Path, store: Store, target: Path) -> Path:
    """A complete copy of the collection as of now, under a name that appears only when whole.

    Raises:
        FileExistsError: if something is at `target`.
    """
    if target.exists():
        raise FileExistsError(f"[snapshot] expected a new path, got {target}, which exists")
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    unfinished.mkdir()
    try:
        store.copy_to(unfinished / files.STORE_FILE)
        _copy_index(directory, unfinished)
        sync_to_disk(unfinished)
        unfinished.rename(target)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    sync_to_disk(target.parent)
    return target


def _copy_index(directory: Path, target: Path) -> None:
    """The index file of the copied database; without one the copy would build its own."""
    copy = Store.open_writer(target / files.STORE_FILE, "full")
    try:
        generation = copy.generation()
        if generation is None:
            return
        try:
            shutil.copyfile(directory / generation.file, target / generation.file)
            sync_to_disk(target / generation.file)
        except FileNotFoundError:  # replaced by the writer since, or damaged and put aside
            copy.set_generation(None)
    finally:
        copy.close()
