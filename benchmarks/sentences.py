"""Different sentences of several corpora, in one fixed random order: what vector indexes hold."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator

from benchmarks.workloads import SEED, abstracts, data_directory

SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
WORDS = range(5, 61)  # fewer are headings and greetings, more are lists and tables


def sentences(count: int) -> list[str]:
    """The first `count` sentences of the fixed order: fewer are a prefix of more.

    No two are equal but for case, which many models do not see: equal vectors would leave open
    which of them is the nearest.

    Raises:
        ValueError: if the corpora do not have so many.
    """
    different = {
        sentence.casefold(): sentence for text in _texts() for sentence in _sentences(text)
    }
    if len(different) < count:
        raise ValueError(
            f"[sentences] expected {count:,} different sentences, got {len(different):,}"
        )
    shuffled = list(different.values())
    random.Random(SEED).shuffle(shuffled)
    return shuffled[:count]


def _texts() -> Iterator[str]:
    """SciFact's titles and abstracts, film reviews, mails without their header, Wikipedia."""
    folder = data_directory()
    for title, text in abstracts():
        yield title
        yield text
    with open(folder / "reviews" / "imdb_4000.jsonl", encoding="utf-8") as file:
        yield from (json.loads(line)["text"].replace("<br />", " ") for line in file)
    with open(folder / "newsgroups" / "newsgroups_4000.jsonl", encoding="utf-8") as file:
        yield from (json.loads(line)["text"].partition("\n\n")[2] for line in file)
    for path in sorted((folder / "wikitext2").glob("*.txt")):
        lines = path.read_text(encoding="utf-8").splitlines()
        yield from (line for line in lines if not line.startswith(" = "))


def _sentences(text: str) -> Iterator[str]:
    for sentence in SENTENCE_END.split(" ".join(text.split())):
        if sentence.count(" ") + 1 in WORDS:
            yield sentence
