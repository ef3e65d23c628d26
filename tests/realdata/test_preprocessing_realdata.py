"""Preprocessing on real text: a treebank's words and lemmas, and the steps on every corpus."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
from treebank import lemmas, sentences

from corpora import corpus
from unitvec.preprocessing import Pipeline, lemmatize, remove_punctuation, tokenize


@pytest.fixture(scope="module")
def treebank_path(data_directory: Path) -> Path:
    return data_directory / "lemmas" / "en_ewt-ud-dev.conllu"


def test_words_are_those_of_a_treebank(treebank_path: Path) -> None:
    ours, theirs, common = 0, 0, 0
    for sentence in sentences(treebank_path):
        tokens = tokenize(sentence.text, contractions="split", hyphens="split", offsets=True)
        found = {(token.start, token.end) for token in tokens}
        ours += len(found)
        theirs += len(sentence.spans)
        common += len(found & set(sentence.spans))
    assert theirs > 25_000
    f1 = 2 * common / (ours + theirs)
    # The rest is convention ("!!" is one word there) and typing errors ("its" for "it" "s").
    assert f1 >= 0.97, f"F1 {f1:.4f}"


def accuracy(found: list[str], words: list[tuple[str, str, str]]) -> dict[str, float]:
    right = defaultdict(list)
    for lemma, (_, expected, pos) in zip(found, words, strict=True):
        for key in ("all", pos):
            right[key].append(lemma.lower() == expected)
    return {key: sum(each) / len(each) for key, each in right.items()}


def test_lemmas_are_at_least_as_right_as_the_best_librarys(treebank_path: Path) -> None:
    simplemma = pytest.importorskip("simplemma", reason="the extra is not installed")
    lemminflect = pytest.importorskip("lemminflect", reason="the extra is not installed")
    words = lemmas(treebank_path)
    assert len(words) > 21_000
    theirs = accuracy([simplemma.lemmatize(word, lang="en") for word, _, _ in words], words)
    ours = accuracy([lemmatize(word) for word, _, _ in words], words)
    assert ours["all"] >= theirs["all"] >= 0.96
    tagged = accuracy([lemmatize(word, pos) for word, _, pos in words], words)
    assert tagged["all"] >= ours["all"] + 0.008
    open_classes = ("VERB", "NOUN", "ADJ")
    tables = accuracy(
        [
            (lemminflect.getLemma(w, upos=p) or (w,))[0] if p in open_classes else w
            for w, _, p in words
        ],
        words,
    )
    for pos in open_classes:
        assert tagged[pos] >= max(theirs[pos], tables[pos] - 0.005), pos


@pytest.mark.parametrize(
    "name", ["stsb", "scifact", "reviews", "newsgroups", "naughty", "tatoeba", "wikitext2"]
)
def test_every_corpus_at_once_is_step_by_step(data_directory: Path, name: str) -> None:
    texts = corpus(data_directory, name)
    plain = Pipeline(
        strip_html=True, strip_urls=True, remove_digits=True, stopwords="english", min_length=2
    )
    for text, cleaned in list(zip(texts, plain.map(texts), strict=True))[::7]:
        assert cleaned.split(" ") == plain.explain(text).tokens or cleaned == ""
        tokens = tokenize(text, offsets=True)
        assert all(text[t.start : t.end] == t.text for t in tokens)
        kept = "".join(t.text for t in tokens)
        assert [c for c in text if c.isalnum()] == [c for c in kept if c.isalnum()]


@pytest.mark.parametrize("name", ["reviews", "newsgroups", "tatoeba"])
def test_cutting_again_changes_nothing(data_directory: Path, name: str) -> None:
    for text in corpus(data_directory, name)[::5]:
        words = remove_punctuation(text)
        assert remove_punctuation(words) == words
