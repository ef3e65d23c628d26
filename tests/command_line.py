"""The command line as a function, over a collection whose model needs no files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hashed_words import HashedWords
from unitvec import Collection
from unitvec.cli import main


def notes(
    folder: Path, monkeypatch: pytest.MonkeyPatch, texts: Sequence[str], **columns: Any
) -> Path:
    """For a fixture: a collection in what is the current folder now; every model is a stand-in.

    Args:
        folder: a new one.
        monkeypatch: of the test, at whose end models are real again.
        texts: the collection's documents.
        columns: what else `add` takes.
    """
    monkeypatch.chdir(folder)
    monkeypatch.setattr("unitvec.collection.model.load_encoder", lambda _: HashedWords())
    stored = "unitvec.collection.opened.load_stored_encoder"
    monkeypatch.setattr(stored, lambda _: HashedWords())
    with Collection(folder / "notes.uv", encoder=HashedWords()) as collection:
        collection.add(texts, **columns)
    return folder / "notes.uv"


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """The exit code, and what was written to stdout and stderr: never a traceback."""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as ended:
        code = int(ended.code or 0)
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return code, captured.out, captured.err
