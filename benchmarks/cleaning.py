"""Does cleaning help? Quality of an encoder's vectors, and of keywords, after each more step.

The same texts, queries included, go through `unitvec.preprocessing.Pipeline` with more and more
steps, and then to the encoder, which was trained on plain text, or to methods that only count
words (BM25, TF-IDF). Settings are the usual ones of each library; nothing was tuned.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import unitvec
from benchmarks.cells import header, row
from benchmarks.measure import FloatArray, ndcg_at_k, spearman, top_k
from benchmarks.occupations import job_retrieval
from benchmarks.settings import Settings
from benchmarks.workloads import Retrieval, data_directory, scifact_retrieval, sts_pairs
from unitvec.preprocessing import Pipeline

K = 10
Clean = Callable[[list[str]], list[str]]

#: Each row has one step more than the one before.
RECIPES: dict[str, dict[str, Any] | None] = {
    "plain text": None,
    "lower case, no punctuation": {},
    "and no articles, pronouns, prepositions (minimal)": {"stopwords": "minimal"},
    "no usual stop words (english)": {"stopwords": "english"},
    "and lemmas": {"stopwords": "english", "lemmatize": "all"},
    "and no digits": {"stopwords": "english", "lemmatize": "all", "remove_digits": True},
}

Labelled = tuple[list[str], list[str]]


def run(settings: Settings) -> dict[str, Any]:
    """Every task's quality per recipe."""
    encoder = unitvec.Encoder(settings.model, threads=settings.threads)
    tasks = _tasks(settings.scale)
    quality: dict[str, dict[str, float]] = {}
    for name, options in RECIPES.items():
        clean: Clean = list if options is None else Pipeline(**options).map
        quality[name] = {task: measure(encoder, clean) for task, measure in tasks.items()}
        settings.say(name, quality[name], "quality")
    return {"quality": quality, "tasks": list(tasks)}


def _tasks(scale: float) -> dict[str, Callable[[unitvec.Encoder, Clean], float]]:
    scifact, jobs = scifact_retrieval(scale), job_retrieval(scale)
    trec = trec_questions("train", scale), trec_questions("test", scale)
    sst = sst_sentences("train", scale), sst_sentences("dev", scale)
    return {
        "STS-B": lambda encoder, clean: _similarity(encoder, clean, scale),
        "SciFact": lambda encoder, clean: _dense(encoder, clean, scifact),
        "occupations": lambda encoder, clean: _dense(encoder, clean, jobs),
        "TREC": lambda encoder, clean: _classified(encoder, clean, *trec),
        "SST-2": lambda encoder, clean: _classified(encoder, clean, *sst),
        "SciFact, BM25": lambda _, clean: _lexical(clean, scifact),
        "occupations, BM25": lambda _, clean: _lexical(clean, jobs),
        "TREC, TF-IDF": lambda _, clean: _counted(clean, *trec),
        "SST-2, TF-IDF": lambda _, clean: _counted(clean, *sst),
    }


def _encode(encoder: unitvec.Encoder, texts: list[str]) -> FloatArray:
    vectors: FloatArray = encoder.encode(texts, on_overflow="truncate", show_progress_bar=False)
    return vectors


def _similarity(encoder: unitvec.Encoder, clean: Clean, scale: float) -> float:
    """STS-B dev: Spearman's correlation of cosines with people's scores."""
    first, second, scores = sts_pairs(scale)
    a, b = _encode(encoder, clean(first)), _encode(encoder, clean(second))
    return spearman(np.einsum("nd,nd->n", a, b), scores)


def _dense(encoder: unitvec.Encoder, clean: Clean, task: Retrieval) -> float:
    """nDCG@10 of exact search by cosine."""
    documents = _encode(encoder, clean(task.documents))
    queries = _encode(encoder, clean(task.queries))
    return ndcg_at_k(top_k(queries, documents, K), task.relevance, K)


def _lexical(clean: Clean, task: Retrieval) -> float:
    """nDCG@10 of BM25, as a collection has it."""
    with tempfile.TemporaryDirectory() as folder:
        with unitvec.Collection(Path(folder) / "words.uv", dim=1) as collection:
            documents = clean(task.documents)
            ids = [str(i) for i in range(len(documents))]
            ones = np.ones((len(documents), 1), np.float32)  # only words are asked for
            collection.add(documents, ids=ids, embeddings=ones)
            queries = clean(task.queries)
            found = [collection.search(query, K, mode="lexical") for query in queries]
        ranked = np.array([[int(h.id) for h in r] + [-1] * (K - len(r)) for r in found])
    return ndcg_at_k(ranked, task.relevance, K)


def _classified(encoder: unitvec.Encoder, clean: Clean, train: Labelled, test: Labelled) -> float:
    """Accuracy of logistic regression on the vectors."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=1000)
    model.fit(_encode(encoder, clean(train[0])), train[1])
    return float(model.score(_encode(encoder, clean(test[0])), test[1]))


def _counted(clean: Clean, train: Labelled, test: Labelled) -> float:
    """Accuracy of logistic regression on TF-IDF of whatever white space parts."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    vectorizer = TfidfVectorizer(token_pattern=r"\S+", lowercase=False)
    model = make_pipeline(vectorizer, LogisticRegression(max_iter=1000))
    model.fit(clean(train[0]), train[1])
    return float(model.score(clean(test[0]), test[1]))


def trec_questions(part: str, scale: float = 1.0) -> Labelled:
    """TREC's questions and their 6 kinds; "train" has 5,452, "test" 500."""
    return _labelled(f"TREC.{part}.all", scale)


def sst_sentences(part: str, scale: float = 1.0) -> Labelled:
    """SST-2's sentences of film reviews, for (1) or against (0)."""
    return _labelled(f"stsa.binary.{part}", scale)


def _labelled(name: str, scale: float) -> Labelled:
    text = (data_directory() / "classification" / name).read_text(encoding="latin-1")
    rows = [line.partition(" ") for line in text.split("\n") if line]
    rows = rows[: max(60, round(len(rows) * scale))]
    return [text for _, _, text in rows], [label for label, _, _ in rows]


def table(result: dict[str, Any]) -> str:
    """The answer as a Markdown table, in per cent; each figure beside its change to plain text."""
    tasks = result["tasks"]
    lines = header("text", *tasks)
    plain = next(iter(result["quality"].values()))
    for name, quality in result["quality"].items():
        cells = [f"{100 * quality[task]:.1f}" for task in tasks]
        if quality is not plain:
            cells = [
                f"{cell} ({100 * (quality[task] - plain[task]):+.1f})"
                for cell, task in zip(cells, tasks, strict=True)
            ]
        lines.append(row(name, *cells))
    lines += [
        "",
        "Vectors: STS-B dev, Spearman; SciFact and occupations, nDCG@10; TREC and SST-2, accuracy "
        "of logistic regression. Words: nDCG@10 of BM25; accuracy of logistic regression on "
        "TF-IDF. All in per cent, with the change to plain text.",
    ]
    return "\n".join(lines)
