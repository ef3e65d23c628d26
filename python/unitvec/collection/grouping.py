"""Search results by the value of a metadata field: the best groups, and the best of each."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unitvec.collection.filters import Condition, field_paths
from unitvec.collection.results import Hit, SearchResult
from unitvec.collection.store import Store
from unitvec.collection.vector_rows import as_carray
from unitvec.index_arguments import MarkedIds


@dataclass(frozen=True, slots=True)
class Group:
    """The hits that share a value, best first; `value` is None where the field is missing."""

    value: Any
    hits: list[Hit]


class GroupedResult(SearchResult):
    """The hits of one query, group by group; `groups` has them apart, the best group first."""

    def __init__(
        self,
        groups: list[Group],
        exact: bool,
        recall_estimate: float,
        took_ms: float,
        dim: int | Mapping[str, int] | None = None,
    ) -> None:
        super().__init__([h for g in groups for h in g.hits], exact, recall_estimate, took_ms, dim)
        self.groups = groups


def take_groups(keys: Sequence[int], labels: Mapping[int, str], size: int) -> dict[str, list[int]]:
    """Per label its first `size` keys; the labels in the order of their first key."""
    groups: dict[str, list[int]] = {}
    for key in keys:
        members = groups.setdefault(labels[key], [])
        if len(members) < size:
            members.append(key)
    return groups


def value_of(label: str) -> Any:
    """The metadata's value behind a label."""
    return json.loads(label)


def labels_of(store: Store, keys: Iterable[int], field: str) -> dict[int, str]:
    """Key -> the label of its group: the field's value as JSON, "null" where it is missing."""
    value = _value(field)
    sql = f"SELECT d.key, {value.sql} FROM documents AS d WHERE d.key IN carray(?)"
    bindings = (*value.bindings, as_carray(list(keys)))
    return {key: _label(text) for key, text in store.connection.execute(sql, bindings)}


def members_of(
    store: Store, field: str, labels: Iterable[str], allowed: MarkedIds | None
) -> dict[str, list[int]]:
    """Label -> all keys of its group, in the order of storing; only allowed ones if given."""
    members: dict[str, list[int]] = {label: [] for label in labels}
    value, among = _value(field), None if allowed is None else frozenset(allowed.chosen.tolist())
    sql = f"SELECT d.key, {value.sql} FROM documents AS d ORDER BY d.key"
    for key, text in store.connection.execute(sql, value.bindings):
        label = _label(text)
        if label in members and (among is None or key in among):
            members[label].append(key)
    return members


def _value(field: str) -> Condition:
    """The field's value as JSON text, NULL where it is missing."""
    paths = field_paths(field)
    reads = ", ".join("d.metadata -> ?" for _ in paths)
    return Condition(f"coalesce({reads}, NULL)", tuple(paths))


@functools.lru_cache(maxsize=4096)
def _label(text: str | None) -> str:
    """The same for equal values: 1.0 as 1, a missing field as null, as filters have it."""
    if text is None:
        return "null"
    value = json.loads(text)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False)
