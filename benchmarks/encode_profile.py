"""Where does the time of encoding go? One short query, and many long texts in one call, by steps.

Beside it what the machine can do, measured in turn with it: the bandwidth of its memory, since a
query is bound by reading the weights, and the speed of its matrix products, which bound the long
texts. The recording is `unitvec._core.start_step_times`; it adds some microseconds to a call.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from benchmarks.encode_profile_table import table
from benchmarks.measure import interleave
from benchmarks.peers import OURS, PEERS
from benchmarks.process import printed
from benchmarks.settings import Settings
from benchmarks.systems import attempt, chosen, nothing_runs

__all__ = ["run", "table"]

MEGABYTES = 512  # of the array whose reading is timed: larger than any cache
ROWS = 2048  # of the matrix products


def run(settings: Settings) -> dict[str, Any]:
    """Seconds of each step per system and repeat, and the machine's limits in each repeat."""
    model = _sizes(settings)
    measures = {name: partial(_profile, name, settings) for name in chosen(OURS, settings)}
    left_out: dict[str, str] = {}
    warm_up = {name: attempt(measure, name, left_out) for name, measure in measures.items()}
    able = {name: measures[name] for name, first in warm_up.items() if first is not None}
    if not able:
        raise nothing_runs(left_out)
    runs = interleave({"machine": partial(_roofline, model, settings), **able}, settings.repeats)
    for name in able:
        for work in ("query", "long"):
            milliseconds = 1000 * min(each[work]["seconds"] for each in runs[name])
            settings.say(f"{name}, {work}", {"least": milliseconds}, "ms")
    return {
        "systems": {name: {"versions": runs[name][0].pop("versions")} for name in able},
        "left_out": left_out,
        "threads": settings.threads,
        "model": model,
        "machine": runs.pop("machine"),
        "profiles": runs,
    }


def _sizes(settings: Settings) -> dict[str, int]:
    path = settings.model_directory() / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    names = {
        "dim": "hidden_size",
        "intermediate": "intermediate_size",
        "layers": "num_hidden_layers",
    }
    return {ours: int(config[theirs]) for ours, theirs in names.items()}


def _profile(name: str, settings: Settings) -> dict[str, Any]:
    dtype = PEERS[name].options["dtype"]
    directory = settings.model_directory()
    numbers = (settings.threads, settings.scale, settings.latency_calls)
    return printed("profile_worker", settings.threads, dtype, directory, *numbers)


def _roofline(model: dict[str, int], settings: Settings) -> dict[str, Any]:
    megabytes = max(64, round(MEGABYTES * settings.scale))
    sizes = (settings.threads, megabytes, ROWS, model["dim"], model["intermediate"])
    return printed("roofline_worker", settings.threads, *sizes)
