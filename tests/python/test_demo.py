"""The demo: what it reads of the standard library, and that its questions find their answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hashed_words import HashedWords
from unitvec import Collection, demo
from unitvec.stdlib_docs import Entry, first_paragraph, read_entries

ANSWERS = {
    "split text into words the way a shell does": {"shlex.split"},
    "run several coroutines at the same time": {
        "asyncio.create_task", "asyncio.gather", "asyncio.TaskGroup", "asyncio.wait",
    },
    "find the middle value of a list of numbers": {"statistics.median"},
    "undo the effects of pickling": {
        "pickle.loads", "pickle.load", "pickle.Unpickler", "pickle.Unpickler.load",
    },
    "wait for a child process to finish": {"os.wait", "os.waitpid", "subprocess.Popen.wait"},
}  # fmt: skip


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    return read_entries()


def test_the_whole_library_is_read(entries: list[Entry]) -> None:
    assert 5000 < len(entries) < 9000
    names = {entry.name for entry in entries}
    assert len(names) == len(entries)
    for expected in set().union(*ANSWERS.values()) - {"asyncio.TaskGroup"}:
        assert expected in names
    assert {"json", "dict.get", "os.path.join", "pathlib.Path.read_text"} <= names
    assert not any(name.startswith("_") for name in names)
    assert all(entry.summary and len(entry.summary) <= 500 for entry in entries)


def test_reading_prints_and_warns_nothing() -> None:
    code = "from unitvec.stdlib_docs import read_entries; read_entries()"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("doc", "expected"),
    [
        ("One line.", "One line."),
        ("\n    First\n    paragraph.\n\n    Second.", "First paragraph."),
        ("f(x) -> int\n\nWhat it does.", "What it does."),
        ("f(x) -> int\ng(y)\nWhat it does.", "What it does."),
        ("f(x[, y])", ""),
        ("", ""),
        ("word " * 200, ("word " * 99).strip() + " …"),
    ],
)
def test_first_paragraph(doc: str, expected: str) -> None:
    text = first_paragraph(doc)
    assert text == expected or (len(doc) > 500 and len(text) <= 500 and text.endswith("…"))


def test_indexed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some = [Entry("a.b", "function", "Sings."), Entry("c", "module", "Dances.")]
    monkeypatch.setattr(demo, "read_entries", lambda: some)
    with Collection(tmp_path / "d.uv", encoder=HashedWords()) as db:
        first = demo.index_documentation(db)
        assert (first.documents, first.encoded) == (2, 2)
        assert "2 documents indexed in" in demo.describe(first, db.path)
        again = demo.index_documentation(db)
        assert (again.documents, again.encoded) == (2, 0)
        assert "unchanged since the last run" in demo.describe(again, db.path)
        monkeypatch.setattr(demo, "_VERSION", 2)  # as after an upgrade
        assert demo.index_documentation(db).encoded == 2
        assert db.count() == 2
        answer = demo.format_answer("who sings", db.search("sings"))
        assert answer.splitlines()[1].split() == ["0.58", "a.b", "Sings."] or "a.b" in answer


def test_the_cache_folder_follows_the_conventions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    path = demo.cache_path("org/model:x")
    assert path.parent == tmp_path / "unitvec"
    assert path.name == f"python-{sys.version_info[0]}.{sys.version_info[1]}-docs-model-x.uv"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert demo.cache_path("m").parent == Path.home() / ".cache" / "unitvec"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert demo.cache_path("m").parent == Path.home() / "Library" / "Caches" / "unitvec"


def test_only_the_demos_own_collection_is_made_anew_when_out_of_date(
    encoder: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from unitvec import Encoder, FingerprintError

    path = tmp_path / "own.uv"
    monkeypatch.setattr(demo, "cache_path", lambda model: path)
    monkeypatch.setattr(
        demo, "read_entries", lambda: [Entry("shlex.split", "function", "Split text into words.")]
    )
    other = Encoder(encoder.name)
    other.max_seq_length = 100  # so its vectors are another model's
    with Collection(path, encoder=other) as collection:
        collection.add(["out of date"], ids=["old"])
    with pytest.raises(FingerprintError):
        demo.run(path, encoder.name, as_json=True)
    answer = demo.run(None, encoder.name, as_json=True)
    assert (answer["db"], answer["documents"], answer["encoded"]) == (str(path), 1, 1)
    assert answer["answers"][0]["hits"][0]["id"] == "shlex.split"


@pytest.mark.slow
def test_the_five_questions_find_a_right_function(tmp_path: Path, model_directory: Any) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "unitvec"]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *arguments], capture_output=True, text=True, env=environment,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    done = run("demo", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    first = json.loads(done.stdout)
    assert first["encoded"] == first["documents"] > 5000
    assert [answer["question"] for answer in first["answers"]] == list(ANSWERS)
    for answer in first["answers"]:
        found = [hit["id"] for hit in answer["hits"]]
        assert len(found) == 5
        assert ANSWERS[answer["question"]] & set(found), found

    again = run("demo")
    assert again.returncode == 0
    assert "unchanged since the last run" in again.stdout
    assert "shlex.split" in again.stdout

    searched = run("search", first["db"], "find the middle value", "--json")
    assert json.loads(searched.stdout)["hits"][0]["id"] == "statistics.median"
