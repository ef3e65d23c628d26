"""How does the speed of encoding depend on how many texts one call has? Texts of 32 tokens.

A call is repeated with other texts; the time of a size is the median over its calls.
"""

from __future__ import annotations

import statistics
from functools import partial
from typing import Any

from benchmarks.cells import header, row, spread
from benchmarks.drawing import Figure, Panel
from benchmarks.exact_lengths import texts_of_length
from benchmarks.measure import interleave, summary
from benchmarks.peers import FASTEST, OURS
from benchmarks.settings import Settings
from benchmarks.systems import Processes, absent_lines, chosen, encode_each, running

SIZES = (1, 4, 16, 64, 256, 1024)
LENGTH = 32
CALLS = 128  # of the smallest sizes, per repeat


def run(settings: Settings) -> dict[str, Any]:
    """Texts a second and milliseconds a call, per size and system."""
    most = max(16, round(SIZES[-1] * settings.scale))
    texts = texts_of_length(settings.model_directory(), LENGTH, most)
    with running(chosen((*FASTEST, *OURS), settings), settings) as systems:
        points = [
            _point(size, texts[: min(size * CALLS, most)], systems.processes, settings)
            for size in SIZES
            if size <= most
        ]
    return {"systems": systems.about, "left_out": systems.left_out, "points": points}


def _point(size: int, texts: list[str], processes: Processes, settings: Settings) -> dict[str, Any]:
    texts = texts[: len(texts) // size * size]  # no call with fewer
    for process in processes.values():
        encode_each(process, texts[: 4 * size], size)  # the warm-up
    systems = {n: partial(encode_each, p, texts, size) for n, p in processes.items()}
    answers = interleave(systems, settings.repeats)
    result = {}
    for name, repeats in answers.items():
        seconds = [statistics.median(calls) for calls in repeats]
        result[name] = {
            "milliseconds_per_call": summary([1000 * s for s in seconds]),
            "texts_per_second": summary([size / s for s in seconds]),
        }
    medians = {name: system["texts_per_second"]["median"] for name, system in result.items()}
    settings.say(f"{size} texts a call", medians, "texts/s")
    return {"size": size, "calls": len(texts) // size, "systems": result}


def table(result: dict[str, Any]) -> str:
    """The answer as a Markdown table: texts a second, a row per system."""
    points = result["points"]
    lines = header("texts/s", *(f"{point['size']} a call" for point in points))
    for name in result["systems"]:
        speeds = (point["systems"][name]["texts_per_second"] for point in points)
        lines.append(row(name, *map(spread, speeds)))
    calls = ", ".join(str(point["calls"]) for point in points)
    lines += [
        "",
        f"Texts of {LENGTH} tokens; {calls} calls in each repeat; median of the repeats' medians "
        "(least - largest).",
        *absent_lines(result["left_out"]),
    ]
    return "\n".join(lines)


def figure(result: dict[str, Any]) -> Figure:
    """Texts a second, and milliseconds a call, against the texts in a call."""
    panels = (
        ("texts a second", "texts/s", "texts_per_second"),
        ("time of a call", "ms", "milliseconds_per_call"),
    )
    return Figure(
        f"Encoding texts of {LENGTH} tokens, so many in one call",
        "texts in one call",
        [point["size"] for point in result["points"]],
        [Panel(title, label, _lines(result, unit)) for title, label, unit in panels],
    )


def _lines(result: dict[str, Any], unit: str) -> dict[str, list[tuple[float, float]]]:
    return {
        name: [(p["size"], p["systems"][name][unit]["median"]) for p in result["points"]]
        for name in result["systems"]
    }
