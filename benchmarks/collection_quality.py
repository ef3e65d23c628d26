"""How good are the answers of a collection? SciFact through `Collection.search`, mode by mode.

nDCG@10 of the claims of its train set. The dense mode stands beside NumPy's brute force over the
same vectors. Nothing was tuned on these claims: weights are 1 and 1, 100 ranks of each half are
fused with the constant 60 of the paper, and the tokenizer "porter" is the only other one for
English. There is no cross-encoder to be had offline, so the reranker is late interaction (Khattab
and Zaharia 2020, https://doi.org/10.1145/3397271.3401075) over the token vectors of the same model,
which was not trained for it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import unitvec
from benchmarks.cells import header, row
from benchmarks.measure import FloatArray, ndcg_at_k, top_k
from benchmarks.settings import Settings
from benchmarks.workloads import Retrieval, scifact_retrieval

K = 10
RERANK_K = 20
#: The reranker reads every n-th claim: it needs the token vectors of all candidates.
RERANK_EVERY = 8
BRUTE_FORCE = "brute force (NumPy)"


def run(settings: Settings) -> dict[str, Any]:
    """nDCG@10 and milliseconds a query, encoding left out, per mode and tokenizer."""
    retrieval = scifact_retrieval(settings.scale)
    encoder = Remembering(unitvec.Encoder(settings.model, threads=settings.threads))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scifact.uv"
        with unitvec.Collection(path, encoder=encoder) as collection:
            ids = [str(i) for i in range(len(retrieval.documents))]
            collection.add(retrieval.documents, ids=ids)
            encoder.encode_query(retrieval.queries)
            quality = {BRUTE_FORCE: _brute_force(encoder, retrieval)}
            quality["dense"] = _measure(collection, retrieval, mode="dense")
        sizes = {}
        for tokenizer in ("unicode61", "porter"):
            sizes[tokenizer] = _make_lexical(path, encoder, tokenizer)
            with unitvec.Collection(path, encoder=encoder) as collection:
                for mode in ("lexical", "hybrid"):
                    quality[f"{mode}, {tokenizer}"] = _measure(collection, retrieval, mode=mode)
        with unitvec.Collection(path, encoder=encoder) as collection:
            reranked = _reranked(collection, retrieval, encoder)
    for name, each in quality.items():
        settings.say(name, each, "nDCG@10 and ms a query")
    return {
        "documents": len(retrieval.documents),
        "queries": len(retrieval.queries),
        "quality": quality,
        "lexical": sizes,
        "reranked": reranked,
    }


class Remembering:
    """The encoder, which encodes a text that comes again only once."""

    def __init__(self, encoder: unitvec.Encoder) -> None:
        self.name = encoder.name
        self.fingerprint = encoder.fingerprint
        self.similarity_fn_name = encoder.similarity_fn_name
        self.encoder = encoder
        self._vectors: dict[tuple[str, str], FloatArray] = {}

    def get_embedding_dimension(self) -> int:
        return self.encoder.get_embedding_dimension()

    def encode_document(self, texts: list[str], **options: Any) -> FloatArray:
        return self._encoded("document", self.encoder.encode_document, texts)

    def encode_query(self, texts: list[str], **options: Any) -> FloatArray:
        return self._encoded("query", self.encoder.encode_query, texts)

    def _encoded(
        self, kind: str, encode: Callable[..., FloatArray], texts: list[str]
    ) -> FloatArray:
        new = [text for text in dict.fromkeys(texts) if (kind, text) not in self._vectors]
        if new:
            vectors = encode(new, on_overflow="truncate", show_progress_bar=False)
            self._vectors.update({(kind, t): v for t, v in zip(new, vectors, strict=True)})
        return np.stack([self._vectors[kind, text] for text in texts])


class LateInteraction:
    """The mean over the query's tokens of the cosine to the nearest token of the text."""

    def __init__(self, encoder: unitvec.Encoder) -> None:
        self._encoder = encoder
        self._tokens: dict[str, FloatArray] = {}

    def learn(self, texts: list[str]) -> None:
        """Encodes many texts at once."""
        vectors = self._encoder.encode(
            texts, output_value="token_embeddings", on_overflow="truncate", show_progress_bar=False
        )
        for text, tokens in zip(texts, vectors, strict=True):
            units = tokens / np.linalg.norm(tokens, axis=1, keepdims=True)
            self._tokens[text] = units.astype(np.float16)  # half the memory

    def __call__(self, query: str, texts: list[str]) -> list[float]:
        new = [text for text in {query, *texts} if text not in self._tokens]
        if new:
            self.learn(new)
        own = self._tokens[query].astype(np.float32)
        likeness = (own @ self._tokens[text].astype(np.float32).T for text in texts)
        return [float(each.max(axis=1).mean()) for each in likeness]


def _brute_force(encoder: Remembering, retrieval: Retrieval) -> dict[str, float]:
    documents = encoder.encode_document(retrieval.documents)
    queries = encoder.encode_query(retrieval.queries)
    return {"ndcg": ndcg_at_k(top_k(queries, documents, K), retrieval.relevance, K)}


def _measure(
    collection: unitvec.Collection, retrieval: Retrieval, **options: Any
) -> dict[str, float]:
    start = time.perf_counter()
    results = collection.search(retrieval.queries, K, **options)
    milliseconds = 1000 * (time.perf_counter() - start)
    return {
        "ndcg": ndcg_at_k(_ranked(results), retrieval.relevance, K),
        "ms": milliseconds / len(retrieval.queries),
    }


def _ranked(results: list[Any]) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Numbers of the documents found, -1 where there are fewer, shape (nq, K)."""
    ranked = np.full((len(results), K), -1)
    for line, result in zip(ranked, results, strict=True):
        line[: len(result)] = [int(hit.id) for hit in result]
    return ranked


def _make_lexical(path: Path, encoder: Remembering, tokenizer: str) -> dict[str, float]:
    """Makes the lexical index anew; seconds, and bytes a document in the compacted collection."""
    with unitvec.Collection(path, encoder=encoder, lexical=False) as collection:
        before = collection.compact()["bytes_after"]
    start = time.perf_counter()
    with unitvec.Collection(path, encoder=encoder, lexical={"tokenizer": tokenizer}) as collection:
        seconds = time.perf_counter() - start
        added = collection.compact()["bytes_after"] - before
        return {"seconds": seconds, "bytes_per_document": added / collection.count()}


def _reranked(
    collection: unitvec.Collection, retrieval: Retrieval, encoder: Remembering
) -> dict[str, Any]:
    """Hybrid search as it is and reranked, over some of the claims."""
    some = Retrieval(
        retrieval.documents, retrieval.queries[::RERANK_EVERY], retrieval.relevance[::RERANK_EVERY]
    )
    reranker = LateInteraction(encoder.encoder)
    pools = collection.search(some.queries, RERANK_K, mode="hybrid")
    reranker.learn(sorted({hit.document for pool in pools for hit in pool}))
    return {
        "queries": len(some.queries),
        "hybrid": _measure(collection, some, mode="hybrid"),
        "reranked": _measure(collection, some, mode="hybrid", rerank=reranker, rerank_k=RERANK_K),
    }


def table(result: dict[str, Any]) -> str:
    """The answer as a Markdown table, a row per mode."""
    lines = header("search", f"SciFact nDCG@{K}", "ms a query")
    for name, each in result["quality"].items():
        lines.append(row(name, f"{each['ndcg']:.4f}", f"{each['ms']:.1f}" if "ms" in each else "-"))
    reranked, sizes = result["reranked"], result["lexical"]
    made = [
        f"{name} {each['seconds']:.1f} s and {each['bytes_per_document']:,.0f} bytes a document"
        for name, each in sizes.items()
    ]
    lines += [
        "",
        f"{result['documents']:,} documents, {result['queries']:,} claims in one call, encoding "
        f"left out. Making the lexical index: {', '.join(made)}.",
        f"Over every {RERANK_EVERY}th claim, {reranked['queries']:,} of them: hybrid (porter) "
        f"{reranked['hybrid']['ndcg']:.4f}; its first {RERANK_K} reranked by late interaction over "
        f"token vectors {reranked['reranked']['ndcg']:.4f}.",
    ]
    return "\n".join(lines)
