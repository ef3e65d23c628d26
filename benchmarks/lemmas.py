"""How right are lemmas? UD English EWT (dev), lower-cased, without punctuation, per part of speech.

Systems are given single words, some with the part of speech that people gave them; "own tags" reads
whole sentences and decides itself. Nothing was trained or chosen on these sentences but for what
docs/preprocessing.md says.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.cells import header, row
from benchmarks.environment import UnavailableError
from benchmarks.preprocess_systems import ask
from benchmarks.settings import Settings
from benchmarks.workloads import data_directory

COLUMNS = ("VERB", "NOUN", "ADJ", "ADV", "AUX", "PRON", "PROPN")

#: (form, lemma, part of speech), in the sentence's own spelling.
Sentence = list[tuple[str, str, str]]


def run(settings: Settings) -> dict[str, Any]:
    """Accuracy per part of speech, and words a second, per system."""
    sentences = treebank()[:: max(1, round(1 / settings.scale))]
    words = [
        (form.lower(), lemma.lower(), pos)
        for sentence in sentences
        for form, lemma, pos in sentence
        if pos != "PUNCT"
    ]
    gold = [[form, pos] for form, _, pos in words]
    plain = [[form, ""] for form, _, _ in words]
    results: dict[str, Any] = {}
    absent: dict[str, str] = {}
    versions: dict[str, Any] = {}

    def measure(name: str, system: str, request: dict[str, Any]) -> dict[str, Any]:
        try:
            done = ask(system, settings.threads, request)
        except UnavailableError as error:
            absent[name] = str(error)
            return {}
        versions[name] = {"versions": done["versions"]}
        return done

    def judge(name: str, done: dict[str, Any]) -> None:
        if done:
            speed = len(words) / done["seconds"]
            results[name] = _accuracy(done["lemmas"], words) | {"words_a_second": speed}
            settings.say(
                name, {"all": results[name]["all"], "changing": results[name]["changing"]}, "%"
            )

    judge("simplemma, no part of speech", measure("simplemma", "simplemma", _words(plain)))
    judge("LemmInflect, gold tags", measure("LemmInflect", "lemminflect", _words(gold)))
    judge("WordNet through NLTK, gold tags", measure("NLTK", "nltk", _words(gold)))
    judge("unitvec, no part of speech", measure("unitvec", "unitvec", _words(plain)))
    judge("unitvec, gold tags", measure("unitvec", "unitvec", _words(gold)))
    forms = [[form for form, _, _ in sentence] for sentence in sentences]
    tagged = measure("spaCy", "spacy", {"job": "sentences", "sentences": forms})
    if tagged:
        own = [
            (lemma, tag)
            for (_, _, pos), lemma, tag in zip(
                [word for sentence in sentences for word in sentence],
                tagged["lemmas"],
                tagged["tags"],
                strict=True,
            )
            if pos != "PUNCT"
        ]
        judge("spaCy small model, own tags", tagged | {"lemmas": [lemma for lemma, _ in own]})
        spacys = [[form, tag] for (form, _, _), (_, tag) in zip(words, own, strict=True)]
        done = measure("unitvec", "unitvec", _words(spacys))
        seconds = done["seconds"] + tagged["seconds"]
        judge("unitvec, spaCy's tags", done | {"seconds": seconds})
    counts: dict[str, int] = defaultdict(int)
    for _, _, pos in words:
        counts[pos] += 1
    changing = sum(form != lemma for form, lemma, _ in words)
    return {
        "words": len(words),
        "changing": changing,
        "counts": counts,
        "accuracy": results,
        "absent": absent,
        "systems": versions,
    }


def treebank() -> list[Sentence]:
    """The sentences of the dev set."""
    path: Path = data_directory() / "lemmas" / "en_ewt-ud-dev.conllu"
    sentences: list[Sentence] = [[]]
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line:
            sentences.append([])
        elif not line.startswith("#"):
            number, form, lemma, pos = line.split("\t")[:4]
            if number.isdigit():
                sentences[-1].append((form, lemma, pos))
    return [sentence for sentence in sentences if sentence]


def _words(words: list[list[str]]) -> dict[str, Any]:
    return {"job": "lemmas", "words": words}


def _accuracy(lemmas: list[str], words: list[tuple[str, str, str]]) -> dict[str, float]:
    """Per cent of right lemmas: of all words, of those that are not their lemma, and per tag."""
    right: dict[str, list[bool]] = defaultdict(list)
    for found, (form, lemma, pos) in zip(lemmas, words, strict=True):
        is_right = found.lower() == lemma
        right["all"].append(is_right)
        right[pos].append(is_right)
        if form != lemma:
            right["changing"].append(is_right)
    return {key: 100 * sum(each) / len(each) for key, each in right.items()}


def table(result: dict[str, Any]) -> str:
    """The answer as a Markdown table."""
    lines = header("lemmatiser", "all words %", "words that change %", *COLUMNS, "words/s")
    for name, each in result["accuracy"].items():
        cells = [f"{each.get(key, float('nan')):.1f}" for key in ("all", "changing", *COLUMNS)]
        lines.append(row(name, *cells, f"{each['words_a_second']:,.0f}"))
    lines += [row(name, "absent", *["-"] * (len(COLUMNS) + 2)) for name in result["absent"]]
    counts = ", ".join(f"{pos} {result['counts'].get(pos, 0):,}" for pos in COLUMNS)
    lines += [
        "",
        f"{result['words']:,} words, {result['changing']:,} of them not their own lemma; {counts}. "
        "Words a second of one thread, each word as often as the text has it.",
    ]
    lines += [f"Absent: {name}: {why}." for name, why in result["absent"].items()]
    return "\n".join(lines)
