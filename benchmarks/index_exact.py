"""How near is exact search to what the machine can do? One query, and all queries in one call.

One query is bound by reading every vector, so it stands beside the bandwidth of memory; many are
bound by multiplying, so they stand beside the speed of matrix products. Both limits are measured in
turn with the search, with as many threads.
"""

from __future__ import annotations

import statistics
from functools import partial
from typing import Any

from benchmarks.cells import header, row, spread
from benchmarks.index_peers import EXACT, SYSTEMS
from benchmarks.index_systems import Indexes, IndexProcess, for_budgets
from benchmarks.index_vectors import Vectors, real_vectors
from benchmarks.measure import interleave, pairwise_ratio, summary
from benchmarks.process import printed
from benchmarks.settings import Settings
from benchmarks.systems import absent_lines

MACHINE = "machine"


def run(settings: Settings) -> dict[str, Any]:
    """Seconds of one query and of all, and the machine's limits, per number of threads."""
    data = real_vectors(settings)
    vectors, queries = data.load()
    names = [name for name, system in SYSTEMS.items() if system.family == EXACT]
    limits = (vectors.nbytes // 10**6, len(queries), vectors.shape[1])

    def measure(indexes: Indexes, threads: int) -> dict[str, Any]:
        machine = partial(printed, "index_limits_worker", threads, threads, *limits)
        measures = {
            name: partial(_searched, process, data, settings)
            for name, process in indexes.processes.items()
        }
        interleave(measures, 1)  # the warm-up
        runs = interleave({MACHINE: machine, **measures}, settings.repeats)
        of_machine = runs.pop(MACHINE)
        batches = {n: summary([r["batch"] for r in own])["median"] for n, own in runs.items()}
        settings.say(f"all queries, {threads} threads", batches, "s")
        return {"machine": of_machine, "systems": runs}

    return for_budgets(names, settings, data, measure)


def _searched(process: IndexProcess, data: Vectors, settings: Settings) -> dict[str, float]:
    """Seconds of a call with one query, the median over calls, and of a call with all queries."""
    calls = process.search_each(data.queries, None, settings.latency_calls)
    return {
        "one": statistics.median(calls),
        "batch": process.search(data.queries, None)["seconds"],
    }


def table(result: dict[str, Any]) -> str:
    """The answer as a Markdown table: a row per number of threads and system."""
    titles = ("one query, µs", "reads, GB/s", "of bandwidth", "queries/s in one call")
    lines = header("threads, system", *titles, "GFLOP/s", "of matrix products")
    notes = []
    for budget in result["budgets"]:
        lines += [_row(name, budget, result) for name in budget["systems"]]
        read, gemm = (_limits(budget, what) for what in ("gigabytes_per_second", "gigaflops"))
        notes.append(
            f"The machine with {budget['threads']} threads: reads {spread(summary(read))} GB/s, "
            f"multiplies at {spread(summary(gemm))} GFLOP/s."
        )
    repeats = len(result["budgets"][0]["machine"])
    lines += [
        "",
        *notes,
        f"{result['vectors']:,} vectors of {result['dim']} numbers; {result['queries']:,} queries "
        f"in one call; medians of {repeats} repeats (least - largest).",
        *absent_lines(result["left_out"]),
    ]
    return "\n".join(lines)


def _limits(budget: dict[str, Any], what: str) -> list[float]:
    return [each[what] for each in budget["machine"]]


def _row(name: str, budget: dict[str, Any], result: dict[str, Any]) -> str:
    runs = budget["systems"][name]
    numbers = result["vectors"] * result["dim"]
    reads = [4 * numbers / run["one"] / 1e9 for run in runs]
    speed = [2 * result["queries"] * numbers / run["batch"] / 1e9 for run in runs]
    shares = [
        pairwise_ratio(own, _limits(budget, what))["median"]
        for own, what in ((reads, "gigabytes_per_second"), (speed, "gigaflops"))
    ]
    return row(
        f"{budget['threads']}, {name}",
        spread(summary([1e6 * run["one"] for run in runs])),
        f"{statistics.median(reads):.1f}",
        f"{shares[0]:.0%}",
        spread(summary([result["queries"] / run["batch"] for run in runs])),
        f"{statistics.median(speed):,.0f}",
        f"{shares[1]:.0%}",
    )
