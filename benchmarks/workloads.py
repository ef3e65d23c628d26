"""The texts: pieces of SciFact's abstracts, drawn with a fixed seed, and the pairs of STS-B dev."""

from __future__ import annotations

import csv
import json
import os
import random
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
SEED = 20240501
KINDS = ("mixed", "long", "short")
QUERY = "Does vitamin D lower the risk of a heart attack?"


def data_directory() -> Path:
    """Where the corpora lie: UNITVEC_DATA, else shared/data beside the repository."""
    directory = Path(os.environ.get("UNITVEC_DATA", ROOT.parent / "shared" / "data"))
    if not directory.is_dir():
        raise FileNotFoundError(
            f"[benchmarks] expected corpora in {directory}; name their folder with UNITVEC_DATA"
        )
    return directory


def workloads(scale: float = 1.0) -> dict[str, list[str]]:
    """The three kinds of text; `scale` below 1 takes fewer of each.

    long: abstracts with their titles. mixed: pieces of them, one sentence to whole. short: titles.
    """
    documents = abstracts()
    rng = random.Random(SEED)
    sizes = {
        name: max(4, round(n * scale))
        for name, n in (("long", 300), ("mixed", 800), ("short", 2000))
    }
    return {
        "mixed": [
            _piece(rng, title, text) for title, text in rng.choices(documents, k=sizes["mixed"])
        ],
        "long": [f"{title} {text}" for title, text in rng.sample(documents, sizes["long"])],
        "short": [title for title, _ in rng.sample(documents, sizes["short"])],
    }


def sts_pairs(scale: float = 1.0) -> tuple[list[str], list[str], np.ndarray]:
    """STS-B dev: first sentences, second sentences, and people's scores from 0 to 5.

    `scale` below 1 takes the first pairs only.
    """
    with open(data_directory() / "stsb" / "stsb-en-dev.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    first, second, scores = zip(*rows[: max(4, round(len(rows) * scale))], strict=True)
    return list(first), list(second), np.array([float(score) for score in scores])


@dataclass(frozen=True)
class Retrieval:
    """A task of finding documents."""

    documents: list[str]
    queries: list[str]
    relevance: list[dict[int, float]]  # per query: number of a document -> how relevant it is


def scifact_retrieval(scale: float = 1.0) -> Retrieval:
    """SciFact: abstracts with titles, and the claims of its train set with people's judgements.

    `scale` below 1 takes the first claims, and of the documents every n-th and the relevant ones.
    """
    folder = data_directory() / "scifact"
    relevant: dict[str, dict[str, float]] = {}
    with open(folder / "qrels_train.tsv", encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file, delimiter="\t"):
            scores = relevant.setdefault(line["query-id"], {})
            scores[line["corpus-id"]] = float(line["score"])
    claims = {record["_id"]: record["text"] for record in _records(folder / "queries.jsonl")}
    chosen = list(relevant)[: max(4, round(len(relevant) * scale))]
    needed = {document for query in chosen for document in relevant[query]}
    corpus = _records(folder / "corpus.jsonl")
    step = max(1, round(1 / scale))
    kept = [r for i, r in enumerate(corpus) if i % step == 0 or r["_id"] in needed]
    number = {record["_id"]: i for i, record in enumerate(kept)}
    return Retrieval(
        [f"{record['title']} {record['text']}" for record in kept],
        [claims[query] for query in chosen],
        [{number[d]: score for d, score in relevant[query].items()} for query in chosen],
    )


NON_LATIN = ("ara", "cmn", "ell", "hin", "jpn", "kor", "rus", "tha")


def tokenizer_texts(scale: float = 1.0) -> dict[str, list[str]]:
    """`English`: SciFact's abstracts and film reviews. `non-Latin`: sentences in eight scripts."""
    reviews = data_directory() / "reviews" / "imdb_4000.jsonl"
    english = [text for _, text in abstracts()]
    with open(reviews, encoding="utf-8") as file:
        english += [json.loads(line)["text"] for line in file]
    folder = data_directory() / "unicode"
    other = [
        line
        for language in NON_LATIN
        for path in sorted(folder.glob(f"tatoeba.*.{language}"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    step = max(1, round(1 / scale))
    return {"English": english[::step], "non-Latin": other[::step]}


def abstracts() -> list[tuple[str, str]]:
    """SciFact's corpus: title and abstract of each document."""
    records = _records(data_directory() / "scifact" / "corpus.jsonl")
    return [(record["title"], record["text"]) for record in records]


def _records(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _piece(rng: random.Random, title: str, text: str) -> str:
    """Neighbouring sentences, from one to all of them, every number equally likely."""
    sentences = re.split(r"(?<=[.!?])\s+", f"{title} {text}")
    count = rng.randint(1, len(sentences))
    first = rng.randint(0, len(sentences) - count)
    return " ".join(sentences[first : first + count])
