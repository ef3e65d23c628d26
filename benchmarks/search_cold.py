"""How long does the first answer take? `unitvec search` on a collection, each time a new process.

The collection holds SciFact's abstracts; "cold" means no process is running yet, while the files
are in the system's cache.
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
from benchmarks.workloads import QUERY, workloads


def run(settings: Settings) -> dict[str, Any]:
    """Seconds from starting the command until it ended."""
    with tempfile.TemporaryDirectory() as folder:
        texts = workloads(settings.scale)["short"]
        database = Path(folder) / "titles.uv"
        _index(texts, Path(folder) / "titles.jsonl", database, settings)
        systems = {"unitvec search": partial(_search, database, settings)}
        interleave(systems, 1)
        seconds = interleave(systems, settings.repeats)
    summaries = {name: summary(times) for name, times in seconds.items()}
    settings.say("first answer", {name: value["median"] for name, value in summaries.items()}, "s")
    return {"documents": len(texts), "seconds": seconds, "summary": summaries}


def _command(settings: Settings, *arguments: str) -> str:
    command = [str(Path(sys.executable).with_name("unitvec")), *arguments]
    variables = environment_variables(settings.threads)
    return subprocess.run(command, check=True, env=variables, capture_output=True, text=True).stdout


def _index(texts: list[str], file: Path, database: Path, settings: Settings) -> None:
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    _command(settings, "index", str(file), "--db", str(database), "--column", "text")


def _search(database: Path, settings: Settings) -> float:
    start = time.perf_counter()
    output = _command(settings, "search", str(database), QUERY, "-k", "5", "--json")
    seconds = time.perf_counter() - start
    if not json.loads(output):
        raise RuntimeError("[search_cold] expected an answer, got none")
    return seconds


def table(result: dict[str, Any]) -> str:
    """The answer as a Markdown table."""
    lines = ["| fresh process | seconds (least - largest) |", "| --- | --- |"]
    for name, value in result["summary"].items():
        times = f"{value['median']:.2f} ({value['min']:.2f} - {value['max']:.2f})"
        lines.append(f"| `{name}` over {result['documents']:,} documents | {times} |")
    return "\n".join(lines)
