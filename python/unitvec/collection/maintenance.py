"""Looking after a collection: check every byte, copy it."""

from __future__ import annotations

import functools
import itertools
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

from unitvec.collection import files
from unitvec.collection.generations import DoubtfulIndexError, examine_generation, own_file
from unitvec.collection.lexical import Preprocess
from unitvec.collection.lexical_check import lexical_problems
from unitvec.collection.publishing import published
from unitvec.collection.row_check import problem_of, unreadable_text
from unitvec.collection.rows import Row, vector_checksum
from unitvec.collection.salvage import UNREADABLE, Salvage, called
from unitvec.collection.schema import vector_table, what_is_damaged
from unitvec.collection.store import Store
from unitvec.collection.vector_rows import Space, all_vectors, unfit

_PROBLEMS_MAX = 100  # listed in a report; the rest is counted


@dataclass(frozen=True)
class VerifyReport:
    """What `verify` found.

    Attributes:
        ok: whether nothing is wrong.
        rows: documents checked.
        problems: one sentence each, at most 100.
        problem_count: how many there are.
    """

    ok: bool
    rows: int
    problems: list[str]
    problem_count: int


def verify(
    directory: Path, store: Store, uuid: str, preprocess: Preprocess | None = None
) -> VerifyReport:
    """Checks SQLite's pages, every row's checksum, counts, and every index against the rows."""
    return _Verification(directory, store, uuid).run(preprocess)


class _Verification:
    """One call: it goes on behind what cannot be read, and names the documents that lie there."""

    def __init__(self, directory: Path, store: Store, uuid: str) -> None:
        self._directory = directory
        self._store = store
        self._uuid = uuid
        self._problems: list[str] = []
        self._ids: dict[int, str] = {}  # of every row, by key
        self._unreadable: dict[str, set[int]] = {}  # keys, by what cannot be read at them
        self._spaces: list[Space] = []

    @functools.cached_property
    def _salvage(self) -> Salvage:
        return Salvage(self._store.connection, self._store.path, self._spaces)

    def run(self, preprocess: Preprocess | None) -> VerifyReport:
        problems = self._problems
        lines = _verify_pages(self._store, problems)
        with self._store.reading():
            with self._going_on("the kinds of vectors"):
                self._spaces = self._store.spaces()
            self._verify_documents()
            with self._going_on("the state"):
                live = self._store.state().live
                if live != len(self._ids):
                    problems.append(f"{len(self._ids)} documents where the state says {live}")
            for space in self._spaces:
                keys = self._verify_vectors(space)
                with self._going_on(f"the index{space.called}"):
                    _verify_index(self._directory, self._store, space, self._uuid, keys, problems)
            with self._going_on("the index of words"):
                problems += lexical_problems(self._store, preprocess)
        problems += lines  # last: of an unreadable page SQLite says a hundred things
        return VerifyReport(not problems, len(self._ids), problems[:_PROBLEMS_MAX], len(problems))

    @contextmanager
    def _going_on(self, what: str) -> Iterator[None]:
        """Names what cannot be read, instead of ending there."""
        try:
            yield
        except UNREADABLE as error:
            self._problems.append(f"{what} cannot be read: {error}")
        except ValueError as error:  # FormatError
            self._problems.append(f"{what}: {what_is_damaged(error)}")

    def _verify_documents(self) -> None:
        columns = "key, id, document, metadata, crc"
        for *texts, crc in self._rows("documents", columns, "row"):
            row = Row(*texts)
            self._ids[row.key] = row.id
            problem = problem_of(row, crc)
            if problem is not None:
                self._problems.append(f"id {row.id!r}: {problem}")

    def _rows(self, table: str, columns: str, kind: str) -> Iterator[tuple[Any, ...]]:
        """Every row that can be read, ascending by key; the others are named.

        Args:
            table: whose rows they are.
            columns: in SQL; the first is the key.
            kind: what such a row is called.
        """
        last = 0
        try:
            for row in self._store.connection.execute(
                f"SELECT {columns} FROM {table} ORDER BY key"
            ):
                yield row
                last = row[0]
        except UNREADABLE:
            yield from self._rest_of(table, columns, last, kind)

    def _rest_of(self, table: str, columns: str, last: int, kind: str) -> Iterator[tuple[Any, ...]]:
        """The rows behind a key that can be read; the others are named, once each is known."""
        salvage, start = self._salvage, max(1, last + 1)
        unknown: list[int] = []
        unreadable = self._unreadable.setdefault(kind, set())
        for key, values in salvage.rows(table, columns, start, salvage.end()):
            if values is not None:
                yield (key, *values)
                continue
            unreadable.add(key)
            if key in salvage.ids:
                self._problems.append(self._unreadable_row(table, key, kind))
            elif not salvage.knows_all:
                unknown.append(key)
        self._problems += [
            f"keys {first} to {end}: nothing can be read of any {kind} there"
            for first, end in _runs(unknown)
        ]

    def _unreadable_row(self, table: str, key: int, kind: str) -> str:
        if table == "documents":
            with suppress(apsw.Error):  # its page cannot be read either
                if (found := unreadable_text(self._store.connection, key)) is not None:
                    return found
        return f"{called(key, self._salvage.ids[key])}: its {kind} cannot be read"

    def _verify_vectors(self, space: Space) -> set[int]:
        """Keys of the rows that have a vector in a space."""
        keys = set()
        kind = space.called
        ids, problems = self._ids, self._problems
        rows = self._rows(vector_table(space.space), "key, vector, crc", f"vector{kind}")
        for key, vector, crc in rows:
            keys.add(key)
            if key not in ids:
                if key not in self._unreadable.get("row", ()):
                    problems.append(f"key {key}: a vector{kind} without a document")
            elif type(vector) is not bytes or vector_checksum(key, vector) != crc:
                problems.append(f"id {ids[key]!r}: wrong checksum of its vector{kind}")
            elif (problem := unfit(vector, space)) is not None:
                problems.append(f"id {ids[key]!r}: its vector{kind} cannot be stored: {problem}")
        if space.live != len(keys):
            problems.append(f"{len(keys)} vectors{kind} where the collection says {space.live}")
        if not space.name:
            lacking = sorted(ids.keys() - keys - self._unreadable.get("vector", set()))
            problems += [f"id {ids[key]!r}: its vector{kind} is missing" for key in lacking]
        return keys


def _runs(keys: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of ascending keys without a gap."""
    for _, run in itertools.groupby(enumerate(keys), lambda pair: pair[1] - pair[0]):
        members = [key for _, key in run]
        yield members[0], members[-1]


def _verify_pages(store: Store, problems: list[str]) -> list[str]:
    """What SQLite finds; afterwards damaged pages can be read, to name the rows on them."""
    try:
        with store.reading():
            store.connection.execute("PRAGMA integrity_check").fetchall()  # reads every page
    except apsw.SQLError:
        pass  # it is met again below
    except (ValueError, OSError) as error:  # FormatError is a ValueError
        problems.append(what_is_damaged(error))
        store.connection.execute("PRAGMA checksum_verification = OFF")
    try:
        with store.reading():
            lines = store.connection.execute("PRAGMA integrity_check").fetchall()
    # An FTS5 table that cannot even be opened; an indexed field of metadata that is no JSON.
    except (apsw.SQLError, ValueError) as error:
        lines = [(what_is_damaged(error),)]
    return [f"SQLite: {line}" for (line,) in lines if line != "ok"]


def _verify_index(
    directory: Path, store: Store, space: Space, uuid: str, keys: set[int], problems: list[str]
) -> None:
    generation = store.generation(space)
    if generation is None:
        return
    try:
        index = examine_generation(directory, generation, space, uuid, store.state())
    except DoubtfulIndexError as error:
        store.begin_again()
        if store.generation(space) == generation:
            problems.append(f"index file {generation.file} {error}; the next search replaces it")
        else:  # it was replaced while it was read
            keys = {key for key, *_ in all_vectors(store.connection, space.space)}
            _verify_index(directory, store, space, uuid, keys, problems)
        return
    gone = set(store.deleted_since(generation.sequence))
    expected = {key for key in keys if key <= generation.last_key}
    if set(index.ids.tolist()) - gone != expected:
        problems.append(f"index file {generation.file} holds other keys than the documents")


def snapshot(directory: Path, store: Store, target: Path) -> Path:
    """A complete copy of the collection as of now, under a name that appears only when whole.

    Raises:
        FileExistsError: if something is at `target`.
    """
    with published(target, "snapshot") as unfinished:
        unfinished.mkdir()
        store.copy_to(unfinished / files.STORE_FILE)
        _copy_indexes(directory, unfinished)
    return target


def _copy_indexes(directory: Path, target: Path) -> None:
    """The index files of the copied database; without one the copy would build its own."""
    copy = Store.open_writer(target / files.STORE_FILE, "full")
    try:
        for space in copy.spaces():
            generation = copy.generation(space)
            if generation is None:
                continue
            if not _copied(own_file(directory, generation), target):
                with copy.writing():
                    copy.set_generation(space, None)
    finally:
        copy.close()


def _copied(file: Path | None, target: Path) -> bool:
    """Copies a file; False where the writer replaced it since, or it was damaged and put aside."""
    if file is None:
        return False
    try:
        shutil.copyfile(file, target / file.name, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
