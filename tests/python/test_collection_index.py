"""The index file is a cache: quick where it is good, replaced where it is not, never the truth."""

from __future__ import annotations

import _thread
import errno
import os
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unitvec import Collection
from unitvec.collection import IndexFileWarning, IndexPolicy, maintenance
from unitvec.collection.building import BackgroundBuilder, StoppedError
from unitvec.collection.store import Store

DIM = 8
POLICY = IndexPolicy(approximate_from=100, tail_min=20, tail_share=0.05)


def vectors(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32)


def open_with(path: Path, **options: Any) -> Collection:
    return Collection(path, dim=DIM, index_policy=POLICY, **options)


def names(count: int, start: int = 0) -> list[str]:
    return [str(i) for i in range(start, start + count)]


@pytest.fixture
def indexed(tmp_path: Path) -> Path:
    """A collection of 300 vectors with an index file, closed."""
    with open_with(tmp_path / "v.uv") as db:
        db.add(embeddings=vectors(300), ids=names(300))
        db.build_index()
        assert db.stats()["index"] == "hnsw"
    return tmp_path / "v.uv"


def index_files(path: Path) -> list[Path]:
    return sorted(path.glob("index-*.uvi"))


def found(db: Collection, **options: Any) -> list[list[str]]:
    return [[hit.id for hit in result] for result in db.search(vectors(20, seed=9), **options)]


def exact(stored: np.ndarray, k: int = 10) -> list[list[str]]:
    unit = stored / np.linalg.norm(stored, axis=1, keepdims=True)
    return np.argsort(-(vectors(20, seed=9) @ unit.T), axis=1)[:, :k].astype(str).tolist()


def recall(answers: list[list[str]], truth: list[list[str]]) -> float:
    pairs = zip(answers, truth, strict=True)
    return float(np.mean([len(set(a) & set(t)) / len(t) for a, t in pairs]))


def test_below_the_threshold_there_is_no_file(tmp_path: Path) -> None:
    with open_with(tmp_path / "v.uv") as db:
        db.add(embeddings=vectors(99))
        assert not index_files(tmp_path / "v.uv")
        assert db.search(vectors(1)[0]).exact


def test_a_graph_answers_with_its_recall(tmp_path: Path) -> None:
    with open_with(tmp_path / "v.uv") as db:  # of fewer rows a walk would look at most
        db.add(embeddings=vectors(5000), ids=names(5000))
        db.build_index()
        result = db.search(vectors(1, seed=9)[0], k=5)
        assert not result.exact
        assert 0.9 <= result.recall_estimate <= 1.0
        assert recall(found(db), exact(vectors(5000))) >= 0.95
        everything = db.search(vectors(1, seed=9)[0], k=5, min_recall=1.0)
        assert everything.exact
        assert [hit.id for hit in everything] == exact(vectors(5000))[0][:5]


def test_new_rows_are_found_at_once_and_the_tail_is_folded_in(indexed: Path) -> None:
    with open_with(indexed) as db:
        (before,) = index_files(indexed)
        extra = vectors(15, seed=2)
        db.add(embeddings=extra, ids=names(15, 300))
        db.build_index()
        assert index_files(indexed) == [before]
        assert [r[0].id for r in db.search(extra, k=1)] == names(15, 300)
        db.add(embeddings=vectors(15, seed=3), ids=names(15, 315))
        db.build_index()
        (after,) = index_files(indexed)
        assert after != before
        assert db.stats()["indexed"] == 330
        assert [r[0].id for r in db.search(extra, k=1)] == names(15, 300)
        assert db.verify().ok


def test_deleted_rows_are_never_found(indexed: Path) -> None:
    stored = vectors(300)
    with open_with(indexed) as db:
        assert db.search(stored[7], k=1)[0].id == "7"
        db.delete(ids=names(50))
        assert not {hit.id for result in db.search(stored[:50]) for hit in result} & set(names(50))
    with open_with(indexed) as db:
        assert not {hit.id for result in db.search(stored[:50]) for hit in result} & set(names(50))
        db.upsert(embeddings=stored[:1], ids=["0"])
        assert db.search(stored[0], k=1)[0].id == "0"
        assert db.verify().ok


def test_ctrl_c_while_waiting_stops_one_build_only() -> None:
    stops: list[threading.Event] = []
    ended = []

    def build(stop: threading.Event) -> bool:
        stops.append(stop)
        if len(stops) == 1:
            assert stop.wait(60)
            time.sleep(0.2)
            ended.append(True)
            raise StoppedError
        return False

    builder = BackgroundBuilder(build)
    builder.start()
    threading.Timer(0.2, _thread.interrupt_main).start()
    with pytest.raises(KeyboardInterrupt):
        builder.wait()
    assert ended
    builder.finish()
    assert len(stops) == 2
    builder.stop()
    builder.finish()
    assert len(stops) == 2


def test_no_thread_is_started_where_there_is_nothing_to_build(
    indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_with(indexed) as db:
        db.build_index()
        monkeypatch.setattr(threading.Thread, "start", pytest.fail)
        db.build_index()


def test_a_search_that_fails_halfway_leaves_the_next_one_right(
    indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Store, *_: object) -> None:
        raise OSError(errno.EIO, "bad sector")

    with open_with(indexed) as db:
        found(db)
        db.delete(ids=names(10))
        with monkeypatch.context() as patch:
            patch.setattr(Store, "vectors_between", fail)
            with pytest.raises(OSError, match="bad sector"):
                found(db)
        assert not {name for answer in found(db) for name in answer} & set(names(10))


def test_filters_are_exact_also_on_a_graph(indexed: Path) -> None:
    with open_with(indexed) as db:
        db.update(ids=names(10, 20), metadatas=[{"keep": True}] * 10)
        db.add(embeddings=vectors(3, seed=5), ids=names(3, 300), metadatas=[{"keep": True}] * 3)
        result = db.search(vectors(1, seed=9)[0], k=13, where={"keep": True})
        assert result.exact
        assert {hit.id for hit in result} == set(names(10, 20)) | set(names(3, 300))


def damage_flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def damage_cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def damage_remove(file: Path) -> None:
    file.unlink()


def damage_link(file: Path) -> None:
    elsewhere = file.with_name("elsewhere")
    file.rename(elsewhere)
    file.symlink_to(elsewhere)


DAMAGES = [damage_flip, damage_cut, damage_remove, damage_link]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_doubtful_file_is_put_aside_and_built_again(indexed: Path, damage: Any) -> None:
    (file,) = index_files(indexed)
    damage(file)
    with open_with(indexed) as db:
        report = db.verify()
        assert not report.ok
        assert "the next search replaces it" in report.problems[0]
        with pytest.warns(IndexFileWarning, match="rebuilt from the documents, which are safe"):
            answers = found(db)
        assert answers == exact(vectors(300))  # while it was lost, by an exact scan
        assert len(list(indexed.glob("*.bad-*"))) == (0 if damage is damage_remove else 1)
        db.build_index()
        assert db.stats()["indexed"] == 300
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert recall(found(db), exact(vectors(300))) >= 0.95
            assert db.verify().ok
    with warnings.catch_warnings(), open_with(indexed) as db:
        warnings.simplefilter("error")
        assert recall(found(db), exact(vectors(300))) >= 0.95


def test_a_reader_answers_exactly_and_moves_nothing(indexed: Path) -> None:
    (file,) = index_files(indexed)
    damage_flip(file)
    message = "searching exactly instead"
    with (
        Collection.open(indexed, read_only=True) as db,
        pytest.warns(IndexFileWarning, match=message),
    ):
        assert found(db) == exact(vectors(300))
    assert index_files(indexed) == [file]


def test_the_index_of_another_collection_is_not_believed(indexed: Path, tmp_path: Path) -> None:
    with open_with(tmp_path / "other.uv") as other:
        other.add(embeddings=vectors(300, seed=4), ids=names(300))
        other.build_index()
    (file,) = index_files(indexed)
    (foreign,) = index_files(tmp_path / "other.uv")
    file.write_bytes(foreign.read_bytes())
    with open_with(indexed) as db, pytest.warns(IndexFileWarning):
        assert found(db) == exact(vectors(300))


def test_a_policy_that_always_wants_more_comes_to_an_end(tmp_path: Path) -> None:
    policy = IndexPolicy(approximate_from=100, dead_share=-1.0)
    with (
        pytest.warns(IndexFileWarning, match="is wanted anew, though nothing changed"),
        Collection(tmp_path / "v.uv", dim=DIM, index_policy=policy) as db,
    ):
        db.add(embeddings=vectors(300))
    assert len(index_files(tmp_path / "v.uv")) == 1


def test_a_file_that_lacks_rows_is_built_afresh_when_it_is_extended(indexed: Path) -> None:
    extra = vectors(40, seed=2)
    with open_with(indexed) as db:
        db.add(embeddings=extra[:10], ids=names(10, 300))
        with db._session.writing() as store:
            store.connection.execute("UPDATE generations SET last_key = last_key + 10")
        assert not db.verify().ok
        db.add(embeddings=extra[10:], ids=names(30, 310))
        db.build_index()
        assert db.verify().problems == []
        assert [r[0].id for r in db.search(extra, k=1)] == names(40, 300)
        assert db.stats()["indexed"] == 340


def test_few_writes_read_next_to_nothing_of_the_tail(
    indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_with(indexed) as db:
        db.build_index()
        monkeypatch.setattr(Store, "count_vectors_after", lambda *_: pytest.fail("counted"))
        for i in range(19):
            db.add(embeddings=vectors(1, seed=i), ids=names(1, 300 + i))
        db.delete(names(10))
        db.upsert(embeddings=vectors(1), ids="100")
        db.build_index()


def test_left_over_files_are_cleared_and_nothing_else(indexed: Path) -> None:
    (indexed / "index-0-99999999.uvi.tmp").write_bytes(b"unfinished")
    (indexed / "index-0-00000001.uvi.bad-20200101T000000").write_bytes(b"kept")
    with open_with(indexed) as db:
        db.compact()
    left = {entry.name for entry in indexed.iterdir()}
    assert "index-0-99999999.uvi.tmp" not in left
    assert "index-0-00000001.uvi.bad-20200101T000000" in left


def test_compact_returns_space(tmp_path: Path) -> None:
    with Collection(tmp_path / "v.uv", dim=256) as db:
        db.add(["text " * 200] * 2000, embeddings=np.eye(256)[np.arange(2000) % 256],
               ids=names(2000))  # fmt: skip
        db.delete(ids=names(1900))
        sizes = db.compact()
        assert sizes["bytes_after"] < sizes["bytes_before"] / 5
        assert db.count() == 100
        assert db.search(np.eye(256)[1950 % 256], k=1)[0].score == 1.0
        assert db.verify().ok


def test_a_snapshot_is_complete_and_independent(indexed: Path, tmp_path: Path) -> None:
    with open_with(indexed) as db:
        db.add(embeddings=vectors(5, seed=6), ids=names(5, 300))
        answers = found(db)
        copy = db.snapshot(tmp_path / "deep" / "copy.uv")
        with pytest.raises(FileExistsError):
            db.snapshot(copy)
        db.delete(ids=names(100))
        with warnings.catch_warnings(), open_with(copy) as other:
            warnings.simplefilter("error")
            assert other.count() == 305
            assert found(other) == answers
            assert other.verify().ok
    assert sorted(p.name for p in (tmp_path / "deep").iterdir()) == ["copy.uv"]


def test_readers_follow_the_writer(indexed: Path) -> None:
    with open_with(indexed) as writer, Collection.open(indexed, read_only=True) as reader:
        probe = vectors(1, seed=7)[0]
        assert reader.search(probe, k=1)[0].score < 1.0
        writer.add(embeddings=probe, ids=["probe"])
        assert reader.search(probe, k=1)[0].id == "probe"
        writer.add(embeddings=vectors(100, seed=8))
        writer.build_index()  # a new generation
        assert reader.search(probe, k=1)[0].id == "probe"
        writer.delete("probe")
        writer.compact()  # forgets which rows were deleted
        assert reader.search(probe, k=1)[0].id != "probe"
        with pytest.raises(PermissionError, match="read-only"):
            reader.add(embeddings=probe)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_gets_an_error(indexed: Path) -> None:
    with open_with(indexed) as db:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:  # pragma: no cover - runs in the child
            try:
                db.count()
                answer = b"no error"
            except RuntimeError as error:
                answer = str(error).encode()
            db.close()
            os.write(writing, answer)
            os._exit(0)
        os.waitpid(child, 0)
        assert b"opened before a fork" in os.read(reading, 1000)
        os.close(reading)
        os.close(writing)
        db.add(embeddings=vectors(1, seed=11), ids=["after"])
        assert db.count() == 301
    with open_with(indexed) as db:
        assert db.verify().ok


def test_verify_takes_no_replaced_index_for_a_lost_one(
    indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    examine = maintenance.examine_generation
    with open_with(indexed) as db:

        def examine_late(*place: Any) -> Any:
            monkeypatch.undo()
            db.add(embeddings=vectors(5, seed=4), ids=names(5, start=900))
            db.compact()  # writes another file, and removes the one about to be read
            return examine(*place)

        monkeypatch.setattr(maintenance, "examine_generation", examine_late)
        assert db.verify().problems == []


def test_verify_while_the_index_is_replaced(indexed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its transaction still has the pointer to a file that is there no more."""
    examine = maintenance.examine_generation

    def replace_and_examine(*arguments: Any) -> Any:
        monkeypatch.setattr(maintenance, "examine_generation", examine)
        db.add(embeddings=vectors(100, seed=3))
        db.build_index()
        return examine(*arguments)

    with open_with(indexed) as db:
        (before,) = index_files(indexed)
        monkeypatch.setattr(maintenance, "examine_generation", replace_and_examine)
        report = db.verify()
        assert index_files(indexed) != [before]
        assert (report.ok, report.problems) == (True, [])
        db.build_index()
        index_files(indexed)[0].unlink()
        assert "is missing" in db.verify().problems[0]


def test_a_build_that_could_not_be_started_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    builder = BackgroundBuilder(lambda _: False)
    for where in ("__init__", "start"):
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, where, interrupt)
            with pytest.raises(KeyboardInterrupt):
                builder.start()
        waiting = threading.Thread(target=builder.finish, daemon=True)
        waiting.start()
        waiting.join(20)
        assert not waiting.is_alive()


CLOSING = """
import sys, time
import numpy as np
from unitvec import Collection
from unitvec.collection import IndexPolicy

db = Collection(sys.argv[1], dim=8, index_policy=IndexPolicy(approximate_from=20, tail_min=20))
rows = np.random.default_rng(0).standard_normal((40, 8))

def closing():
    time.sleep(1)  # a build that the call before began waits for this one to end
    db.close()
    yield rows[0]

db.add(embeddings=rows)
try:
    db.add(embeddings=closing())
except RuntimeError as error:
    print(error)
"""


def test_closing_from_inside_a_change_does_not_wait_for_a_build_that_waits_for_it(
    tmp_path: Path,
) -> None:
    run = [sys.executable, "-c", CLOSING, str(tmp_path / "c.uv")]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60, check=True)
    assert "is closed" in done.stdout
    with Collection.open(tmp_path / "c.uv") as db:
        assert (db.count(), db.verify().ok) == (40, True)
