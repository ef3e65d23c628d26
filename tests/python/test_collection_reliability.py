"""Promises about processes, crashes, damage and threads, in short runs."""

from __future__ import annotations

import gc
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hashed_words import HashedWords
from unitvec import Collection, FormatError, StoreLockedError
from unitvec.collection import schema

WRITER = """
import sys, numpy as np, unitvec
from unitvec.collection import IndexPolicy
db = unitvec.Collection(sys.argv[1], dim=8, index_policy=IndexPolicy(64, 16, 0.05))
start = db.count()
print("open", flush=True)
for i in range(start, start + 10_000):
    rows = np.random.default_rng(i).standard_normal((8, 8)).astype(np.float32)
    ids = [f"{i}-{j}" for j in range(8)]
    db.add([f"text {name}" for name in ids], ids=ids, embeddings=rows)
    print(f"added {i}", flush=True)
    if i % 5 == 4:
        db.delete(ids=ids[:2])
        print(f"deleted {i}", flush=True)
"""


def start_writer(path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    rng = random.Random(1)
    added: set[int] = set()
    deleted: set[int] = set()
    for _ in range(6):
        process = start_writer(tmp_path / "c.uv")
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        timer = threading.Timer(rng.uniform(0.05, 0.4), process.send_signal, [signal.SIGKILL])
        timer.start()
        for line in process.stdout:
            verb, number = line.split()
            (added if verb == "added" else deleted).add(int(number))
        timer.join()
        assert process.wait() == -signal.SIGKILL
        process.stdout.close()
        with Collection(tmp_path / "c.uv") as db:
            assert db.verify().ok
            stored = {record.id for record in db.scan()}
            for i in added:
                names = {f"{i}-{j}" for j in range(8)}
                # A delete may have been stored without being acknowledged, but only as a whole.
                gone = names - stored
                assert gone in (set(), {f"{i}-0", f"{i}-1"})
                assert gone or i not in deleted
            whole = {name.split("-")[0] for name in stored}
            assert len(whole - {str(i) for i in added}) <= 6  # one unacknowledged call a kill
            for name in list(stored)[:50]:
                vector = db.get(name, include=["embeddings"])[0].vector
                assert db.search(vector, k=1)[0].id == name
    assert added
    assert deleted


def test_a_writer_in_another_process_is_named_and_gone_after_its_death(tmp_path: Path) -> None:
    process = start_writer(tmp_path / "c.uv")
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "open\n"
        assert process.stdout.readline() == "added 0\n"
        with pytest.raises(StoreLockedError, match=str(process.pid)) as caught:
            Collection(tmp_path / "c.uv")
        assert caught.value.pid == process.pid
        with Collection.open(tmp_path / "c.uv", read_only=True) as reader:
            assert reader.count() >= 6
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    with Collection(tmp_path / "c.uv") as db:
        assert db.count() > 0


def test_readers_see_whole_batches_only(tmp_path: Path) -> None:
    process = start_writer(tmp_path / "c.uv")
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "open\n"
        with Collection.open(tmp_path / "c.uv", read_only=True) as reader:
            for _ in range(30):
                assert reader.count() % 8 in (0, 6, 4, 2)  # 8 a call, less 2 a delete
                seen = {record.id for record in reader.get()}
                for name in {name.split("-")[0] for name in seen}:
                    assert {f"{name}-{j}" for j in range(2, 8)} <= seen
                reader.search(np.ones(8))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    with Collection(tmp_path / "c.uv", dim=4) as db:
        db.add([f"text {i}" for i in range(50)], ids=[f"id{i}" for i in range(50)],
               embeddings=np.random.default_rng(0).standard_normal((50, 4)),
               metadatas=[{"n": i} for i in range(50)])  # fmt: skip
    return tmp_path / "c.uv"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE documents SET document = 'tampered' WHERE id = 'id7'",
        "UPDATE documents SET document = NULL WHERE id = 'id7'",
        "UPDATE documents SET metadata = '{}' WHERE id = 'id7'",
        "UPDATE documents SET id = 'id7x' WHERE id = 'id7'",
        "UPDATE vectors_0 SET vector = (SELECT vector FROM vectors_0 WHERE key = 3) WHERE key = 8",
    ],
)
def test_a_damaged_row_is_named(stored: Path, change: str) -> None:
    connection = schema.connect_writer(stored / "store.sqlite")  # with the pages' checksums
    connection.execute(change)
    connection.close()
    with Collection(stored) as db:
        report = db.verify()
        assert not report.ok
        assert "'id7" in report.problems[0]
        with pytest.raises(FormatError, match=r"'id7.*is damaged: wrong checksum"):
            db.search(np.ones(4), k=50)
        with pytest.raises(FormatError, match="is damaged"):
            db.get(include=["embeddings"])
        assert db.get("id8")[0].document == "text 8"


def test_flipped_bits_never_give_a_silent_wrong_answer(stored: Path) -> None:
    with Collection(stored) as db:
        truth = {r.id: (r.document, r.metadata, r.vector.tobytes()) for r in
                 db.get(include=["embeddings"])}  # fmt: skip
    original = (stored / "store.sqlite").read_bytes()
    rng = random.Random(2)
    noticed = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "c.uv"
        for _ in range(150):
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir()
            content = bytearray(original)
            position = rng.randrange(8 * len(content))
            content[position // 8] ^= 1 << (position % 8)
            (path / "store.sqlite").write_bytes(content)
            try:
                with Collection.open(path) as db:
                    for r in db.get(include=["embeddings"]):
                        assert truth[r.id] == (r.document, r.metadata, r.vector.tobytes())
                    for hit in db.search(np.ones(4), k=5):
                        assert truth[hit.id][0] == hit.document
                    noticed += not db.verify().ok
            except (ValueError, OSError):
                noticed += 1
    assert noticed > 0


@pytest.mark.parametrize("length", [1, 100, 4096, 16384, 20000, -1, -16384])
def test_a_cut_database_is_refused_or_named(stored: Path, length: int) -> None:
    file = stored / "store.sqlite"
    content = file.read_bytes()
    file.write_bytes(content[:length])
    try:
        with Collection.open(stored) as db:
            problems = db.verify().problems
    except FormatError as error:
        problems = [str(error)]
    assert problems
    assert file.stat().st_size <= max(length, len(content) + length)


def test_killed_while_it_was_made(tmp_path: Path) -> None:
    path = tmp_path / "c.uv"
    path.mkdir()
    (path / "LOCK").write_text("123\n")
    (path / "store.sqlite").touch()
    with Collection(path, dim=4) as db:
        db.add(embeddings=np.ones((1, 4)))
    with Collection(path) as db:
        assert db.count() == 1


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder of one's own, without being root in it: root may write anywhere."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o777)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        own = folder / "own"
        own.mkdir()
        yield own
    finally:
        for directory, _, _ in os.walk(folder):
            if Path(directory) != folder:
                Path(directory).chmod(0o755)
        if is_root:
            os.seteuid(0)
        shutil.rmtree(folder)


def test_a_read_only_folder(unprivileged: Path) -> None:
    path = unprivileged / "c.uv"
    with Collection(path, dim=4) as db:
        db.add(["a text"], embeddings=np.ones((1, 4)))
    path.chmod(0o555)
    (path / "LOCK").chmod(0o444)
    with pytest.raises(PermissionError, match="read_only=True"):
        Collection(path)
    with Collection.open(path, read_only=True) as db:
        assert db.search(np.ones(4))[0].document == "a text"
        assert db.verify().ok
        assert db.snapshot(unprivileged / "copy.uv").is_dir()
    unprivileged.chmod(0o555)
    with pytest.raises(PermissionError):
        Collection(unprivileged / "new.uv", dim=4)


def test_an_old_sqlite_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema.apsw, "sqlite_lib_version", lambda: "3.40.1")
    with pytest.raises(RuntimeError, match=r"expected SQLite 3\.51\.3 or later, got 3\.40\.1"):
        Collection(tmp_path / "c.uv", dim=4)
    assert not (tmp_path / "c.uv").exists()


def test_a_full_disk_stores_nothing_and_loses_nothing(stored: Path) -> None:
    with Collection(stored) as db:
        db._session._writer.connection.execute("PRAGMA max_page_count = 20")
        with pytest.raises(OSError, match="disk full, nothing stored"):
            db.add(["long text " * 10_000] * 50, embeddings=np.ones((50, 4)))
        assert db.count() == 50
        assert db.delete(ids=["id1", "id2"]) == 2  # still works
        db._session._writer.connection.execute("PRAGMA max_page_count = 1000000")
        db.add("after", embeddings=np.ones(4))
        assert db.count() == 49
        assert db.verify().ok


def test_many_threads_read_and_write(tmp_path: Path) -> None:
    errors: list[BaseException] = []
    with Collection(tmp_path / "c.uv", encoder=HashedWords(16), durability="normal") as db:
        db.add(["anchor word"], ids=["anchor"])

        def work(number: int) -> None:
            try:
                for i in range(15):
                    name = f"{number}-{i}"
                    db.add([f"thread{number} item{i}"], ids=[name])
                    assert db.search(f"thread{number} item{i}", k=1)[0].id == name
                    assert db.search("anchor word", k=1)[0].id == "anchor"
                    if i % 3 == 0:
                        db.delete(name)
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not errors
        assert db.count() == 1 + 8 * 10
        assert db.verify().ok


def test_searches_go_on_while_a_long_list_is_encoded(tmp_path: Path) -> None:
    encoding, go_on = threading.Event(), threading.Event()

    class Slow(HashedWords):
        def encode_document(self, texts: Any, **options: Any) -> Any:
            if len(texts) > 1:
                encoding.set()
                assert go_on.wait(60)
            return super().encode(texts, **options)

    with Collection(tmp_path / "c.uv", encoder=Slow()) as db:
        db.add("first")
        adding = threading.Thread(target=db.add, args=(["second", "third"],))
        adding.start()
        assert encoding.wait(60)
        assert db.count() == 1
        assert db.search("first", k=5)[0].document == "first"
        go_on.set()
        adding.join()
        assert db.count() == 3


def test_the_lock_is_given_back_when_a_collection_is_forgotten(tmp_path: Path) -> None:
    db = Collection(tmp_path / "c.uv", dim=4)
    db.add(embeddings=np.ones(4))
    del db
    gc.collect()
    with Collection(tmp_path / "c.uv") as again:
        assert again.count() == 1
