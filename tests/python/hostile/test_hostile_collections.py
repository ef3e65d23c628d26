"""Collections made by an enemy: nothing beside them is read or written, nothing of them runs."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import struct
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hashed_words import HashedWords
from hostile_collections import COUNT, DIM, REFUSALS, SECRET, everything, leaves_alone, sql, use
from unitvec import Collection, FormatError, ModelNotFoundError, hub
from watched import Watched

if sys.platform != "linux":
    pytest.skip("watches files with inotify", allow_module_level=True)

pytestmark = pytest.mark.usefixtures("in_time")

# ---- names in the database ---------------------------------------------------------------------

POINTERS = [
    "../outside/victim", "./../outside/victim", "index-0-00000001.uvi/../../outside/victim", "..",
    ".",
    "../outside", "/", "", "store.sqlite", "LOCK", "store.sqlite-wal", "index-0-00000001.uvi/x",
    "x" * 5000,
    "a\0b", "~/x", "index-0-00000001.uvi\n", "file:///etc/passwd", "CON", "%2e%2e/outside/victim",
]  # fmt: skip


def point_to(path: Path, name: str) -> None:
    sql(path, "UPDATE generations SET file = ?", bindings=(name,))


@pytest.mark.parametrize("name", [*POINTERS, "{outside}/victim", "{outside}"])
def test_a_pointer_that_is_a_path(hostile: Path, outside: Path, name: str) -> None:
    name = name.format(outside=outside)
    victim = outside / "victim"
    point_to(hostile, name)
    sql(hostile, f"UPDATE generations SET bytes = {len(SECRET)}")
    leaves_alone(hostile, outside)
    assert victim.read_bytes() == SECRET
    with Collection(hostile) as db:  # the rows are still there
        assert db.count() == COUNT - 1 + 20
        assert db.verify().ok


def test_a_pointer_of_another_collection(hostile: Path, outside: Path) -> None:
    point_to(hostile, "../outside/victim")
    sql(hostile, "UPDATE generations SET uuid = 'another'")
    leaves_alone(hostile, outside)


def test_a_sound_index_elsewhere_is_not_read(hostile: Path, outside: Path) -> None:
    shutil.move(hostile / "index-0-00000001.uvi", outside / "index-0-00000001.uvi")
    point_to(hostile, "../outside/index-0-00000001.uvi")
    leaves_alone(hostile, outside)


# ---- links and other entries -------------------------------------------------------------------


def replaced_by_link(path: Path, outside: Path, name: str) -> Path:
    """Moves a file of the collection outside and leaves a symbolic link."""
    if (path / name).exists():
        shutil.move(path / name, outside / name)
    (path / name).symlink_to(outside / name)
    return path


@pytest.mark.parametrize("name", ["store.sqlite", "LOCK", "index-0-00000001.uvi"])
def test_a_file_that_is_a_link(hostile: Path, outside: Path, name: str) -> None:
    leaves_alone(replaced_by_link(hostile, outside, name), outside)


@pytest.mark.parametrize("name", ["LOCK", "index-0-00000001.uvi", "index-0-00000002.uvi"])
def test_a_link_to_a_file_of_others(hostile: Path, outside: Path, name: str) -> None:
    (hostile / name).unlink(missing_ok=True)
    (hostile / name).symlink_to("../outside/victim")
    leaves_alone(hostile, outside)


@pytest.mark.parametrize("name", ["store.sqlite-wal", "store.sqlite-shm", "store.sqlite-journal"])
@pytest.mark.parametrize("target", ["victim", "absent"])
def test_sqlites_own_files_as_links(hostile: Path, outside: Path, name: str, target: str) -> None:
    (hostile / name).symlink_to(outside / target)
    leaves_alone(hostile, outside)


@pytest.mark.parametrize(
    "name", ["store.sqlite", "LOCK", "store.sqlite-wal", "store.sqlite-journal"]
)
def test_a_link_to_nothing_makes_nothing(tmp_path: Path, outside: Path, name: str) -> None:
    path = tmp_path / "new.uv"
    path.mkdir()
    (path / name).symlink_to(outside / "new")
    watched = Watched(outside)
    with contextlib.suppress(*REFUSALS):
        Collection(path, dim=DIM).close()
    assert watched.touched() == []
    watched.close()
    assert os.listdir(outside) == ["victim"]


@pytest.mark.parametrize("name", ["LOCK", "index-0-00000001.uvi", "store.sqlite"])
def test_a_hard_link_is_not_written_through(hostile: Path, outside: Path, name: str) -> None:
    os.link(hostile / name, outside / name)
    leaves_alone(hostile, outside, hard_linked=True)


def test_a_lock_that_is_a_file_of_others(hostile: Path, outside: Path) -> None:
    (hostile / "LOCK").unlink()
    os.link(outside / "victim", hostile / "LOCK")
    leaves_alone(hostile, outside, hard_linked=True)


def test_a_directory_that_is_a_link_is_the_callers_wish(hostile: Path, tmp_path: Path) -> None:
    (tmp_path / "alias.uv").symlink_to(hostile)
    assert use(tmp_path / "alias.uv") == []


@pytest.mark.parametrize(
    "name", ["store.sqlite", "LOCK", "index-0-00000001.uvi", "store.sqlite-wal"]
)
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_an_entry_that_is_no_file(
    hostile: Path, outside: Path, name: str, make: Callable[[Path], None]
) -> None:
    (hostile / name).unlink(missing_ok=True)
    make(hostile / name)
    if name.startswith("index"):
        sql(hostile, "UPDATE generations SET bytes = 0, header = ''")
    leaves_alone(hostile, outside)


def test_a_journal_cannot_have_a_file_deleted(hostile: Path, outside: Path) -> None:
    """SQLite once deleted the file that a rollback journal calls its super-journal (3.40 does)."""
    name = bytes(outside / "victim")
    magic = bytes.fromhex("d9d505f920a163d7")
    store = hostile / "store.sqlite"
    page = 16384
    header = magic + struct.pack(">5I", 0, 1, store.stat().st_size // page, 512, page)
    tail = struct.pack(">I", 0x40000000 // page + 1) + name
    tail += struct.pack(">II", len(name), sum(name)) + magic
    store.with_name("store.sqlite-journal").write_bytes(header.ljust(512, b"\0") + tail)
    before = everything(outside)
    for read_only in (True, False):
        use(hostile, read_only)
    assert everything(outside) == before


# ---- the model's name --------------------------------------------------------------------------

MODELS = [
    "http://127.0.0.1:9/model", "https://example.com/model", "file:///etc", "ftp://x/y", "s3://x/y",
    "__import__('os').system('true')", "os", "os.path", "; touch x", "$(touch x)", "../../..",
    "/etc",
    "x" * 10**6, "a/b/c", "\n", "-", "~", "//server/share", "a\0b",
]  # fmt: skip


def test_no_stored_name_is_looked_up_on_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr("unitvec.hub._download", lambda *place: asked.append(place[:3:2]))
    monkeypatch.setattr("unitvec.hub.is_offline", lambda: False)
    path = tmp_path / "named.uv"
    with Collection(path, encoder=HashedWords(DIM)) as db:
        db.add(["a text"])
    sql(path, "UPDATE spaces SET model = 'enemy/model-of-his-own'")
    looked: list[str] = []
    resolve = hub.resolve
    monkeypatch.setattr(
        "unitvec.encoder.resolve", lambda name, *rest: looked.append(name) or resolve(name, *rest)
    )
    for read_only in (True, False):
        with Collection(path, read_only=read_only) as db:
            assert db.count() == 1
            assert db.get()["documents"] == ["a text"]
            db.search(np.ones(DIM, np.float32))
            db.verify()
            assert looked == []  # not even in the cache
            for call in (lambda: db.search("a text"), lambda: db.encoder):
                with pytest.raises(ModelNotFoundError, match="a name that is stored is not downl"):
                    call()
        looked.clear()
    assert [local_only for _, local_only in asked] == [True] * len(asked)


@pytest.mark.parametrize("model", [*MODELS, "{outside}", "../outside"])
def test_a_model_that_is_no_model(
    tmp_path: Path, outside: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    """What the properties name is looked for as any model's name is, and nothing of it runs."""

    def connect(*_: Any) -> None:
        raise AssertionError("a connection")

    monkeypatch.chdir(outside)
    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", connect)
    (outside / "modeling.py").write_text(f"open({str(outside / 'canary')!r}, 'w')")
    (outside / "config.json").write_text(json.dumps({"auto_map": {"AutoModel": "modeling.M"}}))
    model = model.format(outside=outside)
    path = tmp_path / "named.uv"
    with Collection(path, encoder=HashedWords(DIM)) as db:
        db.add(["a text"])
    sql(path, "UPDATE spaces SET model = ?", bindings=(model,))
    before = everything(outside)
    with Collection.open(path, read_only=True) as db:
        assert db.count() == 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises((ModelNotFoundError, FormatError, OSError)):
                db.search("a text")
    assert everything(outside) == before
    assert "modeling" not in sys.modules
