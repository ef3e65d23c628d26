"""Promises about damage, full disks, rights and threads; about kills: tests/reliability."""

from __future__ import annotations

import gc
import itertools
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hashed_words import HashedWords
from unitvec import Collection, FormatError
from unitvec.collection import schema


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


def test_a_page_out_of_order_ends_a_scan_with_an_error(stored: Path) -> None:
    connection = schema.connect_writer(stored / "store.sqlite")
    ((root,),) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'documents'")
    connection.close()
    content = bytearray((stored / "store.sqlite").read_bytes())
    page = (root - 1) * schema.PAGE_SIZE
    assert content[page] == 13  # a leaf with all the rows
    cells = slice(page + 8, page + 8 + 2 * 50)
    pointers = content[cells]
    content[cells] = pointers[20:] + pointers[:20]  # keys 11, ..., 50, 1, ..., 10
    (stored / "store.sqlite").write_bytes(content)
    with Collection(stored) as db:
        with pytest.raises(FormatError, match="a page does not have the bytes that were written"):
            list(itertools.islice(db.scan(), 1000))
        db._session._reader.connection.execute("PRAGMA checksum_verification = OFF")
        with pytest.raises(FormatError, match=r"store\.sqlite: rows are out of order"):
            list(itertools.islice(db.scan(), 1000))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("DELETE FROM properties WHERE name = 'uuid'", "the properties are not complete"),
        ("DELETE FROM spaces", "it does not say what its vectors are"),
    ],
)
def test_lost_properties_are_damage(stored: Path, change: str, what: str) -> None:
    connection = schema.connect_writer(stored / "store.sqlite")
    connection.execute(change)
    connection.close()
    with pytest.raises(FormatError, match=rf"store\.sqlite: {what}"):
        Collection(stored)


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
    gc.collect()
    gc.disable()  # nothing that points in a circle waits for it
    try:
        db = Collection(tmp_path / "c.uv", dim=4)
        db.add(embeddings=np.ones(4))
        db.search(np.ones(4))
        del db
        with Collection(tmp_path / "c.uv") as again:
            assert again.count() == 1
    finally:
        gc.enable()
