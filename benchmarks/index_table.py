"""The tables of `index`: per number of threads a row per system, and ours beside the best peer."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.cells import header, row, spread
from benchmarks.index_peers import SYSTEMS
from benchmarks.measure import pairwise_ratio, summary
from benchmarks.peers import is_ours
from benchmarks.systems import absent_lines

COLUMNS = (
    "search",
    "recall@10",
    "queries/s",
    "one query, p50, µs",
    "p99, µs",
    "build, s",
    "resident bytes a vector",
    "stated",
)

Measured = Mapping[str, Any]

#: What ours are compared in: the seconds of each repeat, from what was measured.
SECONDS: dict[str, Callable[[Measured], list[float]]] = {
    "queries/s": lambda system: system["batch_seconds"],
    "one query": lambda system: [each["p50"] for each in system["latency_us"]],
    "build": lambda system: system["build_seconds"],
}


def table(result: dict[str, Any]) -> str:
    """The answer as Markdown: a table per number of threads."""
    lines: list[str] = []
    for budget in result["budgets"]:
        systems = budget["systems"]
        lines += [
            *header(_threads(budget), *COLUMNS),
            *(_row(name, systems[name], result) for name in SYSTEMS if name in systems),
            "",
        ]
        if beside := _beside_best_peers(systems):
            lines += [*beside, ""]
    lines += [_measured(result), *absent_lines(result["left_out"])]
    return "\n".join(lines)


def _threads(budget: Mapping[str, Any]) -> str:
    return "1 thread" if budget["threads"] == 1 else f"{budget['threads']} threads"


def _row(name: str, system: Measured, result: Mapping[str, Any]) -> str:
    speed = summary([result["queries"] / seconds for seconds in system["batch_seconds"]])
    p50, p99 = (summary([each[p] for each in system["latency_us"]]) for p in ("p50", "p99"))
    searched = f"{system['parameter']} {system['value']}" if system["parameter"] else "exact"
    recall = f"{system['recall']:.3f}"
    stated = system["stated_bytes"]
    return row(
        name,
        searched,
        recall if system["reached"] else f"{recall}, not reached",
        spread(speed),
        spread(p50),
        f"{p99['median']:,.0f}",
        spread(summary(system["build_seconds"])),
        f"{system['resident_bytes'] / result['vectors']:,.0f}",
        "-" if stated is None else f"{stated / result['vectors']:,.0f}",
    )


def _beside_best_peers(systems: Mapping[str, Measured]) -> list[str]:
    """For each of ours a line that sets it beside the best others of its family, per measure."""
    lines = []
    for name in systems:
        peers = [
            peer
            for peer in systems
            if not is_ours(peer)
            and SYSTEMS[peer].family == SYSTEMS[name].family
            and systems[peer]["reached"]
        ]
        if is_ours(name) and peers and systems[name]["reached"]:
            lines.append(_beside(name, peers, systems))
    return lines


def _beside(name: str, peers: list[str], systems: Mapping[str, Measured]) -> str:
    """Ours to the quickest peer of each measure, and to the build of the quickest searcher."""
    quickest = {
        what: min(peers, key=lambda peer: statistics.median(seconds(systems[peer])))
        for what, seconds in SECONDS.items()
    }
    parts = []
    for what, peer in (*quickest.items(), ("build", quickest["queries/s"])):
        part = f"{what} {_ratio(what, systems[name], systems[peer])} {peer}"
        if part not in parts:
            parts.append(part)
    return f"{name} to the best peer: {', '.join(parts)}."


def _ratio(what: str, own: Measured, other: Measured) -> str:
    """Speeds as ours / theirs, times as ours / theirs: of speeds more is better, of times less."""
    seconds = SECONDS[what](own), SECONDS[what](other)
    is_speed = what == "queries/s"
    ratio = pairwise_ratio(*(reversed(seconds) if is_speed else seconds))
    return f"{ratio['median']:.2f} × ({ratio['min']:.2f} - {ratio['max']:.2f})"


def _measured(result: Mapping[str, Any]) -> str:
    systems = next(iter(result["budgets"]))["systems"]
    first = next(iter(systems.values()))
    return (
        f"{result['vectors']:,} vectors of {result['dim']} numbers; {result['queries']:,} queries, "
        f"in one call and one a call; medians of {len(first['batch_seconds'])} repeats and "
        f"{len(first['build_seconds'])} builds (least - largest). 32/40: 32 links a vector, "
        "40 candidates as the graph is built. The search is the first setting tried that reaches "
        f"{result['target']} on half of the queries; recall is that of the other half. Resident: "
        "what the process grew by in its first build; stated: what the library says. "
        "× is ours over theirs: of queries/s more is better, of times less."
    )
