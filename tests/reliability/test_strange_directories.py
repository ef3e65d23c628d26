"""F6: whatever lies in the directory, a collection opens or says why not, and answers rightly."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import damage
from gates import record
from unitvec import Collection, StoreLockedError


def _index(path: Path) -> Path:
    (file,) = path.glob("index-*.uvi")
    return file


def _take_the_index_of_another(path: Path, images: damage.Images) -> None:
    other = path.with_name("other.uv")
    damage.make_closed(other)
    shutil.copyfile(_index(other), _index(path))


def _link_the_index(path: Path, images: damage.Images) -> None:
    elsewhere = path.with_name("elsewhere")
    _index(path).rename(elsewhere)
    os.symlink(elsewhere, path / images.file("closed", "index-*"))


def _link_the_index_to_itself(path: Path, images: damage.Images) -> None:
    name = images.file("closed", "index-*")
    _index(path).unlink()
    os.symlink(name, path / name)


def _make_the_index_a_directory(path: Path, images: damage.Images) -> None:
    file = _index(path)
    file.unlink()
    file.mkdir()


def _leave_temporaries(path: Path, images: damage.Images) -> None:
    index = _index(path)
    for name in ("index-00000099.uvi", "index-00000001.uvi.tmp", "index-00000002.uvi.1234.tmp"):
        (path / name).write_bytes(index.read_bytes()[: 1000 + len(name)])
    (path / "store.sqlite-journal").touch()
    (path / ".nfs0001").write_text("left by a network file system")


#: Changes that a collection gets over, with a warning or without.
_SURVIVED: dict[str, Callable[[Path, damage.Images], Any]] = {
    "no index file": lambda path, _: _index(path).unlink(),
    "an empty index file": lambda path, _: _index(path).write_bytes(b""),
    "the index of another": _take_the_index_of_another,
    "a linked index": _link_the_index,
    "an index that is a link to itself": _link_the_index_to_itself,
    "an index that is a directory": _make_the_index_a_directory,
    "left-over temporaries": _leave_temporaries,
    "no LOCK": lambda path, _: (path / "LOCK").unlink(),
    "a LOCK of nonsense": lambda path, _: (path / "LOCK").write_bytes(b"\xff" * 5000),
    "an empty log": lambda path, _: (path / "store.sqlite-wal").touch(),
}


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("change", _SURVIVED)
def test_what_is_not_the_truth_may_be_gone(
    change: str, read_only: bool, images: damage.Images, tmp_path: Path
) -> None:
    path = tmp_path / "c.uv"
    damage.lay_out(images["closed"], path)
    _SURVIVED[change](path, images)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the index file; that it is given, others test
        for _ in range(2):  # the second time with what the first one made of it
            with Collection.open(path, read_only=read_only) as db:
                assert {name: ask(db) for name, ask in damage.QUESTIONS.items()} == images.truth
        if not read_only:
            with Collection.open(path) as db:
                assert db.verify().problems == []
    record("F6", cases=1, wrong=0)


#: Changes with which it cannot be opened, and what the error must be and say.
_REFUSED: dict[str, tuple[Callable[[Path], Any], type[Exception], str]] = {
    "no database": (lambda p: (p / "store.sqlite").unlink(), OSError, "no collection at"),
    "a directory for a database": (
        lambda p: ((p / "store.sqlite").unlink(), (p / "store.sqlite").mkdir()),
        OSError,
        "no collection at",
    ),
    "a database of another program": (
        lambda p: (p / "store.sqlite").write_bytes(b"%PDF-1.7 " * 4000),
        ValueError,
        "not a",
    ),
    "a directory for LOCK": (
        lambda p: ((p / "LOCK").unlink(), (p / "LOCK").mkdir()),
        ValueError,
        "expected a file, got a link, a folder",
    ),
}


@pytest.mark.parametrize("change", _REFUSED)
def test_what_cannot_be_opened_is_refused_with_a_sentence(
    change: str, images: damage.Images, tmp_path: Path
) -> None:
    path = tmp_path / "c.uv"
    damage.lay_out(images["closed"], path)
    damaged, error, sentence = _REFUSED[change]
    damaged(path)
    before = sorted(p.name for p in path.iterdir())
    with pytest.raises(error, match=sentence):
        Collection.open(path)
    assert sorted(p.name for p in path.iterdir()) == before
    record("F6", cases=1, wrong=0)


def test_a_linked_directory_is_the_one_it_stands_for(images: damage.Images, tmp_path: Path) -> None:
    damage.lay_out(images["killed"], tmp_path / "c.uv")
    link = tmp_path / "link.uv"
    link.symlink_to(tmp_path / "c.uv")
    with Collection.open(link) as db:
        assert {name: ask(db) for name, ask in damage.QUESTIONS.items()} == images.truth
        with pytest.raises(StoreLockedError):
            Collection.open(tmp_path / "c.uv")
    record("F6", cases=1, wrong=0)
