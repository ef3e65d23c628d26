"""`repair`: what is sound goes into a new place, what is not is named, nothing is changed."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hashed_words import HashedWords
from unitvec import Collection, FormatError, cli
from unitvec.collection import repair_collection, schema

COUNT = 400


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    with Collection(tmp_path / "c.uv", dim=64) as db:
        db.add([f"text {i} " + "word " * 40 for i in range(COUNT)],
               ids=[f"id{i}" for i in range(COUNT)], metadatas=[{"n": i} for i in range(COUNT)],
               embeddings=rng.standard_normal((COUNT, 64)))  # fmt: skip
        db.delete(ids=["id3", "id300"])
    return tmp_path / "c.uv"


def contents(path: Path) -> dict[str, tuple[object, ...]]:
    with Collection.open(path, read_only=True) as db:
        assert db.verify().ok
        return {
            r.id: (r.document, r.metadata, r.vector.tobytes())
            for r in db.get(include=["documents", "metadatas", "embeddings"])
        }


def change(path: Path, sql: str) -> None:
    connection = schema.connect_writer(path / "store.sqlite")
    connection.execute(sql)
    connection.close()


def test_a_sound_collection_is_copied(stored: Path) -> None:
    truth = contents(stored)
    with Collection.open(stored) as db:
        report = db.repair()
    assert (report.saved, report.lost_count, report.embedded) == (COUNT - 2, 0, 0)
    assert report.path == stored.with_name("c.repaired.uv")
    assert contents(report.path) == truth
    assert not (report.path / "damaged.jsonl").exists()
    with pytest.raises(FileExistsError):
        repair_collection(stored)


def test_indexes_of_fields_are_made_anew(stored: Path) -> None:
    with Collection.open(stored) as db:
        for name in ("n", "a.b", "it's"):
            db.create_field_index(name)
        report = db.repair()
    with Collection.open(report.path) as db:
        assert db.stats()["field_indexes"] == ["n", "a.b", "it's"]
        assert db.get(where={"n": 7})["ids"] == ["id7"]
        plan = db._session._reader.connection.execute(
            "EXPLAIN QUERY PLAN SELECT key FROM documents AS d "
            "WHERE json_extract(d.metadata, '$.\"n\"') = 7"
        ).fetchall()
        assert "INDEX field_6e" in str(plan)
        assert not db.create_field_index("n")
        assert db.verify().ok


@pytest.mark.parametrize("value", ["'[[['", "7", "'[7]'", "'{}'", "'[\"$eq\"]'"])
def test_a_damaged_list_of_indexes_costs_no_document(stored: Path, value: str) -> None:
    change(stored, f"INSERT INTO properties VALUES ('field_indexes', {value})")
    report = repair_collection(stored)
    assert (report.saved, report.lost_count) == (COUNT - 2, 0)
    with Collection.open(report.path) as db:
        assert db.stats()["field_indexes"] == []


def test_damaged_rows_are_named_and_kept_apart(stored: Path) -> None:
    truth = contents(stored)
    change(stored, "UPDATE documents SET metadata = '{\"n\": 8}' WHERE id = 'id7'")
    change(stored, "DELETE FROM vectors_0 WHERE key = 10")
    change(stored, "DELETE FROM documents WHERE id = 'id11'")
    before = (stored / "store.sqlite").read_bytes()
    report = repair_collection(stored, stored.with_name("new.uv"))
    assert (stored / "store.sqlite").read_bytes() == before
    assert report.lost == [
        "id 'id7' (key 8): wrong checksum",
        "id 'id9' (key 10): its vector is damaged",
        "key 12: its document is gone",
    ]
    assert report.saved == COUNT - 5
    saved = contents(report.path)
    assert saved == {name: truth[name] for name in truth if name not in ("id7", "id9", "id11")}
    lines = (report.path / "damaged.jsonl").read_text().splitlines()
    assert [json.loads(line)["key"] for line in lines] == [8, 10, 12]
    assert json.loads(lines[1])["document"].startswith("text 9 ")


def test_a_damaged_vector_is_made_anew_from_its_text(tmp_path: Path) -> None:
    path = tmp_path / "w.uv"
    with Collection(path, encoder=HashedWords()) as db:
        db.add(["a cat", "a dog"], ids=["cat", "dog"])
    truth = contents(path)
    change(path, "UPDATE vectors_0 SET vector = zeroblob(length(vector)) WHERE key = 1")
    with Collection.open(path, encoder=HashedWords()) as db:
        report = db.repair()
    assert (report.saved, report.embedded, report.lost) == (2, 1, [])
    assert contents(report.path) == truth


def test_vectors_of_an_unfinished_migration_cost_no_document(tmp_path: Path) -> None:
    class Stopping(HashedWords):
        def encode_document(self, texts: list[str], **options: Any) -> Any:
            if self.encoded:
                raise InterruptedError
            return super().encode(texts, **options)

    path = tmp_path / "m.uv"
    with Collection(path, encoder=HashedWords()) as db:
        db.add([f"text {i}" for i in range(600)])
        with pytest.raises(InterruptedError):
            db.migrate(Stopping(16, "other"))
    truth = contents(path)
    change(path, "UPDATE vectors_1 SET vector = zeroblob(length(vector)) WHERE key = 7")
    report = repair_collection(path)
    assert (report.saved, report.lost) == (600, [])
    assert contents(report.path) == truth


def test_the_index_of_words_is_made_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "w.uv"
    with Collection(path, encoder=HashedWords(), lexical={"tokenizer": "porter"}) as db:
        db.add(["cats running", "a dog"], ids=["cat", "dog"])
    report = repair_collection(path)
    with Collection.open(report.path, encoder=HashedWords()) as db:
        assert db.search("cat runs", mode="lexical")[0].id == "cat"


def test_what_flipped_bits_leave(stored: Path, tmp_path: Path) -> None:
    truth = contents(stored)
    original = (stored / "store.sqlite").read_bytes()
    rng = random.Random(5)
    saved = []
    for i in range(60):
        path = tmp_path / f"flipped{i}.uv"
        path.mkdir()
        content = bytearray(original)
        position = rng.randrange(8 * len(content))
        content[position // 8] ^= 1 << (position % 8)
        (path / "store.sqlite").write_bytes(content)
        try:
            report = repair_collection(path)
        except FormatError:  # not even what kind of collection it was
            continue
        found = contents(report.path)
        assert all(truth[name] == found[name] for name in found)
        # One flip spoils a row, or the page of some.
        assert len(found) >= COUNT - 2 - 64
        saved.append(len(found))
        shutil.rmtree(path)
    assert len(saved) > 50
    assert max(saved) == COUNT - 2


def pages_of(path: Path) -> dict[str, list[int]]:
    """Numbers of the leaf pages of each table and index, from 1."""
    connection = schema.connect_writer(path / "store.sqlite")
    pages: dict[str, list[int]] = {}
    sql = "SELECT name, pageno FROM dbstat WHERE pagetype = 'leaf'"
    for name, number in connection.execute(sql):
        pages.setdefault(name, []).append(number)
    connection.close()
    return pages


def without_page(path: Path, number: int) -> Path:
    """A copy in which a page is zeros."""
    copy = path.with_name(f"page{number}.uv")
    shutil.copytree(path, copy)
    with (copy / "store.sqlite").open("r+b") as stream:
        stream.seek((number - 1) * 16384)
        stream.write(bytes(16384))
    return copy


def named_in(sentences: list[str]) -> set[str]:
    return {name for text in sentences for name in re.findall(r"id '(id\d+)'", text)}


@pytest.mark.parametrize("table", ["documents", "vectors_0"])
def test_documents_on_a_page_that_is_gone_are_named_and_no_others(
    stored: Path, table: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Collection.open(stored) as db:  # keys that were given, and are no documents'
        db.upsert(["new"] * 50, ids=[f"id{i}" for i in range(350, 400)], embeddings=np.eye(64)[:50])
    truth = contents(stored)
    pages = pages_of(stored)[table]
    assert len(pages) >= 4
    for number in pages:
        broken = without_page(stored, number)
        with Collection.open(broken, read_only=True) as db:
            found = db.verify()
        repaired = repair_collection(broken)
        kept = contents(repaired.path)
        lost = truth.keys() - kept.keys()
        assert all(truth[name] == kept[name] for name in kept)
        assert 0 < len(lost) < 120
        assert repaired.lost_count == len(repaired.lost) == len(lost)
        assert named_in(repaired.lost) == lost
        assert not found.ok
        assert lost <= named_in(found.problems)
        assert not any("verify" in problem for problem in found.problems)
        lines = (repaired.path / "damaged.jsonl").read_text().splitlines()
        assert {json.loads(line)["id"] for line in lines} == lost
    assert cli.main(["verify", str(broken)]) == 1
    assert named_in(capsys.readouterr().out.splitlines()) >= lost


def test_documents_of_which_nothing_is_left_are_counted(stored: Path) -> None:
    pages = pages_of(stored)
    broken = without_page(stored, pages["documents"][1])
    for number in pages["sqlite_autoindex_documents_1"]:
        with (broken / "store.sqlite").open("r+b") as stream:
            stream.seek((number - 1) * 16384)
            stream.write(bytes(16384))
    with Collection.open(broken, read_only=True) as db:
        problems = db.verify().problems
    assert any(re.search(r"keys \d+ to \d+: nothing can be read of any row", p) for p in problems)
    report = repair_collection(broken)
    assert report.saved + report.lost_count == COUNT - 2
    assert 0 < report.lost_count < 120


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_a_database_that_was_cut_is_verified_to_its_end(stored: Path, share: float) -> None:
    file = stored / "store.sqlite"
    truth = contents(stored)
    os.truncate(file, int(share * file.stat().st_size) // 16384 * 16384)
    try:
        with Collection.open(stored, read_only=True) as db:
            found = db.verify()
    except FormatError:  # not even what kind of collection it was
        return
    assert not found.ok
    assert found.rows > 0
    report = repair_collection(stored)
    assert 0 < report.lost_count <= len(truth) - report.saved


def test_what_is_no_collection_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        repair_collection(tmp_path / "none.uv")
    path = tmp_path / "c.uv"
    path.mkdir()
    (path / "store.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(FormatError):
        repair_collection(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c.uv"]
