"""`where` filters in the form of MongoDB and Chroma, compiled to SQL with parameters.

    {"year": {"$gte": 2020}, "lang": "en"}             both conditions
    {"$or": [{"tags": {"$contains": "x"}}, {"author.name": {"$in": ["Ann", "Bo"]}}]}

A value only ever equals or orders against its own kind: text (by code points), number (integers
and floats compare exactly), true/false, null. A missing field equals null, and passes every
negation ($ne, $nin, $not), as in MongoDB. A dot in a field name means that very
name or, failing that, a field of a nested object. `$contains` finds a part of a text or an element
of a list.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from unitvec.collection.where import plain_where

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
        TypeError, ValueError: for what no filter can be, naming the place; see `plain_where`.
    """
    plain = plain_where(where)
    return None if plain is None else _compile(plain)


def _compile(where: dict[str, Any]) -> Condition:
    return join("AND", [_entry(name, operand) for name, operand in where.items()])


def _entry(name: str, operand: Any) -> Condition:
    if name in ("$and", "$or"):
        return join("AND" if name == "$and" else "OR", [_compile(part) for part in operand])
    return _negate(_compile(operand)) if name == "$not" else _field(name, operand)


def _field(name: str, operand: Any) -> Condition:
    """One field against a plain value, or against a dictionary of operators."""
    if not isinstance(operand, dict):
        return _tested(name, "$eq", operand)
    return join(
        "AND",
        [
            _negate(_field(name, value)) if operator == "$not" else _tested(name, operator, value)
            for operator, value in operand.items()
        ],
    )


def _tested(name: str, operator: str, value: Any) -> Condition:
    compiled = _COMPILERS[operator](name, value)
    return Condition(compiled.sql, compiled.bindings, test=Test(name, operator, value))


def join(word: str, parts: Sequence[Condition]) -> Condition:
    """All ("AND") or some ("OR") of the conditions."""
    if len(parts) == 1:
        return parts[0]
    sql = _balanced(f" {word} ", [part.sql for part in parts])
    bindings = tuple(value for part in parts for value in part.bindings)
    return Condition(sql, bindings, word, tuple(parts))


def _balanced(word: str, parts: list[str]) -> str:
    """The parts joined in pairs of pairs: SQLite limits the depth of `a AND b AND c AND ...`."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return f"({_balanced(word, parts[:half])}{word}{_balanced(word, parts[half:])})"


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


def _equals(name: str, value: Any) -> Condition:
    kind = read_field("json_type", name)
    if value is None:
        return Condition(f"(coalesce({kind.sql}, 'null') = 'null')", kind.bindings)
    if isinstance(value, bool):
        return Condition(f"(({kind.sql} = ?) IS TRUE)", (*kind.bindings, str(value).lower()))
    return _test(name, _types_of(value), "= ?", [value])


def _types_of(value: str | int | float) -> tuple[str, ...]:
    return ("text",) if isinstance(value, str) else ("integer", "real")


def _compare(sign: str) -> Callable[[str, Any], Condition]:
    return lambda name, value: _test(name, _types_of(value), f"{sign} ?", [value])


def _in(name: str, values: Any) -> Condition:
    texts = [v for v in values if isinstance(v, str)]
    numbers = [v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
    parts = [_equals(name, v) for v in {v for v in values if v is None or isinstance(v, bool)}]
    for types, group in ((("text",), texts), (("integer", "real"), numbers)):
        if group:  # one parameter however long the list is
            comparison = "IN (SELECT value FROM json_each(?))"
            parts.append(_test(name, types, comparison, [json.dumps(group, ensure_ascii=False)]))
    return join("OR", parts) if parts else Condition("0", ())


def _exists(name: str, value: Any) -> Condition:
    kind = read_field("json_type", name)
    return Condition(f"({kind.sql} IS {'NOT ' if value else ''}NULL)", kind.bindings)


def _contains(name: str, value: Any) -> Condition:
    """A part of a text, or an element of a list."""
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
    "$gt": _compare(">"),
    "$gte": _compare(">="),
    "$lt": _compare("<"),
    "$lte": _compare("<="),
}
