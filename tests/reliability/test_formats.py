"""C7: collections of every format version, as the code of that version left them."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import apsw
import numpy as np
import pytest

from gates import record
from unitvec import Collection, FormatError

_ARCHIVES = sorted((Path(__file__).parents[1] / "formats").glob("format-*.zip"))
_EVERYTHING = ("documents", "metadatas", "embeddings")


@pytest.fixture(params=_ARCHIVES, ids=lambda path: path.stem)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An archive's content."""
    with zipfile.ZipFile(request.param) as archive:
        archive.extractall(tmp_path)
    return tmp_path


def _expected(folder: Path) -> dict[str, dict[str, Any]]:
    rows = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    return {row["id"]: row for row in rows}


def _require_all(db: Collection, expected: dict[str, dict[str, Any]]) -> None:
    assert db.count() == len(expected)
    for found in db.scan(include=_EVERYTHING):
        row = expected[found.id]
        assert (found.document, found.metadata) == (row["document"], row["metadata"])
        assert np.array_equal(found.vector, np.array(row["vector"], np.float32))
    vectors = np.array([row["vector"] for row in expected.values()], np.float32)
    assert [hits[0].id for hits in db.search(vectors, k=1)] == list(expected)
    assert db.verify().problems == []


@pytest.mark.parametrize("left", ["closed.uv", "killed.uv"])
def test_an_older_collection_opens_answers_and_is_written_to(left: str, folder: Path) -> None:
    expected = _expected(folder)
    with Collection(folder / left) as db:
        _require_all(db, expected)
        even = {row["id"] for row in expected.values() if row["metadata"].get("even")}
        assert {found.id for found in db.get(where={"even": True})} == even
        db.update("id 30", metadatas={"later": 1})
        db.delete("id 31")
        new = {"id": "new", "document": "new", "metadata": {}, "vector": [1.0] * db.dim}
        db.add(new["document"], ids="new", embeddings=np.array(new["vector"]))
    expected["id 30"]["metadata"]["later"] = 1
    del expected["id 31"]
    expected["new"] = new
    with Collection(folder / left) as db:
        _require_all(db, expected)
        db.compact()
        _require_all(db, expected)
        db.snapshot(folder / "copy.uv")
    with Collection.open(folder / "copy.uv", read_only=True) as db:
        _require_all(db, expected)
    record("C7", collections=1, refused=0, wrong=0)


def test_an_older_collection_is_read_or_refused_by_name(folder: Path) -> None:
    try:
        with Collection.open(folder / "closed.uv", read_only=True) as db:
            _require_all(db, _expected(folder))
    except FormatError as error:
        assert "format version" in str(error)  # noqa: PT017 - either of the two will do


def test_the_current_format_is_among_them(tmp_path: Path) -> None:
    Collection(tmp_path / "c.uv", dim=4).close()
    assert any(_version(tmp_path / "c.uv") == int(p.stem.split("-")[1]) for p in _ARCHIVES)


def test_a_later_format_is_refused_by_name(tmp_path: Path) -> None:
    Collection(tmp_path / "c.uv", dim=4).close()
    before = _version(tmp_path / "c.uv")
    copy = tmp_path / "later.uv"
    shutil.copytree(tmp_path / "c.uv", copy)
    connection = apsw.Connection(str(copy / "store.sqlite"), vfs="cksmvfs")
    connection.execute(f"PRAGMA user_version = {before + 1}")
    connection.close()
    for read_only in (True, False):
        with pytest.raises(FormatError, match=f"format version .*{before}.*{before + 1}"):
            Collection.open(copy, read_only=read_only)
    assert _version(copy) == before + 1


def _version(path: Path) -> int:
    connection = apsw.Connection(str(path / "store.sqlite"))
    try:
        return int(connection.pragma("user_version"))
    finally:
        connection.close()
