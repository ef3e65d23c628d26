"""What do fewer bits cost? Our vectors in fp32, bf16 and int8, of SciFact and STS-B dev.

Cosine to our own fp32 vector, on every text, and to the baseline's fp32 vector on every tenth;
Spearman's correlation with people's scores on STS-B dev; nDCG@10 of exact search on SciFact's train
claims. Texts are cut at the model's limit.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cells import header, row
from benchmarks.measure import FloatArray, cosines, ndcg_at_k, spearman, top_k
from benchmarks.peers import BASELINE, OURS
from benchmarks.settings import Settings
from benchmarks.systems import Processes, absent_lines, chosen, encode, running
from benchmarks.workloads import Retrieval, scifact_retrieval, sts_pairs

REFERENCE = OURS[0]  # in fp32
SAMPLE = 10  # the baseline reads one text in so many
K = 10

COLUMNS = (
    f"lowest cosine to {REFERENCE}",
    "mean",
    f"lowest cosine to {BASELINE}",
    "mean",
    "STS-B dev Spearman",
    f"SciFact nDCG@{K}",
)


@dataclass(frozen=True)
class Texts:
    """Everything that is encoded, end to end: documents, queries, first and second sentences."""

    retrieval: Retrieval
    first: list[str]
    second: list[str]
    scores: FloatArray

    def all(self) -> list[str]:
        return [*self.retrieval.documents, *self.retrieval.queries, *self.first, *self.second]

    def split(self, vectors: FloatArray) -> list[FloatArray]:
        """The vectors of the four kinds."""
        parts = (self.retrieval.documents, self.retrieval.queries, self.first)
        return np.split(vectors, np.cumsum([len(part) for part in parts]))


def run(settings: Settings) -> dict[str, Any]:
    """Cosines, Spearman's correlation and nDCG@10, per precision."""
    texts = Texts(scifact_retrieval(settings.scale), *sts_pairs(settings.scale))
    with (
        running(chosen((BASELINE, *OURS), settings), settings) as systems,
        tempfile.TemporaryDirectory() as folder,
    ):
        vectors = _encoded(texts.all(), systems.processes, Path(folder))
    baseline = vectors.pop(BASELINE, None)
    quality = {}
    for name, own in vectors.items():
        quality[name] = _quality(texts, own)
        if REFERENCE in vectors:
            quality[name]["to_fp32"] = _cosine(own, vectors[REFERENCE])
        if baseline is not None:
            quality[name]["to_baseline"] = _cosine(own[::SAMPLE], baseline)
    for what in ("spearman", "ndcg"):
        settings.say(what, {name: each[what] for name, each in quality.items()}, "higher is better")
    return {
        "systems": systems.about,
        "left_out": systems.left_out,
        "documents": len(texts.retrieval.documents),
        "queries": len(texts.retrieval.queries),
        "pairs": len(texts.first),
        "sampled": len(texts.all()[::SAMPLE]),
        "quality": quality,
    }


def _encoded(texts: list[str], processes: Processes, folder: Path) -> dict[str, FloatArray]:
    vectors = {}
    for name, process in processes.items():
        encode(process, texts[::SAMPLE] if name == BASELINE else texts, folder / "vectors.npy")
        vectors[name] = np.load(folder / "vectors.npy")
    return vectors


def _quality(texts: Texts, vectors: FloatArray) -> dict[str, Any]:
    documents, queries, first, second = texts.split(vectors)
    return {
        "spearman": spearman(cosines(first, second), texts.scores),
        "ndcg": ndcg_at_k(top_k(queries, documents, K), texts.retrieval.relevance, K),
    }


def _cosine(vectors: FloatArray, reference: FloatArray) -> dict[str, float]:
    cosine = cosines(vectors, reference)
    return {"lowest": float(cosine.min()), "mean": float(cosine.mean())}


def table(result: dict[str, Any]) -> str:
    """The answer as a Markdown table, a row per precision."""
    lines = header("system", *COLUMNS)
    for name, each in result["quality"].items():
        cells = [name]
        for reference in ("to_fp32", "to_baseline"):
            cosine = each.get(reference)
            cells += [f"{cosine[k]:.6f}" if cosine else "-" for k in ("lowest", "mean")]
        lines.append(row(*cells, f"{each['spearman']:.4f}", f"{each['ndcg']:.4f}"))
    lines += [row(name, *["absent"] * len(COLUMNS)) for name in result["left_out"]]
    lines += [
        "",
        f"{result['documents']:,} documents, {result['queries']:,} queries, {result['pairs']:,} "
        f"pairs of sentences; {result['sampled']:,} of these texts for the cosine to {BASELINE}.",
        *absent_lines(result["left_out"]),
    ]
    return "\n".join(lines)
