"""Rows of results as lists, as tables of other libraries, and as HTML."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import numpy as np

from unitvec.collection.rows import encode_metadata
from unitvec.extras import load_extra

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped,unused-ignore]
    import polars as pl
    import pyarrow as pa

Item = TypeVar("Item")

_PREVIEW = 120  # characters of a cell in a printed table or on a line
_ROWS_SHOWN = 50  # of a printed table; the others are counted

# The colours are the notebook's own, so that a dark theme stays dark: text inherits its colour, and
# lines are of a grey between the two. Jupyter itself would align text to the right.
_LINE = "1px solid rgba(128,128,128,.35)"
_CELL = "text-align:left;vertical-align:top;padding:.3em 1em .3em 0"
_TEXT = f"{_CELL};overflow-wrap:anywhere;max-width:36em"  # a long word breaks before the page does
_NUMBER = f"{_CELL};white-space:nowrap"


class Rows(Generic[Item]):
    """What `SearchResult` and `Records` share: rows of equal fields, one row an item.

    The vector is a column of its own, and only there where vectors were asked for; of named ones
    it holds dictionaries, and structs in Arrow and polars. Metadata has no
    schema: every document may have other keys, and one key other types. So it is a dictionary
    in lists and in pandas (as in Chroma's results), and JSON text in Arrow and polars, whose
    columns have one type: a struct would give every row all keys, and could not hold mixed types.
    `str.json_path_match` of polars and `->>` of DuckDB read single fields from it.
    """

    _FIELDS: ClassVar[tuple[str, ...]]

    def __init__(self, items: list[Item], dim: int | Mapping[str, int] | None = None) -> None:
        self._items = items
        first = getattr(items[0], "vector", None) if items else None
        self._dim = dim if first is None or isinstance(first, dict) else len(first)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._items)

    def __iter__(self) -> Iterator[Item]:
        """In order."""
        return iter(self._items)

    def to_list(self) -> list[dict[str, Any]]:
        """One dictionary a row, of JSON's types alone; a vector is a list of floats."""
        names = self._columns()
        rows = [dict(zip(names, self._values(item), strict=True)) for item in self]
        for row in rows:
            if isinstance(row.get("vector"), dict):
                row["vector"] = {name: vector.tolist() for name, vector in row["vector"].items()}
            elif row.get("vector") is not None:
                row["vector"] = row["vector"].tolist()
        return rows

    def to_pandas(self) -> pd.DataFrame:
        """A data frame: metadata as dictionaries, vectors as arrays, each an object.

        Named vectors are dictionaries of arrays.

        Raises:
            ImportError: pandas is not installed.
        """
        frame: pd.DataFrame = load_extra("pandas", "pandas", "to_pandas").DataFrame(
            [self._values(item) for item in self], columns=self._columns()
        )
        return frame

    def to_polars(self) -> pl.DataFrame:
        """A data frame: metadata as JSON text, vectors as an array of Float32.

        Named vectors are a struct of such arrays, null where a document has none.

        Raises:
            ImportError: polars is not installed.
        """
        polars = load_extra("polars", "polars", "to_polars")
        types = {"score": polars.Float64}
        if self._dim is not None:
            types["vector"] = self._vector_type(
                lambda dim: polars.Array(polars.Float32, dim), polars.Struct
            )
        schema = {name: types.get(name, polars.String) for name in self._columns()}
        frame: pl.DataFrame = polars.DataFrame(
            {name: self._column(name) for name in schema}, schema=schema
        )
        return frame

    def to_arrow(self) -> pa.Table:
        """A table: metadata as JSON text, vectors as fixed_size_list<float32>[dim].

        Named vectors are a struct of such lists, null where a document has none.

        Raises:
            ImportError: pyarrow is not installed.
        """
        arrow = load_extra("pyarrow", "parquet", "to_arrow")
        types = {"score": arrow.float64()}
        if self._dim is not None:
            types["vector"] = self._vector_type(
                lambda dim: arrow.list_(arrow.float32(), dim),
                lambda fields: arrow.struct(list(fields.items())),
            )
        schema = arrow.schema([(name, types.get(name, arrow.string())) for name in self._columns()])
        table: pa.Table = arrow.table(
            {name: self._column(name) for name in schema.names}, schema=schema
        )
        return table

    def _vector_type(
        self, of: Callable[[int], Any], struct: Callable[[dict[str, Any]], Any]
    ) -> Any:
        if isinstance(self._dim, Mapping):
            return struct({name: of(dim) for name, dim in self._dim.items()})
        assert self._dim is not None
        return of(self._dim)

    def _columns(self) -> list[str]:
        return [*self._FIELDS, *(["vector"] if self._dim is not None else [])]

    def _values(self, item: Item) -> list[Any]:
        return [getattr(item, name) for name in self._columns()]

    def _column(self, name: str) -> Any:
        """A column as Arrow and polars take it."""
        values = [getattr(item, name) for item in self]
        if name == "metadata":
            return [encode_metadata(value) for value in values]
        if name == "vector" and isinstance(self._dim, Mapping):
            return [{name: (value or {}).get(name) for name in self._dim} for value in values]
        if name == "vector" and values and all(value is not None for value in values):
            return list(np.stack(values))
        return values

    def _repr_html_(self) -> str:
        """For notebooks: the first rows, without vectors."""
        shown = self._items[:_ROWS_SHOWN]
        rows = [[getattr(item, name) for name in self._FIELDS] for item in shown]
        rest = len(self) - len(shown)
        caption = self._summary() + (f"; the first {len(shown)}:" if rest else "")
        return table_html(self._FIELDS, rows, caption)

    def _summary(self) -> str:
        """One line about all rows."""
        raise NotImplementedError


def preview(text: str | None) -> str:
    """The start of a text, on one line."""
    start = " ".join((text or "")[: 2 * _PREVIEW].split())
    return start if len(start) <= _PREVIEW else start[: _PREVIEW - 1] + "…"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f'<td style="{_NUMBER}">{value:.4f}</td>'
    if isinstance(value, dict):
        value = ", ".join(f"{name}={item!r}" for name, item in value.items())
    return f'<td style="{_TEXT}">{html.escape(preview(value))}</td>'


def table_html(names: Sequence[str], rows: Sequence[Sequence[Any]], caption: str) -> str:
    """A table for light and dark pages alike; what it is given is shown as text, never as HTML."""
    head = "".join(
        f'<th style="{_NUMBER};border-bottom:{_LINE};font-weight:600">{html.escape(name)}</th>'
        for name in names
    )
    body = "".join(
        f'<tr style="background:none;border-bottom:{_LINE}">{"".join(map(_cell, row))}</tr>'
        for row in rows
    )
    return (
        '<table style="border-collapse:collapse;table-layout:auto;color:inherit;background:none">'
        f'<caption style="caption-side:top;text-align:left;color:inherit;opacity:.7">'
        f"{html.escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
