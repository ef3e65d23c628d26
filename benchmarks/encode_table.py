"""The table of `encode`: a row per system, and how ours stand beside the best of the others.

Of one run it has medians over the repeats, with the least and the largest repeat; of several runs
the median of the runs' medians, with the least and the largest run.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from benchmarks.cells import header, row, spread
from benchmarks.measure import pairwise_ratio, summary
from benchmarks.peers import BASELINE, OURS, precision
from benchmarks.systems import absent_lines

STS_PAIRS = 1500  # of the whole STS-B dev; older records do not say how many were read
QUALITIES = ("one query, ms", "lowest cosine to fp32", "STS-B dev Spearman")

Run = Mapping[str, Any]


def table(result: dict[str, Any]) -> str:
    """The answer as a Markdown table: a row per system, speeds as median (least - largest)."""
    runs, absent = result["runs"], result["left_out"]
    kinds = list(runs[0]["workloads"])
    lines = [
        *header("system", *(f"{kind}, texts/s" for kind in kinds), *QUALITIES),
        *(_row(name, runs, kinds) for name in result["systems"]),
        *(row(name, *["absent"] * (len(kinds) + len(QUALITIES))) for name in absent),
        "",
        _measured(runs, kinds),
    ]
    for wanted in ("fp32", "bf16", "int8"):
        lines += _beside_best_peer(result, wanted)
    return "\n".join([*lines, *_latency_beside_best_peer(result), *absent_lines(absent)])


def _row(name: str, runs: list[Run], kinds: Iterable[str]) -> str:
    cells = [
        name,
        *(_speed([run["workloads"][kind]["systems"][name] for run in runs]) for kind in kinds),
    ]
    cells.append(_latency([run["latency_ms"][name]["p50"] for run in runs]))
    rows = [run["workloads"][kind]["systems"][name] for run in runs for kind in run["workloads"]]
    lowest = [row["cosine_to_baseline"]["lowest"] for row in rows if "cosine_to_baseline" in row]
    spearman = statistics.median(run["sts_b_dev_spearman"][name] for run in runs)
    cells += [f"{min(lowest):.6f}" if lowest else "-", f"{spearman:.4f}"]
    return row(*cells)


def _speed(rows: list[Run]) -> str:
    """A system's speed for one kind of text; one row a run."""
    text = spread(over_runs([row["texts_per_second"] for row in rows]))
    ratios = [row["times_baseline"]["median"] for row in rows if "times_baseline" in row]
    if ratios and set(ratios) != {1.0}:  # the baseline's own are exactly 1
        text += f", {statistics.median(ratios):.2f} ×"
    return text


def _latency(milliseconds: list[float]) -> str:
    text = f"{statistics.median(milliseconds):.1f}"
    several = len(milliseconds) > 1
    return f"{text} ({min(milliseconds):.1f} - {max(milliseconds):.1f})" if several else text


def _measured(runs: list[Run], kinds: Iterable[str]) -> str:
    workloads = runs[0]["workloads"]
    counts = ", ".join(f"`{kind}` {workloads[kind]['texts']} texts" for kind in kinds)
    repeats = statistics.median(
        len(system["seconds"]) for each in workloads.values() for system in each["systems"].values()
    )
    of = f"median of {repeats:.0f} repeats (least - largest)"
    if len(runs) > 1:
        of_each = f"the median of {repeats:.0f} repeats" if repeats > 1 else "one measurement"
        of = (
            f"median of {len(runs)} runs, each with processes of its own and {of_each} "
            "(least - largest run)"
        )
    pairs = runs[0].get("sts_b_dev_pairs", STS_PAIRS)
    sample = "" if pairs == STS_PAIRS else f"; Spearman over {pairs} pairs of {STS_PAIRS:,} only"
    return f"{counts}; {of}; × is relative to {BASELINE}{sample}."


def over_runs(summaries: list[Mapping[str, float]]) -> Mapping[str, float]:
    """Of several runs the summary of their medians; of one its own."""
    if len(summaries) == 1:
        return summaries[0]
    return summary([each["median"] for each in summaries])


def _others(result: dict[str, Any], wanted: str) -> list[str]:
    """Systems of a precision that are not ours."""
    return [n for n in result["systems"] if precision(n) == wanted and n not in OURS]


def _speed_in(run: Run, name: str) -> float:
    speed: float = run[name]["texts_per_second"]["median"]
    return speed


def _beside_best_peer(result: dict[str, Any], wanted: str) -> list[str]:
    """One line that sets ours beside the fastest other system of its precision, per workload.

    In every run beside the fastest of that run, so that the least ratio is the least there was.
    """
    ours = next((n for n in OURS if precision(n) == wanted and n in result["systems"]), None)
    peers = _others(result, wanted)
    if ours is None or not peers:
        return []
    ratios = []
    for kind in result["runs"][0]["workloads"]:
        runs = [run["workloads"][kind]["systems"] for run in result["runs"]]
        best = [max(peers, key=partial(_speed_in, run)) for run in runs]
        ratio = over_runs(
            [
                pairwise_ratio(run[name]["seconds"], run[ours]["seconds"])
                for run, name in zip(runs, best, strict=True)
            ]
        )
        named = " or ".join(dict.fromkeys(best))
        ratios.append(
            f"`{kind}` {ratio['median']:.2f} × ({ratio['min']:.2f} - {ratio['max']:.2f}) {named}"
        )
    return [f"{ours} to the best {wanted} peer of each run: {', '.join(ratios)}."]


def _latency_beside_best_peer(result: dict[str, Any]) -> list[str]:
    """One line: the time of ours for one query as a share of the fastest other fp32 system's."""
    runs = [run["latency_ms"] for run in result["runs"]]

    def milliseconds(name: str) -> float:
        return statistics.median(run[name]["p50"] for run in runs)

    peers = _others(result, "fp32")
    ours = [name for name in OURS if name in result["systems"]]
    if not peers or not ours:
        return []
    best = min(peers, key=milliseconds)
    shares = [
        f"{name} {statistics.median(run[name]['p50'] / run[best]['p50'] for run in runs):.2f} ×"
        for name in ours
    ]
    return [f"One query, to the time of the fastest fp32 peer, {best}: {', '.join(shares)}."]
