"""Odd ids, numbers and columns: the rows of docs/inputs.md, each under its name."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hashed_words import HashedWords
from odd_inputs import REFUSED, ROW, refuses, row, three_documents
from unitvec import Collection, Encoder
from unitvec.collection.batches import BATCH_DOCUMENTS
from unitvec.overflow import TruncationWarning


@pytest.fixture
def db(tmp_path: Path, words: HashedWords) -> Iterator[Collection]:
    yield from three_documents(tmp_path, words)


@row("an id twice in a call")
def test_an_id_twice_in_one_call(db: Collection) -> None:
    message = r'expected every id once, got \["n"\] more than once'
    refuses(db, lambda: db.add(["one", "two"], ids=["n", "n"]), ValueError, message)
    twice = ["a", "a"]
    refuses(db, lambda: db.update(twice, metadatas=[{}, {}]), ValueError, "more than once")
    far = [*(f"n{i}" for i in range(BATCH_DOCUMENTS)), "n0"]
    refuses(db, lambda: db.add(["x"] * len(far), ids=far), ValueError, r'\["n0"\]')
    assert db.upsert(["one", "two"], ids=["n", "n"]) == ["n", "n"]
    assert db.get("n")[0].document == "two"
    db.upsert(["x"] * len(far), ids=far, metadatas=[{"i": i} for i in range(len(far))])
    assert db.get("n0")[0].metadata == {"i": BATCH_DOCUMENTS}
    assert db.count() == 4 + BATCH_DOCUMENTS
    assert db.get(twice)["ids"] == twice
    assert db.delete(twice) == 1


@row("an id that exists")
def test_an_id_that_exists(db: Collection) -> None:
    message = r'expected new ids, but \["b"\] exist; upsert\(\) replaces them'
    refuses(db, lambda: db.add(["new", "another"], ids=["n", "b"]), ValueError, message)
    db.upsert(["new"], ids=["b"])
    assert (db.get("b")[0].document, db.get("b")[0].metadata) == ("new", {})


@row("an id that is unknown")
def test_an_unknown_id(db: Collection) -> None:
    message = r'expected ids of the collection, got unknown \["zz"\]'
    refuses(db, lambda: db.update(["a", "zz"], documents=["x", "y"]), ValueError, message)
    refuses(db, lambda: db.delete(ids=["a", "zz"]), ValueError, message)
    refuses(db, lambda: db.delete(ids=["zz"], where={"year": 1}), ValueError, message)
    assert len(db.get(ids=["zz"])) == 0
    assert db.get(ids=["c", "zz", "a"])["ids"] == ["c", "a"]


ODD_IDS = [
    "../x", "/etc/passwd", "x" * 1024, "a\x01\x1b[31m", "日" * 341, "a'b\"c", " ", "\n", "NULL",
    "'; DROP TABLE documents; --", "%s", "?1", '{"$gt": ""}', "é", "e\u0301", "\U0010ffff", "1",
    "01",
]  # fmt: skip


@row("ids such as `../x`, SQL, control characters, any script")
def test_ids_are_only_data(db: Collection) -> None:
    files = sorted(path.name for path in db.path.parent.rglob("*"))
    db.add(ODD_IDS, ids=ODD_IDS)
    assert db.get(ODD_IDS)["documents"] == ODD_IDS
    db.upsert(ODD_IDS, ids=ODD_IDS)
    db.update(ODD_IDS, metadatas=[{"n": i} for i in range(len(ODD_IDS))])
    for i, name in enumerate(ODD_IDS):
        assert db.get(name)[0].metadata == {"n": i}
        assert db.delete(name) == 1
    assert db.get()["ids"] == ["a", "b", "c"]
    assert sorted(path.name for path in db.path.parent.rglob("*")) == files


@row("ids that are empty, beyond 1,024 bytes, no text")
@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ("", ValueError), ("x" * 1025, ValueError), ("日" * 342, ValueError),
        ("x" * 10**7, ValueError),
        (7, TypeError), (None, TypeError), (1.5, TypeError), (("a",), TypeError),
    ],
)  # fmt: skip
def test_bad_ids(db: Collection, bad: Any, error: type[Exception]) -> None:
    message = r"\[ids\] item 1: expected "
    for verb in (db.add, db.upsert):
        refuses(db, lambda verb=verb: verb(["x", "y"], ids=["a", bad][::1]), error, message)
    refuses(db, lambda: db.update(["a", bad], documents=["x", "y"]), error, message)
    refuses(db, lambda: db.get(["a", bad]), error, message)
    refuses(db, lambda: db.delete(["a", bad]), error, message)


@row("ids that are empty, beyond 1,024 bytes, no text")
@pytest.mark.parametrize("bad", [7, {"a": 1}, 1.5])
def test_ids_that_are_no_list(db: Collection, bad: Any) -> None:
    for call in (db.get, db.delete, lambda ids: db.add("x", ids=ids)):
        refuses(db, lambda call=call: call(bad), TypeError, r"\[ids\] expected a list or stream")


@row("k, limit, offset: 0, negative, no integer")
def test_bad_counts(db: Collection) -> None:
    for bad in (0, -1, np.int64(0), -(10**30)):
        refuses(db, lambda bad=bad: db.search("x", k=bad), ValueError, r"\[k\] expected at least 1")
    for bad in (-1, -(2**70)):
        refuses(db, lambda bad=bad: db.get(limit=bad), ValueError, r"\[limit\] expected at least 0")
        refuses(db, lambda bad=bad: db.get(offset=bad), ValueError, r"\[offset\] expected at least")
        refuses(db, lambda bad=bad: db.peek(bad), ValueError, r"\[limit\] expected at least 0")
    for bad in (1.0, "1", True, [1]):
        refuses(db, lambda bad=bad: db.search("x", k=bad), TypeError, r"\[k\] expected an integer")
        refuses(db, lambda bad=bad: db.get(limit=bad), TypeError, r"\[limit\] expected an integer")
        refuses(db, lambda bad=bad: db.get(offset=bad), TypeError, r"\[offset\] expected an int")
    assert len(db.get(limit=0)) == 0
    assert len(db.search("cat", k=np.int8(2))) == 2


@row("k, limit, offset beyond what there is, as large as you like")
@pytest.mark.parametrize("many", [4, 10**6, 2**31, 2**63, 2**70])
def test_more_than_there_are(db: Collection, tmp_path: Path, many: int) -> None:
    assert len(db.search("cat", k=many)) == 3
    assert [len(result) for result in db.search(["cat", "dog"], k=many)] == [3, 3]
    assert len(db.search("cat", k=many, mode="lexical")) == 2
    assert len(db.search("cat", k=many, mode="hybrid")) == 3
    assert len(db.search("cat", k=many, offset=many)) == 0
    assert len(db.search("cat", k=many, where={"year": {"$gt": 1}})) == 1
    assert len(db.get(limit=many)) == len(db.peek(many)) == 3
    assert len(db.get(["a", "b"], limit=many)) == 2
    assert len(db.get(offset=many)) == len(db.get(["a"], offset=many)) == 0
    with Collection(tmp_path / "empty.uv", dim=4) as empty:
        assert len(empty.search(ROW, k=many)) == 0


@row("min_score, min_recall that are NaN or no number")
@pytest.mark.parametrize("name", ["min_score", "min_recall"])
def test_bad_scores(db: Collection, name: str) -> None:
    for bad in ("x", [0.5], True, 1j):
        refuses(
            db,
            lambda bad=bad: db.search("x", **{name: bad}),
            TypeError,
            rf"\[{name}\] expected a number",
        )
    refuses(db, lambda: db.search("x", **{name: math.nan}), ValueError, rf"\[{name}\]")
    assert len(db.search("x", **{name: np.float32(0)})) >= 0
    for bad in (-0.1, 1.1, math.inf):
        refuses(db, lambda bad=bad: db.search("x", min_recall=bad), ValueError, r"in \[0, 1\]")
    assert len(db.search("x", min_score=-math.inf)) == 3
    assert len(db.search("x", min_score=math.inf)) == 0


@row("columns of different lengths, no column at all")
def test_lengths_must_agree(db: Collection) -> None:
    refuses(db, lambda: db.add(["x"], ids=["n", "m"]), ValueError, "1 documents, 2 ids")
    refuses(db, lambda: db.upsert(["x"], metadatas=[]), ValueError, "1 documents, 0 metadatas")
    refuses(db, lambda: db.update(["a"], documents=["x", "y"]), ValueError, "2 documents, 1 ids")
    refuses(db, lambda: db.add(["x"], embeddings=np.ones((2, 64))), ValueError, "2 embeddings")
    short = "got ids for only 1 rows"
    refuses(db, lambda: db.add(iter("xy"), ids=iter("n")), ValueError, short)
    none = "expected documents, embeddings or both"
    for verb in (db.add, db.upsert):
        refuses(db, verb, ValueError, none)
        refuses(db, lambda verb=verb: verb(metadatas=[{}], ids=["n"]), ValueError, none)
    refuses(db, lambda: db.update(["a"]), ValueError, "documents, metadatas or embeddings")
    refuses(db, lambda: db.update(None, ["x"]), ValueError, r"\[update\] expected ids")
    for bad in (7, {"a": "b"}, 1.5):
        refuses(db, lambda bad=bad: db.add(bad), TypeError, r"\[documents\] expected a list")
    refuses(db, db.delete, ValueError, "expected ids or a filter")
    for bad in (None, 7, {"a": 1}, [1, "x"]):
        refuses(db, lambda bad=bad: db.search(bad), REFUSED, r"\[query\]|\[search\]")


@row("text longer than the model reads")
def test_text_longer_than_the_model_reads(tmp_path: Path, encoder: Encoder) -> None:
    long = ["word " * 400] * 3
    with Collection(tmp_path / "c.uv", encoder=encoder) as db:
        with pytest.warns(
            TruncationWarning, match="3 of 4 texts are longer than the 256 tokens"
        ) as w:
            db.add(["short", *long], ids=list("abcd"))
        assert len(w) == 1
        for verb, count in ((db.upsert, 3), (lambda t, ids: db.update(ids, t), 3)):
            with pytest.warns(TruncationWarning, match=f"{count} of 3 texts"):
                verb(long, ids=list("bcd"))
        with pytest.warns(TruncationWarning, match="1 of 1 texts"):
            assert db.search(long[0], k=1)[0].id in "bcd"
        assert db.get("b")[0].document == long[0]  # the document itself is whole
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            db.search("short")
