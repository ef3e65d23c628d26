"""Tokenizers and preprocessing functions of lexical search."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lexical_documents import DIM, add, found, three_texts
from unitvec import Collection, FingerprintError


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Collection]:
    yield from three_texts(tmp_path)


def test_words_are_found_without_accents_and_case(tmp_path: Path) -> None:
    with Collection(tmp_path / "c.uv", dim=DIM) as db:
        add(db, ["Ein Café", "жизнь", "\0nul\0byte", ""], ["a", "b", "c", "d"])
        assert found(db, "CAFE") == ["a"]
        assert found(db, "ЖИЗНЬ") == ["b"]
        assert found(db, "nul") == found(db, "byte") == ["c"]


@pytest.mark.parametrize(
    ("tokenizer", "query", "expected"),
    [
        ("unicode61", "running", []), ("porter", "running", ["runs"]),
        ("porter", "relating", ["relate"]), ("trigram", "京大", []),
        ("trigram", "京大学", ["kyoto"]), ("unicode61", "京大学", []),
    ],
)  # fmt: skip
def test_tokenizers(tmp_path: Path, tokenizer: str, query: str, expected: list[str]) -> None:
    with Collection(tmp_path / "c.uv", dim=DIM, lexical={"tokenizer": tokenizer}) as db:
        add(db, ["he runs", "relational", "東京大学"], ["runs", "relate", "kyoto"])
        assert found(db, query) == expected
        assert db.stats()["lexical"] == {"tokenizer": tokenizer, "preprocess": None}
        assert db.verify().ok


def without_vowels(text: str) -> str:
    return re.sub("[aeiou]", "", text)


def test_preprocessed_texts(db: Collection) -> None:
    db.close()
    with Collection(db.path, lexical={"preprocess": without_vowels}) as again:
        assert found(again, "cot") == ["cat"]
        assert again.search("cot", mode="lexical")[0].document == "the cat sat"
        add(again, ["a coat"], ["coat"])
        assert set(found(again, "ct")) == {"cat", "coat"}
        assert again.verify().ok
        again.compact()
        assert set(found(again, "ct")) == {"cat", "coat"}
    with Collection(db.path) as again:
        assert again.delete("coat") == 1
        for call in (lambda: add(again, ["new"]), lambda: found(again, "cat")):
            with pytest.raises(ValueError, match=r"_options.without_vowels' prepr"):
                call()
        assert again.count() == 3
        assert again.verify().ok
        again.compact()
        assert again.verify().ok
    with pytest.raises(FingerprintError, match="without_vowels'"):
        Collection(db.path, lexical={"preprocess": str.lower})
    with Collection(db.path, lexical=False) as again:
        assert again.stats()["lexical"] is None
    with Collection(db.path, lexical={"preprocess": str.lower}) as again:
        assert found(again, "CAT") == ["cat"]


def test_another_tokenizer_is_refused(db: Collection) -> None:
    found(db, "cat")
    db.close()
    with pytest.raises(ValueError, match=r"tokenizer 'unicode61', not 'porter'; Collection\(path"):
        Collection(db.path, lexical={"tokenizer": "porter"})
    with Collection(db.path, lexical=True) as again:
        assert found(again, "cat") == ["cat"]


@pytest.mark.parametrize(
    ("lexical", "error", "message"),
    [
        ("porter", TypeError, "True, False or a dictionary"),
        ({"tokeniser": "porter"}, ValueError, "'tokenizer' or 'preprocess'"),
        ({"tokenizer": "icu"}, ValueError, "got 'icu'"),
        ({"preprocess": "lower"}, TypeError, "to be a function"),
        ({"preprocess": lambda text: text}, ValueError, "a named function"),
    ],
)
def test_bad_options(tmp_path: Path, lexical: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Collection(tmp_path / "c.uv", dim=DIM, lexical=lexical)
    assert not (tmp_path / "c.uv").exists()


def gives_a_list(text: str) -> Any:
    return text.split()


def test_preprocess_must_give_text(tmp_path: Path) -> None:
    with Collection(tmp_path / "c.uv", dim=DIM, lexical={"preprocess": gives_a_list}) as db:
        with pytest.raises(TypeError, match="preprocess to give str, got list"):
            add(db, ["a text"])
        assert db.count() == 0
