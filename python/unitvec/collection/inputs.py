"""What may be stored: ids, documents, metadata and vectors, each with one documented rule.

Every function names the position of the first bad item; nothing is repaired or dropped silently.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sized
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unitvec import _core
from unitvec.collection.rows import encode_metadata
from unitvec.collection.where import INT64_MAX, INT64_MIN, shown

ID_BYTES_MAX = 1024
DOCUMENT_BYTES_MAX = 64 * 2**20
METADATA_BYTES_MAX = 16 * 2**20
METADATA_DEPTH_MAX = 64
_SMALL = 64  # fields
_STEPS_SHOWN = 3  # of the way to a value, in messages
METADATA_VALUES_MAX = 1_000_000
DIM_MAX = 65_536

#: Shorter vectors have no direction that float32 could hold (the same bound as the index's).
COSINE_LENGTH_MIN = 1e-12
#: Longer vectors could overflow float32 when squared and summed.
LENGTH_MAX = 1e18

_ENDLESS = 2**62  # rows; SQLite's integers go to 2**63


def check_id(value: Any, position: int) -> str:
    """An id: text of 1 to 1,024 bytes in UTF-8 without NUL; any other character is only data."""
    if not isinstance(value, str):
        raise TypeError(f"[ids] item {position}: expected str, got {type(value).__name__}")
    size = len(_utf8(value, "ids", position))
    if not 1 <= size <= ID_BYTES_MAX:
        raise ValueError(
            f"[ids] item {position}: expected 1 to {ID_BYTES_MAX} bytes of UTF-8, got {size}"
        )
    if "\0" in value:
        raise ValueError(f"[ids] item {position}: expected no NUL character, got {value[:40]!r}")
    return value


def check_document(value: Any, position: int) -> str:
    """A document: any text that UTF-8 can hold, also empty, up to 64 MiB."""
    return check_text(value, "documents", position)


def check_text(value: Any, what: str, position: int) -> str:
    """A document or a question, by the same rule."""
    if not isinstance(value, str):
        raise TypeError(f"[{what}] item {position}: expected str, got {type(value).__name__}")
    size = len(_utf8(value, what, position))
    if size > DOCUMENT_BYTES_MAX:
        raise ValueError(
            f"[{what}] item {position}: expected at most {DOCUMENT_BYTES_MAX} bytes, got {size}"
        )
    return value


def _utf8(value: str, what: str, position: int) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"[{what}] item {position}: expected text that UTF-8 can hold, got a lone surrogate "
            f"at character {error.start}"
        ) from None


def check_metadata(value: Any, position: int) -> str:
    """Metadata (None for none) as JSON: text keys; text, numbers, booleans, null, lists, objects.

    NumPy scalars become Python's. Refused: NaN and infinities, integers beyond 64 bits, other
    types, more than 64 levels, a million values or 16 MiB.
    """
    where = f"[metadatas] item {position}"
    if value is None:
        return "{}"
    if not isinstance(value, Mapping):
        raise TypeError(f"{where}: expected a dictionary or None, got {type(value).__name__}")
    plain = value if _is_plain(value) else _PlainJson(where).whole(value)
    text = encode_metadata(plain)
    size = len(_utf8(text, "metadatas", position))
    if size > METADATA_BYTES_MAX:
        raise ValueError(f"{where}: expected at most {METADATA_BYTES_MAX} bytes, got {size}")
    return text


def _is_plain(value: Any) -> bool:
    """Whether it is a small dictionary of JSON's own types, as nearly all are: nothing to bring."""
    if type(value) is not dict or len(value) > _SMALL:
        return False
    for key, item in value.items():
        if type(key) is not str or "\0" in key:
            return False
        kind = type(item)
        if kind is int:
            if not INT64_MIN <= item <= INT64_MAX:
                return False
        elif kind is float:
            if not math.isfinite(item):
                return False
        elif kind is str:
            if len(item) > METADATA_BYTES_MAX:
                return False
        elif kind is not bool and item is not None:
            return False
    return True


class _PlainJson:
    """Brings one document's metadata into JSON's own types.

    Few objects can hold each other in 2**60 ways: what was read is counted, and ends at the cap.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._values = 0
        self._characters = 0
        self._path: list[str | int] = []  # of keys and positions, to what is being read

    def whole(self, value: Mapping[Any, Any]) -> Any:
        """The dictionary, in types of JSON."""
        return self._read(value)

    def _read(self, value: Any) -> Any:
        if len(self._path) >= METADATA_DEPTH_MAX:
            raise ValueError(
                f"{self._where}: expected at most {METADATA_DEPTH_MAX} levels, got more under "
                f"{shown(self._path[0])}"
            )
        self._values += 1
        if self._values > METADATA_VALUES_MAX:
            raise ValueError(
                f"{self._where}: expected at most {METADATA_VALUES_MAX} values, got more"
            )
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, str):
            self._count(value)
            return value
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, (int, float)):
            return self._number(value)
        if isinstance(value, (list, tuple)):
            return [self._below(number, item) for number, item in enumerate(value)]
        if isinstance(value, Mapping):
            return {self._key(key): self._below(key, item) for key, item in value.items()}
        raise TypeError(f"{self._place()}: expected JSON types, got {type(value).__name__}")

    def _below(self, step: str | int, item: Any) -> Any:
        self._path.append(step)
        plain = self._read(item)
        self._path.pop()
        return plain

    def _place(self) -> str:
        """Which document, and which value of it."""
        if not self._path:
            return self._where
        first, *others = self._path
        steps = [shown(first), *(f"[{shown(step)}]" for step in others[:_STEPS_SHOWN])]
        more = "[...]" if len(others) > _STEPS_SHOWN else ""
        return f"{self._where}, field {''.join(steps)}{more}"

    def _number(self, value: int | float) -> int | float:
        if isinstance(value, int):
            if not INT64_MIN <= value <= INT64_MAX:
                raise ValueError(
                    f"{self._place()}: expected integers of at most 64 bits with their sign, got "
                    f"{shown(value)}"
                )
            return int(value)
        if not math.isfinite(value):
            raise ValueError(f"{self._place()}: expected finite numbers, got {value}")
        return float(value)

    def _key(self, key: Any) -> str:
        if not isinstance(key, str):
            raise TypeError(f"{self._place()}: expected keys as str, got {shown(key)}")
        if "\0" in key:  # SQLite takes JSON keys for equal that are equal up to a NUL
            raise ValueError(f"{self._place()}: expected keys without NUL, got {shown(key)}")
        self._count(key)
        return key

    def _count(self, text: str) -> None:
        self._characters += len(text)
        if self._characters > METADATA_BYTES_MAX:
            raise ValueError(
                f"{self._where}: expected at most {METADATA_BYTES_MAX} bytes, got more"
            )


def check_vectors(
    value: Any, dim: int | None, metric: str, what: str, start: int = 0
) -> NDArray[np.float32]:
    """Vectors to be stored or searched, as a contiguous float32 array of shape (n, dim).

    Args:
        value: anything NumPy reads as numbers; shape (dim,) is one vector, (0,) or (0, dim) none.
        dim: the length expected; None takes it from the array.
        metric: under "cosine" a vector to be stored needs a length; queries pass "" here.
        what: the argument's name in messages.
        start: position of the first row in the whole call, for messages.

    Raises:
        TypeError: for booleans, objects, text or complex numbers, or an array with a mask.
        ValueError: for another shape, or a row with NaN, infinity, overflow or no length.
    """
    array = _as_array(value, what, start)
    if array.size == 0 and array.ndim in (1, 2) and array.shape[0] == 0:
        return np.empty((0, dim or 0), np.float32)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"[{what}] expected real numbers, got dtype {array.dtype}")
    if array.ndim == 1:
        array = array[np.newaxis, :]
    if array.ndim != 2:
        raise ValueError(f"[{what}] expected shape (n, dim) or (dim,), got {array.shape}")
    if array.shape[1] != (dim or array.shape[1]) or array.shape[1] == 0:
        raise ValueError(f"[{what}] expected vectors of dim {dim}, got dim {array.shape[1]}")
    with np.errstate(over="ignore"):  # an overflow becomes infinity, which is refused below
        vectors = np.ascontiguousarray(array, dtype=np.float32)
    _check_rows(vectors, metric, what, start)
    return vectors


def _as_array(value: Any, what: str, start: int) -> NDArray[Any]:
    refuse_mask(value, what)
    try:
        return np.asarray(value)
    except ValueError as error:
        rows = value if isinstance(value, (list, tuple)) else []
        lengths = [len(row) if isinstance(row, Sized) else None for row in rows]
        for i, length in enumerate(lengths):
            if length != lengths[0]:
                raise ValueError(
                    f"[{what}] row {start + i}: expected vectors of one length, got {length} "
                    f"numbers after {lengths[0]}"
                ) from None
        raise ValueError(f"[{what}] expected vectors of one length, got {error}") from None


def refuse_mask(value: Any, what: str) -> None:
    """Raises TypeError for an array with a mask, which would be dropped silently."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"[{what}] expected an array without a mask; .filled(...) makes one")


def _check_rows(vectors: NDArray[np.float32], metric: str, what: str, start: int) -> None:
    if _core.squares_between(vectors, *plain_squares(metric)):
        return
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    _refuse_values(vectors, ~np.isfinite(lengths), what, start)
    if metric == "cosine":
        _refuse(
            lengths <= COSINE_LENGTH_MIN, what, start, "a vector with a direction, not all zeros"
        )
    elif metric:
        _refuse(lengths > LENGTH_MAX, what, start, f"a length of at most {LENGTH_MAX:g}")


def _refuse_values(
    vectors: NDArray[np.float32], bad: NDArray[np.bool_], what: str, start: int
) -> None:
    """Raises ValueError with the first value that float32 could not hold, of the first bad row."""
    if bad.any():
        row = int(np.argmax(bad))
        place = int(np.argmax(~np.isfinite(vectors[row])))
        raise ValueError(
            f"[{what}] row {start + row}: expected finite float32 values, got "
            f"{vectors[row, place]} at position {place}"
        )


def plain_squares(metric: str) -> tuple[float, float]:
    """Between these a squared length is allowed, however its sum was rounded."""
    least = 2 * COSINE_LENGTH_MIN**2 if metric == "cosine" else -1.0
    return least, LENGTH_MAX**2 / 2


def _refuse(bad: NDArray[np.bool_], what: str, start: int, expected: str) -> None:
    if bad.any():
        raise ValueError(f"[{what}] row {start + int(np.argmax(bad))}: expected {expected}")


def check_count(value: Any, what: str, minimum: int) -> int:
    """A whole number of at least `minimum`; what no row count reaches is as good as 2**62."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"[{what}] expected an integer, got {type(value).__name__}")
    if value < minimum:
        raise ValueError(f"[{what}] expected at least {minimum}, got {shown(int(value))}")
    return min(int(value), _ENDLESS)


def check_number(value: Any, what: str) -> float:
    """A number, not NaN."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"[{what}] expected a number, got {type(value).__name__}")
    if value != value:
        raise ValueError(f"[{what}] expected a number, got NaN")
    return float(value)
