"""Search by words: BM25 against a slow reference, in step with the documents, whatever happens."""

from __future__ import annotations

import math
import random
import re
import signal
import subprocess
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from hashed_words import HashedWords
from unitvec import Collection, FingerprintError, FormatError
from unitvec.collection import LexicalIndexWarning, schema
from unitvec.collection.lexical_query import match_expression

WORDS = ["cat", "dog", "sat", "mat", "naïve", "x1"]
TEXTS = st.none() | st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)
DIM = 4


def tokens(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def slow_bm25(documents: dict[str, str | None], query: str) -> dict[str, float]:
    """The formula that SQLite documents, turned so that larger is better."""
    bags = {name: Counter(tokens(text)) for name, text in documents.items() if text is not None}
    mean = sum(bag.total() for bag in bags.values()) / max(1, len(bags))
    scores: dict[str, float] = {}
    for token in tokens(query):
        holding = [name for name, bag in bags.items() if bag[token]]
        n = len(holding)
        idf = max(math.log((len(bags) - n + 0.5) / (n + 0.5)), 1e-6)
        for name in holding:
            f, length = bags[name][token], bags[name].total()
            score = idf * f * 2.2 / (f + 1.2 * (0.25 + 0.75 * length / mean))
            scores[name] = scores.get(name, 0.0) + score
    return scores


def add(db: Collection, texts: list[str], ids: list[str] | None = None, **more: Any) -> list[str]:
    return db.add(texts, ids=ids, embeddings=np.ones((len(texts), DIM)), **more)


def found(db: Collection, query: str, **more: Any) -> list[str]:
    return [hit.id for hit in db.search(query, mode="lexical", **more)]


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Collection]:
    with Collection(tmp_path / "c.uv", dim=DIM) as collection:
        add(collection, ["the cat sat", "a dog barks", "shares fell"], ["cat", "dog", "shares"])
        yield collection


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


def test_it_follows_every_verb(db: Collection) -> None:
    assert found(db, "cat") == ["cat"]  # makes the index
    add(db, ["another cat"], ["new"])
    assert set(found(db, "cat")) == {"cat", "new"}
    db.upsert(["no felines"], ids=["new"], embeddings=np.ones((1, DIM)))
    assert found(db, "cat") == ["cat"]
    assert found(db, "felines") == ["new"]
    db.update("dog", documents="a cat barks", embeddings=np.ones(DIM))
    assert set(found(db, "cat")) == {"cat", "dog"}
    db.update("dog", metadatas={"n": 1})
    assert set(found(db, "cat")) == {"cat", "dog"}
    db.delete("cat")
    assert found(db, "cat") == ["dog"]
    with pytest.raises(ValueError, match="exist"):
        add(db, ["cat cat", "x"], ["fresh", "dog"])
    assert found(db, "cat") == ["dog"]
    assert db.verify().ok


def test_nothing_of_a_failed_call_is_found(db: Collection) -> None:
    found(db, "cat")

    def remove_and_fail() -> None:
        with db._session.writing() as store:
            store.remove([1])
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="gone"):
        remove_and_fail()
    assert found(db, "cat") == ["cat"]
    assert db.verify().ok


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
            with pytest.raises(ValueError, match=r"'test_collection_lexical.without_vowels' prepr"):
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


def damage(path: Path, sql: str) -> None:
    connection = schema.connect_writer(path / "store.sqlite")
    connection.execute(sql)
    connection.close()


DAMAGE = {
    "blocks": "UPDATE lexical_data SET block = x'ff' WHERE id > 10",
    "structure": "DELETE FROM lexical_data WHERE id = 10",
    "version": "UPDATE lexical_config SET v = 99",
    "lengths": "DELETE FROM lexical_docsize",
    "keys": "UPDATE documents SET key = key + 100 WHERE id = 'cat'",
}


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("kind", ["blocks", "structure", "version"])
def test_damage_is_repaired_with_a_warning(db: Collection, kind: str, read_only: bool) -> None:
    found(db, "cat")
    db.close()
    damage(db.path, DAMAGE[kind])
    with Collection.open(db.path, read_only=read_only) as again:
        report = again.verify()
        assert any("lexical index: " in problem for problem in report.problems), report
        with pytest.warns(LexicalIndexWarning, match="documents, which are safe"):
            assert found(again, "cat") == ["cat"]
        assert found(again, "dog") == ["dog"]  # without another warning
        assert again.verify().ok is not read_only


@pytest.mark.parametrize("kind", ["blocks", "structure", "version", "lengths"])
def test_damage_keeps_nothing_from_being_stored(db: Collection, kind: str) -> None:
    found(db, "cat")
    db.close()
    damage(db.path, DAMAGE[kind])
    with Collection.open(db.path) as again:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            add(again, ["a cat more"], ["more"])
            again.delete("dog")
            assert set(found(again, "cat")) == {"cat", "more"}
        assert {warning.category for warning in caught} == {LexicalIndexWarning}
        assert again.verify().ok
        assert sorted(again.get()["ids"]) == ["cat", "more", "shares"]


def flip_a_page(path: Path, table: str) -> None:
    """Flips a bit in the file, in a page of this table."""
    connection = schema.connect_writer(path / "store.sqlite")
    sql = "SELECT pageno FROM dbstat WHERE name = ? ORDER BY pageno DESC"
    page, size = connection.execute(sql, (table,)).fetchone()[0], connection.pragma("page_size")
    connection.close()
    with (path / "store.sqlite").open("r+b") as file:
        file.seek((page - 1) * size + size // 2)
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 4]))


TABLES = ["lexical_data", "lexical_idx", "lexical_docsize", "lexical_config"]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("read_only", [False, True])
def test_a_damaged_page_is_left_behind(db: Collection, table: str, read_only: bool) -> None:
    found(db, "cat")
    db.close()
    flip_a_page(db.path, table)
    with Collection.open(db.path, read_only=read_only) as again:
        assert not again.verify().ok
        with pytest.warns(LexicalIndexWarning, match="does not have the bytes that were written"):
            assert found(again, "cat") == ["cat"]
        if read_only:
            return
        add(again, ["a cat more"], ["more"])
        assert set(found(again, "cat")) == {"cat", "more"}
        assert not again.verify().ok  # the page is still in the file
        with Collection.open(again.snapshot(db.path.parent / "copy.uv")) as copy:
            assert copy.verify().ok
            assert set(found(copy, "cat")) == {"cat", "more"}


@pytest.mark.parametrize("table", TABLES)
def test_compact_leaves_no_damaged_page(db: Collection, table: str) -> None:
    """Of the index of words alone; one of the documents stops it."""
    found(db, "cat")
    db.close()
    flip_a_page(db.path, table)
    with Collection.open(db.path) as again:
        with pytest.warns(LexicalIndexWarning, match="made anew from the documents"):
            again.compact()
        assert again.verify().ok
        assert found(again, "cat") == ["cat"]


@pytest.mark.filterwarnings("ignore::unitvec.collection.LexicalIndexWarning")
def test_compact_stops_at_a_damaged_page_of_the_documents(db: Collection) -> None:
    """Also where one that nothing is in is damaged: it makes none look sound."""
    found(db, "cat")
    db.close()
    flip_a_page(db.path, "lexical_idx")
    with Collection.open(db.path) as again:
        assert found(again, "cat") == ["cat"]  # through a new table: the page is unused now
    flip_a_page(db.path, "documents")
    with Collection.open(db.path) as again:
        for use in (again.compact, again.get, again.compact, again.get):
            with pytest.raises(FormatError, match="does not have the bytes that were written"):
                use()


@pytest.mark.parametrize("table", TABLES)
def test_a_damaged_page_fails_one_writing_call(db: Collection, table: str) -> None:
    found(db, "cat")
    db.close()
    flip_a_page(db.path, table)
    with Collection.open(db.path) as again:
        with pytest.raises(FormatError, match="Nothing of this call was stored: call again"):
            add(again, ["a cat more"], ["more"])
        assert again.count() == 3
        add(again, ["a cat more"], ["more"])
        assert set(found(again, "cat")) == {"cat", "more"}
    flip_a_page(db.path, table)
    with Collection(db.path, lexical=False) as again:  # removes it without reading it
        assert again.stats()["lexical"] is None
        assert again.delete("more") == 1
        assert found(again, "cat") == ["cat"]


@pytest.mark.parametrize(
    "value", ["'{'", "'[]'", "7", "NULL", '\'{"tokenizer": "icu"}\'', '\'{"preprocess": 7}\'',
              '\'{"tokenizer": ["porter"]}\'', '\'{"colour": "red"}\'']
)  # fmt: skip
def test_damaged_settings_are_named_and_can_be_removed(db: Collection, value: str) -> None:
    found(db, "cat")
    db.close()
    damage(db.path, f"UPDATE properties SET value = {value} WHERE name = 'lexical'")
    with pytest.raises(FormatError, match="settings of the lexical index are damaged"):
        Collection(db.path)
    with Collection(db.path, lexical=False) as again:
        assert again.count() == 3
        assert found(again, "cat") == ["cat"]
        assert again.verify().ok


@pytest.mark.parametrize("token", [b"barkt", b"bark\xb3"])
def test_verify_sees_what_sqlite_does_not(db: Collection, token: bytes) -> None:
    """A token changed for another of the same length is well-formed, and wrong."""
    found(db, "cat")
    db.close()
    store = schema.connect_writer(db.path / "store.sqlite")
    changed = 0
    for key, block in store.execute("SELECT id, block FROM lexical_data").fetchall():
        if b"barks" in block:
            new = block.replace(b"barks", token)
            store.execute("UPDATE lexical_data SET block = ? WHERE id = ?", (new, key))
            changed += 1
    assert changed == 1
    assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    store.close()
    with Collection.open(db.path) as again:
        report = again.verify()
        assert [p for p in report.problems if p.startswith("lexical index: its tokens are not")]
        again.compact()
        assert again.verify().ok
        assert found(again, "barks") == ["dog"]


def test_verify_sees_keys_that_differ(db: Collection) -> None:
    found(db, "cat")
    db.close()
    damage(db.path, "DELETE FROM lexical WHERE rowid = 1")
    damage(db.path, "INSERT INTO lexical (rowid, document) VALUES (77, 'cat')")
    with Collection.open(db.path, read_only=True) as reader:
        problems = " ".join(reader.verify().problems)
        assert "1 documents are missing" in problems
        assert "1 rows without a document" in problems
    with Collection.open(db.path) as again:
        with pytest.warns(LexicalIndexWarning, match="keys of no document"):
            assert found(again, "cat") == ["cat"]
        assert again.verify().ok


def test_words_need_no_model(tmp_path: Path, words: HashedWords) -> None:
    with Collection(tmp_path / "c.uv", encoder=words) as db:
        db.add(["the cat sat", "a dog barks"], ids=["cat", "dog"])
        encoded = len(words.encoded)
        assert found(db, "dog") == ["dog"]
        assert len(words.encoded) == encoded


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["upsert", "delete", "close", "compact"]),
            st.integers(0, 5),
            st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join),
        ),
        max_size=25,
    )
)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_history_gives_the_index_of_its_end(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, str]]
) -> None:
    path = tmp_path_factory.mktemp("h") / "c.uv"
    documents: dict[str, str | None] = {}
    db = Collection(path, dim=DIM, lexical=True, durability="normal")
    for verb, number, text in steps:
        name = str(number)
        if verb == "upsert":
            db.upsert([text], ids=[name], embeddings=np.ones((1, DIM)))
            documents[name] = text
        elif verb == "delete" and name in documents:
            db.delete(name)
            del documents[name]
        elif verb == "compact":
            db.compact()
        elif verb == "close":
            db.close()
            db = Collection(path, durability="normal")
    result = db.search("cat dog", k=10, mode="lexical")
    assert_allclose(
        [hit.score for hit in result],
        sorted(slow_bm25(documents, "cat dog").values(), reverse=True),
    )
    report = db.verify()
    assert report.ok, report
    db.close()


WRITER = """
import sys, numpy as np, unitvec
db = unitvec.Collection(sys.argv[1], dim=4, lexical=True)
print("open", flush=True)
for i in range(db.count(), 100_000):
    names = [f"{i}-{j}" for j in range(8)]
    db.add([f"cat number {name} of {i}" for name in names], ids=names, embeddings=np.ones((8, 4)))
    db.delete(names[:2])
    if i % 7 == 0:
        db.compact()
    print(i, flush=True)
"""


def test_after_a_kill_it_holds_the_documents_words(tmp_path: Path) -> None:
    rng = random.Random(3)
    acknowledged = 0
    for _ in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "c.uv")],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        timer = threading.Timer(rng.uniform(0.02, 0.4), process.send_signal, [signal.SIGKILL])
        timer.start()
        acknowledged += len(process.stdout.readlines())
        timer.join()
        assert process.wait() == -signal.SIGKILL
        process.stdout.close()
        with Collection(tmp_path / "c.uv") as db:
            report = db.verify()
            assert report.ok, report
            assert set(found(db, "cat", k=db.count() + 1)) == {record.id for record in db.scan()}
    assert acknowledged


def test_many_threads_search_while_one_writes(db: Collection) -> None:
    found(db, "cat")
    stop, failed = threading.Event(), []

    def search() -> None:
        while not stop.is_set():
            hits = db.search("cat dog", k=5, mode="lexical")
            if not hits or any("cat" not in h.document and "dog" not in h.document for h in hits):
                failed.append(hits)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for i in range(60):
        add(db, [f"dog number {i}", f"no such animal {i}"], [f"d{i}", f"n{i}"])
        db.delete(f"d{i}")
    stop.set()
    for thread in threads:
        thread.join()
    assert not failed
    assert db.verify().ok
