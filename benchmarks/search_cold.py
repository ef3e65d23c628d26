"""How long does the first answer take? `unitvec search` on a collection, each time a new process.

The collection is the one of `unitvec demo`, the documentation of Python's standard library; "cold"
means that no process is running yet, while the files are in the system's cache.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measure import interleave, summary
from benchmarks.process import environment_variables
from benchmarks.settings import Settings

QUERY = "find the middle value of a list of numbers"


def run(settings: Settings) -> dict[str, Any]:
    """Seconds from starting the command until it ended."""
    with tempfile.TemporaryDirectory() as folder:
        database = str(Path(folder) / "demo.uv")
        arguments = ("demo", "--db", database, "--model", settings.model, "--json")
        demo = json.loads(_command(settings, *arguments))
        systems = {"unitvec search": partial(_search, database, settings)}
        interleave(systems, 1)  # the warm-up
        seconds = interleave(systems, settings.repeats)
    summaries = {name: summary(times) for name, times in seconds.items()}
    settings.say("first answer", {name: value["median"] for name, value in summaries.items()}, "s")
    return {
        "documents": demo["documents"],
        "indexing_seconds": demo["seconds"],
        "seconds": seconds,
        "summary": summaries,
    }


def _command(settings: Settings, *arguments: str) -> str:
    """What `unitvec` printed, run without a terminal."""
    command = [str(Path(sys.executable).with_name("unitvec")), *arguments]
    done = subprocess.run(
        command,
        check=True,
        env=environment_variables(settings.threads),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def _search(database: str, settings: Settings) -> float:
    start = time.perf_counter()
    output = _command(settings, "search", database, QUERY, "-k", "5", "--json")
    seconds = time.perf_counter() - start
    if "statistics.median" not in output:
        raise RuntimeError(f"[search_cold] expected statistics.median among the hits, got {output}")
    return seconds


def table(result: dict[str, Any]) -> str:
    """The answer as a Markdown table."""
    lines = ["| fresh process | seconds (least - largest) |", "| --- | --- |"]
    for name, value in result["summary"].items():
        times = f"{value['median']:.2f} ({value['min']:.2f} - {value['max']:.2f})"
        lines.append(f"| `{name}` over {result['documents']:,} documents | {times} |")
    rate = result["documents"] / result["indexing_seconds"]
    lines += ["", f"The demo indexed these documents at {rate:,.0f} a second."]
    return "\n".join(lines)
