"""Can what a collection says of itself be so? Looked at before anything is built on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import apsw

from unitvec.collection.field_indexes import PROPERTY, index_names, parse_fields
from unitvec.collection.inputs import DIM_MAX
from unitvec.collection.model import METRICS
from unitvec.collection.schema import damaged, vector_table
from unitvec.collection.schema_check import Entry, read_schema, vector_tables
from unitvec.collection.vector_rows import Space
from unitvec.collection.where import shown

if TYPE_CHECKING:
    from unitvec.collection.store import Generation, State, Store

#: No collection counts so far; SQLite's integers go to 2^63, so that what is added still fits.
NUMBER_MAX = 2**62

#: Of a pointer's fields that are no whole numbers.
_KINDS = {"file": str, "uuid": str, "header": str, "recall": float, "error": float}

_UUID = re.compile(r"[0-9a-f]{32}")


def is_count(value: Any, most: int = NUMBER_MAX, least: int = 0) -> bool:
    """Whether it is a whole number of a size that can be."""
    return type(value) is int and least <= value <= most


def require_own_numbers(store: Store) -> None:
    """Raises FormatError, naming what cannot be, in a reading transaction."""
    wrong = next(_wrong(store), None)
    if wrong is not None:
        raise damaged(store.path, wrong)


def _wrong(store: Store) -> Iterator[str]:
    """What cannot be, one sentence each."""
    entries = read_schema(store.connection)
    yield from _wrong_properties(store.properties(), entries)
    state, spaces = store.state(), store.spaces()
    yield from _wrong_state(state)
    if spaces:  # else it is said elsewhere
        made = {vector_table(s.space) if is_count(s.space) else "" for s in spaces}
        for name in sorted(made ^ vector_tables(entries)):
            yield f"its kinds of vectors are not those it has tables for: {shown(name)}"
    for space in spaces:
        yield from wrong_space(space)
        if not is_count(space.live, state.next_key - 1):
            yield f"expected fewer than {state.next_key} vectors, got {shown(space.live)}"
    yield from _wrong_pointers(store.generations())
    for table in ("documents", *(vector_table(space.space) for space in spaces)):
        if not _are_keys_known(store.connection, table, state.next_key):
            yield f"the state says that {state.next_key} is the next key, but {table} has others"


def _wrong_pointers(pointers: list[Generation]) -> Iterator[str]:
    """Their numbers are looked at with their files; a column of texts may hold others still."""
    for pointer in pointers:
        for name, value in pointer._asdict().items():
            kind = _KINDS.get(name, int)
            if type(value) is not kind:
                yield f"expected {name} of an index file as {kind.__name__}, got {shown(value)}"


def _wrong_properties(properties: dict[Any, Any], entries: list[Entry]) -> Iterator[str]:
    uuid = properties["uuid"]
    if not isinstance(uuid, str) or not _UUID.fullmatch(uuid):
        yield f"expected a uuid of 32 hex digits, got {shown(uuid)}"
    for name in ("last_generation", "last_space"):
        if not is_count(properties.get(name, 0)):
            yield f"expected {name} from 0 to 2^62, got {shown(properties[name])}"
    indexes = {e.name for e in entries if e.type == "index" and e.sql is not None}
    if _listed_indexes(properties.get(PROPERTY, "[]")) != sorted(indexes):
        yield f"its {PROPERTY} are not those that there are: {shown(properties.get(PROPERTY))}"


def _listed_indexes(value: Any) -> list[str] | None:
    """Names of the indexes that are listed, sorted; None: that is no list of fields."""
    try:
        return sorted(index_names(parse_fields(value)))
    except ValueError:
        return None


def _wrong_state(state: State) -> Iterator[str]:
    for name, value in state._asdict().items():
        if not is_count(value):
            yield f"expected a state with {name} from 0 to 2^62, got {shown(value)}"
    if state.purged > state.sequence:
        yield f"its state is of change {state.sequence}, and forgot those up to {state.purged}"
    if state.live >= state.next_key:
        yield f"its state has {state.live} documents under keys below {state.next_key}"


def wrong_space(space: Space) -> Iterator[str]:
    """What cannot be of a kind of vectors, one sentence each."""
    kind = f"its vectors{space.called}: "
    if not is_count(space.dim, DIM_MAX, 1):
        yield f"{kind}expected dim in [1, {DIM_MAX}], got {shown(space.dim)}"
    if space.metric not in METRICS:
        yield f"{kind}expected a metric of {METRICS}, got {shown(space.metric)}"
    for what in ("name", "model", "fingerprint"):
        value = getattr(space, what)
        if value is not None and not isinstance(value, str):
            yield f"{kind}expected a {what} as text, got {shown(value)}"


def _are_keys_known(connection: apsw.Connection, table: str, next_key: int) -> bool:
    """Whether all keys are from 1 to below the next one; True where that cannot be read.

    A damaged page is named by who reads all of them.
    """
    try:
        # One select of both would look at every row.
        ends = (connection.execute(f"SELECT {end}(key) FROM {table}").get for end in ("min", "max"))
        least, last = ends
    except (apsw.IOError, apsw.CorruptError):
        return True
    return least is None or (least >= 1 and last < next_key)
