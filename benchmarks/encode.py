"""How fast are texts turned into vectors, in bulk and one at a time, and how good are the vectors?

Speed: seconds for all texts of a kind in one call, systems in turn; one warm-up each. Latency: one
short query per call. Quality: cosine to the baseline's fp32 vectors on every text, and Spearman's
correlation with people's scores on STS-B dev. A system that this machine cannot run is left out,
with the reason. `--runs 3` does all of it three times, each time in fresh processes.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.encode_table import table
from benchmarks.measure import cosines, interleave, pairwise_ratio, spearman, summary
from benchmarks.peers import BASELINE, PEERS
from benchmarks.settings import Settings
from benchmarks.systems import Processes, chosen, encode, encode_each, running
from benchmarks.workloads import QUERY, sts_pairs, workloads

__all__ = ["run", "table"]


def run(settings: Settings) -> dict[str, Any]:
    """Measures every chosen system in whole runs; see the module's description."""
    runs = [_whole_run(settings) for _ in range(settings.runs)]
    left_out = {name: reason for each in runs for name, reason in each["left_out"].items()}
    versions = {
        name: {"versions": about["versions"]}
        for name, about in runs[0]["systems"].items()
        if name not in left_out
    }
    return {"systems": versions, "left_out": left_out, "runs": runs}


def _whole_run(settings: Settings) -> dict[str, Any]:
    with (
        running(chosen(PEERS, settings), settings) as systems,
        tempfile.TemporaryDirectory() as directory,
    ):
        processes, folder = systems.processes, Path(directory)
        texts = workloads(settings.scale)
        kinds = [kind for kind in texts if kind in (settings.workloads or texts)]
        result: dict[str, Any] = {
            "systems": systems.about,
            "left_out": systems.left_out,
            "workloads": {
                kind: _workload(kind, texts[kind], processes, folder, settings) for kind in kinds
            },
            "latency_ms": _latency(processes, settings),
            "sts_b_dev_spearman": _sts(processes, folder, settings),
            "sts_b_dev_pairs": len(sts_pairs(settings.scale)[0]),
        }
        for name, process in processes.items():
            peak = process.ask(do="memory")["peak_bytes"]
            result["systems"][name]["peak_memory_mb"] = round(peak / 2**20)
    return result


def _workload(
    kind: str, texts: list[str], processes: Processes, folder: Path, settings: Settings
) -> dict[str, Any]:
    for name, process in processes.items():  # the warm-up, whose vectors are kept for their quality
        encode(process, texts, folder / f"{name}.npy")
    answers = interleave(
        {n: partial(encode, p, texts) for n, p in processes.items()}, settings.repeats
    )
    seconds = {name: [answer["seconds"] for answer in own] for name, own in answers.items()}
    systems = {}
    for name, times in seconds.items():
        speed = [len(texts) / t for t in times]
        busy = [answer["cpu_seconds"] / answer["seconds"] for answer in answers[name]]
        if statistics.median(busy) > settings.threads + 0.2:
            print(f"{name} keeps {busy} cores busy, not {settings.threads}", file=sys.stderr)
        systems[name] = {
            "seconds": times,
            "texts_per_second": summary(speed),
            "busy_cores": summary(busy),
        }
        if BASELINE in seconds:
            baseline = [len(texts) / t for t in seconds[BASELINE]]
            systems[name]["times_baseline"] = pairwise_ratio(speed, baseline)
            systems[name]["cosine_to_baseline"] = _cosine(folder, name)
    settings.say(
        kind, {name: s["texts_per_second"]["median"] for name, s in systems.items()}, "texts/s"
    )
    return {"texts": len(texts), "characters": sum(map(len, texts)), "systems": systems}


def _cosine(folder: Path, name: str) -> dict[str, float]:
    cosine = cosines(np.load(folder / f"{name}.npy"), np.load(folder / f"{BASELINE}.npy"))
    return {"lowest": float(cosine.min()), "mean": float(cosine.mean())}


def _latency(processes: Processes, settings: Settings) -> dict[str, Any]:
    """Milliseconds for one short query in a call of its own: p50 and p95 over all calls."""
    calls = [QUERY] * settings.latency_calls
    for process in processes.values():
        encode_each(process, calls[:10])  # warm-up
    rounds = interleave(
        {n: partial(encode_each, p, calls) for n, p in processes.items()},
        settings.repeats,
    )
    latencies = {}
    for name, times in rounds.items():
        milliseconds = 1000 * np.concatenate(times)
        p50, p95 = np.percentile(milliseconds, [50, 95])
        latencies[name] = {"p50": float(p50), "p95": float(p95), "calls": len(milliseconds)}
    settings.say("one query", {name: value["p50"] for name, value in latencies.items()}, "ms")
    return latencies


def _sts(processes: Processes, folder: Path, settings: Settings) -> dict[str, float]:
    first, second, scores = sts_pairs(settings.scale)
    quality = {}
    for name, process in processes.items():
        for side, texts in (("first", first), ("second", second)):
            encode(process, texts, folder / f"{side}.npy")
        similarity = cosines(np.load(folder / "first.npy"), np.load(folder / "second.npy"))
        quality[name] = spearman(similarity, scores)
    settings.say("STS-B dev", quality, "Spearman")
    return quality
