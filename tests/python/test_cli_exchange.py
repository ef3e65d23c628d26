"""`unitvec export` and `unitvec import`: what they print, their JSON, their exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from command_line import notes, run
from unitvec import Collection

pytest.importorskip("pyarrow", reason="pyarrow is not installed")


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    texts = ["the cat sat", "a dog barks"]
    notes(tmp_path, monkeypatch, texts, ids=["cat", "dog"], metadatas=[{"n": 1}, {"n": None}])
    return Path("notes.uv")


def test_there_and_back(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "export", db, "notes.parquet")
    assert (code, err) == (0, "")
    size = Path("notes.parquet").stat().st_size
    assert out == f"2 documents, {size} bytes in notes.parquet\n"
    code, out, _ = run(capsys, "import", "new.uv", "notes.parquet", "--json")
    assert code == 0
    assert json.loads(out) == {
        "db": "new.uv", "documents": 2, "encoded": 0, "skipped": 0, "count": 2
    }  # fmt: skip
    assert run(capsys, "search", "new.uv", "dog", "-k", "1")[1].splitlines()[0].endswith("  dog")
    code, _, err = run(capsys, "import", "new.uv", "notes.parquet")
    assert code == 1
    assert "notes.parquet row 0: expected a new id" in err
    code, out, _ = run(capsys, "import", "new.uv", "notes.parquet", "--upsert")
    assert code == 0
    assert "count" in out


def test_texts_are_encoded(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "export", db, "notes.jsonl", "--no-embeddings")[0] == 0
    code, out, _ = run(capsys, "import", "a.uv", "notes.jsonl", "--model", "any", "--json")
    assert (code, json.loads(out)["encoded"]) == (0, 2)
    assert run(capsys, "export", db, "all.jsonl", "--where", '{"n": 1}')[0] == 0
    options = ("--upsert", "--encode-texts", "--batches", "--json")
    code, out, _ = run(capsys, "import", "a.uv", "all.jsonl", *options)
    assert (code, json.loads(out)["encoded"], json.loads(out)["count"]) == (0, 1, 2)


def test_other_layouts(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pinecone = ("--layout", "pinecone", "--name", "ns", "--text-key", "body")
    code, _, err = run(capsys, "export", db, "folder", *pinecone)
    assert code == 1
    assert "got null at 'n'" in err
    assert not Path("folder").exists()
    code, out, err = run(capsys, "export", db, "folder", *pinecone, "--on-unsupported", "drop",
                         "--json")  # fmt: skip
    assert code == 0
    assert err == "unitvec export: 1 metadata values: null: left out\n"
    report = json.loads(out)
    assert report["files"] == ["folder/ns/000000.parquet"]
    assert report["changes"] == {"null: left out": 1}
    code, out, _ = run(capsys, "import", "b.uv", "folder", *pinecone, "--json")
    assert (code, json.loads(out)["documents"]) == (0, 2)
    weaviate = ("--layout", "weaviate", "--on-unsupported", "json")
    assert run(capsys, "export", db, "w.txt", *weaviate, "--format", "jsonl")[0] == 0
    code, out, _ = run(capsys, "import", "c.uv", "w.txt", *weaviate[:2], "--format", "jsonl",
                       "--json")  # fmt: skip
    assert (code, json.loads(out)["documents"]) == (0, 2)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("export",), 2, "DB"),
        (("export", "notes.uv"), 2, "FILE"),
        (("export", "notes.uv", "n.jsonl", "--layout", "chroma"), 2, "invalid choice"),
        (("export", "notes.uv", "n.jsonl", "--where", "{"), 2, "where"),
        (("export", "notes.uv", "n.csv"), 1, "path that ends in"),
        (("export", "nowhere.uv", "n.jsonl"), 1, "no collection at nowhere.uv"),
        (("export", "notes.uv", "bad.jsonl"), 1, "overwrite"),
        (("import", "notes.uv", "bad.jsonl"), 1, r"bad\.jsonl line 1"),
        (("import", "new.uv", "bad.jsonl"), 1, r"bad\.jsonl line 1"),
        (("import", "notes.uv", "none.jsonl"), 1, "no file at none.jsonl"),
    ],
)
def test_failures_are_one_message_and_a_code(
    db: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    import re

    Path("bad.jsonl").write_text("{")
    got, out, err = run(capsys, *arguments)
    assert (got, out) == (code, "")
    assert re.search(message, err)
    assert not Path("new.uv").exists()


def test_a_missing_package_is_a_message(
    db: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [m for m in sys.modules if m.partition(".")[0] == "pyarrow"]:
        monkeypatch.setitem(sys.modules, module, None)
    code, _, err = run(capsys, "export", db, "n.parquet")
    assert code == 1
    assert "pip install 'unitvec[parquet]'" in err


def test_as_a_process(tmp_path: Path) -> None:
    """In a new process nothing is loaded yet that a reader would need."""
    with Collection(tmp_path / "a.uv", dim=2) as collection:
        collection.add(["x"], ["a"], embeddings=[[1, 2]])

    def process(*arguments: str) -> Any:
        command = [sys.executable, "-m", "unitvec", *arguments, "--json"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    for name in ("a.parquet", "a.jsonl.zst"):
        assert process("export", "a.uv", name)["documents"] == 1
        assert process("import", f"{name}.uv", name)["count"] == 1
