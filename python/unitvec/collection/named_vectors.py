"""The kinds of vectors that documents have: the collection's own, and others by name.

The own kind has the name "". There may be none: then every kind has a name of the caller's.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Union

import numpy as np
from numpy.typing import NDArray

from unitvec.collection.inputs import DIM_MAX, check_count
from unitvec.collection.model import TextEncoder, as_encoder, describe, require_same
from unitvec.collection.store import Store, read_vectors
from unitvec.collection.vector_rows import INTERNAL, Space

NAME_BYTES_MAX = 255

#: One kind of vectors as a caller describes it: its length, its encoder or the name of one, or a
#: dictionary of "dim", "metric" and "encoder".
VectorSpec = Union[int, str, TextEncoder, Mapping[str, Any]]  # noqa: UP007 - evaluated in 3.10

#: What a hit or a record shows: the own vector, or (where there are named ones) all by name.
Vectors = Union[NDArray[np.float32], dict[str, NDArray[np.float32]]]  # noqa: UP007

_KEYS = ("dim", "metric", "encoder")


class Wanted(NamedTuple):
    """What a caller says of one kind of vectors; None where nothing is said."""

    encoder: TextEncoder | None = None
    dim: int | None = None
    metric: str | None = None

    @property
    def is_told(self) -> bool:
        """Whether anything is said."""
        return self != Wanted()


def wanted_vectors(vectors: Mapping[str, VectorSpec] | None) -> dict[str, Wanted]:
    """What the caller says of each named kind, checked; encoders are loaded by their names.

    Raises:
        TypeError, ValueError: naming the kind.
    """
    if vectors is None:
        return {}
    if not isinstance(vectors, Mapping):
        raise TypeError(
            f"[vectors] expected a dictionary of name and dim or encoder, got {_type(vectors)}"
        )
    return {check_name(name): _wanted(name, spec) for name, spec in vectors.items()}


def check_name(name: Any) -> str:
    """A name: text of 1 to 255 bytes in UTF-8, no control character, no "~" at its start."""
    if not isinstance(name, str):
        raise TypeError(f"[vectors] expected names as str, got {_type(name)}")
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise ValueError(f"[vectors] expected names that UTF-8 can hold, got {name!r}") from None
    if not 1 <= size <= NAME_BYTES_MAX:
        raise ValueError(
            f"[vectors] expected names of 1 to {NAME_BYTES_MAX} bytes of UTF-8, got {size}"
        )
    if name.startswith(INTERNAL):
        raise ValueError(
            f"[vectors] expected names that do not begin with {INTERNAL}, got {name!r}"
        )
    if any(unicodedata.category(character) == "Cc" for character in name):
        raise ValueError(f"[vectors] expected names without control characters, got {name!r}")
    return name


def _wanted(name: str, spec: Any) -> Wanted:
    if isinstance(spec, Mapping):
        unknown = [key for key in spec if key not in _KEYS]
        if unknown:
            raise ValueError(f"[vectors] {name!r}: expected keys of {_KEYS}, got {unknown}")
        encoder, dim, metric = spec.get("encoder"), spec.get("dim"), spec.get("metric")
    elif isinstance(spec, str) or hasattr(spec, "encode_document"):
        encoder, dim, metric = spec, None, None
    else:
        encoder, dim, metric = None, spec, None
    return wanted(encoder, dim, metric, f"dim of {name!r}")


def wanted(encoder: Any, dim: Any, metric: Any, what: str = "dim") -> Wanted:
    """The same of one kind, its parts given; `what` is the dim's name in messages.

    Raises:
        TypeError, ValueError: a dim that is no number, or out of range.
        ModelNotFoundError, FormatError: no encoder of that name can be loaded.
    """
    if dim is not None:
        dim = check_count(dim, what, 1)
        if dim > DIM_MAX:
            raise ValueError(f"[Collection] expected {what} in [1, {DIM_MAX}], got {dim}")
    return Wanted(None if encoder is None else as_encoder(encoder), dim, metric)


def founding_spaces(own: Wanted, named: Mapping[str, Wanted]) -> list[Space]:
    """The kinds of vectors of a new collection.

    Without named ones the own kind must be told; with them it may be left out.

    Raises:
        ValueError: a kind with neither encoder nor dim, or of an unknown metric.
    """
    kinds = {"": own, **named} if own.is_told or not named else named
    return [
        describe(each.encoder, each.dim, each.metric, number, name)
        for number, (name, each) in enumerate(kinds.items())
    ]


def require_as_stored(
    spaces: Mapping[str, Space], own: Wanted, named: Mapping[str, Wanted]
) -> dict[str, TextEncoder]:
    """Checks what the caller says of the kinds of vectors against those that there are.

    Returns:
        The encoders given, by kind.

    Raises:
        ValueError: a kind that there is not, or another dim or metric.
        FingerprintError: another model.
    """
    given = {"": own, **named} if own.is_told else named
    for name, each in given.items():
        if name not in spaces:
            raise ValueError(_unknown(name, spaces))
        require_same(spaces[name], each.encoder, each.dim, each.metric)
    return {name: each.encoder for name, each in given.items() if each.encoder is not None}


def _unknown(name: str, spaces: Mapping[str, Space]) -> str:
    names = [each for each in spaces if each]
    if not name:
        return (
            f"[Collection] this collection has only vectors with names, {names}: expected "
            "vectors= in place of encoder=, dim= and metric="
        )
    return (
        f"[Collection] expected vectors= of {names or 'no names'}, as the collection was made, got "
        f"{name!r}"
    )


def are_named(spaces: Mapping[str, Any]) -> bool:
    """Whether there are others than the own kind."""
    return list(spaces) != [""]


def space_named(spaces: Mapping[str, Space], using: str | None, function: str) -> Space:
    """The kind that a caller names; None: the own one, or the only one.

    Raises:
        TypeError, ValueError: there is none of that name, or a name is needed.
    """
    if using is not None and not isinstance(using, str):
        raise TypeError(f"[{function}] expected using as a name, got {_type(using)}")
    space = default_space(spaces) if using is None else spaces.get(using)
    if space is None:
        got = "none" if using is None else repr(using)
        raise ValueError(f"[{function}] expected using= to be one of {list(spaces)}, got {got}")
    return space


def default_space(spaces: Mapping[str, Space]) -> Space | None:
    """The kind that is meant where none is named: the own one, or the only one."""
    if "" in spaces or len(spaces) != 1:
        return spaces.get("")
    return next(iter(spaces.values()))


def shown_vectors(
    store: Store, spaces: Mapping[str, Space], keys: Sequence[int]
) -> Mapping[int, Vectors]:
    """Key -> what a record shows: the vector; where there are named ones, those there are."""
    if not are_named(spaces):
        return read_vectors(store, spaces[""], keys)
    shown: dict[int, dict[str, NDArray[np.float32]]] = {key: {} for key in keys}
    for name, space in spaces.items():
        for key, vector in read_vectors(store, space, keys).items():
            shown[key][name] = vector
    return shown


def shown_dims(spaces: Mapping[str, Space]) -> int | dict[str, int]:
    """The length of the vectors; where there are named ones, their lengths by name."""
    if not are_named(spaces):
        return spaces[""].dim
    return {name: space.dim for name, space in spaces.items()}


def _type(value: Any) -> str:
    return type(value).__name__
