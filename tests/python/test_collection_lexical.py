"""Search by words: BM25 against a slow reference, in step with the documents, whatever happens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from hashed_words import HashedWords
from lexical_documents import DIM, WORDS, add, found, slow_bm25, three_texts, tokens
from unitvec import Collection
from unitvec.collection.lexical_query import match_expression


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Collection]:
    yield from three_texts(tmp_path)


TEXTS = st.none() | st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)


@given(
    texts=st.lists(TEXTS, min_size=1, max_size=12),
    gone=st.sets(st.integers(0, 11)),
    query=st.lists(st.sampled_from([*WORDS, "absent"]), max_size=4).map(" ".join),
    k=st.integers(1, 12),
    early=st.booleans(),
)
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
def test_scores_agree_with_the_formula(
    tmp_path_factory: pytest.TempPathFactory,
    texts: list[str | None],
    gone: set[int],
    query: str,
    k: int,
    early: bool,
) -> None:
    documents = {str(i): text for i, text in enumerate(texts)}
    with Collection(tmp_path_factory.mktemp("l") / "c.uv", dim=DIM, lexical=early or None) as db:
        for name, text in documents.items():
            db.add(None if text is None else [text], ids=[name], embeddings=np.ones((1, DIM)))
        names = [str(i) for i in gone if i < len(texts)]
        db.delete(names)
        documents = {name: text for name, text in documents.items() if name not in names}
        result = db.search(query, k=k, mode="lexical")
        expected = slow_bm25(documents, query)
        assert len(result) == min(k, len(expected))
        assert_allclose([hit.score for hit in result], [expected[hit.id] for hit in result])
        assert_allclose([hit.score for hit in result], sorted(expected.values(), reverse=True)[:k])
        assert (result.exact, result.recall_estimate) == (True, 1.0)
        assert db.verify().ok


def test_filters_do_not_change_scores_nor_starve(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, 6)) for _ in range(300)]
    with Collection(tmp_path / "c.uv", dim=DIM) as db:
        ids = add(db, texts, [str(i) for i in range(300)],
                  metadatas=[{"n": i % 50} for i in range(300)])  # fmt: skip
        scores = slow_bm25(dict(zip(ids, texts, strict=True)), "cat dog")
        allowed = [i for i in ids if int(i) % 50 == 7 and i in scores]
        result = db.search("cat dog", mode="lexical", where={"n": 7})
        assert sorted(hit.id for hit in result) == sorted(allowed)
        assert_allclose([hit.score for hit in result], [scores[hit.id] for hit in result])
        matching = [i for i, text in zip(ids, texts, strict=True) if "cat dog" in text]
        result = db.search("cat dog", k=300, mode="lexical",
                           where_document={"$contains": "cat dog"})  # fmt: skip
        assert sorted(hit.id for hit in result) == sorted(matching)


@pytest.mark.parametrize(
    "query",
    ['"', "'", "cat OR", "NEAR(cat dog)", "document: cat", "cat*", "^cat", "(cat", "-cat", "cat+",
     "NOT cat", "{cat}", 'c"at cat', "cat\0dog", "lexical MATCH cat", "AND"],
)  # fmt: skip
def test_a_query_is_text_never_syntax(db: Collection, query: str) -> None:
    expected = {name for name in ("cat", "dog") if name in tokens(query)}
    assert set(found(db, query)) == expected


@pytest.mark.parametrize("query", ["", " ", "🙂", "?!...", "\0", "— «»"])
def test_a_query_without_words_finds_nothing(db: Collection, query: str) -> None:
    result = db.search(query, mode="lexical")
    assert len(result) == 0
    assert result.exact


def test_a_long_query_takes_no_quadratic_time() -> None:
    text = " ".join(f"w{i}" for i in range(50_000))
    with apsw.Connection(":memory:") as connection:
        match = match_expression(connection, "unicode61", text)
        assert match is not None
        connection.execute("CREATE VIRTUAL TABLE t USING fts5(x)")
        connection.execute("INSERT INTO t VALUES ('w49999')")
        assert connection.execute("SELECT rowid FROM t WHERE t MATCH ?", (match,)).fetchall()
        deepest = max(
            sum(1 if c == "(" else -1 for c in match[:i] if c in "()")
            for i in range(0, len(match), 5000)
        )
        assert deepest <= 4  # 16 ** 4 > 50,000


def test_it_is_made_by_the_first_search_and_stays(db: Collection) -> None:
    assert db.stats()["lexical"] is None
    found(db, "cat")
    made = {"tokenizer": "unicode61", "preprocess": None}
    assert db.stats()["lexical"] == made
    copy = db.snapshot(db.path.parent / "copy.uv")
    db.close()
    for path in (db.path, copy):
        with Collection.open(path) as again:
            assert again.stats()["lexical"] == made
            assert found(again, "cat") == ["cat"]
            assert again.verify().ok


def test_read_only_without_one_it_is_kept_in_memory(db: Collection) -> None:
    with Collection.open(db.path, read_only=True) as reader:
        assert found(reader, "cat") == ["cat"]
        add(db, ["cat and cat"], ["new"])
        assert set(found(reader, "cat")) == {"cat", "new"}
        db.delete("cat")
        assert found(reader, "cat") == ["new"]
        db.compact()  # forgets the list of deletions
        db.delete("new")
        db.compact()
        add(db, ["a cat again"], ["last"])
        assert found(reader, "cat") == ["last"]
        assert reader.stats()["lexical"] is None
    with Collection.open(db.path, read_only=True, lexical={"tokenizer": "porter"}) as reader:
        assert set(found(reader, "cats barking")) == {"last", "dog"}


def test_others_read_while_it_is_made(db: Collection) -> None:
    """The function under which it is made waits for a reader, which must not wait for it."""
    db.close()
    counted = threading.Event()

    def read() -> None:
        with Collection.open(db.path, read_only=True) as reader:
            assert reader.count() == 3
            counted.set()

    class Preprocess:
        fingerprint = "reads meanwhile"

        def __call__(self, text: str) -> str:
            if not counted.is_set():
                thread = threading.Thread(target=read)
                thread.start()
                thread.join(timeout=60)
            return text

    with Collection(db.path, lexical={"preprocess": Preprocess()}) as again:
        assert counted.is_set()
        assert found(again, "cat") == ["cat"]


def test_words_need_no_model(tmp_path: Path, words: HashedWords) -> None:
    with Collection(tmp_path / "c.uv", encoder=words) as db:
        db.add(["the cat sat", "a dog barks"], ids=["cat", "dog"])
        encoded = len(words.encoded)
        assert found(db, "dog") == ["dog"]
        assert len(words.encoded) == encoded
