"""Indexes for tests of the benchmarks: exact search by NumPy, some over a part of the vectors."""

from __future__ import annotations

import sys

import numpy as np
from benchmarks import (
    index,
    index_exact,
    index_growth,
    index_peers,
    index_systems,
    index_table,
    index_worker,
)
from benchmarks.environment import Environment, interpreter
from benchmarks.index_peers import EXACT, GRAPH, LISTS, IndexSystem, Tuning
from benchmarks.index_vectors import Vectors
from benchmarks.index_worker import IndexWorker
from benchmarks.process import PeerError

HERE = Environment("here", ("numpy",))

#: Of a hundred vectors that are neighbours in the file so many are looked at.
PERCENT = Tuning("ef", (50, 90, 97, 100))


def _system(name, family, tuning=None, environment=HERE, **options):
    return IndexSystem(name, "shares", environment, family, options, tuning)


SYSTEMS = {
    system.name: system
    for system in (
        _system("faiss Flat", EXACT),
        _system("unitvec flat", EXACT),
        _system("faiss HNSW 32/40", GRAPH, PERCENT),
        _system("usearch bf16 32/40", GRAPH, PERCENT, most=80),
        _system("absent 32/40", GRAPH, PERCENT, Environment("none", ("no_such_package",))),
        _system("unitvec hnsw 32/40", GRAPH, PERCENT),
        _system("unitvec ivf", LISTS, PERCENT, fails=True),
    )
}


class Shares:
    """Stands in for a library's module: of every hundred vectors it looks at the first `value`."""

    def __init__(self, most):
        self.most, self.percent = most, 100

    @classmethod
    def load(cls, threads, most=100, fails=False):
        if fails:
            raise ValueError("expected kind flat or hnsw, got ivf")
        return cls(most)

    @staticmethod
    def versions():
        return {"shares": "1"}

    def build(self, vectors):
        self.vectors = np.array(vectors)

    def set(self, value):
        self.percent = min(value, self.most)

    def search(self, queries, k):
        scores = queries @ self.vectors.T
        scores[:, np.arange(len(self.vectors)) % 100 >= self.percent] = -np.inf
        return np.argpartition(-scores, k, axis=1)[:, :k]

    def stated_bytes(self):
        return self.vectors.nbytes


class Process(index_systems.IndexProcess):
    """An IndexProcess without a process."""

    def __init__(self, system, threads):
        interpreter(system.environment)
        self.name, self.system, self.threads = system.name, system, threads
        self._worker = IndexWorker(system.module)

    def ask(self, **request):
        try:
            return self._worker.answer(request)
        except ValueError as error:
            raise PeerError(f"[{self.name}] {error}\nmore") from error

    def __exit__(self, *_):
        pass


def install(monkeypatch, folder):
    """Puts these indexes, 2,000 vectors and 100 queries in place of the real ones."""
    monkeypatch.setitem(sys.modules, "benchmarks.index_peers.shares", Shares)
    for module in (index_peers, index_systems, index_table, index, index_exact):
        monkeypatch.setattr(module, "SYSTEMS", SYSTEMS)
    monkeypatch.setattr(index_systems, "IndexProcess", Process)
    monkeypatch.setattr(index_systems, "PAUSE", 0)
    monkeypatch.setattr(index_worker, "SHORTEST", 0)
    rng = np.random.default_rng(7)
    data = Vectors(folder / "vectors.npy", folder / "queries.npy")
    for path, count in ((data.vectors, 2000), (data.queries, 100)):
        rows = rng.normal(size=(count, 16)).astype(np.float32)
        np.save(path, rows / np.linalg.norm(rows, axis=1, keepdims=True))
    for question in (index, index_exact, index_growth):
        monkeypatch.setattr(question, "real_vectors", lambda settings: data)
    monkeypatch.setattr(index_growth, "KEPT", folder)
    return data
