"""The commands that move documents between a collection and files."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import Any

from unitvec.cli.printing import print_facts, print_json


def export(arguments: argparse.Namespace) -> int:
    """`unitvec export DB FILE`."""
    from unitvec.collection import Collection

    with Collection.open(arguments.db, read_only=True) as collection:
        report = collection.export(
            arguments.file,
            arguments.format,
            arguments.layout,
            where=arguments.where,
            embeddings=not arguments.no_embeddings,
            using=arguments.using,
            name=arguments.name,
            text_key=arguments.text_key,
            on_unsupported=arguments.on_unsupported,
            overwrite=arguments.overwrite,
        )
    for change, count in report.changes.items():
        print(f"unitvec export: {count} metadata values: {change}", file=sys.stderr)
    facts = {"db": str(arguments.db), **asdict(report), "files": [str(f) for f in report.files]}
    if arguments.json:
        print_json(facts)
    else:
        print(f"{report.documents} documents, {report.bytes} bytes in {arguments.file}")
    return 0


def import_(arguments: argparse.Namespace) -> int:
    """`unitvec import DB FILE`: into the collection, or a new one."""
    from unitvec.collection import Collection
    from unitvec.collection.files import is_collection

    options: dict[str, Any] = {
        "format": arguments.format,
        "layout": arguments.layout,
        "mode": "upsert" if arguments.upsert else "add",
        "using": arguments.using,
        "name": arguments.name,
        "text_key": arguments.text_key,
        "encode_texts": arguments.encode_texts,
        "atomic": not arguments.batches,
    }
    if is_collection(arguments.db):
        collection = Collection.open(arguments.db, encoder=arguments.model)
        with collection:
            report = collection.import_from(arguments.file, **options)
            count = collection.count()
    else:
        collection, report = Collection._from_file(
            arguments.db, arguments.file, arguments.model, None, options
        )
        with collection:
            count = collection.count()
    print_facts({"db": str(arguments.db), **asdict(report), "count": count}, arguments.json)
    return 0
