"""The arguments of every command."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

DEFAULT_MODEL = "all-MiniLM-L6-v2"

_DESCRIPTION = "Text into vectors, and answers by meaning."


def build_parser() -> argparse.ArgumentParser:
    """The parser of `unitvec`; the chosen command's name is in `command`."""
    parser = argparse.ArgumentParser(prog="unitvec", description=_DESCRIPTION)
    parser.add_argument("--version", action=_Version)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _add_documents(commands)
    _add_texts(commands)
    _add_care(commands)
    _add_exchange(commands)
    for command in commands.choices.values():
        command.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _add_documents(commands: Any) -> None:
    index = commands.add_parser(
        "index", help="index files and directories, or what changed in them"
    )
    index.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="file or directory")
    index.add_argument("--db", required=True, type=Path, help="the collection, such as notes.uv")
    index.add_argument("--model", help=f"for a new collection (default: {DEFAULT_MODEL})")
    index.add_argument("--column", help="column of CSV, TSV and JSONL files that holds the text")

    search = commands.add_parser("search", help="find the documents nearest to a question")
    search.add_argument("db", type=Path, metavar="DB", help="the collection")
    search.add_argument("query", help="the question")
    search.add_argument("-k", type=_at_least_one, default=10, help="how many (default: 10)")
    search.add_argument(
        "--where", type=_filter, help='a filter, such as \'{"year": {"$gte": 2020}}\''
    )
    search.add_argument(
        "--where-document",
        type=_document_filter,
        help='a filter over texts, such as \'{"$contains": "vitamin"}\'',
    )
    search.add_argument(
        "--mode",
        choices=("dense", "lexical", "hybrid"),
        default="dense",
        help="by meaning, by words, or by both (default: dense)",
    )
    search.add_argument("--using", metavar="NAME", help="which vectors, where there are several")
    search.add_argument("--min-score", type=_score, help="leave out hits below this score")

    demo = commands.add_parser("demo", help="index Python's own documentation and ask it questions")
    demo.add_argument(
        "--db", type=Path, help="where to store it (default: the user's cache folder)"
    )
    demo.add_argument("--model", default=DEFAULT_MODEL, help="default: %(default)s")


def _add_texts(commands: Any) -> None:
    for name, help_text in (
        ("embed", "print the vectors of texts, or save them"),
        ("tokenize", "print the tokens of texts"),
    ):
        command = commands.add_parser(name, help=help_text)
        command.add_argument("texts", nargs="*", metavar="TEXT", help="default: lines of stdin")
        command.add_argument("--model", default=DEFAULT_MODEL, help="default: %(default)s")
        if name == "embed":
            command.add_argument(
                "-o",
                "--output",
                type=Path,
                help="save in FILE.npy or FILE.parquet; a job that broke goes on where it stopped",
            )
            command.add_argument(
                "--overwrite", action="store_true", help="begin anew, whatever is in the file"
            )


def _add_care(commands: Any) -> None:
    info = commands.add_parser("info", help="what a model or a collection is")
    info.add_argument("target", metavar="MODEL|DB", help="a model's name or path, or a collection")
    for name, help_text in (
        ("verify", "check every byte of a collection"),
        ("compact", "return the space of deleted documents to the disk"),
        ("snapshot", "copy a collection, also while it is in use"),
        ("repair", "save what is sound of a damaged collection into a new one"),
    ):
        command = commands.add_parser(name, help=help_text)
        command.add_argument("db", type=Path, metavar="DB", help="the collection")
        if name == "snapshot":
            command.add_argument("path", type=Path, metavar="PATH", help="a new directory")
        if name == "repair":
            command.add_argument(
                "path",
                type=Path,
                nargs="?",
                metavar="PATH",
                help="a new directory (default: NAME.repaired.uv beside NAME.uv)",
            )


def _add_exchange(commands: Any) -> None:
    export = commands.add_parser("export", help="write a collection to Parquet or JSONL")
    fill = commands.add_parser("import", help="store the documents of a Parquet or JSONL file")
    for command in (export, fill):
        command.add_argument("db", type=Path, metavar="DB", help="the collection")
        command.add_argument(
            "file", type=Path, metavar="FILE", help=".parquet, .jsonl, .jsonl.gz or .jsonl.zst"
        )
        command.add_argument(
            "--layout",
            choices=("unitvec", "pinecone", "weaviate"),
            default="unitvec",
            help="whose columns (default: unitvec); pinecone: FILE may be a folder",
        )
        command.add_argument("--format", choices=("parquet", "jsonl"), help="if FILE says none")
        command.add_argument(
            "--using", metavar="NAME", help="the vectors that FILE has without a name"
        )
        command.add_argument("--name", help="Pinecone's namespace or Weaviate's collection")
        command.add_argument(
            "--text-key", default="text", help="metadata key of the text (default: text)"
        )
    export.add_argument("--where", type=_filter, help="a filter: export these only")
    export.add_argument("--no-embeddings", action="store_true", help="leave the vectors out")
    export.add_argument(
        "--on-unsupported",
        choices=("error", "json", "drop"),
        default="error",
        help="metadata that the target cannot hold (default: error)",
    )
    export.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")
    fill.add_argument("--model", help="encoder of the texts (default: the collection's)")
    fill.add_argument("--upsert", action="store_true", help="replace documents of known ids")
    fill.add_argument(
        "--encode-texts", action="store_true", help="encode every text, leave vectors unread"
    )
    fill.add_argument(
        "--batches", action="store_true", help="store batch by batch, not all or nothing"
    )


class _Version(argparse.Action):
    """Prints the installed version, read only when it is asked for."""

    def __init__(self, option_strings: list[str], dest: str, **_: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, help="print the version")

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Prints and exits."""
        import unitvec

        print(f"unitvec {unitvec.__version__}")
        parser.exit()


def _at_least_one(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}") from None
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, got {value}")
    return value


def _score(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise argparse.ArgumentTypeError(f"expected a number, got {text!r}")
    return value


def _filter(text: str) -> dict[str, Any]:
    from unitvec.collection.filters import compile_where

    return _parsed(text, compile_where)


def _document_filter(text: str) -> dict[str, Any]:
    from unitvec.collection.document_filters import compile_where_document

    return _parsed(text, compile_where_document)


def _parsed(text: str, compile_filter: Callable[[Any], Any]) -> dict[str, Any]:
    try:
        where = json.loads(text)
        compile_filter(where)
        if not isinstance(where, dict):
            raise TypeError(f"expected a JSON object, got {text}")
    except (ValueError, TypeError, RecursionError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return where
