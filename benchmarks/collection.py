"""How fast are stores of documents? Beside Chroma, txtai, LanceDB, Milvus, Qdrant, sqlite-vec.

The same documents for all: text, three fields, and the vector of a real sentence. Every store makes
them from nothing in a process of its own and answers in another, so that all that it finds comes
from the disk. Quality stands beside speed: how many of the neighbours that exact search by NumPy
finds, how many rows a filtered search returns, and whether a write is synced when it returns.
"""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.collection_answers import exact_answers, fewest, recall, require_allowed
from benchmarks.collection_documents import SHARES, Columns, Filter, columns, filters, write_texts
from benchmarks.collection_peers import SYSTEMS, StoreSystem
from benchmarks.collection_syncs import disk_sync_seconds, syncs_per_upsert
from benchmarks.collection_systems import (
    Corpus,
    K,
    StoreProcess,
    bytes_in,
    chosen,
    import_seconds,
    new_folder,
)
from benchmarks.collection_table import table
from benchmarks.index_vectors import real_sentences, real_vectors
from benchmarks.neighbours import IntArray
from benchmarks.process import PeerError
from benchmarks.settings import Settings
from benchmarks.systems import attempt, nothing_runs
from benchmarks.workloads import SEED

__all__ = ["run", "table"]

ROUNDS = 3  # at most: each makes every store anew, for minutes
WARM_UP = 10  # searches before those that are timed
DELETED = 0.1  # of the documents

#: What is searched: all documents, then a share of them.
KINDS = (1.0, *SHARES)


@dataclass(frozen=True)
class Case:
    """Documents, and what searches through them must return."""

    corpus: Corpus
    table: Columns
    where: dict[float, list[Filter]]  # per kind, for each query
    expected: dict[float, IntArray]  # per kind, shape (nq, K)


def run(settings: Settings) -> dict[str, Any]:
    """What each store does, round by round: a store's next turn comes after all others'.

    Raises:
        PeerError: if the machine can run none of them.
    """
    names = chosen(SYSTEMS, settings)
    left_out: dict[str, str] = {}
    about: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder, new_folder(settings) as disk:
        corpus = _corpus(settings, Path(folder))
        cases = _cases(corpus, {SYSTEMS[name].most for name in names}, settings)
        for number in range(_rounds(settings)):
            for name in [name for name in names if name not in left_out]:
                case = cases[SYSTEMS[name].most]
                turn = partial(_turn, SYSTEMS[name], case, settings, number)
                if (answer := attempt(turn, name, left_out)) is not None:
                    first = {"documents": case.corpus.count, "rounds": [], **answer.pop("about")}
                    about.setdefault(name, first)["rounds"].append(answer)
        sync_seconds = disk_sync_seconds(disk)
    systems = {name: system for name, system in about.items() if name not in left_out}
    if not systems:
        raise nothing_runs(left_out)
    return {
        "systems": systems,
        "left_out": left_out,
        "documents": corpus.count,
        "dim": corpus.dim,
        "k": K,
        "deleted_share": DELETED,
        "disk_sync_seconds": sync_seconds,
    }


def _rounds(settings: Settings) -> int:
    return min(settings.repeats, ROUNDS)


def _corpus(settings: Settings, folder: Path) -> Corpus:
    data = real_vectors(settings)
    texts = folder / "texts.json"
    write_texts(real_sentences(settings)[1], texts)
    count, dim = np.load(data.vectors, mmap_mode="r").shape
    return Corpus(texts, data.vectors, data.queries, count, dim)


def _cases(corpus: Corpus, sizes: set[int | None], settings: Settings) -> dict[int | None, Case]:
    """The first documents, as many as each kind of store takes."""
    return {
        most: _case(replace(corpus, count=min(corpus.count, most or corpus.count)), settings)
        for most in sizes
    }


def _case(corpus: Corpus, settings: Settings) -> Case:
    vectors = np.load(corpus.vectors, mmap_mode="r")[: corpus.count]
    queries = np.load(corpus.queries)[: _rounds(settings) * settings.latency_calls]
    table = columns(corpus.count)
    where: dict[float, list[Filter]] = {1.0: [[] for _ in queries]}
    where |= {share: filters(share, len(queries), corpus.count) for share in SHARES}
    expected = {
        kind: exact_answers(queries, vectors, each, table, K) for kind, each in where.items()
    }
    return Case(corpus, table, where, expected)


def _turn(system: StoreSystem, case: Case, settings: Settings, number: int) -> dict[str, Any]:
    """One round of one store: it is made, opened again, asked and changed."""
    with new_folder(settings) as folder:
        path = folder / "store"
        imported = import_seconds(system, settings.threads)
        versions, made = _made(system, path, case.corpus, settings.threads)
        size = bytes_in(folder)
        asked = _asked(system, path, case, settings, number)
        about: dict[str, Any] = {"versions": versions}
        if number == 0:
            syncs = syncs_per_upsert(system, path, case.corpus, settings.threads)
            about["syncs_per_upsert"] = syncs
    speeds = {"ingested": case.corpus.count / made["ready_seconds"]}
    settings.say(f"round {number + 1}, {system.name}", speeds, "documents/s")
    latencies = {f"{kind:.1%}": asked["search"][str(kind)]["p50"] for kind in KINDS}
    settings.say(f"round {number + 1}, {system.name}", latencies, "s")
    return {"about": about, "import_seconds": imported, "disk_bytes": size, **made, **asked}


def _made(
    system: StoreSystem, path: Path, corpus: Corpus, threads: int
) -> tuple[dict[str, str], dict[str, Any]]:
    """A store of all documents, closed again, and what making it took."""
    with StoreProcess(system, threads) as process:
        process.ask(do="read", **corpus.rows())
        process.ask(do="mark")
        versions = process.open(path, corpus.dim)
        acknowledged = process.seconds("add")
        ready = acknowledged + process.seconds("finish")
        process.require_count(corpus.count)
        process.ask(do="close")
        grown = process.ask(do="memory")["grown_bytes"]
    seconds = {"acknowledged_seconds": acknowledged, "ready_seconds": ready}
    return versions, {**seconds, "ingest_bytes": grown}


def _asked(
    system: StoreSystem, path: Path, case: Case, settings: Settings, number: int
) -> dict[str, Any]:
    """What a process answers that opens the store: searches, then upserts, then deletions."""
    corpus = case.corpus
    with StoreProcess(system, settings.threads) as process:
        reopened = process.first(path, corpus)
        search = {str(kind): _searched(process, case, kind, settings, number) for kind in KINDS}
        memory = process.ask(do="memory")
        upserts = _upserted(process, corpus, settings.latency_calls)
        deleted = np.random.default_rng(SEED).permutation(corpus.count)
        deleted = deleted[: round(DELETED * corpus.count)]
        delete_seconds = process.seconds("delete", ids=deleted.tolist())
        process.require_count(corpus.count - len(deleted))
        process.ask(do="close")
    return {
        "reopen_seconds": reopened,
        "search": search,
        "answer_bytes": memory["grown_bytes"],
        "answer_mapped_bytes": memory["mapped_bytes"],
        **upserts,
        "delete_seconds": delete_seconds,
        "deleted": len(deleted),
    }


def _searched(
    process: StoreProcess, case: Case, kind: float, settings: Settings, number: int
) -> dict[str, Any]:
    """Times and quality of this round's own queries; those before them are the warm-up."""
    where, expected = case.where[kind], case.expected[kind]
    begin = number * settings.latency_calls
    numbers = [i % len(where) for i in range(begin - WARM_UP, begin + settings.latency_calls)]
    conditions = None if kind == 1.0 else [where[i] for i in numbers]
    seconds, found = process.search(case.corpus.queries, numbers, conditions, WARM_UP)
    timed = numbers[WARM_UP:]
    try:
        require_allowed(found, [where[i] for i in timed], case.table)
    except ValueError as error:
        raise PeerError(f"[{process.name}] {error}") from error
    p50, p99 = np.percentile(seconds, [50, 99])
    quality = {"recall": recall(found, expected[timed]), "fewest": fewest(found, expected[timed])}
    return {"p50": float(p50), "p99": float(p99), **quality}


def _upserted(process: StoreProcess, corpus: Corpus, calls: int) -> dict[str, Any]:
    """Known ids get other texts and the vectors of the queries, which no document had."""
    calls = min(calls, len(np.load(corpus.queries, mmap_mode="r")))
    written = replace(corpus, vectors=corpus.queries)
    process.ask(do="read", **written.rows(0, calls))
    ids = np.random.default_rng(SEED).choice(corpus.count, calls, replace=False)
    answer = process.ask(do="upsert", ids=ids.tolist())
    return {
        "upsert_seconds": statistics.median(answer["seconds"]),
        "upserts_found": answer["found"],
    }
