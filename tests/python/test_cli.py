"""The command line: what it prints, its JSON, its exit codes, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from command_line import notes, run
from hashed_words import HashedWords
from unitvec import Collection
from unitvec.collection import schema


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    texts, ids = ["the cat sat", "a dog barks", "shares fell"], ["cat", "dog", "shares"]
    return notes(tmp_path, monkeypatch, texts, ids=ids, metadatas=[{"n": n} for n in (1, 2, 3)])


def test_search(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "search", db, "dog", "-k", "2")
    assert code == 0
    assert out.splitlines()[0].endswith("  dog")
    assert "a dog barks" in out
    assert not err
    code, out, _ = run(capsys, "search", db, "dog", "--json", "--where", '{"n": {"$lt": 2}}')
    answer = json.loads(out)
    assert [hit["id"] for hit in answer["hits"]] == ["cat"]
    assert set(answer["hits"][0]) == {"id", "score", "document", "metadata"}
    assert answer["exact"] is True
    code, out, _ = run(capsys, "search", db, "dog", "--min-score", "2")
    assert (code, out) == (0, "")
    code, _, err = run(capsys, "search", db, "dog", "--min-score", "nan")
    assert (code, "argument --min-score: expected a number, got 'nan'" in err) == (2, True)
    code, out, _ = run(capsys, "search", db, "fell dog", "--mode", "lexical", "--json")
    assert {hit["id"] for hit in json.loads(out)["hits"]} == {"dog", "shares"}
    only = ("--mode", "hybrid", "--where-document", '{"$not_contains": "dog"}')
    code, out, _ = run(capsys, "search", db, "dog", "-k", "3", "--json", *only)
    assert {hit["id"] for hit in json.loads(out)["hits"]} == {"cat", "shares"}
    code, out, err = run(capsys, "search", db, "dog", "--where-document", '{"$like": "x"}')
    assert code == 2
    assert "$like" in err


def test_index_and_again(db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# Birds\n\nThey sing in the morning.\n")
    (tmp_path / "docs" / "b.csv").write_text("title,body\nx,fish swim\n")
    new = tmp_path / "new.uv"
    code, out, _ = run(capsys, "index", "docs", "--db", new, "--column", "body", "--json")
    report = json.loads(out)
    assert code == 0
    assert (report["files"], report["encoded"], report["count"]) == (2, 2, 2)
    code, out, _ = run(capsys, "index", "docs", "--db", new, "--column", "body")
    assert code == 0
    assert "2 files (2 unchanged, 0 skipped): 0 passages encoded" in out
    code, out, _ = run(capsys, "search", new, "birds sing", "-k", "1")
    assert out.splitlines()[0].endswith(os.path.join("docs", "a.md") + ":1-3")


def test_index_reports_what_it_could_not_read(
    db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "bad.txt").write_bytes(b"\xff")
    code, _, err = run(capsys, "index", "docs", "--db", db)
    assert code == 0
    assert "skipped" in err
    assert "UTF-8" in err
    code, _, err = run(capsys, "index", Path("docs", "bad.txt"), "--db", db)
    assert code == 1


def test_info_of_a_collection(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "info", db, "--json")
    facts = json.loads(out)
    assert code == 0
    assert (facts["count"], facts["dim"], facts["model"]) == (3, 64, "hashed-words")
    code, out, _ = run(capsys, "info", db)
    assert "count" in out


def test_verify_compact_snapshot(
    db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "verify", db)
    assert (code, out) == (0, "3 documents checked: no problems\n")
    code, out, _ = run(capsys, "compact", db, "--json")
    assert code == 0
    assert set(json.loads(out)) == {"bytes_before", "bytes_after"}
    code, out, _ = run(capsys, "snapshot", db, "copy.uv", "--json")
    assert code == 0
    assert run(capsys, "snapshot", db, "copy.uv")[0] == 1
    assert run(capsys, "search", "copy.uv", "dog")[0] == 0
    connection = schema.connect_writer(db / "store.sqlite")
    connection.execute("UPDATE documents SET document = 'x' WHERE id = 'dog'")
    connection.close()
    code, out, _ = run(capsys, "verify", db, "--json")
    assert code == 1
    assert json.loads(out)["problems"] == ["id 'dog': wrong checksum"]
    code, _, err = run(capsys, "search", db, "dog")
    assert code == 1
    assert "'dog'" in err
    code, out, _ = run(capsys, "repair", db, "new.uv")
    assert code == 1  # a document was lost
    assert out.splitlines() == [
        "2 documents saved in new.uv, 0 of them encoded anew, 1 lost",
        "  id 'dog' (key 2): wrong checksum",
    ]
    assert run(capsys, "verify", "new.uv")[0] == 0
    code, out, _ = run(capsys, "repair", "new.uv", "--json")
    assert code == 0
    assert json.loads(out)["saved"] == 2
    assert run(capsys, "search", "new.repaired.uv", "cat")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, ""),
        (("nonsense",), 2, "invalid choice"),
        (("search", "notes.uv"), 2, "QUERY|query"),
        (("search", "notes.uv", "x", "-k", "0"), 2, "at least 1"),
        (("search", "notes.uv", "x", "-k", "many"), 2, "expected a whole number, got .many"),
        (("search", "notes.uv", "x", "--where", "{"), 2, "where"),
        (("search", "notes.uv", "x", "--where", '{"a": {"$foo": 1}}'), 2, r"\$foo"),
        (("search", "notes.uv", "x", "--where", "[" * 50_000), 2, "recursion"),
        (("index", "notes.uv"), 2, "--db"),
        (("index", "table.csv", "--db", "notes.uv"), 2, "--column"),
        (("search", "nowhere.uv", "x"), 1, "no collection at nowhere.uv"),
        (("index", "nowhere", "--db", "notes.uv"), 1, "no such file"),
        (("verify", "table.csv"), 1, "expected a directory"),
        (("info", "./nowhere"), 1, "no model './nowhere'"),
    ],
)
def test_failures_are_one_message_and_a_code(
    db: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    import re

    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    got, out, err = run(capsys, *arguments)
    assert got == code
    assert re.search(message, err)
    assert err or out


def test_a_locked_collection_says_who_has_it(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Collection(db):
        code, _, err = run(capsys, "compact", db)
        assert code == 1
        assert str(os.getpid()) in err
        assert run(capsys, "search", db, "dog")[0] == 0  # reading goes on


def test_embed_tokenize_and_info_of_a_model(
    encoder: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "embed", "a text", "another", "--json")
    answer = json.loads(out)
    assert code == 0
    np.testing.assert_array_equal(
        np.array(answer["embeddings"], np.float32), encoder.encode(["a text", "another"])
    )
    code, out, _ = run(capsys, "embed", "a text", "-o", tmp_path / "v.npy")
    assert np.load(tmp_path / "v.npy").shape == (1, 384)
    code, _, err = run(capsys, "embed", "b", "c", "-o", tmp_path / "v.npy")
    assert (code, "overwrite" in err) == (1, True)
    code, out, _ = run(capsys, "embed", "b", "c", "-o", tmp_path / "v.npy", "--overwrite", "--json")
    assert json.loads(out)["count"] == 2
    np.testing.assert_array_equal(np.load(tmp_path / "v.npy"), encoder.encode(["b", "c"]))
    code, out, _ = run(capsys, "embed", "a text")
    assert len(out.split()) == 384
    code, out, _ = run(capsys, "tokenize", "The cat sat.")
    assert out == "[CLS] the cat sat . [SEP]\n"
    code, out, _ = run(capsys, "tokenize", "The cat", "--json")
    (tokens,) = json.loads(out)
    assert tokens["tokens"] == ["[CLS]", "the", "cat", "[SEP]"]
    code, out, _ = run(capsys, "info", "all-MiniLM-L6-v2", "--json")
    facts = json.loads(out)
    assert (facts["dim"], facts["max_seq_length"], facts["pooling"]) == (384, 256, "mean")


def test_as_a_process(db: Path, model_directory: Path, tmp_path: Path) -> None:
    def process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "unitvec"]
        return subprocess.run([*command, *arguments], capture_output=True, text=True, **options)

    done = process("verify", str(db))
    assert (done.returncode, done.stderr) == (0, "")
    done = process("tokenize", input="one line\nanother\n")
    assert done.stdout.splitlines() == ["[CLS] one line [SEP]", "[CLS] another [SEP]"]
    done = process("embed", "-o", str(tmp_path / "lines.npy"), input="one line\nanother\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert np.load(tmp_path / "lines.npy").shape == (2, 384)
    done = process("--help")
    assert done.returncode == 0
    assert "index" in done.stdout
    done = process("search", "nowhere.uv", "x")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1


def test_named_vectors(db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vectors: dict[str, Any] = {"title": HashedWords(), "image": 3}
    with Collection(tmp_path / "v.uv", vectors=vectors) as collection:
        collection.add(["the cat sat", "a dog"], ids=["cat", "dog"])
    code, out, _ = run(capsys, "search", "v.uv", "cat", "--using", "title", "-k", "1", "--json")
    assert (code, [hit["id"] for hit in json.loads(out)["hits"]]) == (0, ["cat"])
    code, _, err = run(capsys, "search", "v.uv", "cat")
    assert code == 1
    assert "expected using= to be one of ['title', 'image'], got none" in err
    code, out, _ = run(capsys, "info", "v.uv")
    assert code == 0
    assert "vectors 'image'  count 0, dim 3, metric cosine" in out
    code, out, _ = run(capsys, "info", "v.uv", "--json")
    assert json.loads(out)["vectors"]["title"]["count"] == 2
    run(capsys, "export", "v.uv", "t.jsonl", "--using", "title")
    code, out, _ = run(capsys, "import", "w.uv", "t.jsonl", "--using", "words")
    assert code == 0
    with Collection.open(tmp_path / "w.uv") as collection:
        assert collection.vectors == {"words": {"dim": 64, "metric": "cosine", "model": None}}
