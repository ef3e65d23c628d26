r"""`where_document` filters in Chroma's form, compiled to SQL with parameters.

    {"$contains": "vitamin"}                                      case counts
    {"$and": [{"$regex": r"[Vv]itamin [A-D]\b"}, {"$not_contains": "mice"}]}

A document that is not there (vectors alone) contains nothing, so it passes every negation.

Patterns are Python's own, which backtrack: some of thirty characters need ages for a text of forty.
Nothing but a signal (Ctrl-C) ends them, so they are for people who may also run code.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import apsw

from unitvec.collection.filters import Condition, join
from unitvec.collection.where import BYTES_MAX, CONDITIONS_MAX, DEPTH_MAX, shown

WhereDocument = Mapping[str, Any]

#: Characters of a pattern: to compile one takes a microsecond a character.
PATTERN_MAX = 4096

#: The SQL function behind `$regex`; every connection of a collection knows it.
_REGEX_FUNCTION = "unitvec_regex"

_TESTS = {
    "$contains": "(coalesce(instr(d.document, ?), 0) > 0)",
    "$not_contains": "(coalesce(instr(d.document, ?), 0) = 0)",
    "$regex": f"(coalesce({_REGEX_FUNCTION}(?, d.document), 0) = 1)",
    "$not_regex": f"(coalesce({_REGEX_FUNCTION}(?, d.document), 0) = 0)",
}
OPERATORS = (*_TESTS, "$and", "$or")


def compile_where_document(where: WhereDocument | None) -> Condition | None:
    """The SQL of a filter over documents' texts; None for no filter (None or an empty dictionary).

    Raises:
        TypeError: if a part is not of the type its place needs.
        ValueError: for an unknown operator, an empty text or a pattern that is not one.
    """
    if where is None or (isinstance(where, Mapping) and not where):
        return None
    return _compile(where, 0, itertools.count(1))


def _compile(where: Any, depth: int, counted: Iterator[int]) -> Condition:
    if not isinstance(where, Mapping):
        raise TypeError(f"[where_document] expected a dictionary, got {type(where).__name__}")
    if depth > DEPTH_MAX:
        raise ValueError(f"[where_document] expected a filter at most {DEPTH_MAX} levels deep")
    if not where:
        raise ValueError("[where_document] expected a condition, got an empty dictionary inside")
    return join("AND", [_entry(name, operand, depth, counted) for name, operand in where.items()])


def _entry(name: Any, operand: Any, depth: int, counted: Iterator[int]) -> Condition:
    if name in ("$and", "$or"):
        if not isinstance(operand, Sequence) or isinstance(operand, str) or not operand:
            raise ValueError(
                f"[where_document] expected {name} with a list of filters, got {shown(operand)}"
            )
        parts = [_compile(part, depth + 1, counted) for part in operand]
        return join("AND" if name == "$and" else "OR", parts)
    if name not in _TESTS:
        raise ValueError(f"[where_document] expected one of {OPERATORS}, got {shown(name)}")
    if next(counted) > CONDITIONS_MAX:  # few objects can hold each other in 2**60 ways
        raise ValueError(f"[where_document] expected at most {CONDITIONS_MAX} conditions")
    return Condition(_TESTS[name], (_check_text(name, operand),))


def _check_text(name: str, text: Any) -> str:
    if not isinstance(text, str):
        raise TypeError(f"[where_document] expected text for {name}, got {type(text).__name__}")
    if not text:
        raise ValueError(f"[where_document] expected some text for {name}, got none")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise ValueError(
            f"[where_document] expected text that UTF-8 can hold for {name}, got {shown(text)}"
        ) from None
    if size > BYTES_MAX:
        raise ValueError(f"[where_document] expected at most {BYTES_MAX} bytes, got {size}")
    if name.endswith("regex"):
        if len(text) > PATTERN_MAX:
            raise ValueError(
                f"[where_document] expected a regular expression of at most {PATTERN_MAX} "
                f"characters for {name}, got {len(text)}"
            )
        try:
            _pattern(text)
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(
                f"[where_document] expected a regular expression for {name}, got {shown(text)}: "
                f"{error}"
            ) from None
    return text


def both(first: Condition | None, second: Condition | None) -> Condition | None:
    """What passes both filters, of which either may be absent."""
    if first is None or second is None:
        return first or second
    return join("AND", [first, second])


@functools.lru_cache(maxsize=64)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


def _matches(pattern: str, document: str | None) -> bool | None:
    return None if document is None else _pattern(pattern).search(document) is not None


def register(connection: apsw.Connection) -> None:
    """Teaches a connection the function that `$regex` calls."""
    function: Callable[..., Any] = _matches
    connection.create_scalar_function(_REGEX_FUNCTION, function, 2, deterministic=True)
