"""The command `python -m benchmarks QUESTION ...`; `all`: every one; `tables`: only documents."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks import collection_peers, report
from benchmarks.drawing import draw
from benchmarks.index_peers import SYSTEMS
from benchmarks.machine import ROOT, commit, machine, today
from benchmarks.peers import PEERS
from benchmarks.settings import DEFAULT_MODEL, STORES, Settings
from benchmarks.workloads import KINDS

#: Where answers of --quick go.
QUICK = ROOT / "build" / "bench-quick"

QUESTIONS = {
    "encode": "encode",
    "encode-quality": "encode_quality",
    "encode-length": "encode_length",
    "encode-batch": "encode_batch",
    "encode-threads": "encode_threads",
    "encode-latency-profile": "encode_profile",
    "index": "index",
    "index-exact": "index_exact",
    "index-growth": "index_growth",
    "collection": "collection",
    "collection-growth": "collection_growth",
    "collection-quality": "collection_quality",
    "tokenize": "tokenizing",
    "preprocess": "preprocessing",
    "lemmas": "lemmas",
    "cleaning": "cleaning",
    "job-matcher": "job_matcher",
    "import": "imports",
    "search-cold": "search_cold",
}

#: Records that something else than a question of this command makes; `tables` knows them as well.
REPORTS = {"reliability": "reliability"}


def main(arguments: list[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.questions:
        parser.print_help()
        return 0
    names = list(QUESTIONS) if "all" in options.questions else options.questions
    if names == ["tables"]:
        for record in report.records():
            _documents(record)
        return 0
    settings = Settings(
        model=options.model,
        threads=options.threads,
        repeats=options.repeats,
        scale=options.scale,
        peers=tuple(options.peers),
        workloads=tuple(options.workloads),
        runs=options.runs,
        stores=options.stores.resolve(),
    )
    for name in names:
        _ask(name, settings.quick() if options.quick else settings, options.quick)
    return 0


def _parser() -> argparse.ArgumentParser:
    described = "\n".join(f"  {name:23} {_summary(module)}" for name, module in QUESTIONS.items())
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
    parser.add_argument("--runs", type=int, default=1, help="whole runs of `encode`, in turn")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the texts, up to 1")
    parser.add_argument(
        "--model", default=DEFAULT_MODEL, help="a name or a directory; its results are kept apart"
    )
    peers = [*PEERS, *SYSTEMS, *collection_peers.SYSTEMS]
    parser.add_argument("--peers", nargs="*", default=[], choices=peers, metavar="PEER")
    parser.add_argument(
        "--workloads", nargs="*", default=[], choices=KINDS, help="kinds of text of `encode`"
    )
    parser.add_argument(
        "--stores", type=Path, default=STORES, help="the folder of `collection`'s stores"
    )
    return parser


def _module(question: str) -> ModuleType:
    return importlib.import_module(f"benchmarks.{(QUESTIONS | REPORTS)[question]}")


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
        "settings": settings.as_record(),
        "result": module.run(settings),
    }
    name = settings.record_name(question)
    path = report.write(name, record, QUICK if quick else report.RESULTS)
    print(report.render(record, module.table))
    print(f"kept in {path.relative_to(ROOT)}", file=sys.stderr)
    if quick:
        _picture(record, QUICK / f"{name}.svg")
    else:
        _documents(record)


def _documents(record: dict[str, Any]) -> None:
    """Brings a record's picture and tables up to date."""
    name = report.name_of(record)
    content = report.render(record, _module(record["question"]).table)
    if _picture(record, report.PICTURES / f"{name}.svg"):
        content = f"{report.picture(name)}\n\n{content}"
    for path in report.update_documents(name, content):
        print(f"updated {path.relative_to(ROOT)}", file=sys.stderr)


def _picture(record: dict[str, Any], path: Path) -> bool:
    """Draws what a question has a figure for; without matplotlib none is left, not an old one."""
    figure = getattr(_module(record["question"]), "figure", None)
    if figure is None:
        return False
    try:
        draw(figure(record["result"]), path)
    except ImportError as error:
        print(f"no picture {path.name}: {error}", file=sys.stderr)
        path.unlink(missing_ok=True)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
