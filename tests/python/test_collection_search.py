"""What `search` makes of its candidates: fused, reranked, diverse, in groups, page by page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from hashed_words import HashedWords
from unitvec import Collection
from unitvec.collection import GroupedResult, IndexPolicy
from unitvec.collection.diversity import most_marginally_relevant
from unitvec.collection.fusion import fuse

WORDS = "cat dog sat mat barks runs fell shares today the a on".split()
COUNT = 400
MODES = ("dense", "lexical", "hybrid")


def texts(count: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, rng.integers(1, 9))) for _ in range(count)]


@pytest.fixture(scope="module", params=["exact", "graph"])
def db(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """400 documents in groups of very different sizes, a few without a group or a text."""
    path = tmp_path_factory.mktemp("search") / "c.uv"
    policy = IndexPolicy(approximate_from=100 if request.param == "graph" else 10_000, tail_min=50)
    with Collection(path, encoder=HashedWords(), index_policy=policy) as db:
        metadatas = [{"file": f"f{int(i**0.5)}", "n": i} if i % 9 else {"n": i}
                     for i in range(COUNT)]  # fmt: skip
        db.add(texts(COUNT), ids=[str(i) for i in range(COUNT)], metadatas=metadatas)
        bare = np.random.default_rng(1).standard_normal((5, 64))
        db.add(embeddings=bare, ids=[f"bare{i}" for i in range(5)],
               metadatas=[{"n": -1, "file": "bare"}] * 5)  # fmt: skip
        yield db


def pairs(result: Any) -> list[tuple[str, float]]:
    return [(hit.id, hit.score) for hit in result]


def everything(db: Collection, query: str, mode: str, **more: Any) -> list[tuple[str, float]]:
    """All hits in order, exactly: the plain search with k as large as the collection."""
    return pairs(db.search(query, k=db.count(), mode=mode, min_recall=1.0, **more))


# ---- pages, filters, scores ----------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("query", ["cat", "the dog barks", "zebra"])
def test_pages_are_slices(db: Collection, mode: str, query: str) -> None:
    whole = pairs(db.search(query, k=60, mode=mode, min_recall=1.0))
    for offset in (0, 1, 7, 30):
        page = pairs(db.search(query, k=10, offset=offset, mode=mode, min_recall=1.0))
        assert page == whole[offset : offset + 10]
    beyond = db.search(query, k=10, offset=10_000, mode=mode)
    assert pairs(beyond) == []


@pytest.mark.parametrize("mode", MODES)
def test_batches_equal_single_searches(db: Collection, mode: str) -> None:
    queries = ["cat", "dog barks", "zebra", "the the a"]
    for options in (
        {}, {"group_by": "file", "group_size": 2}, {"mmr_lambda": 0.3}, {"rerank": longest},
        {"min_score": 0.02, "offset": 1}, {"rerank": longest, "group_by": "file"},
    ):  # fmt: skip
        together = db.search(queries, k=5, mode=mode, min_recall=1.0, **options)
        for query, result in zip(queries, together, strict=True):
            alone = db.search(query, k=5, mode=mode, min_recall=1.0, **options)
            assert [hit.id for hit in alone] == [hit.id for hit in result]
            assert_allclose([h.score for h in alone], [h.score for h in result], atol=1e-6)
    assert db.search([], mode=mode) == []


@pytest.mark.parametrize("mode", ["dense", "hybrid"])
def test_there_are_k_hits_where_k_exist(db: Collection, mode: str) -> None:
    for options in ({}, {"rerank": longest}, {"mmr_lambda": 0.5}, {"weights": (0, 1)}):
        if mode == "dense" and "weights" in options:
            continue
        assert len(db.search("zebra", k=300, mode=mode, **options)) == 300
        assert len(db.search("cat", k=10_000, mode=mode, **options)) == COUNT + 5
        rare = {"n": {"$in": [3, 99, 250]}}
        found = db.search("zebra", k=10, mode=mode, where=rare, **options)
        assert sorted(hit.id for hit in found) == ["250", "3", "99"]


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_heeds_both_filters(db: Collection, mode: str) -> None:
    stored = texts(COUNT)
    expected = [str(i) for i in range(100, COUNT) if "dog" in stored[i] and "cat" in stored[i]]
    found = db.search("cat dog", k=COUNT, mode=mode, where={"n": {"$gte": 100}},
                      where_document={"$and": [{"$contains": "dog"}, {"$regex": r"\bcat\b"}]},
                      )  # fmt: skip
    assert sorted(hit.id for hit in found) == sorted(expected)


@pytest.mark.parametrize("mode", MODES)
def test_min_score_counts_the_score_that_is_shown(db: Collection, mode: str) -> None:
    whole = everything(db, "cat sat", mode)
    least = whole[len(whole) // 3][1]
    found = pairs(db.search("cat sat", k=COUNT, mode=mode, min_score=least, min_recall=1.0))
    assert found == [pair for pair in whole if pair[1] >= least]
    reranked = db.search("cat sat", k=50, mode=mode, rerank=longest, min_score=20)
    assert all(hit.score >= 20 for hit in reranked)


def test_include_says_what_hits_hold(db: Collection) -> None:
    hit = db.search("cat", k=1, include=["embeddings"])[0]
    assert (hit.document, hit.metadata) == (None, {})
    assert_array_equal(hit.vector, db.get(hit.id, include=["embeddings"])[0].vector)
    hit = db.search("cat", k=1, mode="lexical", include="documents")[0]
    assert "cat" in (hit.document or "")
    assert (hit.metadata, hit.vector) == ({}, None)
    assert db.search("cat", k=1, include=())[0].document is None
    with pytest.raises(ValueError, match=r"\[search\] expected include of .* got \['texts'\]"):
        db.search("cat", include=["texts"])


# ---- hybrid --------------------------------------------------------------------------------------


@given(
    query=st.lists(st.sampled_from([*WORDS, "zebra"]), min_size=1, max_size=4).map(" ".join),
    weights=st.sampled_from([None, (1, 1), (2, 0.5), {"lexical": 3}, (0, 1), (1, 0)]),
    fetch_k=st.sampled_from([None, 20, 150]),
)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_hybrid_fuses_both_halves(
    db: Collection, query: str, weights: Any, fetch_k: int | None
) -> None:
    depth = fetch_k or 100
    halves = [pairs(db.search(query, k=depth, mode=mode, min_recall=1.0))
              for mode in ("dense", "lexical")]  # fmt: skip
    pair = {None: (1, 1)}.get(weights, weights) if not isinstance(weights, dict) else (1, 3)
    number = {name: i for i, name in enumerate(n for half in halves for n, _ in half)}
    names = {i: name for name, i in number.items()}
    rankings = [[number[name] for name, _ in half] for half in halves]
    keys, scores = fuse(rankings, pair)
    found = pairs(db.search(query, k=10, mode="hybrid", min_recall=1.0, weights=weights,
                            fetch_k=fetch_k))  # fmt: skip
    assert [name for name, _ in found] == [names[key] for key in keys[:10]]
    assert_allclose([score for _, score in found], scores[:10])


def test_hybrid_says_how_sure_its_dense_half_is(db: Collection) -> None:
    dense, hybrid = db.search("cat"), db.search("cat", mode="hybrid")
    assert (hybrid.exact, hybrid.recall_estimate) == (dense.exact, dense.recall_estimate)
    lexical = db.search("cat", mode="lexical")
    assert (lexical.exact, lexical.recall_estimate) == (True, 1.0)


# ---- reranking -----------------------------------------------------------------------------------


def longest(query: str, documents: list[str]) -> list[float]:
    return [float(len(document)) for document in documents]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("rerank_k", [None, 12, 80])
def test_rerank_orders_the_candidates(db: Collection, mode: str, rerank_k: int | None) -> None:
    pool = db.search("cat sat", k=rerank_k or 50, mode=mode, min_recall=1.0)
    expected = sorted(
        ((hit.id, float(len(hit.document or ""))) for hit in pool), key=lambda pair: -pair[1]
    )
    for offset in (0, 5):
        found = db.search("cat sat", k=7, mode=mode, min_recall=1.0, offset=offset,
                          rerank=longest, rerank_k=rerank_k)  # fmt: skip
        assert pairs(found) == expected[offset : offset + 7]


class Pairs:
    """As a cross-encoder: scores pairs, and counts how many."""

    num_labels = 1

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def predict(self, sentences: list[tuple[str, str]]) -> np.ndarray:
        self.seen += sentences
        return np.array([len(text) for _, text in sentences], np.float32)


def test_a_cross_encoder_reads_each_pair_once(db: Collection) -> None:
    model = Pairs()
    found = db.search("cat sat", k=7, rerank=model, rerank_k=20, min_recall=1.0)
    same = db.search("cat sat", k=7, rerank=longest, rerank_k=20, min_recall=1.0)
    assert pairs(found) == pairs(same)
    assert len(model.seen) == 20
    assert {query for query, _ in model.seen} == {"cat sat"}
    model.seen.clear()
    db.search("zebra", k=20, rerank=model, group_by="file", min_recall=1.0)  # in several rounds
    assert len(set(model.seen)) <= len(model.seen) <= COUNT + 5


def test_a_real_cross_encoder(db: Collection, classifiers: Any) -> None:
    import unitvec

    model = unitvec.CrossEncoder(classifiers("bert", 1))
    found = db.search("cat sat", k=5, rerank=model, rerank_k=10, min_recall=1.0)
    pool = db.search("cat sat", k=10, min_recall=1.0)
    ranked = model.rank("cat sat", [hit.document or "" for hit in pool], top_k=5)
    assert [hit.id for hit in found] == [pool[entry["corpus_id"]].id for entry in ranked]
    assert_allclose([hit.score for hit in found], [entry["score"] for entry in ranked])


def test_a_reranker_that_gives_nonsense(db: Collection) -> None:
    for wrong, message in (
        (lambda q, t: [1.0], "expected 50 scores, one a text, got shape"),
        (lambda q, t: [float("nan")] * len(t), "expected finite scores, got nan"),
        (lambda q, t: np.ones((len(t), 2)), r"got shape \(50, 2\)"),
    ):
        with pytest.raises(ValueError, match=message):
            db.search("cat", rerank=wrong)
    assert len(db.search("cat")) == 10  # nothing is held by the failed searches


def test_a_reranker_may_search_itself(db: Collection) -> None:
    found = db.search("cat", k=3, rerank=lambda q, t: [db.search(x, k=1)[0].score for x in t])
    assert len(found) == 3


# ---- diversity -----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("mmr_lambda", [0.0, 0.4, 1.0])
def test_diversity_chooses_among_the_candidates(
    db: Collection, mode: str, mmr_lambda: float
) -> None:
    pool = db.search("cat sat", k=30, mode=mode, min_recall=1.0, include=["embeddings"])
    scores = [hit.score for hit in pool]
    if mode != "dense":
        scores = [(score - scores[-1]) / (scores[0] - scores[-1]) for score in scores]
    vectors = np.stack([hit.vector for hit in pool])
    taken = most_marginally_relevant(scores, vectors, 10, mmr_lambda)
    found = db.search("cat sat", k=10, mode=mode, fetch_k=30, mmr_lambda=mmr_lambda,
                      min_recall=1.0)  # fmt: skip
    if mode == "hybrid":  # with fetch_k its halves are fused to another depth
        assert len(found) == 10
        if mmr_lambda == 1.0:
            plain = db.search("cat sat", k=10, mode=mode, fetch_k=30, min_recall=1.0)
            assert pairs(found) == pairs(plain)
    else:
        assert [hit.id for hit in found] == [pool[i].id for i in taken]
    page = db.search("cat sat", k=4, offset=3, mode=mode, fetch_k=30, mmr_lambda=mmr_lambda,
                     min_recall=1.0)  # fmt: skip
    assert pairs(page) == pairs(found)[3:7]


# ---- groups --------------------------------------------------------------------------------------


def slow_groups(
    ranked: list[tuple[str, float]], values: dict[str, Any], k: int, size: int
) -> list[tuple[Any, list[tuple[str, float]]]]:
    groups: dict[str, list[tuple[str, float]]] = {}
    for name, score in ranked:
        groups.setdefault(json.dumps(values[name]), []).append((name, score))
    return [(json.loads(label), hits[:size]) for label, hits in list(groups.items())[:k]]


@given(
    query=st.lists(st.sampled_from([*WORDS, "zebra"]), min_size=1, max_size=3).map(" ".join),
    k=st.sampled_from([1, 3, 20, 100]),
    size=st.sampled_from([1, 2, 5, 50]),
    mode=st.sampled_from(["dense", "lexical"]),
    offset=st.sampled_from([0, 2]),
    where=st.sampled_from([None, {"n": {"$lt": 40}}, {"n": {"$gte": 390}}]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_groups_agree_with_grouping_everything(
    db: Collection, query: str, k: int, size: int, mode: str, offset: int, where: Any
) -> None:
    values = {record.id: record.metadata.get("file") for record in db.scan()}
    ranked = everything(db, query, mode, where=where)
    expected = slow_groups(ranked, values, offset + k, size)[offset:]
    result = db.search(query, k=k, mode=mode, group_by="file", group_size=size, offset=offset,
                       where=where, min_recall=1.0)  # fmt: skip
    assert isinstance(result, GroupedResult)
    assert [group.value for group in result.groups] == [value for value, _ in expected]
    for group, (_, hits) in zip(result.groups, expected, strict=True):
        assert_allclose([h.score for h in group.hits], [score for _, score in hits], atol=1e-6)
        near = {name for name, score in ranked if score >= hits[-1][1] - 1e-6}
        assert {hit.id for hit in group.hits} <= near  # of equal scores any
    assert [hit for group in result.groups for hit in group.hits] == list(result)


@pytest.mark.parametrize("options", [{}, {"rerank": longest}])
def test_hybrid_and_reranked_groups(db: Collection, options: dict[str, Any]) -> None:
    values = {record.metadata.get("file") for record in db.scan()}
    for mode in ("dense", "hybrid"):
        result = db.search("cat", k=100, mode=mode, group_by="file", group_size=2, **options)
        assert [group.value for group in result.groups].count(None) == 1
        assert {group.value for group in result.groups} == values
        few = db.search("cat", k=3, mode=mode, group_by="file", group_size=2, **options)
        assert len(few.groups) == 3
        best = [group.hits[0].score for group in few.groups]
        assert best == sorted(best, reverse=True)


def test_equal_values_are_one_group(tmp_path: Path) -> None:
    values = [1, 1.0, True, "1", None, [1], {"a": 1}, 2.5]
    with Collection(tmp_path / "c.uv", dim=2) as db:
        db.add(embeddings=np.ones((9, 2)), metadatas=[{"a": {"b": v}} for v in values] + [{}])
        result = db.search(np.ones(2), k=20, group_by="a.b", group_size=9)
        assert [group.value for group in result.groups] == [1, True, "1", None, [1], {"a": 1}, 2.5]
        assert [len(group.hits) for group in result.groups] == [2, 1, 1, 2, 1, 1, 1]


# ---- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"mode": "both"}, ValueError, "'dense', 'lexical' or 'hybrid', got 'both'"),
        ({"offset": -1}, ValueError, r"\[offset\] expected at least 0"),
        ({"offset": 1.0}, TypeError, r"\[offset\] expected an integer"),
        ({"weights": (1, 1)}, ValueError, "mode 'hybrid' beside weights="),
        ({"mode": "hybrid", "weights": (0, 0)}, ValueError, "not both 0"),
        ({"mode": "hybrid", "weights": (1, -1)}, ValueError, "at least 0"),
        (
            {"mode": "hybrid", "weights": (1, float("nan"))},
            ValueError,
            "a number, got NaN",
        ),
        ({"mode": "hybrid", "weights": (1, 2, 3)}, ValueError, "dense, lexical"),
        ({"mode": "hybrid", "weights": {"bm25": 1}}, ValueError, "got {'bm25'}"),
        ({"rerank_k": 20}, ValueError, "rerank= beside rerank_k="),
        ({"rerank": longest, "rerank_k": 9}, ValueError, "rerank_k of at least offset .* 10, got"),
        ({"rerank": "model"}, TypeError, "to be a CrossEncoder or a function"),
        ({"mmr_lambda": 1.5}, ValueError, r"mmr_lambda in \[0, 1\]"),
        ({"mmr_lambda": 0.5, "fetch_k": 3}, ValueError, "fetch_k of at least"),
        ({"mmr_lambda": 0.5, "group_by": "n"}, ValueError, "group_by or mmr_lambda, got both"),
        ({"group_size": 2}, ValueError, "group_by= beside group_size="),
        ({"group_by": "n", "group_size": 0}, ValueError, "group_size"),
        ({"group_by": 7}, TypeError, "group_by as a field's name"),
        ({"where_document": []}, TypeError, "where_document"),
    ],
)
def test_bad_options(
    db: Collection, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        db.search("cat", **options)


def test_a_model_of_several_labels_is_refused(db: Collection) -> None:
    model = Pairs()
    model.num_labels = 3
    with pytest.raises(ValueError, match="one label, got 3"):
        db.search("cat", rerank=model)


@pytest.mark.parametrize(
    "options", [{"mode": "lexical"}, {"mode": "hybrid"}, {"rerank": longest}]
)  # fmt: skip
def test_a_vector_has_no_words(db: Collection, options: dict[str, Any]) -> None:
    for query in (np.ones(64), np.ones((2, 64))):
        with pytest.raises(ValueError, match=r"expected a text as the query for .*, got a vector"):
            db.search(query, **options)
    assert db.search(np.empty((0, 64)), **options) == []


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Collection]:
    with Collection(tmp_path / "empty.uv", encoder=HashedWords()) as collection:
        yield collection


@pytest.mark.parametrize("mode", MODES)
def test_an_empty_collection(empty: Collection, mode: str) -> None:
    for options in ({}, {"rerank": longest}, {"mmr_lambda": 0.5}, {"group_by": "file"}):
        assert len(empty.search("cat", mode=mode, **options)) == 0
    empty.add("a cat", ids="cat")
    assert [hit.id for hit in empty.search("cat", mode=mode)] == ["cat"]
