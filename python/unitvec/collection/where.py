"""`where` filters as callers write them: checked, and turned into Python's own types.

What evaluates filters relies on these checks alone. Every error names the place in the filter, as
in `$or[2].author.name.$in[0]`, and comes in time linear in the part that was read.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

COMPARISONS = ("$gt", "$gte", "$lt", "$lte")
OPERATORS = ("$eq", "$ne", *COMPARISONS, "$in", "$nin", "$not", "$exists", "$contains")
COMBINATIONS = ("$and", "$or", "$not")

#: Deeper filters are refused; SQLite itself stops at an expression depth of 1,000.
DEPTH_MAX = 64
#: Fields times their operators. SQLite takes 32,766 parameters, and one `$in` may need 18.
CONDITIONS_MAX = 1000
#: Of all names and values, a number counting as 8.
BYTES_MAX = 64 * 2**20

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

Place = tuple[str | int, ...]

_PLACE_CHARACTERS = 200
_REPR = reprlib.Repr()
_REPR.maxlevel, _REPR.maxstring, _REPR.maxother = 3, 60, 60


def plain_where(where: Any) -> dict[str, Any] | None:
    """The filter in dictionaries, lists, str, int, float, bool and None; None for no filter.

    NumPy's scalars become Python's. The result has every key the caller wrote.

    Raises:
        TypeError: a part that is no dictionary where one is needed, or a name that is no text.
        ValueError: an unknown operator, an operand that it cannot have, or a filter too large.
    """
    if where is None or (isinstance(where, Mapping) and not where):
        return None
    return _Reading().filter(where, (), 0)


def shown(value: Any) -> str:
    """A short repr of anything: never the whole of a long value, and no error of its own."""
    if isinstance(value, int) and not INT64_MIN <= value <= INT64_MAX:
        return f"an integer of {value.bit_length()} bits"
    return _REPR.repr(value)


class _Reading:
    """One pass over a filter, which ends where it has read more than a filter may hold."""

    def __init__(self) -> None:
        self.conditions = 0
        self.bytes = 0

    def filter(self, where: Any, at: Place, depth: int) -> dict[str, Any]:
        if not isinstance(where, Mapping):
            _refuse(at, "a dictionary", type(where).__name__, TypeError)
        _check_depth(at, depth)
        if not where:
            _refuse(at, "a condition", "an empty dictionary inside the filter")
        return dict(self.entry(name, operand, at, depth) for name, operand in where.items())

    def entry(self, name: Any, operand: Any, at: Place, depth: int) -> tuple[str, Any]:
        if not isinstance(name, str):
            _refuse(at, "field names as str", shown(name), TypeError)
        here = (*at, name)
        if name in ("$and", "$or"):
            is_list = isinstance(operand, Sequence) and not isinstance(operand, (str, bytes))
            if not is_list or not operand:
                _refuse(here, f"{name} with a list of filters", shown(operand))
            parts = enumerate(operand)
            return name, [self.filter(part, (*here, i), depth + 1) for i, part in parts]
        if name == "$not":
            return name, self.filter(operand, here, depth + 1)
        if name.startswith("$"):
            _refuse(at, f"a field or one of {COMBINATIONS}", shown(name))
        if "\0" in name:  # no metadata has such a key
            _refuse(at, "field names without NUL", shown(name))
        return self.text(name, here), self.field(operand, here, depth)

    def field(self, operand: Any, at: Place, depth: int) -> Any:
        """A plain value, or a dictionary of operators."""
        _check_depth(at, depth)
        if not isinstance(operand, Mapping):
            self.condition(at)
            return self.scalar(operand, at)
        if not operand:
            _refuse(at, "a value or an operator", "{}")
        return {
            operator: self.operand(operator, value, at, depth)
            for operator, value in operand.items()
        }

    def operand(self, operator: Any, value: Any, at: Place, depth: int) -> Any:
        if operator not in OPERATORS:
            _refuse(at, f"one of {OPERATORS}", shown(operator))
        here = (*at, operator)
        if operator == "$not":
            return self.field(value, here, depth + 1)
        self.condition(here)
        if operator in ("$in", "$nin"):
            if not isinstance(value, (list, tuple, set, frozenset)):
                _refuse(here, f"a list of values for {operator}", shown(value))
            return [self.scalar(item, (*here, i)) for i, item in enumerate(value)]
        value = self.scalar(value, here)
        if operator == "$exists" and not isinstance(value, bool):
            _refuse(here, f"True or False for {operator}", shown(value))
        if operator in (*COMPARISONS, "$contains") and (value is None or isinstance(value, bool)):
            _refuse(here, f"text or a number for {operator}", shown(value))
        return value

    def scalar(self, value: Any, at: Place) -> Any:
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self.text(value, at)
        self.count_bytes(8, at)
        if isinstance(value, int):
            if not INT64_MIN <= value <= INT64_MAX:
                _refuse(at, "a 64-bit integer", shown(value))
            return int(value)
        if isinstance(value, float):
            if not math.isfinite(value):
                _refuse(at, "a finite number", shown(value))
            return float(value)
        hint = "; use $contains to look inside lists" if isinstance(value, (list, tuple)) else ""
        _refuse(at, "text, a number, true/false or null", shown(value) + hint)

    def text(self, value: str, at: Place) -> str:
        try:
            self.count_bytes(len(value.encode()), at)
        except UnicodeEncodeError as error:
            _refuse(at, "text that UTF-8 can hold", f"a lone surrogate at {error.start}")
        return str(value)

    def count_bytes(self, count: int, at: Place) -> None:
        self.bytes += count
        if self.bytes > BYTES_MAX:
            _refuse(at, f"at most {BYTES_MAX} bytes of names and values", "more")

    def condition(self, at: Place) -> None:
        self.conditions += 1
        if self.conditions > CONDITIONS_MAX:
            _refuse(at, f"at most {CONDITIONS_MAX} conditions", "more ($in takes long lists)")


def _check_depth(at: Place, depth: int) -> None:
    if depth > DEPTH_MAX:
        _refuse(at, f"a filter at most {DEPTH_MAX} levels deep", "a deeper one")


def _refuse(at: Place, expected: str, got: str, kind: type[Exception] = ValueError) -> NoReturn:
    raise kind(f"[where] {_named(at)}expected {expected}, got {got}")


def _named(at: Place) -> str:
    """The place for a message, its beginning left out where it is long; nothing for the top."""
    if not at:
        return ""
    parts = [f"[{part}]" if isinstance(part, int) else "." + part[:60] for part in at[-20:]]
    name = "".join(parts).lstrip(".")[-_PLACE_CHARACTERS:]
    return name.encode("utf-8", "backslashreplace").decode() + ": "
