"""`where` filters evaluated slowly and obviously in Python, and what to try on them.

    holds(metadata, where)            whether a filter lets a document through
    METADATA, FILTERS                 Hypothesis strategies that often agree on names and values
    anything(...)                     nested Python objects, some of them filters by chance

The rules are those of docs/inputs.md. Nothing here comes from what is tested.
"""

from __future__ import annotations

import enum
import math
from collections import OrderedDict
from types import MappingProxyType
from typing import Any

import numpy as np
from hypothesis import strategies as st

MISSING = object()

# --- the rules -----------------------------------------------------------------------------------


def kind(value: Any) -> str:
    """Values only ever compare with their own kind; a missing field is as null."""
    if value is None or value is MISSING:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    return {str: "text", list: "list", dict: "object"}[type(value)]


def field(metadata: dict[str, Any], name: str) -> Any:
    """The field of that very name or, failing that, of nested objects, one for each dot."""
    if name in metadata:
        return metadata[name]
    value: Any = metadata
    for part in name.split("."):
        if not isinstance(value, dict) or part not in value:
            return MISSING
        value = value[part]
    return value


def equal(value: Any, operand: Any) -> bool:
    """Python's own equality, which is exact between integers and floats."""
    same = kind(value) == kind(operand)
    return same and (kind(value) == "null" or value == operand)


def contains(value: Any, operand: Any) -> bool:
    """A part of a text, or an element of a list."""
    if kind(value) == "text":
        return kind(operand) == "text" and operand in value
    return kind(value) == "list" and any(equal(item, operand) for item in value)


def compares(value: Any, operator: str, operand: Any) -> bool:
    """Text by code points, numbers by value; other kinds have no order."""
    if kind(value) != kind(operand):
        return False
    return {
        "$gt": lambda: value > operand,
        "$gte": lambda: value >= operand,
        "$lt": lambda: value < operand,
        "$lte": lambda: value <= operand,
    }[operator]()


def operator_holds(value: Any, operator: str, operand: Any) -> bool:
    """One operator on the value of one field."""
    if operator == "$not":
        return not field_holds(value, operand)
    if operator == "$eq":
        return equal(value, operand)
    if operator == "$ne":
        return not equal(value, operand)
    if operator == "$in":
        return any(equal(value, item) for item in operand)
    if operator == "$nin":
        return not any(equal(value, item) for item in operand)
    if operator == "$exists":
        return (value is not MISSING) == operand
    if operator == "$contains":
        return contains(value, operand)
    return compares(value, operator, operand)


def field_holds(value: Any, operand: Any) -> bool:
    """A plain value, or every operator of a dictionary."""
    if not isinstance(operand, dict):
        return equal(value, operand)
    return all(operator_holds(value, name, item) for name, item in operand.items())


def entry_holds(metadata: dict[str, Any], name: str, operand: Any) -> bool:
    """One key of a filter."""
    if name == "$and":
        return all(holds(metadata, part) for part in operand)
    if name == "$or":
        return any(holds(metadata, part) for part in operand)
    if name == "$not":
        return not holds(metadata, operand)
    return field_holds(field(metadata, name), operand)


def holds(metadata: dict[str, Any], where: dict[str, Any]) -> bool:
    """Whether every key of a filter lets a document with this metadata through."""
    return all(entry_holds(metadata, name, operand) for name, operand in where.items())


# --- what is tried -------------------------------------------------------------------------------

#: Dots, quotes, what JSON and SQL escape, what JSON paths mean by [0] and #, text of every length
#: in UTF-8, two spellings of one letter.
NAMES = [
    *("a", "b", "a.b", "a.b.a", "b.a", ".", "a.", ".a", "..", ""),
    *('q"uo\\te', "it's", "`", "\\", '"', "\\u0041", "A", "%s", "?1", ":a", "--", ";"),
    *("new\nline", "tab\t", "\x01", "\x1f", "\x7f"),
    *("[0]", "a[0]", "0", "#-1", "@", "*", "a b"),
    *("ключ", "é", "e\u0301", "日本", "😀", "\ud7ff", "\ue000", "\uffff", "\u2028", "\U0010ffff"),
]
NESTED_NAMES = [*NAMES, "$gt", "$"]  # a field at the top with such a name cannot be asked for
TEXTS = [
    *("", "a", "A", "ab", "b", "aa", "1", "1.0", "null", "true", "[1]", "{}", "%", "_"),
    *("\0", "a\0", "a\0b", "'", '"', "\\", "\n", " ", "a "),
    *("é", "e\u0301", "ß", "ss", "\ud7ff", "\uffff", "😀", "\U0010ffff"),
]
INTEGERS = [
    *(0, 1, -1, 2, 3, 10, 2**31, 2**32, 2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1),
    *(2**62, 2**63 - 1, 2**63 - 2, -(2**63), -(2**63) + 1, 10**16, 10**17),
]
FLOATS = [
    *(0.0, -0.0, 1.0, -1.5, 2.5, 0.1, 0.3, 0.1 + 0.2, 1e-7, 123456.789, 1e16, 1e17, 1e22, 1e23),
    *(float(2**53), float(2**63), -float(2**63), float(2**64)),
    *(5e-324, 2.2250738585072014e-308, 1.7976931348623157e308),
]

_TEXT = st.sampled_from(TEXTS) | st.text(max_size=3)
_NUMBER = (
    st.sampled_from(INTEGERS)
    | st.sampled_from(FLOATS)
    | st.integers(-3, 3)
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
)
ORDERED = _NUMBER | _TEXT
SCALARS = st.none() | st.booleans() | ORDERED

_NAME = st.sampled_from(["a", "b", "a.b"]) | st.sampled_from(NAMES)  # the first three often
_VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(_NAME | st.sampled_from(NESTED_NAMES), inner, max_size=2)
    ),
    max_leaves=5,
)
METADATA = st.dictionaries(_NAME, _VALUES, max_size=4)

_OPERATORS = st.one_of(
    st.tuples(st.sampled_from(["$eq", "$ne"]), SCALARS),
    st.tuples(st.sampled_from(["$gt", "$gte", "$lt", "$lte", "$contains"]), ORDERED),
    st.tuples(st.sampled_from(["$in", "$nin"]), st.lists(SCALARS, max_size=4)),
    st.tuples(st.just("$exists"), st.booleans()),
)
_OPERANDS = st.recursive(
    st.lists(_OPERATORS, min_size=1, max_size=2).map(dict),
    lambda inner: inner.map(lambda operand: {"$not": operand}),
    max_leaves=3,
)
_ASKED = _NAME.filter(lambda name: not name.startswith("$")) | st.sampled_from(["a.$gt", "a.b.b"])
_FIELDS = st.lists(st.tuples(_ASKED, SCALARS | _OPERANDS), min_size=1, max_size=2).map(dict)
FILTERS = st.recursive(
    _FIELDS,
    lambda inner: (
        st.tuples(st.sampled_from(["$and", "$or"]), st.lists(inner, min_size=1, max_size=3)).map(
            lambda pair: {pair[0]: pair[1]}
        )
        | inner.map(lambda where: {"$not": where})
    ),
    max_leaves=6,
)


def filters_of(rows: list[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Filters, half of them asking for names and values that the rows have."""
    pairs = [pair for row in rows for pair in _paths(row, "") if not pair[0].startswith("$")]
    if not pairs:
        return FILTERS
    operators = st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$contains", "$in"])
    return FILTERS | st.builds(_about, st.sampled_from(pairs), operators)


def _paths(value: dict[str, Any], before: str) -> list[tuple[str, Any]]:
    found = []
    for name, inner in value.items():
        if isinstance(inner, dict):
            found += _paths(inner, f"{before}{name}.")
        found += [(before + name, item) for item in (inner if isinstance(inner, list) else [inner])]
    return [(name, item) for name, item in found if not isinstance(item, (dict, list))]


def _about(pair: tuple[str, Any], operator: str) -> dict[str, Any]:
    name, value = pair
    if operator == "$in":
        return {name: {"$in": ["other", value]}}
    if kind(value) in ("null", "bool"):
        return {name: value}
    return {name: {operator: value}}


# --- what is no filter ---------------------------------------------------------------------------


class Weekday(enum.IntEnum):
    """An integer that is not exactly an int."""

    MONDAY = 1


WORDS = ["$and", "$or", "$not", "$eq", "$gt", "$in", "$nin", "$exists", "$contains", "$where", "$"]
ODD = [
    *(math.nan, math.inf, 2**63, -(2**63) - 1, 10**400, 1j, Weekday.MONDAY),
    *("\ud800", "a\udfff", "x" * 1000, b"a", b"\xff", bytearray(b"a")),
    *(np.int8(3), np.float32(0.5), np.bool_(True), np.str_("a"), np.float64("nan"), np.arange(3)),
    *(np.datetime64("2020-01-01"), frozenset("ab"), {1, None}, range(3), object, ...),
]
LEAVES = SCALARS | st.sampled_from(ODD)
_KEYS = st.sampled_from([*WORDS, "\ud800", "\0", "a\0b", None, 0]) | _NAME


def anything() -> st.SearchStrategy[Any]:
    """Nested Python objects, most of which are no filter."""
    return st.recursive(
        LEAVES,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.lists(inner, max_size=2).map(tuple),
            st.dictionaries(_KEYS, inner, max_size=3),
            st.dictionaries(_KEYS, inner, max_size=2).map(MappingProxyType),
            st.dictionaries(_KEYS, inner, max_size=2).map(OrderedDict),
            st.tuples(st.sampled_from(WORDS), inner).map(lambda pair: {"a": {pair[0]: pair[1]}}),
            st.tuples(st.sampled_from(["$and", "$or"]), st.lists(inner, max_size=3)).map(
                lambda pair: {pair[0]: pair[1]}
            ),
        ),
        max_leaves=12,
    )
