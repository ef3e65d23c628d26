"""The UD English EWT treebank: its sentences, and the words that people cut them into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Sentence:
    """A text, the spans of its words, and (form, lemma, part of speech) of each."""

    text: str
    spans: list[tuple[int, int]] = field(default_factory=list)
    words: list[tuple[str, str, str]] = field(default_factory=list)


def sentences(path: Path) -> Iterator[Sentence]:
    """All sentences of a CoNLL-U file whose words stand in their text."""
    sentence = Sentence("")
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# text = "):
            sentence = Sentence(line.removeprefix("# text = "))
        elif not line:
            yield sentence
        elif not line.startswith("#"):
            number, form, lemma, pos = line.split("\t")[:4]
            if number.isdigit():
                behind = sentence.spans[-1][1] if sentence.spans else 0
                start = sentence.text.find(form, behind)
                sentence.spans.append((start, start + len(form)))
                sentence.words.append((form, lemma, pos))


def lemmas(path: Path) -> list[tuple[str, str, str]]:
    """(form, lemma, part of speech) of every word but punctuation, in lower case."""
    return [
        (form.lower(), lemma.lower(), pos)
        for sentence in sentences(path)
        for form, lemma, pos in sentence.words
        if pos != "PUNCT"
    ]
