"""Which way finds jobs? Questions in people's own words over about 1,100 occupations.

By meaning and by words; text as it is and cleaned; the mean of token vectors and that of [CLS].
Everything goes through `unitvec.Collection`, as in the notebook. The questions were judged by hand
before anything was measured (occupations.py).
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import unitvec
from benchmarks.cells import header, row
from benchmarks.measure import ndcg_at_k
from benchmarks.occupations import job_retrieval
from benchmarks.settings import Settings
from benchmarks.workloads import Retrieval
from unitvec.preprocessing import Pipeline

K = 10
QUESTION = "I want to work with data analysis and Python programming"

CLEAN: dict[str, Pipeline | None] = {
    "as it is": None,
    "stop words away": Pipeline(stopwords="search"),
    "stop words away, lemmas": Pipeline(stopwords="search", lemmatize="all"),
}


def run(settings: Settings) -> dict[str, Any]:
    """Quality and time per way, and the first answers to one question."""
    task = job_retrieval(settings.scale)
    quality: dict[str, dict[str, float]] = {}
    answers: list[str] = []
    for pooling in ("mean", "cls"):
        encoder = unitvec.Encoder(settings.model, pooling=pooling, threads=settings.threads)
        for text, clean in CLEAN.items():
            modes = ("dense", "lexical", "hybrid") if pooling == "mean" else ("dense",)
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "jobs.uv"
                with unitvec.Collection(path, encoder=encoder) as collection:
                    cleaned = _cleaned(task, clean)
                    ids = [str(i) for i in range(len(task.documents))]
                    collection.add(cleaned.documents, ids=ids)
                    for mode in modes:
                        name = f"{_named(mode, pooling)}, text {text}"
                        quality[name] = _measure(collection, cleaned, mode)
                        settings.say(name, quality[name], f"nDCG@{K}, share, ms")
                    if not answers:
                        answers = _answers(collection, task)
    return {
        "occupations": len(task.documents),
        "questions": len(task.queries),
        "judged": sum(map(len, task.relevance)),
        "quality": quality,
        "answers": answers,
    }


def _named(mode: str, pooling: str) -> str:
    if mode == "dense":
        return f"meaning, {'mean' if pooling == 'mean' else '[CLS]'}"
    return {"lexical": "words (BM25)", "hybrid": "both, mean"}[mode]


def _cleaned(task: Retrieval, clean: Pipeline | None) -> Retrieval:
    if clean is None:
        return task
    return Retrieval(clean.map(task.documents), clean.map(task.queries), task.relevance)


def _measure(collection: unitvec.Collection, task: Retrieval, mode: str) -> dict[str, float]:
    collection.search(task.queries[0], K, mode=mode)
    start = time.perf_counter()
    found = [collection.search(query, K, mode=mode) for query in task.queries]
    seconds = time.perf_counter() - start
    ranked = np.array([[int(h.id) for h in r] + [-1] * (K - len(r)) for r in found])
    pairs = list(zip(ranked, task.relevance, strict=True))
    return {
        "ndcg": ndcg_at_k(ranked, task.relevance, K),
        "first": float(np.mean([int(row_[0]) in relevant for row_, relevant in pairs])),
        "some": float(
            np.mean([bool(relevant.keys() & set(row_.tolist())) for row_, relevant in pairs])
        ),
        "ms": 1000 * seconds / len(task.queries),
    }


def _answers(collection: unitvec.Collection, task: Retrieval) -> list[str]:
    """The first answers to one question, as a person sees them."""
    return [
        f"{hit.document.partition('. ')[0]} (Match: {100 * hit.score:.0f}%)"
        for hit in collection.search(QUESTION, K)
    ]


def table(result: dict[str, Any]) -> str:
    """The answer as a Markdown table."""
    lines = header(
        "search", f"nDCG@{K} %", "first answer right %", f"one of {K} right %", "ms a query"
    )
    for name, each in result["quality"].items():
        shares = [f"{100 * each[key]:.1f}" for key in ("ndcg", "first", "some")]
        lines.append(row(name, *shares, f"{each['ms']:.1f}"))
    lines += [
        "",
        f"{result['questions']} questions over {result['occupations']:,} occupations (title and "
        f"description), {result['judged']} answers judged right. Time with the question's "
        "encoding.",
        f"\u201c{QUESTION}\u201d, by meaning, text as it is: {'; '.join(result['answers'])}.",
    ]
    return "\n".join(lines)
