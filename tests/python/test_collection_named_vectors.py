"""Several vectors per document, by name: stored, searched and kept as the collection's own are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hashed_words import HashedWords
from unitvec import Collection, FingerprintError, FormatError
from unitvec.collection import IndexPolicy, building, repair_collection, schema
from unitvec.ingest import index_files

TITLE, BODY = HashedWords(8, "title-model"), HashedWords(16, "body-model")


def rows(n: int, dim: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)


@pytest.fixture
def db(tmp_path: Path) -> Any:
    """Two kinds without an encoder, none of its own."""
    vectors = {"title": 4, "image": {"dim": 3, "metric": "euclidean"}}
    with Collection(tmp_path / "n.uv", vectors=vectors) as collection:
        yield collection


def shown(db: Collection) -> dict[str, dict[str, list[float]]]:
    return {
        r.id: {name: vector.tolist() for name, vector in r.vector.items()}
        for r in db.get(include=["embeddings"])
    }


# ---- what there is -------------------------------------------------------------------------------


def test_kinds_are_described(db: Collection, tmp_path: Path) -> None:
    assert db.vectors == {
        "title": {"dim": 4, "metric": "cosine", "model": None},
        "image": {"dim": 3, "metric": "euclidean", "model": None},
    }
    assert repr(db).endswith("n.uv', vectors={'title': 4, 'image': 3})")
    for name in ("dim", "metric", "encoder"):
        with pytest.raises(
            ValueError, match=r"expected one kind of vectors, got \['title', 'image'\]"
        ):
            getattr(db, name)
    with Collection(tmp_path / "one.uv", vectors={"only": 5}) as one:
        assert (one.dim, one.metric) == (5, "cosine")
    with Collection(tmp_path / "plain.uv", dim=4) as plain:
        assert plain.vectors == {}
        assert "vectors" not in plain.stats()


def test_statistics_are_by_name(db: Collection) -> None:
    db.add(ids=["a", "b"], embeddings={"title": rows(2, 4), "image": [None, [1, 2, 3]]})
    stats = db.stats()
    assert (stats["count"], stats["dim"], stats["metric"], stats["index"]) == (2, None, None, None)
    assert {name: facts["count"] for name, facts in stats["vectors"].items()} == {
        "title": 2,
        "image": 1,
    }
    assert stats["vectors"]["image"] == {
        "count": 1, "dim": 3, "metric": "euclidean", "model": None, "fingerprint": None,
        "index": "flat", "indexed": 0, "recall_estimate": 1.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("vectors", "error", "message"),
    [
        ([("a", 3)], TypeError, "expected a dictionary of name and dim or encoder, got list"),
        ({7: 3}, TypeError, "expected names as str, got int"),
        ({"": 3}, ValueError, "expected names of 1 to 255 bytes of UTF-8, got 0"),
        ({"é" * 128: 3}, ValueError, "got 256"),
        ({"~migration": 3}, ValueError, "do not begin with ~"),
        ({"a\nb": 3}, ValueError, "without control characters"),
        ({"a\x85": 3}, ValueError, "without control characters"),
        ({"\ud800": 3}, ValueError, "that UTF-8 can hold"),
        ({"a": 0}, ValueError, r"\[dim of 'a'\] expected at least 1, got 0"),
        ({"a": True}, TypeError, r"\[dim of 'a'\] expected an integer, got bool"),
        ({"a": 2**20}, ValueError, r"\[Collection\] expected dim of 'a' in \[1, 65536\]"),
        ({"a": None}, ValueError, "expected a dim or an encoder of the vectors 'a'"),
        ({"a": {"metric": "dot"}}, ValueError, "expected a dim or an encoder of the vectors 'a'"),
        ({"a": {"dim": 3, "distance": "dot"}}, ValueError, r"'a': expected keys of .*'distance'"),
        ({"a": {"dim": 3, "metric": "hamming"}}, ValueError, "expected a metric of"),
        ({"a": {"dim": 3, "encoder": TITLE}}, ValueError, "expected dim 8 as the encoder has"),
        ({"a": 1.5}, TypeError, r"\[dim of 'a'\] expected an integer, got float"),
        ({}, ValueError, "expected encoder= or dim= to make a new collection"),
    ],
)
def test_what_is_no_kind_of_vectors_is_refused(
    tmp_path: Path, vectors: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Collection(tmp_path / "c.uv", vectors=vectors)
    assert not (tmp_path / "c.uv").exists()


def test_odd_names_are_only_names(tmp_path: Path) -> None:
    names = ["a b", "'\"; DROP TABLE spaces", "../x", "é" * 127, "vector", "%", "漢"]
    with Collection(tmp_path / "c.uv", vectors=dict.fromkeys(names, 2)) as db:
        db.add(ids="x", embeddings={name: [i, 1] for i, name in enumerate(names)})
        assert [db.search([1, 0], using=name)[0].id for name in names] == ["x"] * len(names)
        assert db.verify().ok
    with Collection(tmp_path / "c.uv") as db:
        assert list(db.vectors) == names
        assert list(shown(db)["x"]) == names


# ---- opening again -------------------------------------------------------------------------------


def test_a_collection_is_opened_with_what_it_was_made_with(tmp_path: Path) -> None:
    path = tmp_path / "c.uv"
    with Collection(path, vectors={"title": TITLE, "image": 3}) as db:
        db.add("a cat", ids="a", embeddings={"image": [1, 0, 0]})
    for vectors in (None, {}, {"image": 3}, {"title": {"dim": 8}}, {"title": TITLE}):
        with Collection(path, vectors=vectors) as db:
            assert set(db.vectors) == {"title", "image"}
    with Collection.open(path, read_only=True, vectors={"title": TITLE}) as db:
        assert db.search("a cat", using="title")[0].id == "a"
    for vectors, message in (
        ({"headline": 8}, r"expected vectors= of \['title', 'image'\], as .* got 'headline'"),
        ({"image": 4}, "expected dim of the vectors 'image' 3 as stored, got 4"),
        ({"image": {"metric": "dot"}}, "expected metric of the vectors 'image' 'cosine' as stored"),
    ):
        with pytest.raises(ValueError, match=message):
            Collection(path, vectors=vectors)
    with pytest.raises(ValueError, match=r"only vectors with names, \['title', 'image'\]"):
        Collection(path, dim=8)
    with pytest.raises(FingerprintError, match="the vectors 'title' were made by the model"):
        Collection(path, vectors={"title": HashedWords(8, "another")})
    with pytest.raises(FingerprintError, match="the vectors 'image' were made without an encoder"):
        Collection(path, vectors={"image": HashedWords(3)})
    with Collection(tmp_path / "plain.uv", dim=3):
        pass
    with pytest.raises(ValueError, match="expected vectors= of no names"):
        Collection(tmp_path / "plain.uv", vectors={"image": 3})


def test_an_encoder_is_loaded_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"title-model": TITLE, "body-model": HashedWords(16, "changed")}
    for home in ("model.load_encoder", "opened.load_stored_encoder"):
        monkeypatch.setattr(f"unitvec.collection.{home}", known.get)
    path = tmp_path / "c.uv"
    with Collection(path, vectors={"title": "title-model", "body": BODY}) as db:
        db.add("a cat", ids="a")
    with Collection(path) as db:
        assert db.search("a cat", using="title")[0].id == "a"
        with pytest.raises(FingerprintError, match="the vectors 'body' were made by the model"):
            db.search("a cat", using="body")


def test_an_encoder_without_a_name_is_missed(tmp_path: Path) -> None:
    nameless = HashedWords(8)
    nameless.name = None  # type: ignore[assignment]
    with Collection(tmp_path / "c.uv", vectors={"title": nameless, "image": 3}) as db:
        db.add("a cat", ids="a")
    with Collection(tmp_path / "c.uv") as db:
        message = r"the vectors 'title' were made without an encoder .*vectors={'title': encoder}"
        for call in (lambda: db.add("b"), lambda: db.search("b", using="title")):
            with pytest.raises(ValueError, match=message):
                call()
        db.add("b", ids="b", embeddings={"title": nameless.encode("b")})
        assert db.count() == 2


# ---- writing -------------------------------------------------------------------------------------


def test_a_document_need_not_have_every_vector(db: Collection) -> None:
    title, image = rows(3, 4), rows(2, 3)
    db.add(ids=["a", "b", "c"], embeddings={"title": title, "image": [image[0], None, image[1]]})
    db.add("only words", ids="d", embeddings={})
    db.add(ids="e", embeddings={"image": [1, 2, 3], "title": None})
    assert shown(db) == {
        "a": {"title": title[0].tolist(), "image": image[0].tolist()},
        "b": {"title": title[1].tolist()},
        "c": {"title": title[2].tolist(), "image": image[1].tolist()},
        "d": {},
        "e": {"image": [1, 2, 3]},
    }
    assert {hit.id for hit in db.search(title[0], k=9, using="title")} == {"a", "b", "c"}
    found = db.search(image[0], k=9, using="image")
    assert found[0].id == "a"
    assert {hit.id for hit in found} == {"a", "c", "e"}
    assert found.exact
    assert db.search("words", mode="lexical")[0].id == "d"
    assert db.verify().ok


def test_streams_carry_named_vectors(db: Collection) -> None:
    title, image = rows(1500, 4), rows(1500, 3)
    images = [None if i % 3 else image[i] for i in range(1500)]
    db.add(ids=(f"id{i}" for i in range(1500)),
           embeddings={"title": iter(title), "image": iter(images)})  # fmt: skip
    assert db.stats()["vectors"]["image"]["count"] == 500
    with pytest.raises(ValueError, match="got embeddings 'image' for only 512 rows"):
        db.add(ids=(f"x{i}" for i in range(600)),
               embeddings={"title": iter(title), "image": iter(images[:512])})  # fmt: skip
    assert db.count() == 1500 + 512


@pytest.mark.parametrize(
    ("embeddings", "error", "message"),
    [
        ({"headline": rows(2, 4)}, ValueError, r"names of \['title', 'image'\], got 'headline'"),
        ({"": rows(2, 4)}, ValueError, r"expected names of \['title', 'image'\], got ''"),
        (rows(2, 4), ValueError, r"dictionary with names of \['title', 'image'\], got ndarray"),
        (
            {"title": rows(2, 3)},
            ValueError,
            r"'title'\] row 0: expected a vector of dim 4, got shape",
        ),
        ({"title": [[1, 2, 3, 4], [1, 2]]}, ValueError, r"'title'\] row 1: .* got shape \(2,\)"),
        ({"title": [None, [1, 2]]}, ValueError, r"'title'\] row 1: expected a vector of dim 4"),
        ({"title": [None, [np.nan] * 4]}, ValueError, r"'title'\] row 1: expected finite float32"),
        ({"title": [None, [0] * 4]}, ValueError, r"'title'\] row 1: expected a vector with a dire"),
        ({"title": [None, [True] * 4]}, TypeError, r"'title'\] expected real numbers, got dtype"),
        ({"title": rows(3, 4)}, ValueError, "as many of each, got 2 ids, 3 embeddings 'title'"),
        (
            {"title": rows(2, 4), "image": rows(1, 3)},
            ValueError,
            "2 embeddings 'title', 1 embedding",
        ),
        ({"title": 7.5}, TypeError, r"\[embeddings 'title'\] expected a list or stream, got float"),
        ({"title": [None, rows(1, 4)[0]]}, ValueError, "row 0: expected a document, a vector or"),
        ({"title": [None, None], "image": [None, None]}, ValueError, "row 0: expected a document"),
        ({}, ValueError, "expected documents, embeddings or both"),
        (None, ValueError, "expected documents, embeddings or both"),
    ],
)
def test_bad_vectors_name_their_kind_and_row(
    db: Collection, embeddings: Any, error: type[Exception], message: str
) -> None:
    for verb in (db.add, db.upsert):
        with pytest.raises(error, match=message):
            verb(ids=["a", "b"], embeddings=embeddings)
    assert db.count() == 0


def test_rows_are_counted_from_the_start_of_the_call(db: Collection) -> None:
    title = [None] * 700
    title[650] = [np.inf] * 4
    with pytest.raises(ValueError, match=r"'title'\] row 650: expected finite"):
        db.add(["text"] * 700, embeddings={"title": title})
    assert db.count() == 0


def test_texts_are_encoded_for_every_encoder(tmp_path: Path) -> None:
    vectors = {"title": TITLE, "body": {"encoder": BODY, "metric": "dot"}, "image": 3}
    with Collection(tmp_path / "c.uv", vectors=vectors) as db:
        own = rows(1, 8)[0]
        db.add(["a cat", "a dog"], ids=["a", "b"], embeddings={"title": [own, None]})
        stored = {r.id: r.vector for r in db.get(include=["embeddings"])}
        np.testing.assert_array_equal(stored["a"]["title"], own)
        assert set(stored["a"]) == {"title", "body"}
        assert set(stored["b"]) == {"body"}
        np.testing.assert_array_equal(stored["b"]["body"], BODY.encode("a dog"))
        db.update("b", documents="a cow")
        (record,) = db.get("b", include=["embeddings"])
        np.testing.assert_array_equal(record.vector["title"], TITLE.encode("a cow"))
        np.testing.assert_array_equal(record.vector["body"], BODY.encode("a cow"))
        assert db.search("a cow", using="body")[0].id == "b"


def test_texts_that_nothing_encodes_are_refused(db: Collection) -> None:
    for verb in (db.add, db.upsert):
        with pytest.raises(ValueError, match=r"as no vectors here have an encoder; \{\} stores"):
            verb("text")
    db.add("text", ids="a", embeddings={})
    with pytest.raises(ValueError, match="as no vectors here have an encoder"):
        db.update("a", documents="other")
    db.update("a", documents="other", embeddings={})
    assert db.get("a")[0].document == "other"


def test_update_of_one_vector_leaves_the_others(db: Collection) -> None:
    title, image = rows(2, 4), rows(2, 3)
    db.add(["one", "two"], ids=["a", "b"], embeddings={"title": title, "image": image},
           metadatas=[{"n": 1}, {"n": 2}])  # fmt: skip
    db.update("a", embeddings={"title": [9, 9, 9, 9]})
    assert shown(db)["a"] == {"title": [9] * 4, "image": image[0].tolist()}
    db.update("a", metadatas={"m": 1})
    db.update("b", documents="new", embeddings={"image": [None]})
    assert shown(db)["a"] == {"title": [9] * 4, "image": image[0].tolist()}
    assert shown(db)["b"] == {"title": title[1].tolist()}
    assert [(r.document, r.metadata) for r in db.get(["a", "b"])] == [
        ("one", {"n": 1, "m": 1}),
        ("new", {"n": 2}),
    ]
    db.upsert(ids="a", embeddings={"image": [1, 1, 1]})
    assert shown(db)["a"] == {"image": [1, 1, 1]}
    with pytest.raises(ValueError, match="row 0: expected a document, a vector or both"):
        db.update("a", embeddings={"image": [None]})
    assert shown(db)["a"] == {"image": [1, 1, 1]}
    assert db.verify().ok


def test_an_own_kind_beside_named_ones(tmp_path: Path) -> None:
    words = HashedWords()
    with Collection(tmp_path / "c.uv", encoder=words, vectors={"image": 3}) as db:
        db.add(["a cat", "a dog"], ids=["a", "b"], embeddings={"image": [[1, 0, 0], None]})
        db.add(ids="c", embeddings={"": words.encode("a cow"), "image": [0, 1, 0]})
        db.add(ids="d", embeddings=words.encode("a hen"))
        assert db.dim == 64
        assert db.search("a dog")[0].id == "b"
        assert [hit.id for hit in db.search([0, 1, 0], using="image", k=9)] == ["c", "a"]
        hit = db.search("a cat", k=1, include=["embeddings"])[0]
        np.testing.assert_array_equal(hit.vector[""], words.encode("a cat"))
        np.testing.assert_array_equal(hit.vector["image"], [1, 0, 0])
        with pytest.raises(ValueError, match="each document has a vector of the collection's own"):
            db.add(ids="e", embeddings={"image": [1, 0, 0]})
        with pytest.raises(ValueError, match=r"\[embeddings\] row 1: .* got None numbers"):
            db.update(["a", "b"], embeddings={"": [words.encode("x"), None]})
        db.update("a", documents="a horse")
        assert shown(db)["a"] == {"": words.encode("a horse").tolist(), "image": [1, 0, 0]}
        stats = db.stats()
        assert (stats["dim"], stats["vectors"]["image"]["count"]) == (64, 2)
        assert db.verify().ok
    with Collection(tmp_path / "c.uv", encoder=words) as db:
        assert repr(db).endswith("dim=64, cosine, model='hashed-words', vectors={'image': 3})")


# ---- searching -----------------------------------------------------------------------------------


def test_a_search_says_which_vectors(db: Collection, tmp_path: Path) -> None:
    db.add("a text", ids="a", embeddings={"title": [1, 0, 0, 0]})
    for using, error, message in (
        (
            None,
            ValueError,
            r"\[search\] expected using= to be one of \['title', 'image'\], got none",
        ),
        ("headline", ValueError, "got 'headline'"),
        ("~migration", ValueError, "got '~migration'"),
        (7, TypeError, "expected using as a name, got int"),
    ):
        with pytest.raises(error, match=message):
            db.search([1, 0, 0, 0], using=using)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"\[query\] expected vectors of dim 3, got dim 4"):
        db.search([1, 0, 0, 0], using="image")
    with pytest.raises(ValueError, match="the vectors 'title' were made without an encoder"):
        db.search("a text", using="title")
    assert db.search("text", mode="lexical")[0].id == "a"  # no vector is looked at
    assert list(db.search([1, 0, 0], using="image")) == []
    assert db.search([1, 0, 0], using="image").exact
    with Collection(tmp_path / "one.uv", vectors={"only": 2}) as one:
        one.add(ids="a", embeddings=[1, 0])  # the only kind
        assert one.search([1, 0])[0].id == "a"
        assert one.search([1, 0], include=["embeddings"])[0].vector["only"].tolist() == [1, 0]
    with Collection(tmp_path / "plain.uv", dim=2) as plain:
        plain.add(ids="a", embeddings={"": [1, 0]})
        assert plain.search([1, 0], using="")[0].id == "a"
        assert plain.get(include=["embeddings"])[0].vector.tolist() == [1, 0]


@pytest.fixture
def large(tmp_path: Path) -> Any:
    """900 documents; every third has an image, and both kinds have a graph."""
    policy = IndexPolicy(approximate_from=200, tail_min=50)
    vectors = {"title": TITLE, "image": {"dim": 16, "metric": "dot"}}
    with Collection(tmp_path / "l.uv", vectors=vectors, index_policy=policy) as db:
        image = rows(900, 16)
        db.add([f"word{i % 7} number{i}" for i in range(900)], ids=[f"id{i}" for i in range(900)],
               metadatas=[{"n": i % 10} for i in range(900)],
               embeddings={"image": [None if i % 3 else image[i] for i in range(900)]})  # fmt: skip
        db.build_index()
        db.image = image  # type: ignore[attr-defined]
        yield db


def nearest(db: Any, query: np.ndarray, k: int, ids: Any) -> list[str]:
    there = [i for i in ids if i % 3 == 0]
    scores = db.image[there] @ query
    return [f"id{there[i]}" for i in np.argsort(-scores, kind="stable")[:k]]


def test_every_kind_of_search_uses_the_kind_of_vectors(large: Collection) -> None:
    stats = large.stats()["vectors"]
    assert {n: (f["index"], f["indexed"]) for n, f in stats.items()} == {
        "title": ("hnsw", 900),
        "image": ("hnsw", 300),
    }
    query = rows(1, 16, 5)[0]
    truth = nearest(large, query, 10, range(900))
    result = large.search(query, using="image", min_recall=1.0)
    assert (result.exact, [hit.id for hit in result]) == (True, truth)
    walked = large.search(query, using="image")
    assert len({hit.id for hit in walked} & set(truth)) >= 8
    assert walked.recall_estimate == stats["image"]["recall_estimate"]
    page = large.search(query, 4, using="image", offset=3, min_recall=1.0)
    assert [hit.id for hit in page] == truth[3:7]
    some = large.search(query, 10, {"n": 3}, using="image")
    assert [hit.id for hit in some] == nearest(large, query, 10, range(3, 900, 10))
    assert some.exact
    none = large.search(query, 10, {"n": 3, "$and": [{"n": 4}]}, using="image")
    assert list(none) == []
    every = large.search(query, 900, using="image")
    assert len(every) == 300
    batch = large.search(np.stack([query, -query]), 5, using="image", min_recall=1.0)
    assert [hit.id for hit in batch[1]] == nearest(large, -query, 5, range(900))
    groups = large.search(query, 10, using="image", group_by="n", group_size=2).groups
    assert sorted(group.value for group in groups) == list(range(10))
    assert all(len(group.hits) == 2 for group in groups)


def test_hybrid_rerank_and_diversity(large: Collection) -> None:
    query = "word3 number10"
    hybrid = large.search(query, 5, mode="hybrid", using="title")
    assert hybrid[0].id == "id10"
    with pytest.raises(ValueError, match="expected using="):
        large.search(query, mode="hybrid")
    reranked = large.search(query, 3, using="title", rerank=lambda q, t: [len(x) for x in t])
    assert len(reranked) == 3
    # id10 has no image: words find it, and it is unlike every other.
    diverse = large.search(query, 3, mode="lexical", using="image", mmr_lambda=0.5)
    assert diverse[0].id == "id10"
    assert len(large.search(query, 4, using="title", mmr_lambda=0.2)) == 4
    with pytest.raises(ValueError, match="expected using="):
        large.search(query, 3, mode="lexical", mmr_lambda=0.5)
    assert len(large.search(query, 3, mode="lexical", group_by="n")) == 3


def test_a_sparse_kind_has_an_honest_recall(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sample that recall is measured on is of the documents that have such a vector."""
    sampled = []

    class Counting(building.NearestSearch):
        def run(self, queries: np.ndarray, recall: float) -> Any:
            sampled.append((self.space.name, len(queries)))
            return super().run(queries, recall)

    monkeypatch.setattr(building, "NearestSearch", Counting)
    policy = IndexPolicy(approximate_from=300, tail_min=50)
    with Collection(tmp_path / "s.uv", vectors={"a": 2, "b": 32}, index_policy=policy) as db:
        wide = rows(400, 32)
        sparse = [wide[i // 19] if i % 19 == 7 else None for i in range(19 * 400)]
        db.add(ids=[str(i) for i in range(len(sparse))],
               metadatas=[{"n": i % 2} for i in range(len(sparse))],
               embeddings={"a": rows(len(sparse), 2), "b": sparse})  # fmt: skip
        db.build_index()
        assert db.stats()["vectors"]["b"]["indexed"] == 400
        # Half of all documents are many, but few of them have such a vector.
        assert db.search(wide[3], 5, {"n": 0}, using="b").exact
        assert {count for name, count in sampled if name == "b"} == {100}
        # Those that go have no such vector: the graph of the others is as good as it was.
        before = generation(db, "b")
        db.delete([str(i) for i in range(5000) if i % 19 != 7])
        db.build_index()
        assert generation(db, "b") == before
        assert len(db.search(wide[3], 500, using="b")) == 400
        assert db.verify().ok


def generation(db: Collection, name: str) -> int:
    with db._session.reading() as store:
        pointer = store.generation(db._spaces[name])
    assert pointer is not None
    return pointer.generation


# ---- results -------------------------------------------------------------------------------------


def test_results_hold_named_vectors(db: Collection) -> None:
    db.add(ids=["a", "b"], embeddings={"title": rows(2, 4), "image": [None, [1, 2, 3]]})
    included = {"include": ["documents", "metadatas", "embeddings"]}
    records = db.get(**included)
    assert [set(vector) for vector in records["embeddings"]] == [{"title"}, {"title", "image"}]
    assert {r.id: set(r.vector) for r in db.scan(**included)} == {
        "a": {"title"}, "b": {"title", "image"},
    }  # fmt: skip
    hits = db.search([1, 2, 3], using="image", **included)
    assert hits[0].vector["image"].dtype == np.float32
    assert hits.to_list()[0]["vector"]["image"] == [1.0, 2.0, 3.0]
    assert db.get()[0].vector is None
    assert db.search([1, 2, 3], using="image")[0].vector is None


def test_tables_hold_named_vectors(db: Collection) -> None:
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    polars = pytest.importorskip("polars", reason="polars is not installed")
    db.add(ids=["a", "b"], embeddings={"title": [[1, 2, 3, 4]] * 2, "image": [None, [1, 2, 3]]})
    for result in (
        db.get(include=["embeddings"]),
        db.get("c", include=["embeddings"]),
        db.search([1, 2, 3], 2, {"n": 7}, using="image", include=["embeddings"]),
    ):
        table = result.to_arrow()
        assert table.schema.field("vector").type == arrow.struct(
            [("title", arrow.list_(arrow.float32(), 4)), ("image", arrow.list_(arrow.float32(), 3))]
        )
        assert result.to_polars().schema["vector"] == polars.Struct(
            {"title": polars.Array(polars.Float32, 4), "image": polars.Array(polars.Float32, 3)}
        )
    records = db.get(include=["embeddings"])
    expected = [
        {"title": [1, 2, 3, 4], "image": None},
        {"title": [1, 2, 3, 4], "image": [1, 2, 3]},
    ]
    assert records.to_arrow()["vector"].to_pylist() == expected
    assert records.to_polars()["vector"].to_list() == expected
    pytest.importorskip("pandas", reason="pandas is not installed")
    assert set(records.to_pandas()["vector"][1]) == {"title", "image"}


# ---- looking after it ----------------------------------------------------------------------------


def test_all_kinds_are_looked_after(large: Collection, tmp_path: Path) -> None:
    query = rows(1, 16, 5)[0]
    truth = nearest(large, query, 10, range(50, 900))
    large.delete([f"id{i}" for i in range(50)])
    large.compact()
    report = large.verify()
    assert (report.ok, report.problems, report.rows) == (True, [], 850)
    copies = [large.snapshot(tmp_path / "copy.uv"), large.repair(tmp_path / "repaired.uv").path]
    contents = shown(large)
    for path in copies:
        with Collection.open(path, vectors={"title": TITLE}) as copy:
            assert shown(copy) == contents
            assert copy.verify().ok
            result = copy.search(query, using="image", min_recall=1.0)
            assert [hit.id for hit in result] == truth
            assert copy.search("word3 number59", 1, using="title")[0].id == "id59"


def test_deletions_are_forgotten_though_a_kind_has_no_graph(tmp_path: Path) -> None:
    policy = IndexPolicy(approximate_from=100, tail_min=20)
    with Collection(tmp_path / "c.uv", vectors={"a": 4, "b": 4}, index_policy=policy) as db:
        few = [row if i < 10 else None for i, row in enumerate(rows(300, 4))]
        db.add(ids=[str(i) for i in range(300)], embeddings={"a": rows(300, 4), "b": few})
        db.build_index()
        assert len(db.search([1, 0, 0, 0], 99, using="b")) == 10
        db.delete([str(i) for i in range(5, 105)])
        db.build_index()
        with db._session.reading() as store:
            assert store.deleted_since(0) == []
        assert {hit.id for hit in db.search([1, 0, 0, 0], 99, using="b")} == set("01234")
        assert len(db.search([1, 0, 0, 0], 999, using="a")) == 200
        assert db.verify().ok


def test_documents_without_a_vector_leave_an_index_file_as_it_is(tmp_path: Path) -> None:
    policy = IndexPolicy(approximate_from=100, tail_min=100)
    with Collection(tmp_path / "c.uv", vectors={"a": 4}, index_policy=policy) as db:
        ids = [str(i) for i in range(400)]
        some = [np.eye(4)[i % 4] if i < 200 else None for i in range(400)]
        db.add(ids, ids=ids, embeddings={"a": some})
        db.build_index()
        before = db._session._reader.generations()
        db.delete(ids[200:])
        db.build_index()
        assert db._session._reader.generations() == before
        assert db.verify().ok


def test_one_kind_is_migrated(large: Collection) -> None:
    new = HashedWords(12, "new-model")
    before = shown(large)
    large.add(ids="bare", embeddings={"image": rows(1, 16)})  # without a title: it has no text
    large.upsert("word1 late", ids="late", embeddings={"title": [None]})
    report = large.migrate(new, using="title")
    assert (report.embedded, report.resumed) == (900, 0)
    assert large.vectors["title"] == {"dim": 12, "metric": "cosine", "model": "new-model"}
    after = shown(large)
    assert set(after["bare"]) == {"image"}
    assert set(after["late"]) == set()
    for name, vectors in before.items():
        assert vectors.get("image") == after[name].get("image")
    assert large.search("word2 number2", 1, using="title")[0].id == "id2"
    assert large.verify().ok
    with pytest.raises(ValueError, match="expected another model, got that of the vectors 'title'"):
        large.migrate(new, using="title")
    with pytest.raises(ValueError, match=r"got 301 with vectors alone|such as 'bare'"):
        large.migrate(new, using="image")
    with pytest.raises(ValueError, match=r"\[migrate\] expected using= to be one of"):
        large.migrate(new)
    path = large.path
    large.close()
    with pytest.raises(FingerprintError, match="the vectors 'title'"):
        Collection(path, vectors={"title": TITLE})


class Stopping(HashedWords):
    """A new model that fails after its first batch."""

    def encode_document(self, texts: list[str], **options: Any) -> Any:
        if self.encoded:
            raise InterruptedError
        return super().encode(texts, **options)


def test_a_migration_of_one_kind_goes_on(large: Collection) -> None:
    with pytest.raises(InterruptedError):
        large.migrate(Stopping(12, "new-model"), using="title")
    assert list(large.vectors) == ["title", "image"]
    assert large.search("word2 number2", 1, using="title")[0].id == "id2"
    assert set(shown(large)["id3"]) == {"title", "image"}
    large.update("id3", embeddings={"image": rows(1, 16)[0]})
    large.delete("id6")
    report = large.migrate(HashedWords(12, "new-model"), using="title")
    assert (report.resumed, report.embedded) == (510, 389)
    assert large.verify().ok


def change(path: Path, sql: str) -> None:
    connection = schema.connect_writer(path / "store.sqlite")
    connection.execute(sql)
    connection.close()


def test_damage_names_the_kind(tmp_path: Path) -> None:
    path = tmp_path / "c.uv"
    with Collection(path, vectors={"title": TITLE, "image": 3}) as db:
        db.add(["a", "b", "c"], ids=["a", "b", "c"], embeddings={"image": rows(3, 3)})
        truth = shown(db)
    change(path, "UPDATE vectors_0 SET vector = zeroblob(length(vector)) WHERE key = 1")
    change(path, "UPDATE vectors_1 SET vector = zeroblob(4) WHERE key = 2")
    with Collection.open(path, vectors={"title": TITLE}) as db:
        with pytest.raises(FormatError, match="the vector 'title' of id 'a'"):
            db.get("a", include=["embeddings"])
        with pytest.raises(FormatError, match="the vector 'image' of id 'b'"):
            db.update("b", embeddings={"title": rows(1, 8)[0]})
        problems = db.verify().problems
        assert [re.sub(r"wrong .* vector", "", p) for p in problems] == [
            "id 'a':  'title'", "id 'b':  'image'",
        ]  # fmt: skip
        report = db.repair()
    assert (report.saved, report.embedded) == (2, 1)
    assert report.lost == ["id 'b' (key 2): its vector 'image' is damaged"]
    with Collection(report.path) as db:
        assert shown(db) == {name: truth[name] for name in ("a", "c")}
    report = repair_collection(path, tmp_path / "without.uv")
    assert (report.saved, report.lost_count) == (1, 2)


# ---- against a dictionary and brute force --------------------------------------------------------

KINDS = {"t": (3, "cosine"), "i": (2, "euclidean"), "z": (4, "dot")}
IDS = st.sampled_from([f"d{i}" for i in range(6)])


def vectors_of(dim: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(-2, 2), min_size=dim, max_size=dim).filter(any)


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, list[str], dict[str, Any], bool]:
    verb = draw(st.sampled_from(["add", "upsert", "update", "delete", "reopen"]))
    ids = draw(st.lists(IDS, min_size=1, max_size=4, unique=True))
    names = draw(st.sets(st.sampled_from(list(KINDS))))
    size = {"min_size": len(ids), "max_size": len(ids)}
    columns = {
        name: draw(st.lists(st.none() | vectors_of(KINDS[name][0]), **size))
        for name in sorted(names)
    }
    return verb, ids, columns, draw(st.booleans())


def scores(metric: str, query: np.ndarray, vector: np.ndarray) -> float:
    if metric == "cosine":
        return float(query @ vector / np.linalg.norm(query) / np.linalg.norm(vector))
    return float(query @ vector) if metric == "dot" else -float(np.linalg.norm(query - vector))


def changed(
    model: dict[str, dict[str, Any]], verb: str, ids: list[str], columns: dict[str, Any], text: bool
) -> dict[str, dict[str, Any]] | None:
    """The documents after a call, or None where it is to be refused."""
    known = [name for name in ids if name in model]
    if verb == "delete":
        gone = set(ids)
        return None if len(known) < len(ids) else {n: d for n, d in model.items() if n not in gone}
    if (verb == "add" and known) or (verb == "update" and len(known) < len(ids)):
        return None
    if verb == "update" and not columns and not text:
        return None
    after = {name: document for name, document in model.items() if name not in ids}
    for i, name in enumerate(ids):
        document = dict(model[name]) if verb == "update" else {}
        if text:
            document["text"] = True
        for kind, column in columns.items():
            document.pop(kind, None)
            if column[i] is not None:
                document[kind] = [float(x) for x in column[i]]
        if not document:
            return None
        after[name] = document
    return after


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(calls(), max_size=12), start=st.integers(2, 6), queries=st.data())
def test_any_calls_are_those_of_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory, steps: Any, start: int, queries: Any
) -> None:
    path = tmp_path_factory.mktemp("model") / "c.uv"
    policy = IndexPolicy(approximate_from=start, tail_min=2)
    vectors = {name: {"dim": dim, "metric": metric} for name, (dim, metric) in KINDS.items()}
    options: Any = {"durability": "normal", "index_policy": policy}
    db = Collection(path, vectors=vectors, **options)
    model: dict[str, dict[str, Any]] = {}
    try:
        for verb, ids, columns, text in steps:
            if verb == "reopen":
                db.close()
                db = Collection(path, **options)
                continue
            given = {"documents": ["text"] * len(ids)} if text else {}
            after = changed(model, verb, ids, columns, text)
            call = getattr(db, verb)
            arguments = {} if verb == "delete" else {"embeddings": columns, **given}
            if after is None:
                with pytest.raises(ValueError, match="expected"):
                    call(ids=ids, **arguments)
            else:
                call(ids=ids, **arguments)
                model = after
            require_equal(db, model, queries)
        assert db.verify().problems == []
    finally:
        db.close()


def require_equal(db: Collection, model: dict[str, dict[str, Any]], queries: Any) -> None:
    expected = {n: {k: v for k, v in d.items() if k != "text"} for n, d in model.items()}
    assert shown(db) == expected
    assert [r.id for r in db.get()] == list(model)
    for name, (dim, metric) in KINDS.items():
        query = np.array(queries.draw(vectors_of(dim), name), np.float32)
        truth = {n: scores(metric, query, np.array(d[name])) for n, d in model.items() if name in d}
        found = db.search(query, 9, using=name, min_recall=1.0)
        assert found.exact
        assert {hit.id for hit in found} == set(truth)
        got = [hit.score for hit in found]
        np.testing.assert_allclose(got, sorted(truth.values(), reverse=True), atol=1e-5)
        for hit in found:
            assert hit.score == pytest.approx(truth[hit.id], abs=1e-5)


def test_indexed_files_reuse_the_vectors_that_are_stored(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("text\na cat\na dog\n")
    for name, options in {
        "own.uv": {"encoder": HashedWords(), "vectors": {"image": 3}},
        "one.uv": {"vectors": {"text": HashedWords()}},
    }.items():
        file.write_text("text\na cat\na dog\n")
        with Collection(tmp_path / name, **options) as db:  # type: ignore[arg-type]
            assert index_files(db, [file], "text").encoded == 2
            file.write_text("text\na cat\na cow\n")
            report = index_files(db, [file], "text")
            assert (report.encoded, report.reused) == (1, 1)
            assert db.search("a cow", k=1)[0].document == "a cow"
            assert db.verify().ok
