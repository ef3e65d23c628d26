"""What the tests of lexical search share: documents, how to ask for them, and BM25 done slowly."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from unitvec import Collection

WORDS = ["cat", "dog", "sat", "mat", "naïve", "x1"]
DIM = 4


def tokens(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def slow_bm25(documents: dict[str, str | None], query: str) -> dict[str, float]:
    """The formula that SQLite documents, turned so that larger is better."""
    bags = {name: Counter(tokens(text)) for name, text in documents.items() if text is not None}
    mean = sum(bag.total() for bag in bags.values()) / max(1, len(bags))
    scores: dict[str, float] = {}
    for token in tokens(query):
        holding = [name for name, bag in bags.items() if bag[token]]
        n = len(holding)
        idf = max(math.log((len(bags) - n + 0.5) / (n + 0.5)), 1e-6)
        for name in holding:
            f, length = bags[name][token], bags[name].total()
            score = idf * f * 2.2 / (f + 1.2 * (0.25 + 0.75 * length / mean))
            scores[name] = scores.get(name, 0.0) + score
    return scores


def add(db: Collection, texts: list[str], ids: list[str] | None = None, **more: Any) -> list[str]:
    return db.add(texts, ids=ids, embeddings=np.ones((len(texts), DIM)), **more)


def found(db: Collection, query: str, **more: Any) -> list[str]:
    return [hit.id for hit in db.search(query, mode="lexical", **more)]


def three_texts(folder: Path) -> Iterator[Collection]:
    """For a fixture: a collection of three documents without an index of words."""
    with Collection(folder / "c.uv", dim=DIM) as collection:
        add(collection, ["the cat sat", "a dog barks", "shares fell"], ["cat", "dog", "shares"])
        yield collection
