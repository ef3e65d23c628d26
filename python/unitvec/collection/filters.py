"""`where` filters in the form of MongoDB and Chroma, compiled to SQL with parameters.

    {"year": {"$gte": 2020}, "lang": "en"}             both conditions
    {"$or": [{"tags": {"$contains": "x"}}, {"author.name": {"$in": ["Ann", "Bo"]}}]}

A value only ever equals or orders against its own kind: text, number, true/false, null. A missing
field equals null, and passes every negation ($ne, $nin, $not), as in MongoDB. A dot in a field name
means that very name or, failing that, a field of a nested object.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

OPERATORS = (
    *("$eq", "$ne", "$gt", "$gte", "$lt", "$lte"),
    *("$in", "$nin", "$not", "$exists", "$contains"),
)
COMBINATIONS = ("$and", "$or", "$not")

#: Deeper filters are refused; SQLite itself stops at an expression depth of 1,000.
DEPTH_MAX = 64

_COMPARISONS = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
_INT64 = range(-(2**63), 2**63)


Where = Mapping[str, Any]


class Test(NamedTuple):
    """What one field is compared with."""

    field: str
    operator: str
    operand: Any


class Condition(NamedTuple):
    """An SQL expression over `d.metadata` that is 0 or 1, never NULL, and what it was made from.

    Attributes:
        sql: the expression.
        bindings: its parameters.
        word: "AND", "OR" or "NOT" of the parts; "": a condition of its own.
        parts: the conditions that are combined.
        test: the field, where the condition is about one; then there are no parts.
    """

    sql: str
    bindings: tuple[Any, ...]
    word: str = ""
    parts: tuple[Condition, ...] = ()
    test: Test | None = None


def compile_where(where: Mapping[str, Any] | None) -> Condition | None:
    """The SQL of a filter; None for no filter (None or an empty dictionary).

    Raises:
        TypeError: if a part is not of the type its place needs.
        ValueError: for an unknown operator or operand, naming it and those supported.
    """
    if where is None or (isinstance(where, Mapping) and not where):
        return None
    return _compile(where, 0)


def _compile(where: Any, depth: int) -> Condition:
    if not isinstance(where, Mapping):
        raise TypeError(f"[where] expected a dictionary, got {type(where).__name__}")
    if depth > DEPTH_MAX:
        raise ValueError(f"[where] expected a filter at most {DEPTH_MAX} levels deep")
    parts = [_entry(name, operand, depth) for name, operand in where.items()]
    if not parts:
        raise ValueError("[where] expected a condition, got an empty dictionary inside the filter")
    return join("AND", parts)


def _entry(name: Any, operand: Any, depth: int) -> Condition:
    if not isinstance(name, str):
        raise TypeError(f"[where] expected field names as str, got {name!r}")
    if name in ("$and", "$or"):
        if not isinstance(operand, Sequence) or isinstance(operand, str) or not operand:
            raise ValueError(f"[where] expected {name} with a list of filters, got {operand!r}")
        parts = [_compile(part, depth + 1) for part in operand]
        return join("AND" if name == "$and" else "OR", parts)
    if name == "$not":
        return _negate(_compile(operand, depth + 1))
    if name.startswith("$"):
        raise ValueError(f"[where] expected a field or one of {COMBINATIONS}, got {name!r}")
    return _field(name, operand, depth)


def _field(name: str, operand: Any, depth: int) -> Condition:
    """One field against a plain value, or against a dictionary of operators."""
    if not isinstance(operand, Mapping):
        return _equals(name, operand)._replace(test=Test(name, "$eq", operand))
    if depth > DEPTH_MAX:
        raise ValueError(f"[where] expected a filter at most {DEPTH_MAX} levels deep")
    if not operand:
        raise ValueError(f"[where] expected a value or an operator for {name!r}, got {{}}")
    parts = []
    for operator, value in operand.items():
        if operator == "$not":
            parts.append(_negate(_field(name, value, depth + 1)))
        elif operator in _COMPILERS:
            test = Test(name, operator, value)
            parts.append(_COMPILERS[operator](name, value)._replace(test=test, word="", parts=()))
        else:
            raise ValueError(f"[where] expected one of {OPERATORS} for {name!r}, got {operator!r}")
    return join("AND", parts)


def join(word: str, parts: Sequence[Condition]) -> Condition:
    """All ("AND") or some ("OR") of the conditions."""
    if len(parts) == 1:
        return parts[0]
    sql = "(" + f" {word} ".join(part.sql for part in parts) + ")"
    bindings = tuple(value for part in parts for value in part.bindings)
    return Condition(sql, bindings, word, tuple(parts))


def _negate(condition: Condition) -> Condition:
    return Condition(f"(NOT {condition.sql})", condition.bindings, "NOT", (condition,))


def _path(parts: Sequence[str]) -> str:
    return "$" + "".join("." + json.dumps(part, ensure_ascii=False) for part in parts)


def field_paths(name: str) -> list[str]:
    """The JSON paths that a field's name means, the one that counts first."""
    paths = [_path([name])]
    if "." in name:
        paths.append(_path(name.split(".")))
    return paths


def read_field(function: str, name: str) -> Condition:
    """json_type or json_extract of a field."""
    paths = field_paths(name)
    reads = [f"{function}(d.metadata, ?)"] * len(paths)
    return Condition(reads[0] if len(reads) == 1 else f"coalesce({', '.join(reads)})", tuple(paths))


def _test(name: str, types: Sequence[str], comparison: str, values: Sequence[Any]) -> Condition:
    """True where the field is of one of these JSON types and its value compares as asked."""
    kind, value = read_field("json_type", name), read_field("json_extract", name)
    listed = ", ".join(f"'{t}'" for t in types)
    sql = f"(({kind.sql} IN ({listed}) AND {value.sql} {comparison}) IS TRUE)"
    return Condition(sql, (*kind.bindings, *value.bindings, *values))


def _check_scalar(operator: str, value: Any) -> None:
    if value is None or isinstance(value, (str, bool)):
        return
    if isinstance(value, int) and value not in _INT64:
        raise ValueError(f"[where] expected a 64-bit integer for {operator}, got {value}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"[where] expected a finite number for {operator}, got {value}")
    if not isinstance(value, (int, float)):
        hint = "; use $contains to look inside lists" if isinstance(value, (list, tuple)) else ""
        raise ValueError(
            f"[where] expected text, a number, true/false or null for {operator}, "
            f"got {value!r}{hint}"
        )


def _equals(name: str, value: Any) -> Condition:
    _check_scalar("$eq", value)
    kind = read_field("json_type", name)
    if value is None:
        return Condition(f"(coalesce({kind.sql}, 'null') = 'null')", kind.bindings)
    if isinstance(value, bool):
        return Condition(f"(({kind.sql} = ?) IS TRUE)", (*kind.bindings, str(value).lower()))
    return _test(name, _types_of(value), "= ?", [value])


def _types_of(value: str | int | float) -> tuple[str, ...]:
    return ("text",) if isinstance(value, str) else ("integer", "real")


def _compare(operator: str) -> Callable[[str, Any], Condition]:
    def compile_comparison(name: str, value: Any) -> Condition:
        _check_scalar(operator, value)
        if value is None or isinstance(value, bool):
            raise ValueError(f"[where] expected text or a number for {operator}, got {value!r}")
        return _test(name, _types_of(value), f"{_COMPARISONS[operator]} ?", [value])

    return compile_comparison


def _in(name: str, values: Any) -> Condition:
    if not isinstance(values, (list, tuple, set, frozenset)):
        raise ValueError(f"[where] expected a list of values for $in or $nin, got {values!r}")
    for value in values:
        _check_scalar("$in", value)
    texts = [v for v in values if isinstance(v, str)]
    numbers = [v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
    parts = [_equals(name, v) for v in {v for v in values if v is None or isinstance(v, bool)}]
    for types, group in ((("text",), texts), (("integer", "real"), numbers)):
        if group:  # one parameter however long the list is
            comparison = "IN (SELECT value FROM json_each(?))"
            parts.append(_test(name, types, comparison, [json.dumps(group, ensure_ascii=False)]))
    return join("OR", parts) if parts else Condition("0", ())


def _exists(name: str, value: Any) -> Condition:
    if not isinstance(value, bool):
        raise ValueError(f"[where] expected True or False for $exists, got {value!r}")
    kind = read_field("json_type", name)
    return Condition(f"({kind.sql} IS {'NOT ' if value else ''}NULL)", kind.bindings)


def _contains(name: str, value: Any) -> Condition:
    """A part of a text, or an element of a list."""
    _check_scalar("$contains", value)
    if value is None or isinstance(value, bool):
        raise ValueError(f"[where] expected text or a number for $contains, got {value!r}")
    kind, array = read_field("json_type", name), read_field("json_extract", name)
    listed = ", ".join(f"'{t}'" for t in _types_of(value))
    # json_each fails on what is not JSON, so it only ever sees lists.
    element = Condition(
        f"EXISTS (SELECT 1 FROM json_each(CASE WHEN {kind.sql} = 'array' THEN {array.sql} "
        f"ELSE '[]' END) AS e WHERE e.type IN ({listed}) AND e.value = ?)",
        (*kind.bindings, *array.bindings, value),
    )
    if not isinstance(value, str):
        return element
    text = read_field("json_extract", name)
    part = _test(name, ("text",), f"IS NOT NULL AND instr({text.sql}, ?) > 0", ())
    part = Condition(part.sql, (*part.bindings, *text.bindings, value))
    return join("OR", [part, element])


_COMPILERS: dict[str, Callable[[str, Any], Condition]] = {
    "$eq": _equals,
    "$ne": lambda name, value: _negate(_equals(name, value)),
    "$in": _in,
    "$nin": lambda name, value: _negate(_in(name, value)),
    "$exists": _exists,
    "$contains": _contains,
    **{operator: _compare(operator) for operator in _COMPARISONS},
}
