"""What `make reliability` counted, gate by gate, as a table in the documents.

usage: python -m benchmarks.reliability REPORT    a file of JSON lines, as tests/reliability writes

A test writes a line for each of its runs: the gate, its seed and its figures. Of one gate, figures
that end in `_max` (or `_mb`, `_ms`) are the largest of its lines, other numbers their sum, texts
those that differ. Figures of single points ("in add", "after sync log") stay out of the table.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.cells import header, row
from benchmarks.machine import ROOT, commit, machine, today

NAME = "reliability"

#: What a gate does, in the order of the table.
GATES = {
    "C1": "kills at random times while a process writes",
    "C2": "kills at named points of writing",
    "C3": "images of the disk after a power loss",
    "C4": "kills of the recovery after a kill, three deep",
    "C5": "faults on purpose, which must be noticed",
    "C6": "a million documents, opened after a kill",
    "C7": "collections of every format version",
    "F1": "reads and writes that fail",
    "F3": "disks that are full",
    "F4": "single flipped bits, in every file",
    "F5": "files cut short, and ends of zeros",
    "F6": "missing, foreign, linked and left-over files",
    "P1": "eight processes that want to write",
    "P2": "one writer and eight readers",
    "P3": "forks after use; `spawn`, `forkserver`",
    "T1": "threads under sanitizers",
    "T2": "threads that encode, search and store",
    "T3": "the same on one CPU, beside faiss and torch",
    "S1": "hostile models",
    "S2": "Ctrl-C at random times",
    "Z1": "fuzzed parsers",
    "H1": "random operations against a dictionary",
    "I1": "bad input",
}

_LARGEST = ("_max", "_mb", "_ms", "_alone", "threads", "seconds", "tail")

#: How the figures of single points begin.
_POINTS = ("in ", "after ", "before ")


def summary(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """By gate: its seeds and its figures over all lines."""
    gates: dict[str, Any] = {}
    for line in lines:
        gate = gates.setdefault(line["gate"], {"seeds": [], "figures": {}})
        if line["seed"] not in gate["seeds"]:
            gate["seeds"].append(line["seed"])
        for name, value in line.items():
            if name not in ("gate", "seed"):
                gate["figures"][name] = _together(name, gate["figures"].get(name), value)
    return {"gates": gates}


def _together(name: str, before: Any, value: Any) -> Any:
    if before is None:
        return value
    if isinstance(value, str):
        return before if value in before.split("; ") else f"{before}; {value}"
    if name.endswith(_LARGEST):
        return max(before, value)
    return before + value


def table(result: dict[str, Any]) -> str:
    """A row for each gate that was tried."""
    rows = header("gate", "what is tried", "counted", "seed")
    for gate in sorted(result["gates"], key=[*GATES].index):
        counted = result["gates"][gate]
        shown = [(n, v) for n, v in counted["figures"].items() if not n.startswith(_POINTS)]
        figures = ", ".join(_figure(name, value) for name, value in shown)
        seeds = ", ".join(str(seed) for seed in counted["seeds"])
        rows.append(row(gate, GATES[gate], figures, seeds))
    return "\n".join(rows)


def _figure(name: str, value: Any) -> str:
    shown = f"{value:,}" if isinstance(value, (int, float)) else str(value)
    return f"{name.replace('_', ' ')} {shown}"


def publish(path: Path, folder: Path = report.RESULTS) -> dict[str, Any]:
    """Keeps what a report counted as a record, and returns it."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    record = {
        "question": NAME,
        "date": today(),
        "commit": commit(),
        "machine": machine(),
        "result": summary(lines),
    }
    report.write(NAME, record, folder)
    return record


if __name__ == "__main__":
    for document in report.update_documents(NAME, report.render(publish(Path(sys.argv[1])), table)):
        print(f"updated {document.relative_to(ROOT)}", file=sys.stderr)
