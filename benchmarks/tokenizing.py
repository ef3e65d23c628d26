"""How fast is text turned into tokens? Beside Hugging Face's `tokenizers`, each in its own process.

"ids" is what an encoder needs; "encodings" has offsets, masks and word numbers as well.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from typing import Any

from benchmarks.measure import interleave, pairwise_ratio, summary
from benchmarks.process import environment_variables
from benchmarks.settings import Settings
from benchmarks.workloads import tokenizer_texts

SYSTEMS = ("tokenizers", "unitvec")


def run(settings: Settings) -> dict[str, Any]:
    """Megabytes of UTF-8 a second, per kind of text, product and number of threads."""
    runs: dict[int, dict[str, list[dict[str, float]]]] = {}
    for threads in sorted({1, settings.threads}):
        systems = {name: partial(_measure, name, threads, settings) for name in SYSTEMS}
        runs[threads] = interleave(systems, settings.repeats)
    cases = list(runs[1][SYSTEMS[0]][0])
    speeds = {
        case: {
            f"{name} {threads}": [measured[case] for measured in runs[threads][name]]
            for threads in runs
            for name in SYSTEMS
        }
        for case in cases
    }
    for case, columns in speeds.items():
        settings.say(case, {name: summary(v)["median"] for name, v in columns.items()}, "MB/s")
    sizes = {
        kind: sum(len(text.encode()) for text in texts) / 1e6
        for kind, texts in tokenizer_texts(settings.scale).items()
    }
    return {"megabytes": sizes, "threads": list(runs), "speeds": speeds}


def _measure(system: str, threads: int, settings: Settings) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.tokenizing_worker", system, str(threads)]
    command += [str(settings.model_directory()), str(settings.scale)]
    done = subprocess.run(
        command, check=True, env=environment_variables(threads), stdout=subprocess.PIPE, text=True
    )
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def table(result: dict[str, Any]) -> str:
    """The answer as a Markdown table."""
    lines = [
        "| text, product | tokenizers, 1 thread, MB/s | unitvec, 1 thread | ratio "
        "| unitvec, all threads | to 1 thread |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    last = result["threads"][-1]
    for case, speeds in result["speeds"].items():
        theirs, ours, many = (
            speeds[name] for name in ("tokenizers 1", "unitvec 1", f"unitvec {last}")
        )
        lines.append(
            f"| {case} | {summary(theirs)['median']:.1f} | {_spread(ours)} "
            f"| {pairwise_ratio(ours, theirs)['median']:.1f} × | {_spread(many)} "
            f"| {pairwise_ratio(many, ours)['median']:.2f} × |"
        )
    sizes = ", ".join(f"`{kind}` {size:.2f} MB" for kind, size in result["megabytes"].items())
    repeats = len(result["speeds"][case][f"unitvec {last}"])
    note = f"{sizes}; median of {repeats} runs (least - largest)."
    return "\n".join([*lines, "", note])


def _spread(values: list[float]) -> str:
    value = summary(values)
    return f"{value['median']:.1f} ({value['min']:.1f} - {value['max']:.1f})"
