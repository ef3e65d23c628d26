"""Results on disk, and the tables that are generated from them into the documents."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
DOCUMENTS = ("README.md", "docs/benchmarks.md")


def write(question: str, record: dict[str, Any], folder: Path = RESULTS) -> Path:
    """Keeps a record as `<folder>/<question>.json`; the history is git's."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{question}.json"
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return path


def read(question: str, folder: Path = RESULTS) -> dict[str, Any] | None:
    """The record of a question; None where it was not asked yet."""
    path = folder / f"{question}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def render(record: dict[str, Any], table: Callable[[dict[str, Any]], str]) -> str:
    """A question's table, and a line that says on what machine, when and with what."""
    machine, settings = record["machine"], record["settings"]
    sets = ", ".join(machine["instruction_sets"]) or "no vector instruction sets named"
    line = (
        f"Measured {record['date']} at commit {record['commit']['commit'] or 'unknown'} on "
        f"{machine['processor']}, {machine['cores']} cores ({sets}), {settings['threads']} threads "
        f"each, model {settings['model']}, Python {machine['python']}"
    )
    systems = record["result"].get("systems", {})
    versions = {
        key: value for system in systems.values() for key, value in system["versions"].items()
    }
    named = "".join(f", {name} {value}" for name, value in versions.items())
    return f"{table(record['result'])}\n\n{line}{named}."


def insert(text: str, question: str, content: str) -> str:
    """Replaces what stands between the question's markers; without markers the text stays."""
    pattern = rf"(<!-- bench:{re.escape(question)} -->\n).*?(<!-- /bench:{re.escape(question)} -->)"
    return re.sub(pattern, lambda m: f"{m[1]}{content}\n{m[2]}", text, flags=re.DOTALL)


def update_documents(question: str, content: str, root: Path = ROOT) -> list[Path]:
    """Writes a table into every document that has markers for it; returns those that changed."""
    changed = []
    for name in DOCUMENTS:
        path = root / name
        if not path.is_file():
            continue
        before = path.read_text(encoding="utf-8")
        after = insert(before, question, content)
        if after != before:
            path.write_text(after, encoding="utf-8")
            changed.append(path)
    return changed
