"""What a collection keeps on the disk so that a full one can still be deleted from."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from unitvec import Collection, FormatError
from unitvec.collection import room
from unitvec.collection.files import STORE_FILE
from unitvec.collection.room import LARGE_RESERVE_BYTES, RESERVE_BYTES, RESERVE_FILE

_LONG = "x" * 60_000  # characters: twenty fill more than a MiB


def _add(db: Collection, count: int) -> None:
    db.add([_LONG] * count, embeddings=np.ones((count, 4)))


@pytest.fixture(autouse=True)
def disk_with_room(tmp_path: Path) -> None:
    disk = os.statvfs(tmp_path)
    if disk.f_bavail * disk.f_frsize < 1 << 30:
        pytest.skip("a disk with less than 1 GiB left has other rules")


def test_a_large_collection_keeps_a_reserve_and_a_small_one_does_not(tmp_path: Path) -> None:
    with Collection(tmp_path / "c.uv", dim=4) as db:
        _add(db, 1)
        assert not (db.path / RESERVE_FILE).exists()
        _add(db, 20)
        status = (db.path / RESERVE_FILE).stat()
        assert status.st_size == RESERVE_BYTES
        assert status.st_blocks * 512 >= RESERVE_BYTES  # not a hole: bytes of the disk
        db.delete(where={"missing": {"$exists": False}})
        assert db.stats()["files"][RESERVE_FILE] == RESERVE_BYTES
    assert (tmp_path / "c.uv" / RESERVE_FILE).stat().st_size == RESERVE_BYTES


def test_a_reserve_that_was_removed_is_taken_again(tmp_path: Path) -> None:
    with Collection(tmp_path / "c.uv", dim=4) as db:
        _add(db, 20)
    (tmp_path / "c.uv" / RESERVE_FILE).unlink()
    with Collection.open(tmp_path / "c.uv", read_only=True) as db:
        assert not (db.path / RESERVE_FILE).exists()
    with Collection.open(tmp_path / "c.uv") as db:
        assert db.stats()["files"][RESERVE_FILE] == RESERVE_BYTES


def test_a_reserve_is_no_part_of_a_snapshot(tmp_path: Path) -> None:
    with Collection(tmp_path / "c.uv", dim=4) as db:
        _add(db, 20)
        assert not (db.snapshot(tmp_path / "copy.uv") / RESERVE_FILE).exists()


def test_a_reserve_that_is_a_link_is_refused(tmp_path: Path) -> None:
    with Collection(tmp_path / "c.uv", dim=4) as db:
        _add(db, 20)
    (tmp_path / "other").write_bytes(b"of somebody else")
    (tmp_path / "c.uv" / RESERVE_FILE).unlink()
    (tmp_path / "c.uv" / RESERVE_FILE).symlink_to(tmp_path / "other")
    with pytest.raises(FormatError, match="RESERVE: expected a file, got a link"):
        Collection.open(tmp_path / "c.uv")
    assert (tmp_path / "other").read_bytes() == b"of somebody else"


def test_the_database_has_the_bytes_that_its_log_will_fill(tmp_path: Path) -> None:
    """Before they are folded in: afterwards there may be no room."""
    with Collection(tmp_path / "c.uv", dim=4) as db:
        _add(db, 20)
        status = (db.path / STORE_FILE).stat()
        assert status.st_size > 20 * len(_LONG)
        assert status.st_blocks * 512 >= status.st_size
        assert (db.path / (STORE_FILE + "-wal")).stat().st_size > 20 * len(_LONG)
    assert (tmp_path / "c.uv" / STORE_FILE).stat().st_size == status.st_size


def test_an_open_large_collection_has_room_for_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And need not grow before each commit: what is logged is not in the database yet."""
    monkeypatch.setattr(room, "_LARGE_FROM", 2 * 20 * len(_LONG))
    reserve = tmp_path / "c.uv" / RESERVE_FILE
    with Collection(tmp_path / "c.uv", dim=4) as db:
        _add(db, 20)
        assert reserve.stat().st_size == RESERVE_BYTES
        _add(db, 30)
        assert reserve.stat().st_size == LARGE_RESERVE_BYTES
        before = (db.path / STORE_FILE).stat().st_size
        _add(db, 20)
        assert (db.path / STORE_FILE).stat().st_size == before
        reserve.unlink()  # room that somebody takes is made otherwise
        _add(db, 1)
        assert (db.path / STORE_FILE).stat().st_size > before + 20 * len(_LONG)
    assert not reserve.exists() or reserve.stat().st_size == RESERVE_BYTES


def test_a_huge_reserve_of_somebody_elses_is_not_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []  # and not really: it could be all that the disk has
    monkeypatch.setattr(room, "_allocate", lambda _, size: taken.append(size))
    with Collection(tmp_path / "c.uv", dim=4) as db:
        _add(db, 1)
    reserve = tmp_path / "c.uv" / RESERVE_FILE
    reserve.touch()
    os.truncate(reserve, 1 << 40)
    kept = room.Reserve(tmp_path / "c.uv" / STORE_FILE)
    with kept.given_up():
        pass
    assert taken == [LARGE_RESERVE_BYTES]
