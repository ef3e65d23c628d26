"""Search by words and by both on real abstracts: BM25's order and scores, and what fusing gains."""

from __future__ import annotations

import csv
import functools
import json
import math
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import unitvec

CLAIMS = 60  # searched in the tests that read the whole corpus
Texts = dict[str, str]


def records(path: Path) -> Texts:
    with path.open(encoding="utf-8") as stream:
        rows = [json.loads(line) for line in stream]
    return {row["_id"]: f"{row['title']} {row['text']}".strip() if "title" in row else row["text"]
            for row in rows}  # fmt: skip


@pytest.fixture(scope="module")
def documents(data_directory: Path) -> Texts:
    return records(data_directory / "scifact" / "corpus.jsonl")


@pytest.fixture(scope="module")
def relevance(data_directory: Path) -> dict[str, dict[str, float]]:
    path = data_directory / "scifact" / "qrels_train.tsv"
    found: dict[str, dict[str, float]] = {}
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            found.setdefault(row["query-id"], {})[row["corpus-id"]] = float(row["score"])
    return found


@pytest.fixture(scope="module")
def claims(data_directory: Path, relevance: dict[str, Any]) -> Texts:
    every = records(data_directory / "scifact" / "queries.jsonl")
    return {name: every[name] for name in relevance}


def tokens(text: str) -> list[str]:
    """Letters, numbers and private characters in a row, without case and accents."""
    plain = "".join(c if _is_token(c) or unicodedata.combining(c) else " " for c in text)
    split = unicodedata.normalize("NFD", plain.lower())
    return "".join(c for c in split if not unicodedata.combining(c)).split()


@functools.cache
def _is_token(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "LN" or category == "Co"


class SlowBM25:
    """Okapi BM25 as sqlite.org/fts5.html states it, over bags of words."""

    def __init__(self, documents: Texts) -> None:
        self.bags = {name: Counter(tokens(text)) for name, text in documents.items()}
        self.lengths = {name: bag.total() for name, bag in self.bags.items()}
        self.mean = sum(self.lengths.values()) / len(self.bags)
        self.holding = Counter(token for bag in self.bags.values() for token in bag)

    def scores(self, query: str) -> dict[str, float]:
        found: dict[str, float] = {}
        for token in tokens(query):
            n = self.holding[token]
            idf = max(math.log((len(self.bags) - n + 0.5) / (n + 0.5)), 1e-6)
            for name, bag in self.bags.items():
                if f := bag[token]:
                    norm = 0.25 + 0.75 * self.lengths[name] / self.mean
                    found[name] = found.get(name, 0.0) + idf * f * 2.2 / (f + 1.2 * norm)
        return found


@pytest.fixture(scope="module")
def words_only(
    tmp_path_factory: pytest.TempPathFactory, documents: Texts
) -> Iterator[unitvec.Collection]:
    """The whole corpus, with vectors that mean nothing."""
    path = tmp_path_factory.mktemp("words") / "scifact.uv"
    with unitvec.Collection(path, dim=2, lexical=True) as db:
        db.add(list(documents.values()), ids=list(documents),
               embeddings=np.ones((len(documents), 2), np.float32))  # fmt: skip
        yield db


def test_bm25_orders_and_scores_as_the_formula(
    words_only: unitvec.Collection, documents: Texts, claims: Texts
) -> None:
    slow = SlowBM25(documents)
    some = list(claims.values())[:CLAIMS]
    for claim, result in zip(some, words_only.search(some, k=20, mode="lexical"), strict=True):
        expected = slow.scores(claim)
        best = sorted(expected.values(), reverse=True)[:20]
        np.testing.assert_allclose([hit.score for hit in result], best, rtol=1e-9)
        np.testing.assert_allclose([expected[hit.id] for hit in result], best, rtol=1e-9)


def test_the_table_is_whole_and_a_filter_keeps_scores(
    words_only: unitvec.Collection, documents: Texts, claims: Texts
) -> None:
    assert words_only.verify().ok
    claim = next(iter(claims.values()))
    whole = {h.id: h.score for h in words_only.search(claim, k=len(documents), mode="lexical")}
    named = words_only.search(claim, k=50, mode="lexical", where_document={"$regex": r"\bmice\b"})
    assert len(named) == 50
    for hit in named:
        assert "mice" in documents[hit.id]
        assert hit.score == whole[hit.id]


def test_hostile_strings_are_only_text(
    words_only: unitvec.Collection, data_directory: Path
) -> None:
    strings = json.loads((data_directory / "unicode" / "blns.json").read_text(encoding="utf-8"))
    for text, result in zip(strings, words_only.search(strings, mode="lexical"), strict=True):
        assert bool(result) <= bool(tokens(text)), text
    assert words_only.count() == 5183


def ndcg(results: list[Any], relevant: list[dict[str, float]]) -> float:
    def dcg(gains: list[float]) -> float:
        return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))

    shares = [
        dcg([judged.get(hit.id, 0.0) for hit in result])
        / dcg(sorted(judged.values(), reverse=True)[:10])
        for result, judged in zip(results, relevant, strict=True)
    ]
    return float(np.mean(shares))


@pytest.mark.slow
def test_hybrid_is_no_worse_than_the_better_half(
    tmp_path: Path,
    encoder: unitvec.Encoder,
    documents: Texts,
    claims: Texts,
    relevance: dict[str, dict[str, float]],
) -> None:
    """On a tenth of the claims, among their documents and a tenth of the others."""
    some = dict(list(claims.items())[::10])
    needed = {name for claim in some for name in relevance[claim]}
    kept = {n: t for i, (n, t) in enumerate(documents.items()) if i % 10 == 0 or n in needed}
    with unitvec.Collection(tmp_path / "c.uv", encoder=encoder) as db:
        vectors = encoder.encode_document(list(kept.values()), on_overflow="truncate")
        db.add(list(kept.values()), ids=list(kept), embeddings=vectors)
        queries = encoder.encode_query(list(some.values()))
        judged = [relevance[claim] for claim in some]
        exact = np.argsort(-(queries @ vectors.T), axis=1, kind="stable")[:, :10]
        names = list(kept)
        for result, rows in zip(db.search(queries), exact, strict=True):
            assert [hit.id for hit in result] == [names[row] for row in rows]
        quality = {
            mode: ndcg(db.search(list(some.values()), mode=mode), judged)
            for mode in ("dense", "lexical", "hybrid")
        }
    print(quality)
    assert quality["hybrid"] >= max(quality["dense"], quality["lexical"])
