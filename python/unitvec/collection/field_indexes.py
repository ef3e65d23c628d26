"""Indexes of SQLite's over metadata fields, for filters of `get`, `scan` and `delete`.

SQLite uses an index over an expression where a query has the same expression, written out. So a
comparison with an indexed field is asked for twice: as the index knows it, which finds few rows,
and as the filter means it, which tells a text from a number. The second implies the first.
"""

from __future__ import annotations

import json
from typing import Any

import apsw

from unitvec.collection.filters import Condition, Test, field_paths, join
from unitvec.collection.where import plain_where, shown

PROPERTY = "field_indexes"

_SIGNS = {"$eq": "=", "$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}


def indexed_fields(connection: apsw.Connection) -> list[str]:
    """The fields that have an index, in the order of making."""
    row = connection.execute("SELECT value FROM properties WHERE name = ?", (PROPERTY,)).fetchone()
    fields: list[str] = [] if row is None else json.loads(row[0])  # checked at opening
    return fields


def parse_fields(value: Any) -> list[str]:
    """The list of fields that the property holds as JSON.

    Raises:
        ValueError: it is none.
    """
    try:
        fields = json.loads(value)
        if isinstance(fields, list):
            for field in fields:
                plain_where({field: 0})
            return fields
    except (ValueError, TypeError, RecursionError):
        pass
    raise ValueError(f"[Collection] expected a list of fields, got {shown(value)}")


def create_field_index(connection: apsw.Connection, field: str) -> bool:
    """Makes an index, inside a writing transaction; False where there is one."""
    fields = indexed_fields(connection)
    if field in fields:
        return False
    connection.execute(_statement(field))
    _remember(connection, [*fields, field])
    return True


def drop_field_index(connection: apsw.Connection, field: str) -> bool:
    """Removes an index, inside a writing transaction; False where there is none."""
    fields = indexed_fields(connection)
    if field not in fields:
        return False
    connection.execute(f"DROP INDEX {_name(field)}")
    _remember(connection, [other for other in fields if other != field])
    return True


def through_indexes(condition: Condition, fields: list[str]) -> Condition:
    """The same condition, so that SQLite finds its rows through these indexes."""
    if condition.test is not None and condition.test.field in fields:
        return _through_index(condition, condition.test)
    if condition.word not in ("AND", "OR") or not fields:
        return condition  # an index does not find what is not there
    return join(condition.word, [through_indexes(part, fields) for part in condition.parts])


def _through_index(condition: Condition, test: Test) -> Condition:
    expression = _expression(test.field, "d.")
    operand = test.operand
    if test.operator in _SIGNS and _is_plain(operand):
        sql, first = f"{expression} {_SIGNS[test.operator]} ?", operand
    elif test.operator == "$in" and all(_is_plain(value) for value in operand):
        sql = f"{expression} IN (SELECT value FROM json_each(?))"
        first = json.dumps(list(operand), ensure_ascii=False)
    else:
        return condition
    return condition._replace(
        sql=f"({sql} AND {condition.sql})", bindings=(first, *condition.bindings)
    )


def _is_plain(value: object) -> bool:
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)


def _expression(field: str, table: str) -> str:
    """The field's value, its paths written out; as filters read it."""
    reads = [f"json_extract({table}metadata, {_quoted(path)})" for path in field_paths(field)]
    return reads[0] if len(reads) == 1 else f"coalesce({', '.join(reads)})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _statement(field: str) -> str:
    return f"CREATE INDEX {_name(field)} ON documents ({_expression(field, '')})"


def _name(field: str) -> str:
    return f"field_{field.encode().hex()}"  # SQL takes names for equal that differ in case


def index_names(fields: list[str]) -> list[str]:
    """Names of the indexes of these fields."""
    return [_name(field) for field in fields]


def is_own_index(name: str, sql: object) -> bool:
    """Whether the schema may have this statement: one that `create_field_index` makes."""
    start, _, digits = name.partition("_")
    try:
        return start == "field" and sql == _statement(bytes.fromhex(digits).decode())
    except ValueError:
        return False


def _remember(connection: apsw.Connection, fields: list[str]) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO properties VALUES (?, ?)",
        (PROPERTY, json.dumps(fields, ensure_ascii=False)),
    )
