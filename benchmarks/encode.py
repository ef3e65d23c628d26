"""How fast are texts turned into vectors, in bulk and one at a time, and how good are the vectors?

Speed: seconds for all texts of a kind in one call, systems in turn; one warm-up each. Latency: one
short query per call. Quality: cosine to the baseline's fp32 vectors on every text, and Spearman's
correlation with people's scores on STS-B dev. A system that this machine cannot run is left out,
with the reason.
"""

from __future__ import annotations

import contextlib
import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.environment import UnavailableError
from benchmarks.measure import cosines, interleave, pairwise_ratio, spearman, summary
from benchmarks.peers import BASELINE, OURS, PEERS, Peer
from benchmarks.process import PeerError, PeerProcess
from benchmarks.settings import Settings
from benchmarks.workloads import QUERY, sts_pairs, workloads

Processes = dict[str, PeerProcess]


def run(settings: Settings) -> dict[str, Any]:
    """Measures every chosen system; see the module's description."""
    with contextlib.ExitStack() as stack:
        processes, loaded, left_out = _start(settings, stack)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        texts = workloads(settings.scale)
        result: dict[str, Any] = {
            "systems": {name: _about(answer) for name, answer in loaded.items()},
            "left_out": left_out,
            "workloads": {
                kind: _workload(kind, texts[kind], processes, folder, settings) for kind in texts
            },
            "latency_ms": _latency(processes, settings),
            "sts_b_dev_spearman": _sts(processes, folder, settings),
        }
        for name, process in processes.items():
            peak = process.ask(do="memory")["peak_bytes"]
            result["systems"][name]["peak_memory_mb"] = round(peak / 2**20)
    return result


def _start(
    settings: Settings, stack: contextlib.ExitStack
) -> tuple[Processes, dict[str, dict[str, Any]], dict[str, str]]:
    """The systems that this machine can run, their answers to loading, and why not the others.

    Raises:
        PeerError: if it can run none.
    """
    processes: Processes = {}
    loaded: dict[str, dict[str, Any]] = {}
    left_out: dict[str, str] = {}
    for name in settings.peers or PEERS:
        try:
            process, loaded[name] = _load(PEERS[name], settings)
        except (UnavailableError, PeerError) as error:  # noqa: PERF203 (each must be tried)
            left_out[name] = str(error).splitlines()[0]
            print(f"left out: {name}: {left_out[name]}", file=sys.stderr, flush=True)
        else:
            processes[name] = stack.enter_context(process)
    if not processes:
        raise PeerError(f"[benchmarks] expected a system that can be run, got {left_out}")
    return processes, loaded, left_out


def _load(peer: Peer, settings: Settings) -> tuple[PeerProcess, dict[str, Any]]:
    """A peer's process, which ends here if loading fails, and its answer to loading."""
    with contextlib.ExitStack() as stack:
        process = stack.enter_context(PeerProcess(peer, settings.threads))
        answer = process.load(settings.model_directory())
        stack.pop_all()  # it lives on, for the caller to end
    return process, answer


def _about(answer: dict[str, Any]) -> dict[str, Any]:
    return {"load_seconds": answer["seconds"], "versions": answer["versions"]}


def _encode(process: PeerProcess, texts: list[str], save: Path | None = None) -> dict[str, float]:
    """`seconds` for one call with all texts, and the `cpu_seconds` of the process's threads."""
    return process.ask(do="encode", texts=texts, save=str(save) if save else None)


def _workload(
    kind: str, texts: list[str], processes: Processes, folder: Path, settings: Settings
) -> dict[str, Any]:
    for name, process in processes.items():  # the warm-up, whose vectors are kept for their quality
        _encode(process, texts, folder / f"{name}.npy")
    answers = interleave(
        {n: partial(_encode, p, texts) for n, p in processes.items()}, settings.repeats
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
        process.ask(do="encode_each", texts=calls[:10])  # warm-up
    rounds = interleave(
        {n: partial(_each, p, calls) for n, p in processes.items()},
        settings.repeats,
    )
    latencies = {}
    for name, times in rounds.items():
        milliseconds = 1000 * np.concatenate(times)
        p50, p95 = np.percentile(milliseconds, [50, 95])
        latencies[name] = {"p50": float(p50), "p95": float(p95), "calls": len(milliseconds)}
    settings.say("one query", {name: value["p50"] for name, value in latencies.items()}, "ms")
    return latencies


def _each(process: PeerProcess, texts: list[str]) -> list[float]:
    return list(process.ask(do="encode_each", texts=texts)["seconds"])


def _sts(processes: Processes, folder: Path, settings: Settings) -> dict[str, float]:
    first, second, scores = sts_pairs(settings.scale)
    quality = {}
    for name, process in processes.items():
        for side, texts in (("first", first), ("second", second)):
            _encode(process, texts, folder / f"{side}.npy")
        similarity = cosines(np.load(folder / "first.npy"), np.load(folder / "second.npy"))
        quality[name] = spearman(similarity, scores)
    settings.say("STS-B dev", quality, "Spearman")
    return quality


def table(result: dict[str, Any]) -> str:
    """The answer as a Markdown table: a row per system, speeds as median (least - largest)."""
    kinds = list(result["workloads"])
    lines = [
        "| system | "
        + " | ".join(f"{kind}, texts/s" for kind in kinds)
        + " | one query, ms | lowest cosine to fp32 | STS-B dev Spearman |",
        "| --- |" + " --- |" * (len(kinds) + 3),
    ]
    for name in result["systems"]:
        rows = [result["workloads"][kind]["systems"][name] for kind in kinds]
        lowest = [
            row["cosine_to_baseline"]["lowest"] for row in rows if "cosine_to_baseline" in row
        ]
        cells = [name, *map(_speed, rows), f"{result['latency_ms'][name]['p50']:.1f}"]
        cells += [
            f"{min(lowest):.6f}" if lowest else "-",
            f"{result['sts_b_dev_spearman'][name]:.4f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    absent = result.get("left_out", {})
    lines += [f"| {name} |" + " absent |" * (len(kinds) + 3) for name in absent]
    counts = ", ".join(f"`{kind}` {result['workloads'][kind]['texts']} texts" for kind in kinds)
    repeats = statistics.median(len(row["seconds"]) for row in rows)
    lines += [
        "",
        f"{counts}; median of {repeats:.0f} runs (least - largest); × is relative to {BASELINE}.",
        *_beside_best_peer(result),
        *(f"Absent: {name}: {reason}." for name, reason in absent.items()),
    ]
    return "\n".join(lines)


def _beside_best_peer(result: dict[str, Any]) -> list[str]:
    """One line that sets OURS beside the fastest of the other fp32 systems, for each workload."""
    ratios = []
    for kind, workload in result["workloads"].items():
        systems = workload["systems"]
        peers = [name for name in systems if name.endswith(" fp32") and name != OURS]
        if OURS not in systems or not peers:
            return []
        best = max(peers, key=lambda name: systems[name]["texts_per_second"]["median"])
        ratio = pairwise_ratio(systems[best]["seconds"], systems[OURS]["seconds"])
        ratios.append(
            f"`{kind}` {ratio['median']:.2f} × ({ratio['min']:.2f} - {ratio['max']:.2f}) {best}"
        )
    return [f"{OURS} to the best fp32 peer: {', '.join(ratios)}."]


def _speed(row: dict[str, Any]) -> str:
    speed = row["texts_per_second"]
    text = f"{speed['median']:.1f} ({speed['min']:.1f} - {speed['max']:.1f})"
    if "times_baseline" in row and row["times_baseline"]["median"] != 1:
        text += f", {row['times_baseline']['median']:.2f} ×"
    return text
