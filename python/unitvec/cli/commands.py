"""One function a command: does the work, prints it for people or as JSON, returns the exit code."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from unitvec.cli.parser import DEFAULT_MODEL
from unitvec.cli.printing import print_facts, print_json
from unitvec.cli.usage import UsageError

_PREVIEW_WIDTH = 100  # characters


def index(arguments: argparse.Namespace) -> int:
    """`unitvec index PATH... --db X`."""
    from unitvec.collection import Collection
    from unitvec.collection.files import is_collection
    from unitvec.ingest import ColumnError, index_files

    started = time.perf_counter()
    model = arguments.model or (None if is_collection(arguments.db) else DEFAULT_MODEL)
    with Collection(arguments.db, encoder=model) as collection:
        try:
            report = index_files(collection, arguments.paths, arguments.column)
        except ColumnError as error:
            raise UsageError(error) from error
        count = collection.count()
    seconds = time.perf_counter() - started
    for file, reason in report.skipped.items():
        print(f"unitvec index: skipped {file}: {reason}", file=sys.stderr)
    if arguments.json:
        print_json({"db": str(arguments.db), "count": count, "seconds": seconds, **asdict(report)})
    else:
        print(
            f"{report.files} files ({report.unchanged} unchanged, {len(report.skipped)} skipped): "
            f"{report.encoded} passages encoded, {report.reused} reused, {report.removed} removed "
            f"in {seconds:.1f} s; {count} in {arguments.db}"
        )
    # A named file that cannot be read is a failure; one found in a directory is only reported.
    named = {os.path.abspath(path) for path in arguments.paths}
    return 1 if named & report.skipped.keys() else 0


def search(arguments: argparse.Namespace) -> int:
    """`unitvec search DB QUERY`."""
    from unitvec.collection import Collection

    with Collection.open(arguments.db, read_only=True) as collection:
        result = collection.search(
            arguments.query,
            arguments.k,
            arguments.where,
            arguments.mode,
            min_score=arguments.min_score,
            using=arguments.using,
            where_document=arguments.where_document,
        )
    if arguments.json:
        answer = {"query": arguments.query, "hits": result.to_list(), "exact": result.exact}
        print_json({**answer, "recall_estimate": result.recall_estimate, "took_ms": result.took_ms})
        return 0
    for hit in result:
        text = " ".join((hit.document or "").split())
        if len(text) > _PREVIEW_WIDTH:
            text = text[: _PREVIEW_WIDTH - 1] + "…"
        print(f"{hit.score:.4f}  {_short(hit.id)}\n        {text}")
    return 0


def _short(identity: str) -> str:
    """An id that begins with a path, relative to where the user is."""
    here = os.getcwd() + os.sep
    return identity.removeprefix(here)


def info(arguments: argparse.Namespace) -> int:
    """`unitvec info MODEL|DB`."""
    from unitvec.collection.files import is_collection

    if is_collection(Path(arguments.target)):
        from unitvec.collection import Collection

        with Collection.open(arguments.target, read_only=True) as collection:
            facts = collection.stats()
        if not arguments.json:
            for name, kind in facts.pop("vectors", {}).items():
                facts[f"vectors {name!r}"] = ", ".join(f"{k} {v}" for k, v in kind.items())
        print_facts(facts, arguments.json)
        return 0
    from unitvec.encoder import Encoder

    print_facts(Encoder(arguments.target).info(), arguments.json)
    return 0


def tokenize(arguments: argparse.Namespace) -> int:
    """`unitvec tokenize TEXT...`."""
    from unitvec.tokenizer import Tokenizer

    texts = list(_texts(arguments.texts))
    tokenizer = Tokenizer.from_pretrained(arguments.model)
    encodings = [tokenizer.encode(text) for text in texts]
    if arguments.json:
        print_json(
            [
                {"text": text, "tokens": list(e.tokens), "ids": [int(i) for i in e.ids]}
                for text, e in zip(texts, encodings, strict=True)
            ]
        )
    else:
        for encoding in encodings:
            print(" ".join(encoding.tokens))
    return 0


def embed(arguments: argparse.Namespace) -> int:
    """`unitvec embed TEXT...`: into a file, in constant memory; else printed."""
    from unitvec.encoder import Encoder

    texts = _texts(arguments.texts)
    encoder = Encoder(arguments.model)
    facts: dict[str, Any] = {"model": arguments.model, "dim": encoder.get_embedding_dimension()}
    if arguments.output is not None:
        count = encoder.encode_to(arguments.output, texts, overwrite=arguments.overwrite)
        print_facts({**facts, "count": count, "output": str(arguments.output)}, arguments.json)
        return 0
    texts = list(texts)
    vectors = encoder.encode(texts)
    if arguments.json:
        print_json({**facts, "count": len(texts), "texts": texts, "embeddings": vectors.tolist()})
    else:
        for vector in vectors:
            print(" ".join(f"{value:.7g}" for value in vector.tolist()))
    return 0


def demo(arguments: argparse.Namespace) -> int:
    """`unitvec demo`."""
    from unitvec.demo import run

    facts = run(arguments.db, arguments.model, arguments.json)
    if arguments.json:
        print_json(facts)
    return 0


def verify(arguments: argparse.Namespace) -> int:
    """`unitvec verify DB`: exit code 1 when anything is wrong."""
    from unitvec import FormatError
    from unitvec.collection import Collection, VerifyReport

    try:
        with Collection.open(arguments.db, read_only=True) as collection:
            report = collection.verify()
    except FormatError as error:  # too damaged to be opened
        report = VerifyReport(False, 0, [str(error)], 1)
    if arguments.json:
        print_json(asdict(report))
    else:
        print(f"{report.rows} documents checked: {report.problem_count or 'no'} problems")
        for problem in report.problems:
            print(f"  {problem}")
    return 0 if report.ok else 1


def compact(arguments: argparse.Namespace) -> int:
    """`unitvec compact DB`."""
    from unitvec.collection import Collection

    with Collection.open(arguments.db) as collection:
        print_facts(collection.compact(), arguments.json)
    return 0


def snapshot(arguments: argparse.Namespace) -> int:
    """`unitvec snapshot DB PATH`."""
    from unitvec.collection import Collection

    with Collection.open(arguments.db, read_only=True) as collection:
        path = collection.snapshot(arguments.path)
    print_facts({"db": str(arguments.db), "snapshot": str(path)}, arguments.json)
    return 0


def repair(arguments: argparse.Namespace) -> int:
    """`unitvec repair DB [PATH]`: exit code 1 when a document was lost."""
    from unitvec import FormatError
    from unitvec.collection import Collection, repair_collection

    try:
        with Collection.open(arguments.db, read_only=True) as collection:
            report = collection.repair(arguments.path)
    except FormatError:  # too damaged to be opened; without its model, then
        report = repair_collection(arguments.db, arguments.path)
    if arguments.json:
        print_json(asdict(report))
    else:
        print(
            f"{report.saved} documents saved in {report.path}, {report.embedded} of them encoded "
            f"anew, {report.lost_count} lost"
        )
        for line in report.lost:
            print(f"  {line}")
    return 1 if report.lost_count else 0


def _texts(given: list[str]) -> Iterable[str]:
    """The texts named, or the lines of standard input, as they come, where it is no terminal."""
    if given:
        return given
    if sys.stdin.isatty():
        raise UsageError("expected TEXT, or lines on standard input")
    return (line.rstrip("\n") for line in sys.stdin)
