"""A lexical index that is damaged costs no document and no answer."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from lexical_documents import add, found, three_texts
from unitvec import Collection, FormatError
from unitvec.collection import LexicalIndexWarning, schema


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Collection]:
    yield from three_texts(tmp_path)


def damage(path: Path, sql: str) -> None:
    connection = schema.connect_writer(path / "store.sqlite")
    connection.execute(sql)
    connection.close()


DAMAGE = {
    "blocks": "UPDATE lexical_data SET block = x'ff' WHERE id > 10",
    "structure": "DELETE FROM lexical_data WHERE id = 10",
    "version": "UPDATE lexical_config SET v = 99",
    "lengths": "DELETE FROM lexical_docsize",
    "keys": "UPDATE documents SET key = key + 100 WHERE id = 'cat'",
}


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("kind", ["blocks", "structure", "version"])
def test_damage_is_repaired_with_a_warning(db: Collection, kind: str, read_only: bool) -> None:
    found(db, "cat")
    db.close()
    damage(db.path, DAMAGE[kind])
    with Collection.open(db.path, read_only=read_only) as again:
        report = again.verify()
        assert any("lexical index: " in problem for problem in report.problems), report
        with pytest.warns(LexicalIndexWarning, match="documents, which are safe"):
            assert found(again, "cat") == ["cat"]
        assert found(again, "dog") == ["dog"]  # without another warning
        assert again.verify().ok is not read_only


@pytest.mark.parametrize("kind", ["blocks", "structure", "version", "lengths"])
def test_damage_keeps_nothing_from_being_stored(db: Collection, kind: str) -> None:
    found(db, "cat")
    db.close()
    damage(db.path, DAMAGE[kind])
    with Collection.open(db.path) as again:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            add(again, ["a cat more"], ["more"])
            again.delete("dog")
            assert set(found(again, "cat")) == {"cat", "more"}
        assert {warning.category for warning in caught} == {LexicalIndexWarning}
        assert again.verify().ok
        assert sorted(again.get()["ids"]) == ["cat", "more", "shares"]


def flip_a_page(path: Path, table: str) -> None:
    """Flips a bit in the file, in a page of this table."""
    connection = schema.connect_writer(path / "store.sqlite")
    sql = "SELECT pageno FROM dbstat WHERE name = ? ORDER BY pageno DESC"
    page, size = connection.execute(sql, (table,)).fetchone()[0], connection.pragma("page_size")
    connection.close()
    with (path / "store.sqlite").open("r+b") as file:
        file.seek((page - 1) * size + size // 2)
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 4]))


TABLES = ["lexical_data", "lexical_idx", "lexical_docsize", "lexical_config"]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("read_only", [False, True])
def test_a_damaged_page_is_left_behind(db: Collection, table: str, read_only: bool) -> None:
    found(db, "cat")
    db.close()
    flip_a_page(db.path, table)
    with Collection.open(db.path, read_only=read_only) as again:
        assert not again.verify().ok
        with pytest.warns(LexicalIndexWarning, match="does not have the bytes that were written"):
            assert found(again, "cat") == ["cat"]
        if read_only:
            return
        add(again, ["a cat more"], ["more"])
        assert set(found(again, "cat")) == {"cat", "more"}
        assert not again.verify().ok  # the page is still in the file
        with Collection.open(again.snapshot(db.path.parent / "copy.uv")) as copy:
            assert copy.verify().ok
            assert set(found(copy, "cat")) == {"cat", "more"}


@pytest.mark.parametrize("table", TABLES)
def test_compact_leaves_no_damaged_page(db: Collection, table: str) -> None:
    """Of the index of words alone; one of the documents stops it."""
    found(db, "cat")
    db.close()
    flip_a_page(db.path, table)
    with Collection.open(db.path) as again:
        with pytest.warns(LexicalIndexWarning, match="made anew from the documents"):
            again.compact()
        assert again.verify().ok
        assert found(again, "cat") == ["cat"]


@pytest.mark.filterwarnings("ignore::unitvec.collection.LexicalIndexWarning")
def test_compact_stops_at_a_damaged_page_of_the_documents(db: Collection) -> None:
    """Also where one that nothing is in is damaged: it makes none look sound."""
    found(db, "cat")
    db.close()
    flip_a_page(db.path, "lexical_idx")
    with Collection.open(db.path) as again:
        assert found(again, "cat") == ["cat"]  # through a new table: the page is unused now
    flip_a_page(db.path, "documents")
    with Collection.open(db.path) as again:
        for use in (again.compact, again.get, again.compact, again.get):
            with pytest.raises(FormatError, match="does not have the bytes that were written"):
                use()


@pytest.mark.parametrize("table", TABLES)
def test_a_damaged_page_fails_one_writing_call(db: Collection, table: str) -> None:
    found(db, "cat")
    db.close()
    flip_a_page(db.path, table)
    with Collection.open(db.path) as again:
        with pytest.raises(FormatError, match="Nothing of this call was stored: call again"):
            add(again, ["a cat more"], ["more"])
        assert again.count() == 3
        add(again, ["a cat more"], ["more"])
        assert set(found(again, "cat")) == {"cat", "more"}
    flip_a_page(db.path, table)
    with Collection(db.path, lexical=False) as again:  # removes it without reading it
        assert again.stats()["lexical"] is None
        assert again.delete("more") == 1
        assert found(again, "cat") == ["cat"]


@pytest.mark.parametrize(
    "value", ["'{'", "'[]'", "7", "NULL", '\'{"tokenizer": "icu"}\'', '\'{"preprocess": 7}\'',
              '\'{"tokenizer": ["porter"]}\'', '\'{"colour": "red"}\'']
)  # fmt: skip
def test_damaged_settings_are_named_and_can_be_removed(db: Collection, value: str) -> None:
    found(db, "cat")
    db.close()
    damage(db.path, f"UPDATE properties SET value = {value} WHERE name = 'lexical'")
    with pytest.raises(FormatError, match="settings of the lexical index are damaged"):
        Collection(db.path)
    with Collection(db.path, lexical=False) as again:
        assert again.count() == 3
        assert found(again, "cat") == ["cat"]
        assert again.verify().ok


@pytest.mark.parametrize("token", [b"barkt", b"bark\xb3"])
def test_verify_sees_what_sqlite_does_not(db: Collection, token: bytes) -> None:
    """A token changed for another of the same length is well-formed, and wrong."""
    found(db, "cat")
    db.close()
    store = schema.connect_writer(db.path / "store.sqlite")
    changed = 0
    for key, block in store.execute("SELECT id, block FROM lexical_data").fetchall():
        if b"barks" in block:
            new = block.replace(b"barks", token)
            store.execute("UPDATE lexical_data SET block = ? WHERE id = ?", (new, key))
            changed += 1
    assert changed == 1
    assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    store.close()
    with Collection.open(db.path) as again:
        report = again.verify()
        assert [p for p in report.problems if p.startswith("lexical index: its tokens are not")]
        again.compact()
        assert again.verify().ok
        assert found(again, "barks") == ["dog"]


def test_verify_sees_keys_that_differ(db: Collection) -> None:
    found(db, "cat")
    db.close()
    damage(db.path, "DELETE FROM lexical WHERE rowid = 1")
    damage(db.path, "INSERT INTO lexical (rowid, document) VALUES (77, 'cat')")
    with Collection.open(db.path, read_only=True) as reader:
        problems = " ".join(reader.verify().problems)
        assert "1 documents are missing" in problems
        assert "1 rows without a document" in problems
    with Collection.open(db.path) as again:
        with pytest.warns(LexicalIndexWarning, match="keys of no document"):
            assert found(again, "cat") == ["cat"]
        assert again.verify().ok
