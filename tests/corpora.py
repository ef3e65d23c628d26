"""The texts of the corpora in the data directory, as lists of sentences or documents."""

from __future__ import annotations

import csv
import json
from pathlib import Path


def jsonl(path: Path, *keys: str) -> list[str]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [row[key] for row in rows for key in keys if key in row]


def corpus(data: Path, name: str) -> list[str]:
    """The texts of one corpus, each sentence or document one."""
    if name == "stsb":
        (path,) = (data / name).glob("*.csv")
        with path.open(encoding="utf-8", newline="") as stream:
            return [text for row in csv.reader(stream) for text in row[:2]]
    if name == "naughty":
        return json.loads((data / "unicode" / "blns.json").read_text(encoding="utf-8"))
    if name == "tatoeba":
        paths = sorted((data / "unicode").glob("tatoeba.*"))
        return [t for p in paths for t in p.read_text(encoding="utf-8").split("\n")]
    if name == "wikitext2":
        paths = sorted((data / name).glob("*.txt"))
        return [t for p in paths for t in p.read_text(encoding="utf-8").split("\n")]
    return [t for p in sorted((data / name).glob("*.jsonl")) for t in jsonl(p, "title", "text")]


def sts_pairs(data_directory: Path) -> tuple[list[str], list[str], list[float]]:
    """The first and second sentences of STS-B dev, and how alike people find them."""
    (path,) = (data_directory / "stsb").glob("*.csv")
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    return [r[0] for r in rows], [r[1] for r in rows], [float(r[2]) for r in rows]


def abstracts(data_directory: Path, n: int) -> list[str]:
    """Titles and texts of the first `n` abstracts of SciFact."""
    with (data_directory / "scifact" / "corpus.jsonl").open(encoding="utf-8") as stream:
        documents = [json.loads(next(stream)) for _ in range(n)]
    return [f"{d['title']} {d['text']}" for d in documents]
