"""How do searching and building grow with the vectors? A tenth of the real ones to ten times them.

More than there are real sentences for are made from them by adding noise (see `index_vectors`), so
that each has near relatives: the recall that a graph must reach is then harder to get than of as
many real ones. At each size the search of a graph is tuned anew to the recall of `index`.
"""

from __future__ import annotations

import statistics
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.cells import header, row, spread
from benchmarks.drawing import Figure, Panel
from benchmarks.index_systems import Indexes, K, built, chosen
from benchmarks.index_tuning import TARGET, tuned
from benchmarks.index_vectors import KEPT, NOISE, Vectors, grown, real_vectors
from benchmarks.measure import interleave, summary
from benchmarks.neighbours import exact_neighbours
from benchmarks.settings import Settings
from benchmarks.systems import absent_lines

NAMES = ("faiss HNSW 32/40", "unitvec hnsw 32/40", "unitvec flat")
TIMES = (0.1, 1, 10)  # the real vectors

MEASURES = {
    "latency_us": ("one query", "µs"),
    "queries_per_second": ("many queries in one call", "queries/s"),
    "build_seconds": ("building", "s"),
}


def run(settings: Settings) -> dict[str, Any]:
    """Times and recall, per size and system; each index is built once."""
    data = real_vectors(settings)
    real, queries = data.load()
    about: dict[str, Any] = {}
    points = []
    for times in TIMES:
        count = round(times * len(real))
        with tempfile.TemporaryDirectory(dir=KEPT) as folder:
            file = Path(folder) / "vectors.npy"
            grown(real, count, file)
            sized = Vectors(file, data.queries)
            with built(chosen(NAMES, settings), settings.threads, sized) as indexes:
                systems = _point(indexes, sized, settings)
        about |= indexes.about
        points.append({"vectors": count, "systems": systems, "absent": indexes.left_out})
    return {
        "systems": about,
        "real": len(real),
        "queries": len(queries),
        "noise": NOISE,
        "points": points,
    }


def _point(indexes: Indexes, data: Vectors, settings: Settings) -> dict[str, Any]:
    vectors, queries = data.load()
    expected = exact_neighbours(queries, vectors, K)
    processes = indexes.processes
    results = {name: tuned(p, data.queries, expected) for name, p in processes.items()}
    searches = {
        n: partial(p.search, data.queries, results[n]["value"]) for n, p in processes.items()
    }
    calls = {
        n: partial(p.search_each, data.queries, results[n]["value"], settings.latency_calls)
        for n, p in processes.items()
    }
    batches = interleave(searches, settings.repeats)
    alone = interleave(calls, settings.repeats)
    for name, result in results.items():
        result["build_seconds"] = summary([indexes.builds[name]["seconds"]])
        result["queries_per_second"] = summary([len(queries) / b["seconds"] for b in batches[name]])
        result["latency_us"] = summary([1e6 * statistics.median(each) for each in alone[name]])
    latencies = {name: result["latency_us"]["median"] for name, result in results.items()}
    settings.say(f"{len(vectors)} vectors, one query", latencies, "µs")
    return results


def table(result: dict[str, Any]) -> str:
    """The answer as a Markdown table: a row per size and system."""
    titles = ("search", "recall@10", "one query, µs", "queries/s", "build, s")
    lines = header("vectors, system", *titles)
    absent = {}
    for point in result["points"]:
        for name, system in point["systems"].items():
            lines.append(_row(f"{point['vectors']:,}, {name}", system))
        absent |= point["absent"]
    lines += [
        "",
        f"{result['queries']:,} queries in one call, and one a call: medians of the repeats (least "
        f"- largest); one build. The search is the first setting tried that reaches {TARGET} on "
        f"half of the queries. Beyond {result['real']:,} vectors: the real ones, and copies of "
        f"them with noise of length {result['noise']}.",
        *absent_lines(absent),
    ]
    return "\n".join(lines)


def _row(name: str, system: dict[str, Any]) -> str:
    recall = f"{system['recall']:.3f}"
    return row(
        name,
        f"{system['parameter']} {system['value']}" if system["parameter"] else "exact",
        recall if system["reached"] else f"{recall}, not reached",
        spread(system["latency_us"]),
        spread(system["queries_per_second"]),
        f"{system['build_seconds']['median']:,.2f}",
    )


def figure(result: dict[str, Any]) -> Figure:
    """Each measure against the number of vectors."""
    return Figure(
        f"Indexes as they grow, recall@10 of {TARGET} (flat: exact)",
        "vectors",
        [point["vectors"] for point in result["points"]],
        [Panel(title, unit, _lines(result, what)) for what, (title, unit) in MEASURES.items()],
    )


def _lines(result: dict[str, Any], what: str) -> dict[str, list[tuple[float, float]]]:
    return {
        name: [
            (point["vectors"], point["systems"][name][what]["median"])
            for point in result["points"]
            if name in point["systems"]
        ]
        for name in result["systems"]
    }
