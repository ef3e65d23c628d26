"""How fast is text cleaned? Film reviews to lemmas without punctuation and stop words.

Beside NLTK's usual recipe and spaCy's small model, each in a process of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.cells import header, row, spread
from benchmarks.environment import UnavailableError
from benchmarks.measure import interleave, pairwise_ratio, summary
from benchmarks.preprocess_systems import ask
from benchmarks.settings import Settings
from benchmarks.workloads import data_directory
from unitvec.preprocessing import stopwords

BASELINE = "NLTK"

#: Of spaCy's texts every n-th: it takes minutes for all.
SPACY_EVERY = 10


def run(settings: Settings) -> dict[str, Any]:
    """Megabytes of UTF-8 a second, per system."""
    texts = reviews()[:: max(1, round(1 / settings.scale))]
    systems: dict[str, tuple[str, int, list[str]]] = {
        BASELINE: ("nltk", 1, texts),
        "spaCy small model": ("spacy", 1, texts[::SPACY_EVERY]),
        "unitvec, 1 thread": ("unitvec", 1, texts),
        f"unitvec, {settings.threads} threads": ("unitvec", settings.threads, texts),
    }
    absent: dict[str, str] = {}
    versions: dict[str, Any] = {}
    runs: dict[str, Any] = {}
    for name, (system, threads, some) in systems.items():
        # The first call of each, which may install packages, is not counted.
        first = _if_there(partial(_clean, system, threads, some[:60]))
        if isinstance(first, str):
            absent[name] = first
        else:
            versions[name] = {"versions": first["versions"]}
            runs[name] = partial(_clean, system, threads, some)
    measured = interleave(runs, settings.repeats)
    speeds = {
        name: [each["megabytes_a_second"] for each in all_] for name, all_ in measured.items()
    }
    for name, values in speeds.items():
        settings.say(name, {"median": summary(values)["median"]}, "MB/s")
    return {
        "texts": len(texts),
        "megabytes": _megabytes(texts),
        "speeds": speeds,
        "tokens": {name: all_[0]["tokens_a_text"] for name, all_ in measured.items()},
        "absent": absent,
        "systems": versions,
    }


def reviews() -> list[str]:
    """4,000 film reviews; their line breaks, the only markup in them, are spaces."""
    with open(data_directory() / "reviews" / "imdb_4000.jsonl", encoding="utf-8") as file:
        return [json.loads(line)["text"].replace("<br />", " ") for line in file]


def _if_there(measure: Callable[[], dict[str, Any]]) -> dict[str, Any] | str:
    """What is measured, or why it cannot be."""
    try:
        return measure()
    except UnavailableError as error:
        return str(error)


def _clean(system: str, threads: int, texts: list[str]) -> dict[str, Any]:
    words = sorted(stopwords())
    request = {"job": "clean", "texts": texts, "stop_words": words, "threads": threads}
    done = ask(system, threads, request)
    return done | {
        "megabytes_a_second": _megabytes(texts) / done["seconds"],
        "tokens_a_text": done["tokens"] / len(texts),
    }


def _megabytes(texts: list[str]) -> float:
    return sum(len(text.encode()) for text in texts) / 1e6


def table(result: dict[str, Any]) -> str:
    """The answer as a Markdown table."""
    lines = header("system", "MB/s", f"to {BASELINE}", "tokens left of a text")
    baseline = result["speeds"].get(BASELINE)
    for name, values in result["speeds"].items():
        ratio = f"{pairwise_ratio(values, baseline)['median']:,.1f} ×" if baseline else "-"
        lines.append(row(name, spread(summary(values)), ratio, f"{result['tokens'][name]:.1f}"))
    lines += [row(name, "absent", "-", "-") for name in result["absent"]]
    repeats = len(next(iter(result["speeds"].values())))
    lines += [
        "",
        f"{result['texts']:,} reviews, {result['megabytes']:.1f} MB (spaCy: every {SPACY_EVERY}th);"
        f" median of {repeats} runs (least - largest). NLTK without its cut into sentences.",
    ]
    lines += [f"Absent: {name}: {why}." for name, why in result["absent"].items()]
    return "\n".join(lines)
