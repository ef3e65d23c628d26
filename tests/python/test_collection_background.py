"""While an index is built, reads, writes and searches go on, here and elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unitvec import Collection
from unitvec.collection import IndexPolicy, building
from unitvec.collection.coded import Coded

DIM = 8
POLICY = IndexPolicy(approximate_from=100, tail_min=20, tail_share=0.05)
LONG = 60.0  # s; nothing here takes so long unless it waits for what does not come


def vectors(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32)


class Held:
    """A function that waits, once it is called by the builder's thread, until it is let go."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.reached, self.go = threading.Event(), threading.Event()

    def __call__(self, *arguments: Any) -> Any:
        if threading.current_thread().name == "unitvec-index":
            self.reached.set()
            assert self.go.wait(LONG)
        return self._function(*arguments)


@contextmanager
def held(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> Iterator[Held]:
    """The build is stopped there inside; afterwards it goes on."""
    hold = Held(getattr(owner, name))
    monkeypatch.setattr(owner, name, lambda *arguments: hold(*arguments))
    try:
        yield hold
    finally:
        hold.go.set()


def in_time(work: Callable[[], None]) -> None:
    """Does it in a thread, so that what would wait for ever fails."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(LONG)
    assert not thread.is_alive(), "it waits for the build"
    if errors:
        raise errors[0]


@pytest.mark.parametrize(
    ("owner", "name"),
    [(Coded, "add"), (building.IndexBuild, "_measured_recall"), (building, "write_generation")],
    ids=["while it reads rows", "while it measures", "while it writes the file"],
)
def test_every_verb_goes_on_while_an_index_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> None:
    stored = vectors(300)
    path = tmp_path / "v.uv"

    def every_verb(db: Collection) -> None:
        assert [hit.id for hit in db.search(stored[7], k=1)] == ["7"]
        db.add(embeddings=vectors(1, seed=1), ids=["new"])
        db.upsert(embeddings=-stored[9], ids=["9"])
        db.update(ids=["11"], metadatas={"seen": True})
        assert db.delete(["7"]) == 1
        assert [hit.id for hit in db.search(-stored[9], k=1)] == ["9"]
        assert db.search(stored[7], k=1)[0].id != "7"
        assert db.get(["11"])[0].metadata == {"seen": True}
        assert db.count() == 300
        with Collection(path, read_only=True) as reader:
            assert reader.count() == 300
            assert [hit.id for hit in reader.search(vectors(1, seed=1)[0], k=1)] == ["new"]
        assert db.verify().ok

    with Collection(path, dim=DIM, index_policy=POLICY) as db:
        with held(monkeypatch, owner, name) as hold:
            db.add(embeddings=stored, ids=[str(i) for i in range(300)])
            assert hold.reached.wait(LONG)
            in_time(lambda: every_verb(db))
            assert db.stats()["index"] != "hnsw"  # it is still being built
        db.build_index()
        assert db.stats()["index"] == "hnsw"
        assert [hit.id for hit in db.search(vectors(1, seed=1)[0], k=1)] == ["new"]
        assert [hit.id for hit in db.search(-stored[9], k=1)] == ["9"]
        assert "7" not in [hit.id for hit in db.search(stored[7], k=20)]
        assert db.verify().ok
