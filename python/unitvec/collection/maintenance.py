"""Looking after a collection: check every byte, copy it."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Iterator
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
    problems = _verify_pages(store)
    with store.reading():
        ids = _verify_documents(store, problems)
        state = store.state()
        if state.live != len(ids):
            problems.append(f"{len(ids)} documents where the state says {state.live}")
        for space in store.spaces():
            keys = _verify_vectors(store, space, ids, space.name == "", problems)
            _verify_index(directory, store, space, uuid, keys, problems)
        problems += lexical_problems(store, preprocess)
    return VerifyReport(not problems, len(ids), problems[:_PROBLEMS_MAX], len(problems))


def _verify_pages(store: Store) -> list[str]:
    """What SQLite finds; afterwards damaged pages can be read, to name the rows on them."""
    problems = []
    try:
        with store.reading():
            store.connection.execute("PRAGMA integrity_check").fetchall()  # reads every page
    except apsw.SQLError:
        pass  # it is met again below
    except (ValueError, OSError) as error:  # FormatError is a ValueError
        problems.append(str(error))
        store.connection.execute("PRAGMA checksum_verification = OFF")
    try:
        with store.reading():
            lines = store.connection.execute("PRAGMA integrity_check").fetchall()
    # An FTS5 table that cannot even be opened; an indexed field of metadata that is no JSON.
    except (apsw.SQLError, ValueError) as error:
        lines = [(str(error),)]
    return problems + [f"SQLite: {line}" for (line,) in lines if line != "ok"]


def _verify_documents(store: Store, problems: list[str]) -> dict[int, str]:
    """Id by key of every row."""
    ids: dict[int, str] = {}
    for columns in _documents(store.connection, problems):
        row = Row(*columns[:4])
        ids[row.key] = row.id
        problem = problem_of(row, columns[4])
        if problem is not None:
            problems.append(f"id {row.id!r}: {problem}")
    return ids


def _documents(connection: apsw.Connection, problems: list[str]) -> Iterator[tuple[Any, ...]]:
    """Every row whose texts are UTF-8, ascending by key; the others are named."""
    last: int | None = -(2**63)
    while last is not None:
        last = yield from _documents_after(last, connection, problems)


def _documents_after(
    last: int, connection: apsw.Connection, problems: list[str]
) -> Generator[tuple[Any, ...], None, int | None]:
    """As `_documents`, up to the first that is named, whose key it returns; None: to the end."""
    sql = "SELECT key, id, document, metadata, crc FROM documents WHERE key > ? ORDER BY key"
    try:
        for columns in connection.execute(sql, (last,)):
            yield columns
            last = columns[0]
    except UnicodeDecodeError:
        next_key = "SELECT key FROM documents WHERE key > ? ORDER BY key LIMIT 1"
        key: int = connection.execute(next_key, (last,)).get
        problems.append(unreadable_text(connection, key) or f"key {key}: no UTF-8")
        return key
    return None


def _verify_vectors(
    store: Store, space: Space, ids: dict[int, str], everywhere: bool, problems: list[str]
) -> set[int]:
    """Keys of the rows that have a vector in a space."""
    keys = set()
    kind = space.called
    for key, vector, crc in all_vectors(store.connection, space.space):
        keys.add(key)
        if key not in ids:
            problems.append(f"key {key}: a vector{kind} without a document")
        elif type(vector) is not bytes or vector_checksum(key, vector) != crc:
            problems.append(f"id {ids[key]!r}: wrong checksum of its vector{kind}")
        elif (problem := unfit(vector, space)) is not None:
            problems.append(f"id {ids[key]!r}: its vector{kind} cannot be stored: {problem}")
    if space.live != len(keys):
        problems.append(f"{len(keys)} vectors{kind} where the collection says {space.live}")
    if everywhere:
        lacking = sorted(ids.keys() - keys)
        problems += [f"id {ids[key]!r}: its vector{kind} is missing" for key in lacking]
    return keys


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
