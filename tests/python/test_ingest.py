"""Files to passages: the formats, chunks that fit, and doing again only what changed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashed_words import HashedWords
from unitvec import Collection
from unitvec.ingest import Chunker, ColumnError, index_files
from unitvec.ingest.discovery import find_files, passages
from unitvec.ingest.lines import Line, html_lines, text_lines
from unitvec.ingest.records import json_rows, table_rows

COUNT = HashedWords().tokenizer.count
CHUNKER = Chunker(COUNT, 32)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def db(tmp_path: Path, words: HashedWords) -> Iterator[Collection]:
    with Collection(tmp_path / "index.uv", encoder=words) as collection:
        yield collection


def texts(collection: Collection) -> dict[str, str | None]:
    return {record.id: record.document for record in collection.scan()}


LINES = st.lists(
    st.lists(st.integers(0, 10**6).map(lambda i: f"w{i}"), max_size=60).map(" ".join), max_size=20
)


@given(lines=LINES)
@settings(max_examples=150, deadline=None)
def test_chunks_fit_and_lose_nothing(lines: list[str]) -> None:
    numbered = [Line(i, text) for i, text in enumerate(lines, 1)]
    chunks = list(CHUNKER.chunks(numbered))
    assert all(COUNT([chunk.text])[0] <= 32 for chunk in chunks)
    for line in numbered:
        for word in line.text.split():
            holding = [c for c in chunks if c.first_line <= line.number <= c.last_line]
            assert any(word in chunk.text.split() for chunk in holding)
    assert all(chunk.text.strip() for chunk in chunks)
    assert [c.first_line for c in chunks] == sorted(c.first_line for c in chunks)


def test_a_short_text_is_one_chunk() -> None:
    lines = [Line(1, ""), Line(2, "one two"), Line(3, ""), Line(4, "three")]
    assert list(CHUNKER.chunks(lines)) == [("one two\n\nthree", 2, 4)]
    assert list(CHUNKER.chunks([])) == []
    assert list(CHUNKER.chunks([Line(1, ""), Line(2, "   ")])) == []


def test_chunks_overlap_and_prefer_paragraphs() -> None:
    line = "one two three four five"
    paragraphs = [Line(i, "" if i % 5 == 0 else line) for i in range(1, 16)]
    first, second, *_ = CHUNKER.chunks(paragraphs)
    assert first.last_line == 4  # not in the midst of the second paragraph
    assert second.first_line == 4  # repeats the last line
    long = [Line(1, " ".join(f"w{i}" for i in range(100)))]
    chunks = [set(chunk.text.split()) for chunk in CHUNKER.chunks(long)]
    assert all(a & b for a, b in itertools.pairwise(chunks))


def test_a_word_longer_than_a_chunk_is_cut_without_changing_it() -> None:
    def count(items: list[str]) -> list[int]:
        return [len(item.replace(" ", "")) + 2 for item in items]  # a token a character: Chinese

    text = "".join(chr(0x4E00 + i) for i in range(500))
    chunks = list(Chunker(count, 32).chunks([Line(1, text)]))
    assert all(len(chunk.text) <= 30 for chunk in chunks)
    assert all(chunk.text in text for chunk in chunks)
    assert set("".join(chunk.text for chunk in chunks)) == set(text)


def test_a_model_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="expected max_seq_length above 2"):
        Chunker(COUNT, 2)
    assert Chunker(COUNT, 32, prefix="passage of text").limit == 27


def test_text_files_lose_their_decoration(tmp_path: Path) -> None:
    file = write(tmp_path / "a.md", "\ufeffTitle\n=====\n\n| a | b |\n|---|---|\n***\ntext\r\n")
    assert [line.text for line in text_lines(file)] == [
        "Title",
        "",
        "",
        "| a | b |",
        "",
        "",
        "text",
    ]


def test_html_gives_its_visible_text(tmp_path: Path) -> None:
    file = write(
        tmp_path / "a.html",
        "<!doctype html><title>The title</title>\n<style>p {color: red}</style>\n"
        "<p>One <b>bold</b>\nword &amp; more</p>\n<script>var x = '<p>no</p>'</script>"
        "<ul><li>first<li>second</ul>",
    )
    lines = [(line.number, line.text) for line in html_lines(file) if line.text]
    assert lines == [(1, "The title"), (3, "One bold word & more"), (5, "first"), (5, "second")]


def test_html_that_is_broken_or_large(tmp_path: Path) -> None:
    file = write(tmp_path / "a.html", "<p>a < b <<>> <b <i>x</b></p" + "<div>" * 50_000 + "end")
    assert [line.text for line in html_lines(file) if line.text][-1] == "end"


def test_tables(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", 'id,body\n1,"two\nlines, quoted"\n\n2,plain\n')
    rows = list(table_rows(file, "body"))
    assert rows[0] == ("two\nlines, quoted", 2, 3, {"id": "1"})
    assert rows[1] == ("plain", 5, 5, {"id": "2"})
    file = write(tmp_path / "a.tsv", "text\nonly column\n")
    assert [row.text for row in table_rows(file, None)] == ["only column"]
    assert list(table_rows(write(tmp_path / "e.csv", ""), None)) == []


def test_json_lines(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", '{"text": "one", "n": [1]}\n\n{"n": null, "text": "two"}\n')
    assert [tuple(row) for row in json_rows(file, None)] == [
        ("one", 1, 1, {"n": [1]}),
        ("two", 3, 3, {"n": None}),
    ]
    assert [row.text for row in json_rows(write(tmp_path / "b.jsonl", '{"q": "x"}'), None)] == ["x"]


@pytest.mark.parametrize(
    ("name", "content", "column", "error", "message"),
    [
        ("a.csv", "a,b\n1,2\n", None, ColumnError, r"--column .* its columns are \['a', 'b'\]"),
        ("a.csv", "a,b\n1,2\n", "c", ColumnError, r"column 'c'; its columns are"),
        ("a.csv", "a,a\n1,2\n", "a", ColumnError, "column 'a'"),
        ("a.csv", "a,b\n1,2,3\n", "a", ValueError, "line 2: expected 2 fields, got 3"),
        ("a.csv", 'a,b\n1,"2\n', "a", ValueError, "line 2"),
        ("a.jsonl", "{", None, ValueError, "line 1"),
        ("a.jsonl", "[1]", None, ValueError, "line 1: expected a JSON object"),
        ("a.jsonl", '{"a": 1, "b": 2}', None, ColumnError, "--column"),
        ("a.jsonl", '{"a": 1}', "b", ColumnError, "column 'b'"),
        ("a.jsonl", '{"text": 1}', None, ValueError, "expected text in 'text', got int"),
    ],
)
def test_bad_tables(
    tmp_path: Path, name: str, content: str, column: str, error: type[Exception], message: str
) -> None:
    file = write(tmp_path / name, content)
    with pytest.raises(error, match=message):
        list(passages(file, column, CHUNKER))


def test_files_that_are_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"caf\xe9")
    with pytest.raises(ValueError, match="expected text in UTF-8, got byte 0xe9"):
        list(passages(tmp_path / "a.txt", None, CHUNKER))


def test_directories_are_walked(tmp_path: Path) -> None:
    for name in ("b.md", "a.txt", "sub/c.rst", ".git/d.txt", ".hidden.md", "code.py"):
        write(tmp_path / name, "x")
    found = [path.relative_to(tmp_path).as_posix() for path in find_files([tmp_path])]
    assert found == ["a.txt", "b.md", "sub/c.rst"]
    assert list(find_files([tmp_path / "code.py"])) == [tmp_path / "code.py"]
    assert len(list(find_files([tmp_path, tmp_path / "a.txt"]))) == 3


def test_only_what_changed_is_encoded(tmp_path: Path, db: Collection, words: HashedWords) -> None:
    docs = tmp_path / "docs"
    paragraphs = [f"Paragraph {i} is about topic{i} and subject{i}." * 3 for i in range(12)]
    write(docs / "a.md", "\n\n".join(paragraphs))
    write(docs / "b.txt", "birds sing")
    first = index_files(db, [docs])
    assert (first.files, first.unchanged, first.reused, first.removed) == (2, 0, 0, 0)
    assert first.encoded == db.count() > 4
    encoded = len(words.encoded)

    again = index_files(db, [docs])
    assert (again.unchanged, again.encoded) == (2, 0)
    assert len(words.encoded) == encoded

    paragraphs[0] = "A new beginning, of about the same length as the one before it was. " * 2
    write(docs / "a.md", "\n\n".join(paragraphs))
    changed = index_files(db, [docs])
    assert changed.unchanged == 1
    assert 1 <= changed.encoded < first.encoded / 2
    assert changed.reused > first.encoded / 2
    assert "new beginning" in (db.search("new beginning", k=1)[0].document or "")

    (docs / "b.txt").unlink()
    gone = index_files(db, [docs])
    assert gone.removed == 1
    assert not any("birds" in (text or "") for text in texts(db).values())


def test_the_result_is_that_of_a_fresh_index(tmp_path: Path, db: Collection) -> None:
    file = tmp_path / "docs" / "a.txt"
    rng = np.random.default_rng(3)
    for _ in range(6):
        lines = [
            f"line {rng.integers(5)} word{rng.integers(9)}" for _ in range(rng.integers(0, 40))
        ]
        write(file, "\n".join(lines))
        index_files(db, [tmp_path / "docs"])
        with Collection(tmp_path / "fresh.uv", encoder=HashedWords()) as fresh:
            fresh.delete(where={"file": {"$exists": True}})
            index_files(fresh, [tmp_path / "docs"])
            assert texts(db) == texts(fresh)


def test_an_interrupted_run_is_completed(
    tmp_path: Path, db: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from unitvec.ingest import indexing

    monkeypatch.setattr(indexing, "_PASSAGES_AT_ONCE", 3)
    file = write(tmp_path / "a.txt", "\n\n".join(f"part {i} " * 10 for i in range(20)))
    upsert, calls = Collection.upsert, 0

    def failing(self: Collection, *arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return upsert(self, *arguments, **options)

    monkeypatch.setattr(Collection, "upsert", failing)
    with pytest.raises(KeyboardInterrupt):
        index_files(db, [file])
    assert 0 < db.count() < 20
    monkeypatch.setattr(Collection, "upsert", upsert)
    report = index_files(db, [file])
    assert report.unchanged == 0
    assert report.reused > 0
    complete = texts(db)
    assert index_files(db, [file]).unchanged == 1
    with Collection(tmp_path / "fresh.uv", encoder=HashedWords()) as fresh:
        index_files(fresh, [file])
        assert complete == texts(fresh)


def test_passages_know_their_place_and_their_columns(tmp_path: Path, db: Collection) -> None:
    row = {"text": "one two", "file": "mine", "year": 2020}
    file = write(tmp_path / "a.jsonl", json.dumps(row) + "\n")
    index_files(db, [file])
    (record,) = db.get()
    assert record.id == f"{file}:1-1"
    metadata = {key: value for key, value in record.metadata.items() if key != "digest"}
    assert metadata == {
        "file": str(file), "first_line": 1, "last_line": 1, "file_": "mine", "year": 2020,
    }  # fmt: skip
    assert db.search("one", where={"year": {"$gte": 2020}})[0].id == record.id


def test_an_unreadable_file_is_reported_and_the_rest_goes_on(
    tmp_path: Path, db: Collection
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_bytes(b"\xff\xfe")
    write(tmp_path / "docs" / "b.txt", "fine")
    report = index_files(db, [tmp_path / "docs"])
    assert list(report.skipped) == [str(tmp_path / "docs" / "a.txt")]
    assert list(texts(db).values()) == ["fine"]


def test_a_path_that_is_not_there(tmp_path: Path, db: Collection) -> None:
    with pytest.raises(FileNotFoundError, match="no such file or directory"):
        index_files(db, [tmp_path / "nowhere"])
    file = write(tmp_path / "a.txt", "text")
    index_files(db, [file])
    file.unlink()
    assert index_files(db, [file]).removed == 1
