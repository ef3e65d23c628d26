"""The documents that stores are measured with: text, three fields and a vector each, and filters.

A text is 200 characters of real sentences, its vector that of the first of them. The fields depend
on the row's number and a seed alone, so that every process makes the same ones; they have nothing
to do with the vectors, as a date or an owner has not.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import FloatArray

CHARACTERS = 200
SEED = 20240501

#: Distinct values of each field, all equally frequent.
NUMBERS, CATEGORIES = 1_000, 100
TAGS = ("amber", "blue", "green", "red", "white")

#: (field, operator, value) each, all of which must hold; operators are "=", ">=" and "<".
Filter = list[tuple[str, str, Any]]

#: Shares of the documents that filters allow.
SHARES = (0.5, 0.1, 0.01, 0.001)


@dataclass(frozen=True)
class Documents:
    """Parallel columns."""

    ids: list[str]  # the row's number, as text
    texts: list[str]
    fields: list[dict[str, Any]]
    vectors: FloatArray  # (n, dim) float32, of length 1

    def __len__(self) -> int:
        return len(self.ids)

    def blocks(self, size: int) -> Iterator[Documents]:
        """The same in order, at most `size` at a time."""
        for begin in range(0, len(self), size):
            rows = slice(begin, begin + size)
            yield Documents(self.ids[rows], self.texts[rows], self.fields[rows], self.vectors[rows])


@dataclass(frozen=True)
class Columns:
    """The fields of all rows as numbers, of which `tag` and `category` have names."""

    number: np.ndarray
    category: np.ndarray
    tag: np.ndarray

    def row(self, i: int) -> dict[str, Any]:
        return {
            "number": int(self.number[i]),
            "category": category(int(self.category[i])),
            "tag": TAGS[int(self.tag[i])],
        }


def category(value: int) -> str:
    return f"category {value:02d}"


def columns(count: int) -> Columns:
    """The fields of `count` documents; every value as often as every other, to within one."""
    rng = np.random.default_rng(SEED)
    return Columns(*(rng.permutation(count) % n for n in (NUMBERS, CATEGORIES, len(TAGS))))


def write_texts(sentences: Sequence[str], path: Path) -> None:
    """A text per sentence: it and those after it, cut at `CHARACTERS`; a file appears whole."""
    texts = []
    for i, text in enumerate(sentences):
        following = i
        while len(text) < CHARACTERS:
            following = (following + 1) % len(sentences)
            text += f" {sentences[following]}"
        texts.append(text[:CHARACTERS].rstrip())
    with tempfile.NamedTemporaryFile(
        "w", dir=path.parent, delete=False, encoding="utf-8"
    ) as unfinished:
        json.dump(texts, unfinished)
    os.replace(unfinished.name, path)


def read_documents(texts: Path, vectors: Path, begin: int, end: int, count: int) -> Documents:
    """Rows `begin` to `end` of `count` documents.

    Args:
        texts: what `write_texts` wrote; where there are fewer than `count`, they come again.
        vectors: a file with shape (at least `end`, dim).
        begin: the first row.
        end: the row after the last.
        count: of all documents; the fields depend on it.
    """
    written = json.loads(texts.read_text(encoding="utf-8"))
    table = columns(count)
    rows = range(begin, end)
    return Documents(
        [str(i) for i in rows],
        [written[i % len(written)] for i in rows],
        [table.row(i) for i in rows],
        np.array(np.load(vectors, mmap_mode="r")[begin:end]),
    )


def filters(share: float, queries: int, count: int) -> list[Filter]:
    """A filter for each query, most of them different: none is known from the query before.

    50 %: a window of half of the `number`s. 10 %: one `tag`, and such a window. 1 %: one
    `category`. 0.1 %: one `number`. Equal values are those of a document, so that one is allowed.
    """
    rng = np.random.default_rng([SEED, round(share * 1000)])
    table = columns(count)
    numbers = min(NUMBERS, count)
    half = numbers // 2
    starts = rng.integers(0, numbers - half + 1, queries)
    rows = [table.row(int(i)) for i in rng.integers(0, count, queries)]
    windows: list[Filter] = [
        [("number", ">=", int(s)), ("number", "<", int(s) + half)] for s in starts
    ]
    made: dict[float, list[Filter]] = {
        0.5: windows,
        0.1: [[("tag", "=", row["tag"]), *w] for row, w in zip(rows, windows, strict=True)],
        0.01: [[("category", "=", row["category"])] for row in rows],
        0.001: [[("number", "=", row["number"])] for row in rows],
    }
    return made[share]


def allowed(where: Filter, table: Columns) -> np.ndarray:
    """Which rows a filter allows, shape (n,)."""
    found = np.ones(len(table.number), bool)
    for field, operator, value in where:
        column = getattr(table, field)
        if field == "tag":
            value = TAGS.index(value)
        elif field == "category":
            value = int(value.rpartition(" ")[2])
        if operator == "=":
            found &= column == value
        else:
            found &= column >= value if operator == ">=" else column < value
    return found
