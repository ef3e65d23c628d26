"""The lexical index follows what is stored, whatever comes in between."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lexical_documents import DIM, WORDS, add, found, slow_bm25, three_texts
from unitvec import Collection


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Collection]:
    yield from three_texts(tmp_path)


def test_it_follows_every_verb(db: Collection) -> None:
    assert found(db, "cat") == ["cat"]  # makes the index
    add(db, ["another cat"], ["new"])
    assert set(found(db, "cat")) == {"cat", "new"}
    db.upsert(["no felines"], ids=["new"], embeddings=np.ones((1, DIM)))
    assert found(db, "cat") == ["cat"]
    assert found(db, "felines") == ["new"]
    db.update("dog", documents="a cat barks", embeddings=np.ones(DIM))
    assert set(found(db, "cat")) == {"cat", "dog"}
    db.update("dog", metadatas={"n": 1})
    assert set(found(db, "cat")) == {"cat", "dog"}
    db.delete("cat")
    assert found(db, "cat") == ["dog"]
    with pytest.raises(ValueError, match="exist"):
        add(db, ["cat cat", "x"], ["fresh", "dog"])
    assert found(db, "cat") == ["dog"]
    assert db.verify().ok


def test_nothing_of_a_failed_call_is_found(db: Collection) -> None:
    found(db, "cat")

    def remove_and_fail() -> None:
        with db._session.writing() as store:
            store.remove([1])
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="gone"):
        remove_and_fail()
    assert found(db, "cat") == ["cat"]
    assert db.verify().ok


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["upsert", "delete", "close", "compact"]),
            st.integers(0, 5),
            st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join),
        ),
        max_size=25,
    )
)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_history_gives_the_index_of_its_end(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, str]]
) -> None:
    path = tmp_path_factory.mktemp("h") / "c.uv"
    documents: dict[str, str | None] = {}
    db = Collection(path, dim=DIM, lexical=True, durability="normal")
    for verb, number, text in steps:
        name = str(number)
        if verb == "upsert":
            db.upsert([text], ids=[name], embeddings=np.ones((1, DIM)))
            documents[name] = text
        elif verb == "delete" and name in documents:
            db.delete(name)
            del documents[name]
        elif verb == "compact":
            db.compact()
        elif verb == "close":
            db.close()
            db = Collection(path, durability="normal")
    result = db.search("cat dog", k=10, mode="lexical")
    assert_allclose(
        [hit.score for hit in result],
        sorted(slow_bm25(documents, "cat dog").values(), reverse=True),
    )
    report = db.verify()
    assert report.ok, report
    db.close()


WRITER = """
import sys, numpy as np, unitvec
db = unitvec.Collection(sys.argv[1], dim=4, lexical=True)
print("open", flush=True)
for i in range(db.count(), 100_000):
    names = [f"{i}-{j}" for j in range(8)]
    db.add([f"cat number {name} of {i}" for name in names], ids=names, embeddings=np.ones((8, 4)))
    db.delete(names[:2])
    if i % 7 == 0:
        db.compact()
    print(i, flush=True)
"""


def test_after_a_kill_it_holds_the_documents_words(tmp_path: Path) -> None:
    rng = random.Random(3)
    acknowledged = 0
    for _ in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "c.uv")],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        timer = threading.Timer(rng.uniform(0.02, 0.4), process.send_signal, [signal.SIGKILL])
        timer.start()
        acknowledged += len(process.stdout.readlines())
        timer.join()
        assert process.wait() == -signal.SIGKILL
        process.stdout.close()
        with Collection(tmp_path / "c.uv") as db:
            report = db.verify()
            assert report.ok, report
            assert set(found(db, "cat", k=db.count() + 1)) == {record.id for record in db.scan()}
    assert acknowledged


def test_many_threads_search_while_one_writes(db: Collection) -> None:
    found(db, "cat")
    stop, failed = threading.Event(), []

    def search() -> None:
        while not stop.is_set():
            hits = db.search("cat dog", k=5, mode="lexical")
            if not hits or any("cat" not in h.document and "dog" not in h.document for h in hits):
                failed.append(hits)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for i in range(60):
        add(db, [f"dog number {i}", f"no such animal {i}"], [f"d{i}", f"n{i}"])
        db.delete(f"d{i}")
    stop.set()
    for thread in threads:
        thread.join()
    assert not failed
    assert db.verify().ok
