"""`migrate`: another model's vectors for every document, the old ones served until the switch."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hashed_words import HashedWords
from unitvec import Collection, FingerprintError
from unitvec.collection import IndexPolicy
from unitvec.collection.building import IndexBuild
from unitvec.collection.indexing import IndexingSession

POLICY = IndexPolicy(approximate_from=300, tail_min=100)
ANIMALS = ["cat", "dog", "mouse", "horse", "cow", "hen", "duck", "goose"]
OLD, NEW = HashedWords(32, "old"), HashedWords(48, "new")


def text(i: int) -> str:
    return f"{ANIMALS[i % 8]} {ANIMALS[i // 8 % 8]} number{i}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Collection(tmp_path / "c.uv", encoder=OLD, index_policy=POLICY) as db:
        db.add([text(i) for i in range(700)], ids=[f"id{i}" for i in range(700)],
               metadatas=[{"n": i} for i in range(700)])  # fmt: skip
        db.delete(ids=["id5", "id6"])
    return tmp_path / "c.uv"


def require_migrated(db: Collection, count: int) -> None:
    report = db.verify()
    assert (report.ok, report.problems, report.rows) == (True, [], count)
    assert (db.dim, db.stats()["fingerprint"], db.stats()["model"]) == (48, NEW.fingerprint, "new")
    for i in (0, 7, 699):
        hit = db.search(text(i), k=1)[0]
        assert (hit.id, hit.metadata) == (f"id{i}", {"n": i})
        assert hit.score == pytest.approx(1.0, abs=1e-5)
    vectors = np.stack(db.get(["id0", "id9"], include=["embeddings"])["embeddings"])
    np.testing.assert_array_equal(vectors, NEW.encode([text(0), text(9)]))


def test_every_document_gets_a_vector_of_the_new_model(path: Path) -> None:
    with Collection(path, encoder=OLD, index_policy=POLICY) as db:
        report = db.migrate(NEW)
        assert (report.embedded, report.resumed, report.overlap_k) == (698, 0, 10)
        assert 0.1 < report.overlap <= 1.0
        require_migrated(db, 698)
        db.add("another duck", ids="after")
        db.upsert(text(3), ids="id3", metadatas={"n": 3})
        assert db.search("another duck", k=1)[0].id == "after"
        db.compact()
        assert db.verify().ok
    with pytest.raises(FingerprintError):
        Collection(path, encoder=OLD)
    with Collection(path, encoder=NEW, index_policy=POLICY) as db:
        require_migrated(db, 699)
        assert db.stats()["index"] == "hnsw"
        assert len(list(path.glob("index-*.uvi"))) == 1


class StoppedError(Exception):
    pass


class Stopping(HashedWords):
    """The new model, until it has encoded so many texts."""

    def __init__(self, after: int) -> None:
        super().__init__(48, "new")
        self.after = after

    def encode_document(self, texts: list[str], **options: Any) -> Any:
        if len(self.encoded) >= self.after:
            raise StoppedError
        return super().encode(texts, **options)


class Waiting(HashedWords):
    """The new model, which says that it was asked, and waits before it answers."""

    def __init__(self) -> None:
        super().__init__(48, "new")
        self.reached, self.go_on = threading.Event(), threading.Event()

    def encode_document(self, texts: list[str], **options: Any) -> Any:
        self.reached.set()
        assert self.go_on.wait(60)
        return super().encode(texts, **options)


def test_a_migration_that_was_stopped_goes_on(path: Path) -> None:
    stopping = Stopping(after=512)
    with Collection(path, encoder=OLD, index_policy=POLICY) as db:
        with pytest.raises(StoppedError):
            db.migrate(stopping)
        assert db.search(text(0), k=1)[0].id == "id0"  # by the old model
        assert db.verify().ok
        with pytest.raises(ValueError, match="a migration to the model 'new' is unfinished"):
            db.migrate(HashedWords(16, "third"))
    with Collection(path, encoder=OLD, index_policy=POLICY) as db:
        db.delete(ids=["id0", "id600"])
        db.add(text(0), ids="id0", metadatas={"n": 0})
        going_on = HashedWords(48, "new")
        report = db.migrate(going_on)
        assert report.resumed == 511  # id0's first row went
        assert report.embedded == 698 - 1 - 511
        require_migrated(db, 697)
        assert going_on.encoded[:512].count(text(1)) == 0


def require_all_found(db: Collection, texts: list[str]) -> None:
    assert [result[0].document for result in db.search(texts, k=1)] == texts
    assert db.verify().problems == []


@pytest.mark.parametrize("tail_min", [100, 10_000])
def test_no_index_file_is_built_of_vectors_that_are_not_complete(path: Path, tail_min: int) -> None:
    policy = IndexPolicy(approximate_from=300, tail_min=tail_min)
    with Collection(path, encoder=OLD, index_policy=policy) as db:
        with pytest.raises(StoppedError):
            db.migrate(Stopping(after=512))
        db.add("an extra hen", ids="extra")
        db.build_index()
        assert [each.space for each in db._session._reader.generations()] == [0]
        db.compact()
        assert [each.space for each in db._session._reader.generations()] == [0]
        db.migrate(NEW)
        assert db.stats()["index"] == "hnsw"
        require_all_found(db, ["an extra hen", *map(text, range(7, 700))])


def test_an_index_file_of_vectors_that_were_not_complete_is_not_taken_over(path: Path) -> None:
    with Collection(path, encoder=OLD, index_policy=POLICY) as db:
        with pytest.raises(StoppedError):
            db.migrate(Stopping(after=512))
        session = db._session
        (staged,) = [s for s in session.spaces.values() if s.name]
        session.build_staged(staged, session._reader.state().next_key)  # which is too much
        assert [each.live for each in session._reader.generations() if each.space] == [512]
        db.migrate(NEW)
        require_all_found(db, list(map(text, range(7, 700))))


@pytest.mark.parametrize("using", [None, "other"])
def test_documents_added_beside_the_build_are_found_after_the_switch(
    path: Path, monkeypatch: pytest.MonkeyPatch, using: str | None
) -> None:
    late = ["a late cow", "a late horse"]
    build_indexes, run = IndexingSession.build_indexes, IndexBuild.run

    def add_first(session: IndexingSession) -> None:
        db.add(late[0])
        build_indexes(session)

    def add_last(build: IndexBuild, afresh: bool = False) -> Any:
        built = run(build, afresh)
        added.start()
        added.join()
        return built

    kinds: dict[str, Any] = {"encoder": OLD} if using is None else {"vectors": {using: OLD}}
    added = threading.Thread(target=lambda: db.add(late[1]))
    with Collection(path.with_name("n.uv"), index_policy=POLICY, **kinds) as db:
        db.add([text(i) for i in range(700)])
        db.build_index()
        with monkeypatch.context() as patched:
            patched.setattr(IndexingSession, "build_indexes", add_first)
            patched.setattr(IndexBuild, "run", add_last)
            db.migrate(NEW, using=using)
        require_all_found(db, [*late, *map(text, range(700))])
        (pointer,) = db._session._reader.generations()
        assert (pointer.space, pointer.last_key, pointer.live) == (1, 700, 700)
    with Collection(db.path, index_policy=POLICY) as db:
        for each in late:
            assert db.search(NEW.encode([each])[0], k=1)[0].document == each


def test_a_restart_drops_what_was_embedded(path: Path) -> None:
    with Collection(path, encoder=OLD) as db:
        with pytest.raises(StoppedError):
            db.migrate(Stopping(after=512))
        third = HashedWords(16, "third")
        assert db.migrate(third, restart=True).resumed == 0
        assert (db.dim, db.stats()["fingerprint"]) == (16, third.fingerprint)
        assert db.verify().ok
        with pytest.raises(ValueError, match="expected another model"):
            db.migrate(third)


def test_no_index_file_is_built_of_vectors_that_were_dropped(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, stop = IndexBuild.run, threading.Event()

    def drop_after(build: IndexBuild, afresh: bool = False) -> Any:
        built = run(build, afresh)
        with session.writing() as store:
            store.drop_space(staged)
        return built

    with Collection(path, encoder=OLD, index_policy=POLICY) as db:
        session = db._session
        (old,) = session.spaces.values()
        with pytest.raises(StoppedError):
            db.migrate(Stopping(after=512))
        (staged,) = [s for s in session.spaces.values() if s.name]
        before = session._reader.generations()
        assert session._build(staged, stop) is None  # nobody says that it is complete
        with monkeypatch.context() as patched:
            patched.setattr(IndexBuild, "run", drop_after)
            session.build_staged(staged, 1)
        assert session._reader.generations() == before
        session.read_spaces()
        db.migrate(NEW)
        after = session._reader.generations()
        assert session._build(old, stop) is None  # as by a thread that chose it before the switch
        assert session._reader.generations() == after
        assert len(list(path.glob("index-*.uvi"))) == 1
        require_migrated(db, 698)


def test_a_restart_waits_for_the_index_file_that_is_being_built(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, go_on, run = threading.Event(), threading.Event(), IndexBuild.run
    order = []

    def wait(build: IndexBuild, afresh: bool = False) -> Any:
        reached.set()
        assert go_on.wait(60)
        order.append("built")
        return run(build, afresh)

    class Noting(HashedWords):
        def encode_document(self, texts: list[str], **options: Any) -> Any:
            order.append("encoded")
            return super().encode(texts, **options)

    with Collection(path, encoder=OLD, index_policy=POLICY) as db:
        with pytest.raises(StoppedError):
            db.migrate(Stopping(after=512))
        with monkeypatch.context() as patched:
            patched.setattr(IndexBuild, "run", wait)
            db.add([text(i) for i in range(700, 900)])
            assert reached.wait(60)
        third = Noting(16, "third")
        threading.Timer(0.2, go_on.set).start()
        db.migrate(third, restart=True)
        assert order[:2] == ["built", "encoded"]
        assert db.verify().problems == []


def test_a_pointer_of_vectors_that_there_are_not_goes(path: Path) -> None:
    with Collection(path, encoder=OLD, index_policy=POLICY) as db:
        with db._session.writing() as store:
            (pointer,) = store.generations()
            columns = ", ".join("?" * len(pointer))
            strange = pointer._replace(space=7, generation=pointer.generation + 1)
            store.set_properties({"last_generation": strange.generation})
            store.connection.execute(f"INSERT INTO generations VALUES ({columns})", strange)
        db.add([text(i) for i in range(700, 900)])
        db.build_index()
        assert [each.space for each in db._session._reader.generations()] == [0]
        assert db.verify().ok


def test_one_migration_at_a_time(path: Path) -> None:
    new = Waiting()
    with Collection(path, encoder=OLD, index_policy=POLICY) as db:
        migrating = threading.Thread(target=db.migrate, args=(new,))
        migrating.start()
        assert new.reached.wait(60)
        for encoder in (NEW, HashedWords(16, "third")):
            with pytest.raises(RuntimeError, match="being migrated by another call"):
                db.migrate(encoder, restart=True)
        new.go_on.set()
        migrating.join()
        require_migrated(db, 698)


def test_the_old_model_answers_until_the_switch(path: Path) -> None:
    new = Waiting()
    with (
        Collection(path, encoder=OLD, index_policy=POLICY) as db,
        Collection.open(path, read_only=True, encoder=OLD) as reader,
    ):
        migrating = threading.Thread(target=db.migrate, args=(new,))
        migrating.start()
        assert new.reached.wait(60)
        assert db.search(text(1), k=1)[0].id == "id1"
        db.add("late goose", ids="late")  # its vector is made before the switch
        db.delete(ids=["id8"])
        assert db.search("late goose", k=1)[0].id == "late"
        assert reader.search(text(1), k=1)[0].id == "id1"
        new.go_on.set()
        migrating.join()
        require_migrated(db, 698)
        assert db.search("late goose", k=1)[0].id == "late"
        with pytest.raises(FingerprintError, match="was migrated to another model"):
            reader.search(text(1))
    with Collection.open(path, read_only=True, encoder=NEW) as reader:
        require_migrated(reader, 698)


def test_vectors_alone_cannot_be_migrated(path: Path) -> None:
    with Collection(path, encoder=OLD) as db:
        db.add(embeddings=np.ones((2, 32)), ids=["v1", "v2"])
        with pytest.raises(ValueError, match="got 2 with vectors alone, such as 'v1'"):
            db.migrate(NEW)
        assert db.dim == 32


def test_an_empty_collection(tmp_path: Path) -> None:
    with Collection(tmp_path / "e.uv", encoder=OLD) as db:
        report = db.migrate(NEW, metric="euclidean")
        assert (report.embedded, report.overlap) == (0, 1.0)
        assert (db.dim, db.metric) == (48, "euclidean")
        db.add("a cat")
        assert db.search("a cat")[0].score == pytest.approx(0.0, abs=1e-5)
    with pytest.raises(PermissionError), Collection.open(tmp_path / "e.uv", read_only=True) as db:
        db.migrate(OLD)
