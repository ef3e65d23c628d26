"""How long does importing take? Each import in a fresh process, in turn, files warm in the cache.

Python's own start is measured as a system of its own and is not subtracted from the others.
"""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial
from typing import Any

from benchmarks.measure import interleave, summary
from benchmarks.process import environment_variables
from benchmarks.settings import Settings

STATEMENTS = {
    "python alone": "pass",
    "unitvec": "import unitvec",
    "unitvec with its core": "import unitvec; unitvec.Encoder",
    "torch": "import torch",
    "sentence_transformers": "import sentence_transformers",
}


def run(settings: Settings) -> dict[str, Any]:
    """Seconds from starting Python until it ended, per statement."""
    systems = {name: partial(_seconds, code, settings.threads) for name, code in STATEMENTS.items()}
    interleave(systems, 1)  # the warm-up: byte code is written, files are read
    seconds = interleave(systems, settings.repeats)
    summaries = {name: summary(times) for name, times in seconds.items()}
    settings.say("import", {name: value["median"] for name, value in summaries.items()}, "s")
    return {"seconds": seconds, "summary": summaries}


def _seconds(code: str, threads: int) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env=environment_variables(threads))
    return time.perf_counter() - start


def table(result: dict[str, Any]) -> str:
    """The answer as a Markdown table."""
    lines = ["| fresh process | seconds (least - largest) |", "| --- | --- |"]
    for name, value in result["summary"].items():
        code = STATEMENTS[name]
        shown = "no import" if code == "pass" else f"`{code}`"
        lines.append(
            f"| {shown} | {value['median']:.2f} ({value['min']:.2f} - {value['max']:.2f}) |"
        )
    return "\n".join(lines)
