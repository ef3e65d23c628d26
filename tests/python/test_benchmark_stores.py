"""How stores of documents are asked: the worker, its libraries, and the syncs of a write."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import collection_growth, collection_peers, collection_syncs, collection_worker
from benchmarks.collection_documents import SHARES, filters, read_documents
from benchmarks.collection_peers import SYSTEMS
from benchmarks.collection_systems import StoreProcess, bytes_in
from benchmarks.collection_worker import CollectionWorker
from benchmarks.peers import is_ours
from benchmarks.process import PeerError

import fake_stores


@pytest.fixture
def data(monkeypatch, tmp_path):
    return fake_stores.install(monkeypatch, tmp_path)


# ---- syncs --------------------------------------------------------------------------------------


def test_syncs_count_between_the_marks_whichever_thread_makes_them():
    begin = f'7 access("{collection_syncs.BEGIN}", F_OK) = -1 ENOENT (No such file)'
    end = f'7 faccessat2(AT_FDCWD, "{collection_syncs.END}", F_OK, 0) = -1 ENOENT'
    lines = [
        "7 fsync(3) = 0",
        begin,
        "8 fdatasync(5 <unfinished ...>",
        "8 <... fdatasync resumed>) = 0",
        "7 fsync(4) = 0",
        end,
        "7 fsync(4) = 0",
        begin,
        '7 access("/etc/resync(1)", F_OK) = 0',
        "9 msync(0x7f00, 4096, MS_ASYNC) = 0",
        end,
        begin,
        "9 msync(0x7f00, 4096, MS_SYNC) = 0",
        end,
    ]
    assert collection_syncs.syncs_by_call(lines) == [2, 0, 1]


def test_a_collection_syncs_every_write_before_it_returns(tmp_path):
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    corpus = fake_stores.corpus(tmp_path)
    system = SYSTEMS["unitvec collection"]
    worker = CollectionWorker(system.module)
    worker.open(str(tmp_path / "store"), 24, {})
    worker.close()
    syncs = collection_syncs.syncs_per_upsert(system, tmp_path / "store", corpus, 1)
    if syncs is None:
        pytest.skip("strace may not trace here")
    assert syncs >= 1


def test_a_sync_takes_time(tmp_path):
    assert collection_syncs.disk_sync_seconds(tmp_path, calls=3) > 0
    assert list(tmp_path.iterdir()) == []


# ---- worker and libraries -----------------------------------------------------------------------


def test_the_worker_wants_a_store_and_documents_first(data):
    worker = CollectionWorker("fake")
    with pytest.raises(RuntimeError, match="expected an open request first"):
        worker.answer({"do": "count"})
    worker.answer({"do": "open", "path": str(data.vectors.parent / "s"), "dim": 16, "options": {}})
    with pytest.raises(RuntimeError, match="expected a read request first"):
        worker.answer({"do": "add"})
    with pytest.raises(ValueError, match="got 'encode'"):
        worker.answer({"do": "encode"})


def test_hits_need_their_text_and_fields():
    fields = {"number": 1, "category": "c", "tag": "t"}
    assert collection_worker._ids([("7", "text", fields)], 3) == [7, -1, -1]
    for text, wrong in (("", fields), ("text", {"number": 1})):
        with pytest.raises(ValueError, match="expected 7 with its fields"):
            collection_worker._ids([("7", text, wrong)], 3)


ROOT = Path(__file__).resolve().parents[2]

GROWING = """
import numpy as np
from benchmarks.collection_worker import CollectionWorker

worker = CollectionWorker("unitvec")
worker.mark()
held = np.ones(20_000_000, np.float32)
print(worker.memory()["grown_bytes"] / held.nbytes)
"""


def test_memory_grows_by_what_is_held():
    if collection_worker.resident_bytes("VmRSS") == 0:
        pytest.skip("this system has no /proc/self/status")
    # In a process of its own: this one may give back at any time what other tests left.
    ran = subprocess.run(
        [sys.executable, "-c", GROWING], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert 0.9 < float(ran.stdout) < 1.5


def test_a_killed_process_ends_at_once_and_its_writes_are_there(tmp_path):
    corpus = fake_stores.corpus(tmp_path)
    system = SYSTEMS["unitvec collection"]
    with StoreProcess(system, threads=1) as process:
        process.open(tmp_path / "store", corpus.dim)
        process.ask(do="read", **corpus.rows())
        process.seconds("add")
        process.kill()
        with pytest.raises(PeerError, match="ended with -9"):
            process.require_count(corpus.count)
    with StoreProcess(system, threads=1) as process:
        assert process.first(tmp_path / "store", corpus) > 0
        process.require_count(corpus.count)


def test_stores_are_told_apart_and_have_modules():
    folder = Path(collection_peers.__file__).parent
    for system in SYSTEMS.values():
        assert (folder / f"{system.module}.py").is_file()
        assert is_ours(system.name) == (system.module == "unitvec")
        assert bool(system.environment.requirements) != is_ours(system.name)
    assert collection_growth.NAME in SYSTEMS


@pytest.mark.parametrize("name", SYSTEMS)
def test_each_library_stores_finds_filters_changes_and_reopens(name, tmp_path):
    system = SYSTEMS[name]
    for package in system.environment.imports:
        pytest.importorskip(package)
    corpus = fake_stores.corpus(tmp_path)
    documents = read_documents(corpus.texts, corpus.vectors, 0, 300, 300)
    module = CollectionWorker(system.module)._module
    store = module.load(str(tmp_path / "store"), corpus.dim, **system.options)
    store.add(documents)
    store.finish()
    assert store.count() == 300
    store.close()
    assert bytes_in(tmp_path) > documents.vectors.nbytes

    store = module.load(str(tmp_path / "store"), corpus.dim, **system.options)
    hits = store.search(documents.vectors[7], 10, None)
    assert hits[0] == ("7", documents.texts[7], documents.fields[7])
    assert len(hits) == 10
    for share in SHARES:
        where = filters(share, 1, 300)[0]
        for id_, text, fields in store.search(documents.vectors[7], 10, where):
            assert (text, fields) == (documents.texts[int(id_)], documents.fields[int(id_)])
            assert fake_stores.allows(where, fields)
    moved = next(documents.blocks(1))
    moved.vectors[:] = -documents.vectors[5]
    store.upsert(moved)
    assert store.search(-documents.vectors[5], 1, None)[0][:2] == ("0", documents.texts[0])
    store.delete(documents.ids[1:100])
    assert store.count() == 201
    store.close()
    assert module.versions()
