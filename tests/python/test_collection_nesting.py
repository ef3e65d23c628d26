"""Functions of the caller's that use the collection while it calls them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hashed_words import HashedWords
from unitvec import Collection


class Meddling(HashedWords):
    """Does something else when it is asked for the second time."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.meddle: Callable[[], Any] = lambda: None

    def encode_document(self, texts: list[str], **options: Any) -> Any:
        self.calls += 1
        if self.calls == 2:
            self.meddle()
        return super().encode_document(texts, **options)


@pytest.mark.parametrize("verb", ["delete", "add", "create_field_index"])
def test_a_change_inside_a_change_is_refused_and_nothing_is_torn(tmp_path: Path, verb: str) -> None:
    encoder = Meddling()
    with Collection(tmp_path / "c.uv", encoder=encoder) as db:
        db.add("kept", ids="kept")
        arguments = {"delete": "kept", "add": "another", "create_field_index": "year"}
        encoder.meddle = lambda: getattr(db, verb)(arguments[verb])
        with pytest.raises(RuntimeError, match="no change from inside another one"):
            db.add([f"text {i}" for i in range(2000)])
        assert db.get()["ids"] == ["kept"]
        db.add("later", ids="later")
        assert db.get()["ids"] == ["kept", "later"]
        assert db.verify().ok


def test_reading_inside_a_change_sees_what_was_there_before_it(tmp_path: Path) -> None:
    encoder = Meddling()
    counted = []
    with Collection(tmp_path / "c.uv", encoder=encoder) as db:
        db.add("kept", ids="kept")
        encoder.meddle = lambda: counted.append((db.count(), db.search("kept", k=3)[0].id))
        db.add([f"text {i}" for i in range(2000)])
        assert counted == [(1, "kept")]
        assert db.count() == 2001


def test_reading_inside_reading_is_of_the_same_moment(tmp_path: Path) -> None:
    with Collection(tmp_path / "c.uv", encoder=HashedWords()) as db:
        db.add("kept", ids="kept")
        with db._session.reading() as store:
            with db._session.reading():
                assert db.count() == 1
            assert store.connection.in_transaction
        assert not store.connection.in_transaction
