"""Odd texts: the rows of docs/inputs.md, in its order, each under its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hashed_words import HashedWords
from memory_of_inputs import Used, used
from odd_inputs import (
    MIB,
    TEXTS,
    contents,
    refuses,
    row,
    three_documents,
    two_vectors,
    writers_refuse,
)
from unitvec import Collection
from unitvec.collection.inputs import DOCUMENT_BYTES_MAX


@pytest.fixture
def db(tmp_path: Path, words: HashedWords) -> Iterator[Collection]:
    yield from three_documents(tmp_path, words)


@pytest.fixture
def vectors(tmp_path: Path) -> Iterator[Collection]:
    yield from two_vectors(tmp_path)


@row("lone surrogates")
@pytest.mark.parametrize("bad", ["\ud800", "a\udfff", "\udcff" * 3, "\udc00\ud800"])
def test_lone_surrogates(db: Collection, bad: str) -> None:
    message = r"item 1: expected text that UTF-8 can hold, got a lone surrogate at character"
    writers_refuse(db, ValueError, message, documents=["fine", bad])
    for metadata in ({"a": bad}, {bad: 1}, {"a": [{"b": bad}]}):
        writers_refuse(db, ValueError, message, metadatas=[{}, metadata])
    for verb in (db.add, db.upsert, db.update):
        refuses(
            db, lambda verb=verb: verb(documents=["x", "y"], ids=["a", bad]), ValueError, message
        )
    for verb in (db.get, db.delete):
        refuses(db, lambda verb=verb: verb(ids=["a", bad]), ValueError, message)
        for where in ({"a": bad}, {bad: 1}, {"a": {"$in": [bad]}}):
            refuses(db, lambda verb=verb, where=where: verb(where=where), ValueError, "UTF-8")
    refuses(db, lambda: db.search(["fine", bad]), ValueError, rf"\[query\] {message}")
    refuses(db, lambda: db.search(bad), ValueError, r"\[query\] item 0")


@row("NUL")
def test_nul(db: Collection) -> None:
    db.add("a\0b", ids="n", metadatas={"k": "x\0y"})
    assert db.get("n")[0].document == "a\0b"
    assert db.get(where={"k": "x\0y"})["metadatas"] == [{"k": "x\0y"}]
    assert len(db.get(where={"k": "x"})) == 0
    assert db.search("a\0b", k=1)[0].id == "n"
    db.update("n", documents="\0", metadatas={"k": "\0"})
    assert (db.get("n")[0].document, db.get("n")[0].metadata) == ("\0", {"k": "\0"})
    for verb in (db.add, db.upsert, db.update):
        call = partial(verb, documents=["x", "y"], ids=["new", "n\0"])
        refuses(db, call, ValueError, "item 1: expected no NUL")
    places = {
        "": {"\0": 1},
        ", field 'a'": {"a": {"b\0c": 1}},
        r", field 'a'\[0\]": {"a": [{"\0": 1}]},
    }
    for place, metadata in places.items():
        message = f"item 1{place}: expected keys without NUL"
        writers_refuse(db, ValueError, message, metadatas=[{}, metadata])
    for verb in (db.get, db.delete):
        refuses(db, lambda verb=verb: verb(ids=["n\0"]), ValueError, "expected no NUL")
        refuses(db, lambda verb=verb: verb(where={"k\0": 1}), ValueError, "names without NUL")


@row("bytes, which may be no UTF-8")
@pytest.mark.parametrize("bad", [b"plain", b"\xff\xfe", b"", bytearray(b"x")])
def test_bytes(db: Collection, bad: Any) -> None:
    kind = type(bad).__name__
    writers_refuse(db, TypeError, f"item 1: expected str, got {kind}", documents=["fine", bad])
    writers_refuse(
        db, TypeError, "item 1, field 'a': expected JSON types", metadatas=[{}, {"a": bad}]
    )
    refuses(db, lambda: db.add(["x", "y"], ids=["n", bad]), TypeError, r"\[ids\] item 1")
    if isinstance(bad, bytes):
        refuses(db, lambda: db.add(bad), TypeError, "item 0: expected str, got bytes")
        refuses(db, lambda: db.get(bad), TypeError, r"\[ids\] item 0: expected str, got bytes")
        refuses(db, lambda: db.delete(bad), TypeError, r"\[ids\] item 0: expected str, got bytes")
        refuses(db, lambda: db.search(bad), TypeError, "expected a text or a vector, got bytes")
    refuses(db, lambda: db.search(["fine", bad]), TypeError, f"item 1: expected str, got {kind}")
    refuses(db, lambda: db.get(["a", bad]), TypeError, f"item 1: expected str, got {kind}")
    refuses(db, lambda: db.get(where={"a": bad}), ValueError, r"\[where\] a: expected text")


SIZES = [1, 100, 10_000]
SHAPES: dict[str, Callable[[int], str]] = {
    "one word": lambda size: "x" * size,
    "short words": lambda size: ("word " * size)[:size],
    "Chinese": lambda size: "日" * max(1, size // 3),
    "emoji": lambda size: "😀" * max(1, size // 4),
    "NUL": lambda size: "\0" * size,
}


@row("text of up to 64 MiB, one word of a million characters")
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_text_of_any_length_is_kept(db: Collection, shape: Callable[[int], str]) -> None:
    texts = [*map(shape, SIZES), shape(3)[:1] * 1_000_000]
    ids = db.add(texts, metadatas=[{"text": text} for text in texts])
    assert db.get(ids)["documents"] == texts
    assert db.get(ids)["metadatas"] == [{"text": text} for text in texts]
    assert [r.id for r in db.get(where={"text": texts[-1]})] == [ids[-1]]
    assert db.search(texts[-1], k=1)[0].document in texts
    assert db.verify().ok


@pytest.fixture(scope="module")
def large_texts() -> dict[str, Used]:
    """What a document of 64 MiB takes in each verb, each in a process of its own."""
    size = DOCUMENT_BYTES_MAX
    return {
        f"{verb} {kind} {share}": used(verb, kind, size // share)
        for verb in ("add", "update", "get")
        for kind, share in (("x", 1), ("x", 2), ("日", 1))
    }


@row("text of up to 64 MiB, one word of a million characters")
@pytest.mark.parametrize("verb", ["add", "update", "get"])
def test_64_mib_of_text_take_little_memory(large_texts: dict[str, Used], verb: str) -> None:
    """Bytes beside the text itself, the least of what SQLite does being two copies."""
    assert large_texts[f"{verb} x 1"].memory <= 3 * DOCUMENT_BYTES_MAX
    assert large_texts[f"{verb} 日 1"].memory <= 3 * DOCUMENT_BYTES_MAX


@row("text of up to 64 MiB, one word of a million characters")
@pytest.mark.parametrize("verb", ["add", "update", "get"])
def test_the_work_grows_with_the_text_and_no_faster(
    large_texts: dict[str, Used], verb: str
) -> None:
    half, whole = large_texts[f"{verb} x 2"], large_texts[f"{verb} x 1"]
    # Nothing in Python goes through the characters; a larger database asks for a larger reserve.
    assert abs(whole.calls - half.calls) < 100
    assert whole.moved <= 2.1 * half.moved + MIB  # bytes read and written
    assert whole.stored <= DOCUMENT_BYTES_MAX + MIB


@row("longer text")
def test_longer_text(vectors: Collection, tmp_path: Path) -> None:
    long = "é" * (DOCUMENT_BYTES_MAX // 2) + "x"
    message = rf"expected at most {DOCUMENT_BYTES_MAX} bytes, got {DOCUMENT_BYTES_MAX + 1}"
    for verb in (vectors.add, vectors.upsert):
        call = lambda verb=verb: verb(["fine", long], embeddings=np.ones((2, 4)))  # noqa: E731
        refuses(vectors, call, ValueError, rf"\[documents\] item 1: {message}")
    refuses(vectors, lambda: vectors.update("a", documents=long), ValueError, message)
    refuses(
        vectors, lambda: vectors.get(where={"a": long}), ValueError, "bytes of names and values"
    )
    with Collection(tmp_path / "t.uv", encoder=HashedWords(4)) as db:
        refuses(db, lambda: db.search(long), ValueError, rf"\[query\] item 0: {message}")


@row("no documents")
def test_no_documents(db: Collection) -> None:
    before, sequence = contents(db), db.stats()["sequence"]
    for none in ([], (), iter([]), np.array([], object)):
        assert db.add(none) == []
        assert db.upsert(none) == []
    assert db.add([], ids=[], metadatas=[], embeddings=[]) == []
    assert db.update([], metadatas=[]) is None
    assert db.search([]) == []
    assert len(db.get([])) == 0
    assert db.delete([]) == 0
    assert contents(db) == before
    assert db.stats()["sequence"] - sequence < 20  # an empty transaction may count, nothing else


@row("empty text, white space")
@pytest.mark.parametrize("text", ["", " ", "\n\t \u3000", "\u200b", "\ufeff", "\u202e"])
def test_empty_text(db: Collection, text: str) -> None:
    (name,) = db.add(text)
    assert db.get(name)[0].document == text
    assert len(db.search(text)) == 4
    db.update("a", documents=text)
    db.upsert([text], ids=["b"])
    assert db.get(["a", "b"])["documents"] == [text, text]
    assert {r.document for r in db.get()} == {text, TEXTS[2]}
