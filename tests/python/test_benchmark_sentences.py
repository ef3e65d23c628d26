"""The sentences whose vectors indexes are measured with, and how their vectors are kept."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import index_vectors, systems
from benchmarks.index_vectors import real_vectors
from benchmarks.sentences import sentences
from benchmarks.settings import Settings

import fake_systems


@pytest.fixture
def corpora(monkeypatch, tmp_path):
    """A folder with a few sentences in each corpus."""
    folder = tmp_path / "data"
    texts = {
        "scifact/corpus.jsonl": [
            {"title": "A title of five words", "text": "First one of five words. Too short."}
        ],
        "reviews/imdb_4000.jsonl": [
            {"text": "A film<br />of two and more lines! FIRST one of five words."}
        ],
        "newsgroups/newsgroups_4000.jsonl": [
            {"text": "From: someone\nSubject: of five words\n\nThe mail\nitself is one sentence"}
        ],
    }
    for name, records in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True)
        path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    (folder / "wikitext2").mkdir()
    lines = [
        " = A heading of several words = ",
        f" {' '.join(['word'] * 61)} . A last one is here .",
    ]
    (folder / "wikitext2" / "test.txt").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setenv("UNITVEC_DATA", str(folder))
    return folder


FOUND = {
    "A title of five words",
    "FIRST one of five words.",  # equal but for case: the later one is kept
    "A film of two and more lines!",
    "The mail itself is one sentence",
    "A last one is here .",
}


def test_sentences_are_different_and_fewer_are_a_prefix(corpora):
    every = sentences(5)
    assert set(every) == FOUND
    assert sentences(5) == every
    assert sentences(2) == every[:2]
    with pytest.raises(ValueError, match="expected 6 different sentences, got 5"):
        sentences(6)


@pytest.fixture
def encoded(monkeypatch, tmp_path):
    """Sentences to take vectors of; and how many texts were encoded, call by call."""
    fake_systems.install(monkeypatch)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    monkeypatch.setattr(Settings, "model_directory", lambda self: tmp_path / "model")
    texts = [f"{'abcd'[i % 4] * (i % 90)} {i}" for i in range(2500)]
    monkeypatch.setattr(index_vectors, "sentences", lambda count: texts[:count])
    calls = []

    def encode(process, texts, save):
        calls.append(texts)
        return systems.encode(process, texts, save)

    monkeypatch.setattr(index_vectors, "encode", encode)
    return calls


def test_vectors_are_encoded_once_and_queries_are_held_out(encoded, tmp_path):
    settings = Settings(scale=0.001)
    first, again = (real_vectors(settings, tmp_path / "kept") for _ in range(2))
    assert first == again
    pieces, queries = encoded  # once
    assert (len(pieces), len(queries)) == (1000, 100)
    assert not set(pieces) & set(queries)
    vectors, held_out = first.load()
    assert (vectors.shape, held_out.shape) == ((1000, 5), (100, 5))
    np.testing.assert_array_equal(held_out[7], [1, *map(queries[7].count, "abcd")])

    larger = real_vectors(Settings(scale=0.015), tmp_path / "kept")
    assert larger != first
    assert encoded[2][:1000] == pieces
    assert encoded[3] == queries


def test_another_model_has_vectors_of_its_own(encoded, tmp_path):
    settings = Settings(scale=0.001)
    first = real_vectors(settings, tmp_path / "kept")
    (tmp_path / "model" / "config.json").write_text("{ }")
    index_vectors.model_digest.cache_clear()
    assert real_vectors(settings, tmp_path / "kept") != first
    assert len(encoded) == 4
