"""`unitvec demo`: the standard library's documentation, indexed and asked by meaning."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from unitvec.collection import Collection, SearchResult
from unitvec.errors import FingerprintError
from unitvec.stdlib_docs import read_entries

QUESTIONS = (
    "split text into words the way a shell does",
    "run several coroutines at the same time",
    "find the middle value of a list of numbers",
    "undo the effects of pickling",
    "wait for a child process to finish",
)

HITS = 5

#: Raised when the same Python begins to give other entries.
_VERSION = 1

_SUMMARY_WIDTH = 72  # characters


class Indexed(NamedTuple):
    """What indexing did.

    Attributes:
        documents: entries in the collection.
        encoded: entries encoded now; 0 when nothing had changed.
        seconds: that took, encoding and storing.
    """

    documents: int
    encoded: int
    seconds: float


def cache_path(model: str) -> Path:
    """Where the demo keeps its collection: the user's cache folder, by the system's conventions."""
    if sys.platform == "darwin":
        root = Path("~/Library/Caches")
    elif sys.platform == "win32":
        root = Path(os.environ.get("LOCALAPPDATA") or "~/AppData/Local")
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    major, minor = sys.version_info[:2]
    name = re.sub(r"[^\w.-]+", "-", Path(model).name)
    return root.expanduser() / "unitvec" / f"python-{major}.{minor}-docs-{name}.uv"


def index_documentation(collection: Collection, show_progress_bar: bool | None = None) -> Indexed:
    """Makes the collection hold this Python's documentation; leaves it alone where it does."""
    edition = f"{platform.python_version()} {_VERSION}"
    first = collection.peek(1)
    if first and first[0].metadata.get("edition") == edition:
        return Indexed(collection.count(), 0, 0.0)
    entries = read_entries()
    started = time.perf_counter()
    if first:
        collection.delete(where={"edition": {"$exists": True}})
    # A list is stored in one transaction: the next run finds all of it or nothing.
    collection.add(
        [entry.text for entry in entries],
        ids=[entry.name for entry in entries],
        metadatas=[{"kind": e.kind, "summary": e.summary, "edition": edition} for e in entries],
        show_progress_bar=show_progress_bar,
    )
    return Indexed(len(entries), len(entries), time.perf_counter() - started)


def describe(indexed: Indexed, path: Path) -> str:
    """One line about the indexing."""
    if not indexed.encoded:
        return f"{indexed.documents:,} documents in {path}, unchanged since the last run"
    rate = indexed.encoded / indexed.seconds
    return (
        f"{indexed.documents:,} documents indexed in {indexed.seconds:.1f} s "
        f"({rate:,.0f} documents/s), stored in {path}"
    )


def format_answer(question: str, result: SearchResult) -> str:
    """A question and its hits: score, name, summary."""
    lines = [question]
    width = max((len(hit.id) for hit in result), default=0)
    for hit in result:
        summary = str(hit.metadata["summary"])
        if len(summary) > _SUMMARY_WIDTH:
            summary = summary[: _SUMMARY_WIDTH - 1].rstrip() + "…"
        lines.append(f"  {hit.score:.2f}  {hit.id:<{width}}  {summary}")
    return "\n".join(lines)


def run(path: Path | None, model: str, as_json: bool) -> dict[str, Any]:
    """Indexes, answers the five questions and, on a terminal, takes more.

    Args:
        path: the collection; None: in the user's cache folder.
        model: the encoder's name.
        as_json: print nothing; the caller prints what is returned.
    """
    with _opened(path, model) as collection:
        if not as_json:
            print(f"The documentation of Python {platform.python_version()}, by meaning")
        indexed = index_documentation(collection)
        answers = [(q, collection.search(q, k=HITS)) for q in QUESTIONS]
        if not as_json:
            print(describe(indexed, collection.path))
            for question, result in answers:
                print("\n" + format_answer(question, result))
            if sys.stdin.isatty() and sys.stdout.isatty():
                _prompt(collection)
    return {
        "db": str(collection.path),
        "documents": indexed.documents,
        "encoded": indexed.encoded,
        "seconds": indexed.seconds,
        "answers": [
            {
                "question": question,
                "hits": [
                    {"id": hit.id, "score": hit.score, "summary": hit.metadata["summary"]}
                    for hit in result
                ],
            }
            for question, result in answers
        ],
    }


def _opened(path: Path | None, model: str) -> Collection:
    """The collection; the demo's own is made anew where another release's model filled it."""
    is_own = path is None
    path = path or cache_path(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return Collection(path, encoder=model)
    except FingerprintError:
        if not is_own:
            raise
        shutil.rmtree(path)
        return Collection(path, encoder=model)


def _prompt(collection: Collection) -> None:
    """Takes questions until an empty line or the end of the input."""
    print("\nYour question (an empty line ends):")
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        while question := input("> ").strip():
            print(format_answer(question, collection.search(question, k=HITS)))
