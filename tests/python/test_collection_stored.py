"""What goes wrong after a change was stored is a warning: an error would say that it was not."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from unitvec import Collection
from unitvec.collection import IndexFileWarning, IndexPolicy, LockFileWarning
from unitvec.collection.indexing import IndexingSession
from unitvec.collection.lock import ProcessLock

_POLICY = IndexPolicy(approximate_from=4, tail_min=2, tail_share=0.1)
_VECTORS = np.random.default_rng(3).standard_normal((8, 4)).astype(np.float32)
_NAMES = list("abcdefgh")

#: Every verb that writes, and the ids there are afterwards.
_VERBS: dict[str, tuple[Callable[[Collection], Any], list[str]]] = {
    "add": (lambda db: db.add(ids=["new"], embeddings=_VECTORS[:1]), [*_NAMES, "new"]),
    "add a stream": (
        lambda db: db.add(
            ids=iter(["new"]), embeddings=iter(_VECTORS[:1]), show_progress_bar=False
        ),
        [*_NAMES, "new"],
    ),
    "upsert": (lambda db: db.upsert(ids=["new"], embeddings=_VECTORS[:1]), [*_NAMES, "new"]),
    "update": (lambda db: db.update("a", embeddings=_VECTORS[1]), [*_NAMES[1:], "a"]),
    "delete": (lambda db: db.delete(["a", "b", "c"]), _NAMES[3:]),
}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Collection]:
    with Collection(tmp_path / "c.uv", dim=4, index_policy=_POLICY) as made:
        made.add(ids=_NAMES, embeddings=_VECTORS)
        made.build_index()
        yield made


def _fail(*_: Any) -> NoReturn:
    raise OSError(errno.EIO, "the disk does not answer")


@pytest.mark.parametrize("verb", _VERBS)
def test_a_change_is_stored_though_no_thread_can_be_started(
    db: Collection, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    change, expected = _VERBS[verb]
    db.add(ids=["x"], embeddings=_VECTORS[:1])
    db.delete("x")
    db.build_index()
    with monkeypatch.context() as patched:
        patched.setattr(IndexingSession, "_wants_graph", lambda *_: True)
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.warns(IndexFileWarning, match="is stored.*can't start new thread"):
            change(db)
        assert [record.id for record in db.scan()] == expected
    assert db.verify().ok


@pytest.mark.parametrize("verb", _VERBS)
def test_a_change_is_stored_though_what_the_policy_asks_cannot_be_read(
    db: Collection, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, expected = _VERBS[verb]
    with monkeypatch.context() as patched:
        patched.setattr(IndexingSession, "_wants_graph", _fail)
        patched.setattr(IndexPolicy, "tail_min", 0)  # of any change
        db._session._examined = False
        with pytest.warns(IndexFileWarning, match="is stored.*does not answer"):
            change(db)
        assert [record.id for record in db.scan()] == expected


@pytest.mark.parametrize("verb", _VERBS)
def test_a_change_is_stored_though_its_number_cannot_be_noted(
    db: Collection, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, expected = _VERBS[verb]
    with monkeypatch.context() as patched:
        patched.setattr(ProcessLock, "mark", _fail)
        with pytest.warns(LockFileWarning, match="is stored.*does not answer"):
            change(db)
    assert [record.id for record in db.scan()] == expected
    db.close()
    with Collection.open(db.path) as again:
        assert [record.id for record in again.scan()] == expected


def test_ctrl_c_after_a_change_is_no_warning(
    db: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(IndexingSession, "_wants_graph", interrupt)
    db._session._examined = False
    with pytest.raises(KeyboardInterrupt):
        db.add(ids=["new"], embeddings=_VECTORS[:1])
    assert db.count() == len(_NAMES) + 1


def test_a_search_answers_though_a_damaged_index_file_cannot_be_replaced(
    db: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.close()
    (file,) = db.path.glob("index-*.uvi")
    file.write_bytes(b"damaged")
    with Collection.open(db.path) as again:
        monkeypatch.setattr(IndexingSession, "writing", _fail)
        with pytest.warns(IndexFileWarning):
            assert again.search(_VECTORS[0], k=1)[0].id == "a"
        monkeypatch.undo()
