"""Stores for tests of the benchmarks: exact search by NumPy, every change a line of a file."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from benchmarks import (
    collection,
    collection_growth,
    collection_peers,
    collection_systems,
    collection_table,
)
from benchmarks.collection_documents import write_texts
from benchmarks.collection_peers import StoreSystem
from benchmarks.collection_systems import Corpus
from benchmarks.collection_worker import CollectionWorker
from benchmarks.environment import Environment, interpreter
from benchmarks.index_vectors import Vectors
from benchmarks.process import PeerError

HERE = Environment("here", ("numpy",))


def _system(name, environment=HERE, most=None, **options):
    return StoreSystem(name, "fake", environment, "pass", options, most)


SYSTEMS = {
    system.name: system
    for system in (
        _system("Exact"),
        _system("Few", most=500),
        _system("Filters after", candidates=40),
        _system("Forbidden", forgets_filters=True),
        _system("Loses", loses=3),
        _system("Absent", Environment("none", ("no_such_package",))),
        _system("unitvec collection"),
    )
}

COMPARISONS = {
    "=": lambda a, b: a == b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
}


def allows(where, fields):
    return all(COMPARISONS[operator](fields[name], value) for name, operator, value in where)


class FakeStore:
    """Stands in for a library's module and its store."""

    def __init__(self, path, candidates=None, forgets_filters=False, loses=0):
        self._path = Path(path)
        self._candidates = candidates
        self._forgets_filters = forgets_filters
        self._loses = loses
        self._rows = {}
        self._vectors = None
        if self._path.is_file():
            for line in self._path.read_text().splitlines():
                self._apply(json.loads(line))

    @classmethod
    def load(cls, path, dim, **options):
        return cls(path, **options)

    @staticmethod
    def versions():
        return {"fake": "1"}

    def add(self, documents):
        columns = (documents.ids, documents.texts, documents.fields, documents.vectors.tolist())
        self._change([[id_, row] for id_, *row in zip(*columns, strict=True)])

    upsert = add

    def finish(self):
        pass

    def search(self, vector, k, where):
        ids = list(self._rows)
        if self._vectors is None:
            self._vectors = np.array([row[2] for row in self._rows.values()])
        scores = self._vectors @ vector
        best = [ids[i] for i in np.argsort(-scores, kind="stable")[: self._candidates]]
        if where and not self._forgets_filters:
            best = [id_ for id_ in best if allows(where, self._rows[id_][1])]
        return [(id_, *self._rows[id_][:2]) for id_ in best[:k]]

    def delete(self, ids):
        self._change([[id_, None] for id_ in ids])

    def count(self):
        return len(self._rows) - self._loses

    def close(self):
        pass

    def _change(self, changes):
        with self._path.open("a") as file:
            file.write(json.dumps(changes) + "\n")
        self._apply(changes)

    def _apply(self, changes):
        self._rows |= changes
        self._rows = {id_: row for id_, row in self._rows.items() if row is not None}
        self._vectors = None


class Process(collection_systems.StoreProcess):
    """A StoreProcess without a process."""

    def __init__(self, system, threads):
        interpreter(system.environment)
        self.name, self.system, self.threads = system.name, system, threads
        self._worker = CollectionWorker(system.module)

    def ask(self, **request):
        try:
            return self._worker.answer(json.loads(json.dumps(request)))
        except ValueError as error:
            raise PeerError(f"[{self.name}] {error}") from error

    def kill(self):
        self._worker = None

    def __exit__(self, *_):
        pass


def vectors(count, dim=24, seed=0):
    rows = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def corpus(folder, count=300, dim=24):
    """Files with documents whose texts differ."""
    files = [folder / name for name in ("texts.json", "vectors.npy", "queries.npy")]
    write_texts([f"Text number {i}." for i in range(count)], files[0])
    np.save(files[1], vectors(count, dim))
    np.save(files[2], vectors(50, dim, seed=1))
    return Corpus(*files, count, dim)


def install(monkeypatch, folder, count=1000):
    """Puts these stores, and documents with vectors of 16 numbers, in place of the real ones."""
    monkeypatch.setitem(sys.modules, "benchmarks.collection_peers.fake", FakeStore)
    monkeypatch.setattr(collection_peers, "SYSTEMS", SYSTEMS)
    for module in (collection_systems, collection_table, collection, collection_growth):
        monkeypatch.setattr(module, "SYSTEMS", SYSTEMS)
    for module in (collection, collection_growth):
        monkeypatch.setattr(module, "StoreProcess", Process)
    monkeypatch.setattr(collection, "syncs_per_upsert", lambda *_: 1.0)
    data = Vectors(folder / "vectors.npy", folder / "queries.npy")
    np.save(data.vectors, vectors(count, 16))
    np.save(data.queries, vectors(100, 16, seed=1))
    sentences = [f"This is sentence {i} of them all." for i in range(count)]
    for question in (collection, collection_growth):
        monkeypatch.setattr(question, "real_vectors", lambda settings: data)
        monkeypatch.setattr(question, "real_sentences", lambda settings: ([], sentences))
    monkeypatch.setattr(collection_growth, "KEPT", folder)
    return data
