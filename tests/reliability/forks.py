"""What runs in processes that fork, are forked or are started anew with a collection at hand."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import ledger
from unitvec import Collection
from unitvec.collection import forking
from unitvec.index import Index

_DOCUMENTS = 120

#: Seconds that a forked child may take before it counts as hanging.
_PATIENCE = 20


def make(path: Path) -> Collection:
    """A collection with an index file, open for writing and used."""
    db = ledger.open_writer(path)
    names = [str(i) for i in range(_DOCUMENTS)]
    db.add(
        [ledger.document(name, 0) for name in names],
        ids=names,
        metadatas=[ledger.metadata(i) for i in range(_DOCUMENTS)],
        embeddings=[ledger.vector(name, 0) for name in names],
    )
    db.build_index()
    assert db.search(ledger.vector("7", 0), k=1)[0].id == "7"
    return db


#: Every way to use a collection that was opened before the fork: each must raise.
_INHERITED: dict[str, Callable[[Collection], object]] = {
    "count": lambda db: db.count(),
    "get": lambda db: db.get("7"),
    "scan": lambda db: list(db.scan()),
    "search": lambda db: db.search(np.ones(ledger.DIM)),
    "add": lambda db: db.add(embeddings=np.ones(ledger.DIM)),
    "upsert": lambda db: db.upsert(ids="7", embeddings=np.ones(ledger.DIM)),
    "update": lambda db: db.update("7", metadatas={}),
    "delete": lambda db: db.delete("7"),
    "verify": lambda db: db.verify(),
    "compact": lambda db: db.compact(),
    "snapshot": lambda db: db.snapshot(db.path.with_name("from-a-child")),
    "stats": lambda db: db.stats(),
}


def _inherited_raises(db: Collection) -> None:
    for use in _INHERITED.values():
        with pytest.raises(RuntimeError, match="before a fork"):
            use(db)


def answers(path: str) -> None:
    """A process's own view of a collection that another has open for writing."""
    with Collection.open(path, read_only=True) as db:
        assert db.count() == _DOCUMENTS
        for name in ("0", "77", str(_DOCUMENTS - 1)):
            assert db.search(ledger.vector(name, 0), k=1)[0].id == name
            assert db.get(name)[0].document == ledger.document(name, 0)


def fork_after_use(path: str, count: int, busy: int) -> None:
    """Forks again and again while so many other threads search, and checks every child."""
    forking.PATIENCE = _PATIENCE  # a search may take seconds on a busy machine: that is no fault
    db = make(Path(path))
    index = Index(ledger.DIM)
    index.add(np.array([ledger.vector(str(i), 0) for i in range(_DOCUMENTS)]))
    stop = threading.Event()
    threads = [threading.Thread(target=_search_until, args=(db, index, stop)) for _ in range(busy)]
    for thread in threads:
        thread.start()
    for turn in range(count):
        child = os.fork()
        if child == 0:
            _in_child(path, db, index)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status == 0, f"child {turn} ended with {status}"
        assert db.search(ledger.vector("7", 0), k=1)[0].id == "7"
    stop.set()
    for thread in threads:
        thread.join()
    assert db.verify().ok
    db.close()


def _search_until(db: Collection, index: Index, stop: threading.Event) -> None:
    while not stop.is_set():
        db.search(ledger.vector("5", 0), k=3)
        index.search(ledger.vector("5", 0)[np.newaxis], 3)


def _in_child(path: str, db: Collection, index: Index) -> None:
    code = 1
    try:
        signal.alarm(_PATIENCE)
        _inherited_raises(db)
        answers(path)
        vectors = np.array([ledger.vector(str(i), 0) for i in range(_DOCUMENTS)])
        found = index.search(vectors, 1, exact=True)
        assert (found.ids[:, 0] == np.arange(_DOCUMENTS)).all()
        code = 0
    finally:
        os._exit(code)


def fork_while_in_sqlite(path: str, patient: bool) -> None:
    """Forks while another thread's filter runs inside SQLite: to its end, or not so long."""
    forking.PATIENCE = _PATIENCE if patient else 0.05
    db = make(Path(path))
    entered, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def read() -> None:
        with db._session.reading() as store:

            def wait() -> int:
                entered.set()
                go_on.wait()
                return 1

            store.connection.create_scalar_function("wait_here", wait)
            store.connection.execute("SELECT wait_here()").fetchall()
        ended.set()

    thread = threading.Thread(target=read)
    thread.start()
    entered.wait()
    if patient:  # it ends while the fork waits
        threading.Timer(0.2, go_on.set).start()
    child = os.fork()
    if child == 0:
        _in_child_of_busy(path, db, quiet=patient)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert patient or not ended.is_set()
    go_on.set()
    thread.join()
    assert db.search(ledger.vector("7", 0), k=1)[0].id == "7"
    db.close()


def _in_child_of_busy(path: str, db: Collection, quiet: bool) -> None:
    code = 1
    try:
        signal.alarm(_PATIENCE)
        _inherited_raises(db)
        if quiet:
            answers(path)
        else:
            with pytest.raises(RuntimeError, match="forked while a collection was in use"):
                answers(path)
            with pytest.raises(RuntimeError, match="forked while a collection was in use"):
                Collection(Path(path).with_name("new.uv"), dim=2)
        code = 0
    finally:
        os._exit(code)


def close_while_a_child_reads(path: str) -> None:
    """A child's own view stays one, whatever the parent does to the files meanwhile."""
    db = make(Path(path))
    (opened, told), (gone_on, to_go_on) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.alarm(_PATIENCE)
            with Collection.open(path, read_only=True) as own:
                assert own.count() == _DOCUMENTS
                os.write(told, b"x")
                os.read(gone_on, 1)
                assert own.verify().problems == []
                assert [r.id for r in own.scan()] == [str(i) for i in range(50, _DOCUMENTS + 900)]
            code = 0
        finally:
            os._exit(code)
    os.read(opened, 1)
    db.close()  # with a log of no other process, SQLite would remove it
    with ledger.open_writer(Path(path)) as db:
        names = [str(i) for i in range(_DOCUMENTS, _DOCUMENTS + 900)]
        vectors = [ledger.vector(name, 0) for name in names]
        db.add([ledger.document(n, 0) * 9 for n in names], ids=names, embeddings=vectors)
        db.delete([str(i) for i in range(50)])
        db.compact()
        os.write(to_go_on, b"x")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert db.verify().problems == []


def start_otherwise(path: str, method: str, count: int) -> None:
    """Starts processes by `spawn` or `forkserver` beside an open writer."""
    db = make(Path(path))
    with pytest.raises(TypeError):
        pickle.dumps(db)
    context = multiprocessing.get_context(method)
    for _ in range(count):
        child = context.Process(target=answers, args=(path,))
        child.start()
        child.join(_PATIENCE)
        assert child.exitcode == 0, f"{method}: {child.exitcode}"
    db.close()
