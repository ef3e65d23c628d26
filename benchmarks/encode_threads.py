"""What do threads bring, and do two processes hurt each other? Each system by itself, on `mixed`.

One process with 1 thread, one with all; then two processes at once that encode the same texts, with
1 thread each, and with all threads each, so that there are twice as many threads as cores: those
that spin while they wait then take the cores from those that work.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.cells import header, row, spread
from benchmarks.measure import interleave, pairwise_ratio, summary
from benchmarks.peers import FASTEST, OURS
from benchmarks.process import PeerProcess
from benchmarks.settings import Settings
from benchmarks.systems import absent_lines, chosen, encode, nothing_runs, running, started
from benchmarks.workloads import workloads

#: Of `mixed`: every system encodes the texts in four ways.
SHARE = 1 / 8

#: Of each case the processes at work, and whether each has one thread or all.
CASES = {
    "1 thread": (1, False),
    "all threads": (1, True),
    "two processes, 1 thread each": (2, False),
    "two processes, all threads each": (2, True),
}


def run(settings: Settings) -> dict[str, Any]:
    """Texts a second, of both processes together where there are two, per case and system."""
    texts = workloads(settings.scale * SHARE)["mixed"]
    about: dict[str, Any] = {}
    left_out: dict[str, str] = {}
    speeds: dict[str, Any] = {}
    for name in chosen((*FASTEST, *OURS), settings):
        with started([name], settings) as systems:
            about |= systems.about
            left_out |= systems.left_out
            if systems.processes:
                speeds[name] = _speeds(systems.processes[name], texts, settings)
    if not about:
        raise nothing_runs(left_out)
    return {
        "systems": about,
        "left_out": left_out,
        "threads": settings.threads,
        "texts": len(texts),
        "speeds": speeds,
    }


def _speeds(first: PeerProcess, texts: list[str], settings: Settings) -> dict[str, list[float]]:
    """What the cases come to; `first` has all threads and is joined by three more processes."""
    name = first.peer.name
    with contextlib.ExitStack() as stack:
        of_one = dataclasses.replace(settings, threads=1)
        second, *alone = (
            stack.enter_context(running([name], each)).processes[name]
            for each in (settings, of_one, of_one)
        )
        processes = {True: [first, second], False: alone}
        for pair in processes.values():
            _together(pair, texts)  # the warm-up
        cases = {
            case: functools.partial(_together, processes[all_threads][:count], texts)
            for case, (count, all_threads) in CASES.items()
        }
        speeds = interleave(cases, settings.repeats)
    settings.say(name, {case: summary(v)["median"] for case, v in speeds.items()}, "texts/s")
    return speeds


def _together(processes: list[PeerProcess], texts: list[str]) -> float:
    """Texts a second of processes that each encode all texts, until the last is done."""
    with ThreadPoolExecutor(len(processes)) as pool:
        answers = list(pool.map(lambda process: encode(process, texts), processes))
    return len(processes) * len(texts) / max(answer["seconds"] for answer in answers)


def table(result: dict[str, Any]) -> str:
    """The answer as a Markdown table; ratios are to one process with as many threads."""
    alone, full, two_alone, two_full = CASES
    named = [case.replace("all", str(result["threads"])) for case in CASES]
    lines = header("mixed, texts/s", *named)
    for name, speeds in result["speeds"].items():
        cells = [name, spread(summary(speeds[alone]))]
        for case, base in ((full, alone), (two_alone, alone), (two_full, full)):
            ratio = pairwise_ratio(speeds[case], speeds[base])["median"]
            cells.append(f"{spread(summary(speeds[case]))}, {ratio:.2f} ×")
        lines.append(row(*cells))
    repeats = len(speeds[alone])
    lines += [
        "",
        f"{result['texts']} texts; of two processes the speed of both together; median of "
        f"{repeats} repeats (least - largest). × is relative to one process: with "
        f"{result['threads']} threads to 1 thread, two processes to one with as many threads.",
        *absent_lines(result["left_out"]),
    ]
    return "\n".join(lines)
