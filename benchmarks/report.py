"""Results on disk, and the tables that are generated from them into the documents."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
DOCUMENTS = ("README.md", "docs/benchmarks.md", "docs/preprocessing.md")

#: Below docs/, so that the guide has them too.
PICTURES = ROOT / "docs" / "plots"


def name_of(record: dict[str, Any]) -> str:
    """Of a record's file and markers: the question, and the model where that is not the usual."""
    if "settings" not in record:
        return str(record["question"])
    return Settings(model=record["settings"]["model"]).record_name(record["question"])


def write(name: str, record: dict[str, Any], folder: Path = RESULTS) -> Path:
    """Keeps a record as `<folder>/<name>.json`; the history is git's."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return path


def records(folder: Path = RESULTS) -> list[dict[str, Any]]:
    """Everything that was kept."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def render(record: dict[str, Any], table: Callable[[dict[str, Any]], str]) -> str:
    """A question's table, and a line that says on what machine, when and with what."""
    machine, settings = record["machine"], record.get("settings")
    sets = ", ".join(machine["instruction_sets"]) or "no vector instruction sets named"
    line = (
        f"Measured {record['date']} at commit {record['commit']['commit'] or 'unknown'} on "
        f"{machine['processor']}, {machine['cores']} cores ({sets})"
    )
    if settings is not None:
        line += f", {settings['threads']} threads each, model {settings['model']}"
    line += f", Python {machine['python']}"
    systems = record["result"].get("systems", {})
    versions = {
        key: value for system in systems.values() for key, value in system["versions"].items()
    }
    named = "".join(f", {name} {value}" for name, value in versions.items())
    return f"{table(record['result'])}\n\n{line}{named}."


def picture(name: str) -> str:
    """The line of docs/benchmarks.md that shows a record's picture."""
    return f"![{name}]({PICTURES.name}/{name}.svg)"


def insert(text: str, name: str, content: str) -> str:
    """Replaces what stands between a record's markers; without markers the text stays."""
    pattern = rf"(<!-- bench:{re.escape(name)} -->\n).*?(<!-- /bench:{re.escape(name)} -->)"
    return re.sub(pattern, lambda m: f"{m[1]}{content}\n{m[2]}", text, flags=re.DOTALL)


def update_documents(record_name: str, content: str, root: Path = ROOT) -> list[Path]:
    """Writes a table into every document that has markers for it; returns those that changed."""
    changed = []
    for name in DOCUMENTS:
        path = root / name
        if not path.is_file():
            continue
        before = path.read_text(encoding="utf-8")
        after = insert(before, record_name, content)
        if after != before:
            path.write_text(after, encoding="utf-8")
            changed.append(path)
    return changed
