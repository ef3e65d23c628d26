"""How does the speed of encoding depend on the length of the texts? All texts of one length.

The texts of a length have the same number of tokens together, so that every length is as much work
for the linear layers; every system's limit is raised to the longest length, where the model has so
many positions. A system that cannot read texts of a length is absent there.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from benchmarks.cells import header, row, spread
from benchmarks.drawing import Figure, Panel
from benchmarks.exact_lengths import texts_of_length
from benchmarks.measure import interleave, summary
from benchmarks.peers import FASTEST, OURS
from benchmarks.settings import Settings
from benchmarks.systems import Processes, absent_lines, attempt, chosen, encode, running

LENGTHS = (16, 32, 64, 128, 256, 512)
TOKENS = 16_384  # of all texts of a length together


def run(settings: Settings) -> dict[str, Any]:
    """Tokens and texts a second, per length and system."""
    names = chosen((*FASTEST, *OURS), settings)
    with running(names, settings, max_seq_length=LENGTHS[-1]) as systems:
        points = []
        for length in LENGTHS:
            count = max(4, round(TOKENS * settings.scale / length))
            texts = texts_of_length(settings.model_directory(), length, count)
            points.append(_point(length, texts, systems.processes, settings))
    return {"systems": systems.about, "left_out": systems.left_out, "points": points}


def _point(
    length: int, texts: list[str], processes: Processes, settings: Settings
) -> dict[str, Any]:
    absent: dict[str, str] = {}
    able = {
        name: process
        for name, process in processes.items()
        if attempt(partial(encode, process, texts), name, absent) is not None  # the warm-up
    }
    answers = interleave({n: partial(encode, p, texts) for n, p in able.items()}, settings.repeats)
    systems = {}
    for name, own in answers.items():
        seconds = [answer["seconds"] for answer in own]
        systems[name] = {
            "seconds": seconds,
            "tokens_per_second": summary([length * len(texts) / s for s in seconds]),
            "texts_per_second": summary([len(texts) / s for s in seconds]),
        }
    medians = {name: system["tokens_per_second"]["median"] for name, system in systems.items()}
    settings.say(f"{length} tokens", medians, "tokens/s")
    return {"length": length, "texts": len(texts), "systems": systems, "absent": absent}


def table(result: dict[str, Any]) -> str:
    """The answer as two Markdown tables: tokens and texts a second, a row per system."""
    lines: list[str] = []
    for unit in ("tokens", "texts"):
        lines += [
            *header(f"{unit}/s", *(f"{point['length']} tokens" for point in result["points"])),
            *(_row(name, f"{unit}_per_second", result["points"]) for name in result["systems"]),
            "",
        ]
    counts = ", ".join(str(point["texts"]) for point in result["points"])
    absent = {
        f"{name}, {point['length']} tokens": reason
        for point in result["points"]
        for name, reason in point["absent"].items()
    }
    lines += [
        f"{counts} texts; medians (least - largest).",
        *absent_lines(result["left_out"] | absent),
    ]
    return "\n".join(lines)


def _row(name: str, unit: str, points: list[dict[str, Any]]) -> str:
    figures = [point["systems"].get(name) for point in points]
    return row(name, *(spread(each[unit]) if each else "absent" for each in figures))


def figure(result: dict[str, Any]) -> Figure:
    """Tokens and texts a second against the length."""
    return Figure(
        "Encoding texts of one length",
        "length of each text, tokens",
        [point["length"] for point in result["points"]],
        [
            Panel(f"{unit} a second", f"{unit}/s", _lines(result, f"{unit}_per_second"))
            for unit in ("tokens", "texts")
        ],
    )


def _lines(result: dict[str, Any], unit: str) -> dict[str, list[tuple[float, float]]]:
    return {
        name: [
            (point["length"], point["systems"][name][unit]["median"])
            for point in result["points"]
            if name in point["systems"]
        ]
        for name in result["systems"]
    }
