"""How fast do vector indexes answer at a recall@10 of 0.98? Beside faiss, hnswlib and usearch.

Vectors of real sentences, and queries that are held out. Every index is built by one thread and by
all, in a process of its own; each approximate one has its search raised until it finds enough of
the neighbours that exact search by NumPy finds. Quality and memory stand beside speed.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.index_peers import SYSTEMS
from benchmarks.index_systems import Indexes, K, for_budgets
from benchmarks.index_table import table
from benchmarks.index_tuning import TARGET, tuned
from benchmarks.index_vectors import Vectors, real_vectors
from benchmarks.measure import interleave, summary
from benchmarks.neighbours import IntArray, exact_neighbours
from benchmarks.settings import Settings

__all__ = ["run", "table"]

BUILDS = 3  # at most: they take by far the longest


def run(settings: Settings) -> dict[str, Any]:
    """Recall, times of searching and building, and bytes, per number of threads and system."""
    data = real_vectors(settings)
    vectors, queries = data.load()
    expected = exact_neighbours(queries, vectors, K)

    def measure(indexes: Indexes, _: int) -> dict[str, Any]:
        return {"systems": _measured(indexes, data, expected, settings)}

    return {"k": K, "target": TARGET, **for_budgets(SYSTEMS, settings, data, measure)}


def _measured(
    indexes: Indexes, data: Vectors, expected: IntArray, settings: Settings
) -> dict[str, Any]:
    processes = indexes.processes
    again = min(settings.repeats, BUILDS) - 1
    builds = interleave({n: partial(p.build, data.vectors) for n, p in processes.items()}, again)
    results = {name: tuned(p, data.queries, expected) for name, p in processes.items()}
    settings.say("recall", {name: result["recall"] for name, result in results.items()}, f"@{K}")
    values = {name: result["value"] for name, result in results.items()}
    batches = interleave(
        {n: partial(p.search, data.queries, values[n]) for n, p in processes.items()},
        settings.repeats,
    )
    calls = min(len(expected), 10 * settings.latency_calls)
    alone = interleave(
        {n: partial(p.search_each, data.queries, values[n], calls) for n, p in processes.items()},
        settings.repeats,
    )
    for name, result in results.items():
        result |= _built(indexes.builds[name], builds[name])
        result["batch_seconds"] = [answer["seconds"] for answer in batches[name]]
        result["busy_cores"] = summary([a["cpu_seconds"] / a["seconds"] for a in batches[name]])
        result["latency_us"] = [_percentiles(seconds) for seconds in alone[name]]
    threads = next(iter(processes.values())).threads
    speeds = {n: len(expected) / summary(r["batch_seconds"])["median"] for n, r in results.items()}
    settings.say(f"{threads} threads", speeds, "queries/s")
    return results


def _built(first: dict[str, Any], others: list[dict[str, Any]]) -> dict[str, Any]:
    """Of all builds the seconds; the memory of the first, before the process had any to reuse."""
    return {
        "build_seconds": [build["seconds"] for build in (first, *others)],
        "resident_bytes": first["resident_bytes"],
        "stated_bytes": first["stated_bytes"],
    }


def _percentiles(seconds: list[float]) -> dict[str, float]:
    p50, p99 = np.percentile(1e6 * np.array(seconds), [50, 99])
    return {"p50": float(p50), "p99": float(p99)}
