"""CSV, TSV and JSONL: one document a row, the text in one column, the rest as metadata."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

_FIELD_CHARACTERS_MAX = 64 * 2**20
_DELIMITERS = {".csv": ",", ".tsv": "\t"}


class ColumnError(ValueError):
    """The column with the text was not named, or the file has none of that name."""


class TextRow(NamedTuple):
    """A row: its text, its first and last line in the file (from 1), its other columns."""

    text: str
    first_line: int
    last_line: int
    columns: dict[str, Any]


def table_rows(path: Path, column: str | None) -> Iterator[TextRow]:
    """The rows of a CSV or TSV file with a header line, in UTF-8; other columns stay text.

    Raises:
        ColumnError: `column` is not in the header, or None although there are several.
        ValueError: a row has more or fewer fields than the header, with its line.
    """
    csv.field_size_limit(_FIELD_CHARACTERS_MAX)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream, delimiter=_DELIMITERS[path.suffix.lower()], strict=True)
        try:
            header = next(reader, None)
            if header is None:
                return
            index = _column_index(path, header, column)
            line = reader.line_num
            for fields in reader:
                first, line = line + 1, reader.line_num
                if fields:  # a blank line is no row
                    yield _table_row(path, header, fields, index, first, line)
        except csv.Error as error:
            raise ValueError(f"[index] {path}, line {reader.line_num}: {error}") from error


def _column_index(path: Path, header: list[str], column: str | None) -> int:
    if column is None and len(header) == 1:
        return 0
    if column is None or header.count(column) != 1:
        named = "--column to name the one with the text" if column is None else f"column {column!r}"
        raise ColumnError(f"[index] {path}: expected {named}; its columns are {header}")
    return header.index(column)


def _table_row(
    path: Path, header: list[str], fields: list[str], index: int, first: int, last: int
) -> TextRow:
    if len(fields) != len(header):
        raise ValueError(
            f"[index] {path}, line {first}: expected {len(header)} fields, got {len(fields)}"
        )
    others = {
        name: field
        for i, (name, field) in enumerate(zip(header, fields, strict=True))
        if i != index
    }
    return TextRow(fields[index], first, last, others)


def json_rows(path: Path, column: str | None) -> Iterator[TextRow]:
    """The objects of a JSONL file, one a line, in UTF-8; other columns keep their JSON types.

    Raises:
        ColumnError: an object has no such column, or several columns and none was named.
        ValueError: a line is not a JSON object, or its text is not a string, with the line.
    """
    with path.open(encoding="utf-8-sig") as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except ValueError as error:
                raise ValueError(f"[index] {path}, line {number}: {error}") from error
            if not isinstance(record, dict):
                raise ValueError(f"[index] {path}, line {number}: expected a JSON object")
            name = _json_column(path, number, record, column)
            text = record.pop(name)
            if not isinstance(text, str):
                raise ValueError(
                    f"[index] {path}, line {number}: expected text in {name!r}, "
                    f"got {type(text).__name__}"
                )
            yield TextRow(text, number, number, record)


def _json_column(path: Path, number: int, record: dict[str, Any], column: str | None) -> str:
    if column is None:
        column = "text" if "text" in record else next(iter(record)) if len(record) == 1 else None
    if column is None or column not in record:
        named = "--column to name the one with the text" if column is None else f"column {column!r}"
        raise ColumnError(
            f"[index] {path}, line {number}: expected {named}; its columns are {sorted(record)}"
        )
    return column
