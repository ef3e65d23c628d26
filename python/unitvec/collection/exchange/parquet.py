"""Parquet: rows in compressed groups of bounded size, every page with a checksum."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from unitvec.collection.exchange.damage import damaged
from unitvec.collection.exchange.jsonl import parse_object
from unitvec.collection.exchange.layouts import Column, Layout
from unitvec.collection.exchange.rows import Facts, PlacedRow
from unitvec.collection.exchange.sealing import require_seal_unbroken, seal
from unitvec.collection.rows import encode_metadata
from unitvec.extras import load_extra

#: A group of rows is written when it has so many rows or bytes, whichever comes first.
_GROUP_ROWS = 16_384
_GROUP_BYTES = 16 * 2**20

#: Read at a time: rows, and bytes of them as the file's own table of contents tells.
_READ_ROWS = 512
_READ_BYTES = 8 * 2**20

_FACTS_KEY = b"unitvec"


def _arrow(function: str) -> Any:
    for module in ("pyarrow.compute", "pyarrow.parquet"):
        load_extra(module, "parquet", function)
    return load_extra("pyarrow", "parquet", function)


class ParquetWriter:
    """Collects rows into groups and writes each with Zstandard.

    The types are plain strings and lists of float, which every reader of Parquet knows; of named
    vectors a struct of such lists, null where a row has none.
    """

    def __init__(
        self, path: Path, layout: Layout, dims: Mapping[str, int], facts: Facts | None
    ) -> None:
        arrow = self._arrow = _arrow("export")
        own = facts is not None
        self._names = [name for name in dims if name]
        named = arrow.struct([(name, arrow.list_(arrow.float32())) for name in self._names])
        kinds = {
            "text": arrow.string(),
            "json": arrow.string(),
            "vector": arrow.list_(arrow.float32(), dims.get("", -1) if own else -1),
            "vectors": named,
        }
        left_out = {"vector"} - ({"vector"} if "" in dims else set())
        left_out |= set() if self._names else {"vectors"}
        self._columns = [c for c in layout.COLUMNS if c.kind not in left_out]
        self._schema = arrow.schema(
            [(column.name, kinds[column.kind]) for column in self._columns],
            metadata={_FACTS_KEY: json.dumps({"format": 1, **facts.to_json()})} if facts else None,
        )
        self._path, self._is_own = path, own
        self._file = path.open("xb")
        self._writer = arrow.parquet.ParquetWriter(
            self._file,
            self._schema,
            compression="zstd",
            use_dictionary=False,  # ids, texts and vectors hardly repeat
            write_page_checksum=True,
        )
        self._rows: list[dict[str, Any]] = []
        self._bytes = 0
        self.bytes_written = 0

    def write(self, row: dict[str, Any]) -> None:
        """Keeps a row for its group."""
        for column in self._columns:
            value = row.get(column.name)
            if value is not None and column.kind == "json":
                value = row[column.name] = encode_metadata(value)
            if value is not None:
                self._bytes += _size(column, value)
        self._rows.append(row)
        if len(self._rows) == _GROUP_ROWS or self._bytes >= _GROUP_BYTES:
            self._write_group()

    def _write_group(self) -> None:
        arrays = [self._array(column) for column in self._columns]
        self._writer.write_batch(self._arrow.record_batch(arrays, schema=self._schema))
        self.bytes_written += self._bytes
        self._rows, self._bytes = [], 0

    def _array(self, column: Column) -> Any:
        arrow = self._arrow
        values: list[Any] = [row.get(column.name) for row in self._rows]
        kind = self._schema.field(column.name).type
        if column.kind == "vectors":
            lists = [
                arrow.array([(value or {}).get(name) for value in values], kind.field(name).type)
                for name in self._names
            ]
            return arrow.StructArray.from_arrays(lists, fields=list(kind))
        if column.kind != "vector" or any(value is None for value in values):
            return arrow.array(values, kind)
        flat = arrow.array(np.concatenate(values))
        if arrow.types.is_fixed_size_list(kind):
            return arrow.FixedSizeListArray.from_arrays(flat, type=kind)
        offsets = np.arange(len(values) + 1, dtype=np.int32) * len(values[0])
        return arrow.ListArray.from_arrays(arrow.array(offsets), flat, type=kind)

    def finish(self) -> None:
        """Writes the last group and the table of contents; seals a file of our own."""
        if self._rows:
            self._write_group()
        self._writer.close()
        self._file.close()
        if self._is_own:
            seal(self._path)

    def abandon(self) -> None:
        """Closes the file; the table of contents goes nowhere."""
        self._writer.is_open = False
        self._file.close()


def _size(column: Column, value: Any) -> int:
    """Bytes, or characters, of a value."""
    if column.kind == "vectors":
        return sum(vector.nbytes for vector in value.values())
    return int(value.nbytes) if column.kind == "vector" else len(value)


def parquet_facts(path: Path) -> Facts:
    """What the file says about the collection that it came from.

    Raises:
        FormatError: it is no Parquet file, or what it says is damaged.
    """
    arrow = _arrow("import_from")
    with _opened(arrow, path) as file:
        return _facts_in(path, (file.schema_arrow.metadata or {}).get(_FACTS_KEY))


def _facts_in(path: Path, stored: bytes | None) -> Facts:
    if stored is None:
        return Facts()
    try:
        facts = json.loads(stored)
        if facts.pop("format") == 1:
            return Facts.from_json(facts)
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise damaged(path, "", f"expected to be described in format 1, got {stored[:200]!r}")


def _opened(arrow: Any, path: Path) -> Any:
    require_seal_unbroken(path)
    try:
        return arrow.parquet.ParquetFile(path, buffer_size=1 << 20, page_checksum_verification=True)
    except (arrow.ArrowException, OSError, ValueError, UnicodeDecodeError) as error:
        raise damaged(path, "", f"expected a Parquet file, got {_first_line(error)}") from error


def read_parquet(path: Path, layout: Layout) -> Iterator[PlacedRow]:
    """The rows of a file, some at a time.

    Raises:
        FormatError: it is no Parquet file, is damaged, or has other columns.
        OSError: it cannot be read.
    """
    arrow = _arrow("import_from")
    with _opened(arrow, path) as file:
        number = 0
        try:
            _require_columns(arrow, path, file.schema_arrow, layout)
            for batch in _batches(file):
                batch.validate(full=True)
                for values, size in _rows_of(arrow, path, batch, layout, number):
                    yield PlacedRow(path, f"row {number}", size, values)
                    number += 1
        except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise damaged(path, f"after row {number}", f"{_first_line(error)}") from error
        if number != file.metadata.num_rows:
            expected = file.metadata.num_rows
            raise damaged(path, "", f"expected {expected} rows, got {number}")


def count_rows(path: Path) -> int:
    """How many rows there are, as the table of contents says."""
    with _opened(_arrow("import_from"), path) as file:
        return int(file.metadata.num_rows)


def _batches(file: Any) -> Iterator[Any]:
    """Record batches of bounded size, one group of rows after the other.

    Read in one go, the groups' buffers stay until the end: a megabyte each (pyarrow 26).
    """
    for i in range(file.num_row_groups):
        group = file.metadata.row_group(i)
        row_bytes = max(1, group.total_byte_size // max(1, group.num_rows))
        rows = min(_READ_ROWS, max(1, _READ_BYTES // row_bytes))
        yield from file.iter_batches(rows, row_groups=[i])


def _require_columns(arrow: Any, path: Path, schema: Any, layout: Layout) -> None:
    known = {column.name: column for column in layout.COLUMNS}
    names = [name for name in schema.names if name not in known]
    if names or "id" not in schema.names:
        raise damaged(
            path, "", f"expected columns of {list(known)}, id among them, got {schema.names}"
        )
    for field in schema:
        if not _is_kind(arrow.types, field.type, known[field.name].kind):
            raise damaged(
                path,
                f"column {field.name!r}",
                f"expected {_KINDS[known[field.name].kind]}, got {field.type}",
            )


_KINDS = {
    "text": "strings",
    "json": "strings of JSON or structs",
    "vector": "lists of floats",
    "vectors": "structs of lists of floats",
}


def _is_kind(types: Any, found: Any, kind: str) -> bool:
    text = types.is_string(found) or types.is_large_string(found) or types.is_null(found)
    if kind == "vectors":
        fields = [field.type for field in found] if types.is_struct(found) else [None]
        return types.is_null(found) or all(
            field is not None and _is_kind(types, field, "vector") for field in fields
        )
    if kind == "vector":
        lists = (types.is_list, types.is_large_list, types.is_fixed_size_list)
        is_list = any(check(found) for check in lists)
        return types.is_null(found) or (is_list and types.is_floating(found.value_type))
    return bool(text or (kind == "json" and types.is_struct(found)))


def _rows_of(
    arrow: Any, path: Path, batch: Any, layout: Layout, first: int
) -> Iterator[tuple[dict[str, Any], int]]:
    """The rows of a batch as dictionaries, and their sizes."""
    columns: dict[str, list[Any]] = {}
    for column in layout.COLUMNS:
        if column.name in batch.schema.names:
            array = batch.column(batch.schema.get_field_index(column.name))
            columns[column.name] = _values(arrow, array, column.kind)
    kinds = {column.name: column.kind for column in layout.COLUMNS}
    for i in range(batch.num_rows):
        row = {name: values[i] for name, values in columns.items()}
        size = sum(len(value) for value in row.values() if isinstance(value, str))
        for name, value in row.items():
            if kinds[name] == "json" and isinstance(value, str):
                try:
                    row[name] = parse_object(value)
                except ValueError as error:
                    raise damaged(path, f"row {first + i}, {name}", str(error)) from error
        yield row, size


def _values(arrow: Any, array: Any, kind: str) -> list[Any]:
    """The values of a column, vectors as arrays, those by name as dictionaries of them."""
    if arrow.types.is_null(array.type) or kind in ("text", "json"):
        return list(array.to_pylist())
    if kind == "vector":
        return _vectors(arrow, array)
    names = [field.name for field in array.type]
    fields = [_values(arrow, arrow.compute.struct_field(array, [i]), "vector")
              for i in range(len(names))]  # fmt: skip
    rows = [dict(zip(names, values, strict=True)) for values in zip(*fields, strict=True)]
    valid = array.is_valid().to_pylist()
    return [row if there else None for row, there in zip(rows or [{}] * len(valid), valid,
                                                         strict=True)]  # fmt: skip


def _vectors(arrow: Any, array: Any) -> list[Any]:
    """One array a row, or None; null numbers become NaN, which no collection takes."""
    lengths = arrow.compute.list_value_length(array).to_pylist()
    flat = array.flatten().to_numpy(zero_copy_only=False)  # leaves the null lists out
    vectors: list[Any] = []
    start = 0
    for length in lengths:
        vectors.append(None if length is None else flat[start : start + length])
        start += length or 0
    return vectors


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
