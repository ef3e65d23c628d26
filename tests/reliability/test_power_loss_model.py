"""The recorder misses nothing, and the model loses what POSIX lets a disk lose, no more."""

from __future__ import annotations

import filecmp
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import gates
import io_trace
from io_jobs import Runner, require_finished
from io_trace import Operation
from power_loss import SECTOR, Disk

ROOT = Path("/root")
OLD, NEW = b"o" * 2 * SECTOR, b"n" * 2 * SECTOR

#: A folder's files, by name.
Files = dict[str, bytes]


@pytest.mark.parametrize("durability", ["full", "normal"])
def test_the_trace_gives_every_byte_of_every_file(
    runner: Runner, tmp_path: Path, durability: str
) -> None:
    outcome = runner.run(gates.SEED, durability=durability)
    require_finished(outcome)
    for journaled in (True, False):
        disk = Disk(outcome.root, journaled)
        for operation in outcome.trace:
            disk.apply(operation)
        copy = tmp_path / f"{journaled}"
        disk.write_everything(copy)
        names = sorted(path.relative_to(copy) for path in copy.rglob("*"))
        assert names == sorted(path.relative_to(outcome.root) for path in outcome.root.rglob("*"))
        files = [str(name) for name in names if (copy / name).is_file()]
        assert len(files) >= 3
        assert filecmp.cmpfiles(copy, outcome.root, files, shallow=False) == (files, [], [])


def operation(kind: str, name: str = "", **fields: object) -> Operation:
    path = f"{ROOT}/{name}" if name else str(ROOT)
    return Operation(kind, 0, -1, path, "", 0, 0, b"")._replace(**fields)


def make(name: str, fd: int) -> Operation:
    return operation("O", name, fd=fd, size=io_trace.CREATED)


def write(fd: int, data: bytes, offset: int = 0) -> Operation:
    return operation("W", fd=fd, offset=offset, size=len(data), data=data)


def sync(fd: int) -> Operation:
    return operation("S", fd=fd)


def rename(old: str, new: str) -> Operation:
    return operation("N", old, other=f"{ROOT}/{new}")


SYNC_FOLDER = [operation("O", fd=9), sync(9)]
SAFE_OLD = [make("f", 3), write(3, OLD), sync(3), *SYNC_FOLDER]


@pytest.fixture(params=[True, False], ids=["journaled", "strict"])
def journaled(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def found(folder: Path, journaled: bool) -> Callable[[list[Operation]], list[Files]]:
    """What 200 power losses after some operations leave."""

    def lose_power(operations: list[Operation]) -> list[Files]:
        disk = Disk(ROOT, journaled)
        for each in operations:
            disk.apply(each)
        return list(_images(disk, folder))

    return lose_power


def _images(disk: Disk, folder: Path) -> Iterator[Files]:
    rng = random.Random(gates.SEED)
    for _ in range(200):
        disk.write_after_power_loss(rng, folder / "image")
        yield {path.name: path.read_bytes() for path in (folder / "image").iterdir()}
        shutil.rmtree(folder / "image")


Found = Callable[[list[Operation]], list[Files]]


def test_what_was_synced_is_there(found: Found) -> None:
    assert all(files == {"f": OLD} for files in found(SAFE_OLD))


def test_sectors_are_lost_one_by_one_and_never_torn(found: Found) -> None:
    contents = {files["f"] for files in found([*SAFE_OLD, write(3, NEW)])}
    halves = (OLD[:SECTOR], NEW[:SECTOR])
    assert contents == {a + b for a in halves for b in halves}


def test_a_sector_has_any_of_its_versions(found: Found) -> None:
    parts = [write(3, b"a" * 10), write(3, b"b" * 10, 10)]  # both in the first sector
    heads = {files["f"][:20] for files in found([*SAFE_OLD, *parts])}
    assert heads == {OLD[:20], b"a" * 10 + OLD[:10], b"a" * 10 + b"b" * 10}


def test_a_longer_file_may_have_holes(found: Found, journaled: bool) -> None:
    longer = found([*SAFE_OLD, write(3, NEW, len(OLD))])
    assert all(files["f"][: len(OLD)] == OLD for files in longer)
    tails = {files["f"][len(OLD) :] for files in longer}
    assert {b"", NEW, bytes(len(NEW))} <= tails
    garbage = [tail for tail in tails if set(tail) - set(NEW) - {0}]
    assert bool(garbage) != journaled


def test_a_truncation_takes_what_comes_later_with_it(found: Found) -> None:
    cut = operation("T", fd=3, size=0)
    contents = {files["f"] for files in found([*SAFE_OLD, cut, write(3, NEW[:SECTOR])])}
    assert {OLD, b"", NEW[:SECTOR]} <= contents
    assert not any(NEW[:16] in content and OLD[:16] in content for content in contents)


def test_a_name_is_safe_after_a_sync_of_its_folder(found: Found, journaled: bool) -> None:
    names = {tuple(files) for files in found([make("f", 3), write(3, OLD), sync(3)])}
    assert names == ({("f",)} if journaled else {("f",), ()})


def test_names_arrive_in_order_on_a_journaled_disk_only(found: Found, journaled: bool) -> None:
    names = {tuple(sorted(files)) for files in found([make("a", 3), make("b", 4)])}
    in_order = {(), ("a",), ("a", "b")}
    assert names == (in_order if journaled else in_order | {("b",)})


def test_a_rename_is_whole(found: Found) -> None:
    replaced = [make("t", 4), write(4, NEW), sync(4), rename("t", "f")]
    states = found([*SAFE_OLD, *replaced])
    assert {files["f"] for files in states} == {OLD, NEW}
    assert all(files["f"] == OLD for files in states if "t" in files)
    assert all(files == {"f": NEW} for files in found([*SAFE_OLD, *replaced, *SYNC_FOLDER]))


def test_a_removal_may_be_undone_until_the_folder_is_synced(found: Found) -> None:
    removed = [*SAFE_OLD, operation("U", "f")]
    assert {tuple(files) for files in found(removed)} == {("f",), ()}
    assert all(files == {} for files in found([*removed, *SYNC_FOLDER]))


def test_what_failed_did_nothing(found: Found) -> None:
    failed = write(3, NEW)._replace(flags=io_trace.FAILED)
    unsynced = sync(3)._replace(flags=io_trace.FAILED)
    assert all(files == {"f": OLD} for files in found([*SAFE_OLD, failed, sync(3)]))
    assert {files["f"] for files in found([*SAFE_OLD, write(3, NEW), unsynced])} >= {OLD, NEW}
