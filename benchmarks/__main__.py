"""The command `python -m benchmarks QUESTION ...`; `all`: every one; `tables`: only documents."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

from benchmarks import report
from benchmarks.machine import ROOT, commit, machine, today
from benchmarks.peers import PEERS
from benchmarks.settings import Settings

QUESTIONS = {
    "encode": "encode",
    "tokenize": "tokenizing",
    "import": "imports",
    "search-cold": "search_cold",
}


def main(arguments: list[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.questions:
        parser.print_help()
        return 0
    names = list(QUESTIONS) if "all" in options.questions else options.questions
    if names == ["tables"]:
        for name in QUESTIONS:
            _tables(name)
        return 0
    settings = Settings(options.model, options.threads, options.repeats, peers=tuple(options.peers))
    for name in names:
        _ask(name, settings.quick() if options.quick else settings, options.quick)
    return 0


def _parser() -> argparse.ArgumentParser:
    described = "\n".join(f"  {name:12} {_summary(module)}" for name, module in QUESTIONS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=f"questions:\n{described}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    choices = [*QUESTIONS, "all", "tables"]
    parser.add_argument(
        "questions", nargs="*", metavar="QUESTION", help=f"one of {', '.join(choices)}"
    )
    parser.add_argument("--quick", action="store_true", help="few texts; the result is not kept")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--model", default="all-MiniLM-L6-v2")
    parser.add_argument("--peers", nargs="*", default=[], choices=list(PEERS), metavar="PEER")
    return parser


def _module(question: str) -> ModuleType:
    return importlib.import_module(f"benchmarks.{QUESTIONS[question]}")


def _summary(module: str) -> str:
    return (importlib.import_module(f"benchmarks.{module}").__doc__ or "").splitlines()[0]


def _ask(question: str, settings: Settings, quick: bool) -> None:
    """Answers one question, keeps the answer, and brings the documents up to date."""
    print(f"== {question}", file=sys.stderr)
    module = _module(question)
    about = machine()
    if about["load_before"] > 0.5:
        print(
            f"the machine is busy (load {about['load_before']:.1f}): expect noise", file=sys.stderr
        )
    record = {
        "question": question,
        "date": today(),
        "commit": commit(),
        "machine": about,
        "settings": dataclasses.asdict(settings),
        "result": module.run(settings),
    }
    folder = ROOT / "build" / "bench-quick" if quick else report.RESULTS
    path = report.write(question, record, folder)
    print(report.render(record, module.table))
    print(f"kept in {path.relative_to(ROOT)}", file=sys.stderr)
    if not quick:
        _tables(question)


def _tables(question: str) -> None:
    record = report.read(question)
    if record is None:
        return
    changed: list[Path] = report.update_documents(
        question, report.render(record, _module(question).table)
    )
    for path in changed:
        print(f"updated {path.relative_to(ROOT)}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
