"""Metadata fields as columns in memory: a filter is then a few comparisons of arrays.

Each condition on a field costs SQL a look into the metadata of every document. Here a field is read
once, by the same SQL, and brought up to date with what changed since. What columns do not know
(inside lists, numbers beyond 2^53) is left to SQL.
"""

from __future__ import annotations

import functools
import operator
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unitvec.collection.filters import Condition, Test, read_field
from unitvec.collection.store import Store
from unitvec.collection.vector_rows import as_carray
from unitvec.index_arguments import MarkedIds

Mask = NDArray[np.bool_]
Keys = NDArray[np.int64]
Value = tuple[str | None, Any]  # JSON type and value, as SQLite reads them

#: Memory for columns; the field asked for longest ago goes first.
BYTES_MAX = 64 * 2**20

_EXACT = 2**53  # whole numbers up to here are themselves as float64
_KINDS = {"null": 1, "true": 2, "false": 3, "integer": 4, "real": 4, "text": 5}
_MISSING, _NULL, _NUMBER, _TEXT, _OTHER = 0, 1, 4, 5, 6
_WORD_BYTES = 100  # that Python takes for a short text in a dictionary
_DEAD_SHARE = 0.2
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "$eq": operator.eq,
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}


class UnsuitableError(Exception):
    """A column cannot hold a value, or not compare it exactly; never leaves the collection."""


class Column:
    """One field of every row: kinds of values, numbers, and texts by their place in a list."""

    def __init__(self) -> None:
        self._kind: NDArray[np.uint8] = np.empty(0, np.uint8)
        self._number: NDArray[np.float64] = np.empty(0, np.float64)
        self._text: NDArray[np.int32] = np.empty(0, np.int32)
        self._words: dict[str, int] = {}
        self._word_bytes = 0

    @property
    def bytes(self) -> int:
        """Memory taken, about."""
        return self._kind.nbytes + self._number.nbytes + self._text.nbytes + self._word_bytes

    def append(self, values: Sequence[Value]) -> None:
        """Adds further rows.

        Raises:
            UnsuitableError: for a number beyond 2^53 or too many different texts.
        """
        kind, number, text = self._encoded(values)
        self._kind = np.concatenate([self._kind, kind])
        self._number = np.concatenate([self._number, number])
        self._text = np.concatenate([self._text, text])

    def replace(self, rows: NDArray[np.intp], values: Sequence[Value]) -> None:
        """Gives rows other values; raises as `append`."""
        self._kind[rows], self._number[rows], self._text[rows] = self._encoded(values)

    def keep(self, rows: Mask) -> None:
        """Drops all other rows."""
        self._kind, self._number = self._kind[rows], self._number[rows]
        self._text = self._text[rows]

    def _encoded(self, values: Sequence[Value]) -> tuple[NDArray[Any], ...]:
        kinds = [_MISSING if kind is None else _KINDS.get(kind, _OTHER) for kind, _ in values]
        kind = np.array(kinds, np.uint8)
        number, text = np.zeros(len(kind)), np.zeros(len(kind), np.int32)
        rows = np.flatnonzero(kind == _NUMBER)
        number[rows] = [_exactly(values[row][1]) for row in rows.tolist()]
        rows = np.flatnonzero(kind == _TEXT)
        text[rows] = self._places(values[row][1] for row in rows.tolist())
        return kind, number, text

    def _places(self, texts: Iterable[str]) -> list[int]:
        words, known = self._words, len(self._words)
        places = [words.setdefault(text, len(words)) for text in texts]
        new = list(words)[known:] if len(words) > known else []
        self._word_bytes += sum(_WORD_BYTES + len(word) for word in new)
        if self._word_bytes > BYTES_MAX:
            raise UnsuitableError
        return places

    def passing(self, test: Test) -> Mask:
        """Which rows pass a test: exactly those that its SQL lets through.

        Raises:
            UnsuitableError: only SQL can tell.
        """
        name, operand = test.operator, test.operand
        if name in ("$ne", "$nin"):
            return ~self.passing(test._replace(operator={"$ne": "$eq", "$nin": "$in"}[name]))
        if name == "$exists":
            there: Mask = self._kind != _MISSING
            return there if operand else ~there
        if name == "$in":
            return self._one_of(list(operand))
        if name not in _COMPARISONS:
            raise UnsuitableError
        if operand is None:
            return np.less_equal(self._kind, _NULL)  # a missing field equals null
        if isinstance(operand, bool):
            return np.equal(self._kind, _KINDS[str(operand).lower()])
        compare = _COMPARISONS[name]
        if isinstance(operand, str):
            if name == "$eq":
                return self._is_word(operand)
            return self._with_word([bool(compare(word, operand)) for word in self._words])
        result: Mask = (self._kind == _NUMBER) & compare(self._number, _exactly(operand))
        return result

    def _is_word(self, word: str) -> Mask:
        # No word has the place -1.
        result: Mask = (self._kind == _TEXT) & (self._text == self._words.get(word, -1))
        return result

    def _with_word(self, wanted: list[bool]) -> Mask:
        table = np.array([*wanted, False])  # there may be no words at all
        result: Mask = (self._kind == _TEXT) & table[self._text]
        return result

    def _one_of(self, operands: Sequence[Any]) -> Mask:
        result = np.zeros(len(self._kind), np.bool_)
        texts = [o for o in operands if isinstance(o, str)]
        numbers = [o for o in operands if isinstance(o, (int, float)) and not isinstance(o, bool)]
        for value in {o for o in operands if o is None or isinstance(o, bool)}:
            result |= self.passing(Test("", "$eq", value))
        places = [self._words[text] for text in texts if text in self._words]
        result |= (self._kind == _TEXT) & np.isin(self._text, np.array(places, np.int32))
        values = np.array([_exactly(number) for number in numbers], np.float64)
        result |= (self._kind == _NUMBER) & np.isin(self._number, values)
        return result


def _exactly(number: float) -> float:
    if isinstance(number, int) and abs(number) > _EXACT:
        raise UnsuitableError
    return float(number)


class MetadataColumns:
    """The fields that were filtered by, in step with SQLite. Used by one thread at a time."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._sequence = -1
        self._last_key = 0
        self._keys = np.empty(0, np.int64)  # ascending
        self._live = np.empty(0, np.bool_)
        self._columns: OrderedDict[str, Column | None] = OrderedDict()  # None: left to SQL

    @property
    def bytes(self) -> int:
        """Memory taken, about."""
        columns = sum(column.bytes for column in self._columns.values() if column is not None)
        return columns + self._keys.nbytes + self._live.nbytes

    def allowed(self, store: Store, condition: Condition) -> MarkedIds:
        """Every key, ascending, with a mark where a filter lets its row through, as of now.

        That is the moment of the store's transaction.
        """
        self._refresh(store)
        self._load(store, condition)  # first: it may drop dead rows
        mask = self._mask(store, condition)
        self._limit()
        return MarkedIds(self._keys, mask & self._live)

    def _load(self, store: Store, condition: Condition) -> None:
        """Reads the fields that a filter is about, where they are not here yet."""
        for part in condition.parts:
            self._load(store, part)
        if condition.test is None or condition.test.field in self._columns:
            return
        self._drop_dead()
        column = Column()
        try:
            column.append(_values(store, condition.test.field, 0))
            self._columns[condition.test.field] = column
        except UnsuitableError:
            self._columns[condition.test.field] = None

    def _mask(self, store: Store, condition: Condition) -> Mask:
        if condition.word:
            masks = [self._mask(store, part) for part in condition.parts]
            if condition.word == "NOT":
                return ~masks[0]
            # One by one: `reduce` of a ufunc would copy them into one array first.
            combine = operator.and_ if condition.word == "AND" else operator.or_
            return functools.reduce(combine, masks)
        try:
            if condition.test is None:
                raise UnsuitableError
            return self._column(condition.test.field).passing(condition.test)
        except UnsuitableError:
            return np.isin(self._keys, np.array(store.keys_where(condition), np.int64))

    def _column(self, name: str) -> Column:
        self._columns.move_to_end(name)
        found = self._columns[name]
        if found is None:
            raise UnsuitableError
        return found

    def _refresh(self, store: Store) -> None:
        """Brings keys and columns to the state of the store's transaction."""
        state = store.state()
        if state.sequence == self._sequence:
            return
        if self._sequence < state.purged:
            self._forget()
        else:
            self._live[self._rows(store.deleted_since(self._sequence))] = False
            self._reread(store, store.rewritten_since(self._sequence))
        self._append(store)
        self._sequence = state.sequence
        if np.count_nonzero(self._live) < (1 - _DEAD_SHARE) * len(self._live):
            self._drop_dead()

    def _rows(self, keys: Sequence[int]) -> NDArray[np.intp]:
        """Places of those keys that are known."""
        wanted = np.array(keys, np.int64)
        return np.flatnonzero(np.isin(self._keys, wanted)) if len(wanted) else np.empty(0, np.intp)

    def _reread(self, store: Store, keys: Sequence[int]) -> None:
        rows = self._rows(keys)
        rows = rows[self._live[rows]]
        if not len(rows):
            return
        wanted = self._keys[rows].tolist()
        self._change(lambda name, column: column.replace(rows, _values_of(store, name, wanted)))

    def _append(self, store: Store) -> None:
        keys = np.array(store.keys_after(self._last_key), np.int64)
        if not len(keys):
            return
        self._change(lambda name, column: column.append(_values(store, name, self._last_key)))
        self._keys = np.concatenate([self._keys, keys])
        self._live = np.concatenate([self._live, np.ones(len(keys), np.bool_)])
        self._last_key = int(keys[-1])

    def _change(self, change: Callable[[str, Column], None]) -> None:
        for name, column in self._columns.items():
            if column is None:
                continue
            try:
                change(name, column)
            except UnsuitableError:
                self._columns[name] = None

    def _drop_dead(self) -> None:
        if self._live.all():
            return
        for column in self._columns.values():
            if column is not None:
                column.keep(self._live)
        self._keys = self._keys[self._live]
        self._live = np.ones(len(self._keys), np.bool_)

    def _limit(self) -> None:
        while self.bytes > BYTES_MAX and len(self._columns) > 1:
            self._columns.popitem(last=False)


def _values(store: Store, name: str, after: int) -> list[Value]:
    """The field in every row after a key, in their order."""
    return store.read_metadata(*_field(name), "d.key > ?", (after,))


def _values_of(store: Store, name: str, keys: Sequence[int]) -> list[Value]:
    """The field in rows that exist, whose keys ascend."""
    return store.read_metadata(*_field(name), "d.key IN carray(?)", (as_carray(keys),))


def _field(name: str) -> tuple[str, tuple[Any, ...]]:
    kind, value = read_field("json_type", name), read_field("json_extract", name)
    return f"{kind.sql}, {value.sql}", (*kind.bindings, *value.bindings)
