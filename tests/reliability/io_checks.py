"""Whether a collection that was left behind is what it must be."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from io_workload import DIM, POLICY, State, contents
from unitvec import Collection
from unitvec.collection import IndexFileWarning


class ViolationError(AssertionError):
    """A promise that was broken."""


class NotReachedError(ViolationError):
    """A run ended before the operation that was to fail or to be killed at.

    Index files are built in a thread of their own: runs differ in a few operations.
    """


def check(
    path: Path, allowed: Sequence[State], must_exist: bool, index_may_be_lost: bool = False
) -> int:
    """Opens a collection and uses it.

    Args:
        path: the collection's directory.
        allowed: the states of which one must be there.
        must_exist: opening may not make a new one.
        index_may_be_lost: a missing index file is rebuilt with a warning, without fault.

    Returns:
        The number of the state found in `allowed`, the last where several are equal.

    Raises:
        ViolationError: saying what is wrong.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if index_may_be_lost else "error", IndexFileWarning)
        try:
            return _check(path, allowed, must_exist, index_may_be_lost)
        except ViolationError:
            raise
        except Exception as error:
            raise ViolationError(f"{type(error).__name__}: {error}") from error


def _check(path: Path, allowed: Sequence[State], must_exist: bool, index_may_be_lost: bool) -> int:
    with Collection(path, dim=None if must_exist else DIM, index_policy=POLICY) as db:
        found = contents(db)
        if found not in allowed:
            raise ViolationError(_difference(found, allowed))
        problems = db.verify().problems
        if index_may_be_lost:
            problems = [text for text in problems if not text.startswith("index file")]
        _require_no(problems)
        _require_each_finds_itself(db, found)
        db.upsert("after", ids="after", embeddings=np.ones(DIM))
        if db.count() != len(found) + 1:
            raise ViolationError(f"{db.count()} documents after one more than {len(found)}")
        _require_no(db.verify().problems)
    return len(allowed) - 1 - list(reversed(allowed)).index(found)


def _require_no(problems: list[str]) -> None:
    if problems:
        raise ViolationError(f"verify: {problems}")


def _require_each_finds_itself(db: Collection, found: State) -> None:
    if not found:
        return
    vectors = np.array([np.frombuffer(row.vector, np.float32) for row in found.values()])
    for name, result in zip(found, db.search(vectors, k=1), strict=True):
        if [hit.id for hit in result] != [name]:
            raise ViolationError(f"the vector of {name!r} finds {[hit.id for hit in result]}")


def _difference(found: State, allowed: Sequence[State]) -> str:
    """Lost, appeared and changed documents against the nearest of the states."""
    differences = [
        (
            sorted(state.keys() - found.keys()),
            sorted(found.keys() - state.keys()),
            sorted(i for i in found.keys() & state.keys() if found[i] != state[i]),
        )
        for state in allowed
    ]
    lost, more, changed = min(differences, key=lambda parts: sum(map(len, parts)))
    return f"lost {lost}, not to be there {more}, changed {changed}"
