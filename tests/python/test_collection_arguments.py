"""Arguments that a collection cannot take: the error names what was expected and what was got."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hashed_words import HashedWords
from unitvec import Collection, FingerprintError, cli

Refused = tuple[Callable[[Collection], Any], type[Exception], str]

_SEARCHES: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "include None": ({"include": None}, TypeError, "expected include as a list of .*, got None"),
    "include a number": ({"include": 5}, TypeError, "expected include as a list of .*, got 5"),
    "include of two types": ({"include": [1, "x"]}, ValueError, "got \\['x', 1\\]"),
    "include of lists": ({"include": [["x"]]}, TypeError, "got \\[\\['x'\\]\\]"),
    "a single weight": ({"weights": 5}, TypeError, "expected weights as two numbers, got 5"),
    "weights as a text": ({"weights": "12"}, TypeError, "as two numbers, got '12'"),
    "weights of texts": ({"weights": ("a", "b")}, TypeError, "weights. expected a number, got str"),
    "a weight that is None": ({"weights": {"dense": None}}, TypeError, "number, got NoneType"),
    "a weight as a text": ({"weights": {"dense": "1"}}, TypeError, "expected a number, got str"),
    "texts for scores": (
        {"rerank": lambda query, texts: ["a" for _ in texts]},
        TypeError,
        "expected 2 numbers, one a text, got list of something else",
    ),
    "a field of half a character": ({"group_by": "\ud800"}, ValueError, "group_by"),
    "a field with NUL": ({"group_by": "a\0b"}, ValueError, "expected group_by without NUL"),
}

_CALLS: dict[str, Refused] = {
    "include of get": (lambda db: db.get(include=5), TypeError, "include as a list"),
    "documents in a set": (
        lambda db: db.add({"x", "y"}, ids=["x", "y"]),
        TypeError,
        "documents. expected a list or stream, got set",
    ),
    "ids in a frozenset": (
        lambda db: db.add(["x", "y"], ids=frozenset(["x", "y"])),
        TypeError,
        "ids. expected a list or stream, got frozenset",
    ),
    "an id twice in update": (
        lambda db: db.update(ids=["a", "a"], metadatas=[{}, {}]),
        ValueError,
        "update. expected every id once",
    ),
    "an integer of 64 bits and a sign": (
        lambda db: db.add("x", metadatas={"n": 2**63}),
        ValueError,
        "expected integers of at most 64 bits with their sign, got an integer of 64 bits",
    ),
    "fetch_k for nothing": (
        lambda db: db.search("text", fetch_k=30),
        ValueError,
        "expected mode 'hybrid' or mmr_lambda= beside fetch_k=",
    ),
    "NaN deep in metadata": (
        lambda db: db.add("x", metadatas={"a": {"b": [1, {"c": [float("nan")]}]}}),
        ValueError,
        r"\[metadatas\] item 0, field 'a'\['b'\]\[1\]\['c'\]\[\.\.\.\]: "
        "expected finite numbers, got nan",
    ),
    "a set in metadata": (
        lambda db: db.add(["x", "y"], metadatas=[{}, {"tags": {1}}]),
        TypeError,
        r"\[metadatas\] item 1, field 'tags': expected JSON types, got set",
    ),
    "a key that is no text": (
        lambda db: db.add("x", metadatas={"a": {1: 2}}),
        TypeError,
        "item 0, field 'a': expected keys as str, got 1",
    ),
    "metadata of too many levels": (
        lambda db: db.add("x", metadatas={"deep": nested(65)}),
        ValueError,
        "expected at most 64 levels, got more under 'deep'",
    ),
    "a vector with infinity": (
        lambda db: db.add(embeddings=[[1] * 16, [1, 2, np.inf, np.nan, *[0] * 12]]),
        ValueError,
        r"\[embeddings\] row 1: expected finite float32 values, got inf at position 2",
    ),
    "a number beyond float32": (
        lambda db: db.add(embeddings=[[1, 2, 3, -1e39, *[0] * 12]]),
        ValueError,
        "row 0: expected finite float32 values, got -inf at position 3",
    ),
    "a number for an encoder": (lambda db: db.migrate(5), TypeError, "encoder.*, got int"),
    "an object for an encoder": (lambda db: db.migrate(object()), TypeError, "encoder.*got object"),
}


def nested(levels: int) -> dict[str, Any]:
    return {"in": nested(levels - 1)} if levels > 1 else {}


@pytest.fixture
def db(tmp_path: Path) -> Any:
    with Collection(tmp_path / "c.uv", encoder=HashedWords(16)) as opened:
        opened.add(["one text", "another text"], ids=["a", "b"])
        yield opened


@pytest.mark.parametrize(("options", "error", "words"), _SEARCHES.values(), ids=_SEARCHES)
def test_searches(
    db: Collection, options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        db.search("text", mode="hybrid", **options)


@pytest.mark.parametrize(("call", "error", "words"), _CALLS.values(), ids=_CALLS)
def test_calls(
    db: Collection, call: Callable[[Collection], Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        call(db)
    assert db.count() == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"encoder": 5}, "expected encoder as an Encoder or a model's name, got int"),
        ({"vectors": {"title": {"encoder": 5}}}, "an Encoder or a model's name, got int"),
        ({"dim": 4, "index_policy": 5}, "expected index_policy as an IndexPolicy, got 5"),
    ],
)
def test_openings(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        Collection(tmp_path / "c.uv", **options)
    assert not (tmp_path / "c.uv").exists()


def test_another_model_is_told_the_way_over(db: Collection) -> None:
    db.close()
    with pytest.raises(FingerprintError, match=r"another dtype.*migrate\(encoder\)"):
        Collection(db.path, encoder=HashedWords(16, name="another"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--where", "null"], "expected a JSON object, got null"),
        (["-k", "abc"], "expected a whole number, got 'abc'"),
    ],
)
def test_the_command_line(
    db: Collection, options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    db.close()
    with pytest.raises(SystemExit) as ended:
        cli.main(["search", str(db.path), "text", *options])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


def test_the_keys_of_a_dictionary_have_an_order(tmp_path: Path) -> None:
    texts = {"second": "b", "first": "a"}
    with Collection(tmp_path / "c.uv", dim=2) as db:
        db.add(texts.values(), ids=texts.keys(), embeddings=np.eye(2))
        assert [(r.id, r.document) for r in db.get()] == [("second", "b"), ("first", "a")]


def test_an_index_is_not_built_read_only(db: Collection) -> None:
    with (
        Collection(db.path, read_only=True) as reader,
        pytest.raises(PermissionError, match=r"build_index. .* is open read-only"),
    ):
        reader.build_index()
