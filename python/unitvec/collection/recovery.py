"""What can be saved of a damaged collection, into a new one; the damaged one is only read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
import numpy as np
from numpy.typing import NDArray

from unitvec.collection import files, schema
from unitvec.collection.field_indexes import PROPERTY, create_field_index, parse_fields
from unitvec.collection.lexical import LexicalSettings
from unitvec.collection.number_check import wrong_space
from unitvec.collection.publishing import published
from unitvec.collection.row_check import problem_of
from unitvec.collection.rows import NewRow, Row, encode_vector, vector_checksum
from unitvec.collection.salvage import KEYS_AT_ONCE, UNREADABLE, Salvage, called
from unitvec.collection.schema_check import require_own_tables
from unitvec.collection.store import Store
from unitvec.collection.vector_rows import Space, unfit, visible

#: What could be read of rows that are not in the new collection, a line of JSON each.
DAMAGED_FILE = "damaged.jsonl"

Embed = Callable[[list[str]], NDArray[np.float32]]

_LISTED_MAX = 100


@dataclass
class RepairReport:
    """What `repair` saved.

    Attributes:
        path: the new collection.
        saved: documents in it.
        embedded: those of them whose vectors were damaged and made anew from their texts.
        lost: a sentence for each document that is not in it, at most 100.
        lost_count: how many there are; what could be read of them is in `damaged.jsonl` there.
            Where the index of ids is damaged, too, those of which nothing can be read are as many
            as the collection says it held.
    """

    path: Path
    saved: int = 0
    embedded: int = 0
    lost: list[str] = field(default_factory=list)
    lost_count: int = 0


@dataclass
class _Remains:
    """What was read of one row."""

    key: int
    row: Row | None = None
    vectors: dict[int, bytes] = field(default_factory=dict)
    spoilt: list[Space] = field(default_factory=list)  # whose vectors cannot be had
    damage: list[str] = field(default_factory=list)


def repaired_path(source: Path) -> Path:
    """Beside a collection: "notes.repaired.uv" of "notes.uv"."""
    return source.with_name(f"{source.stem}.repaired{source.suffix}")


def repair(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str] | None = None,
    embed: Embed | Mapping[str, Embed] | None = None,
) -> RepairReport:
    """Saves every sound document of a collection into a new one.

    Args:
        source: the damaged collection; it is not changed.
        target: of the new one, which appears when it is whole; None: see `repaired_path`.
        embed: makes vectors, shape (n, dim), of texts whose own are damaged; a dictionary of such
            by name of the vectors ("" for the collection's own). Those that nobody makes are lost.

    Raises:
        FileExistsError: if something is at `target`.
        FormatError: not even what kind of collection it was can be read.
    """
    source = Path(source)
    target = repaired_path(source) if target is None else Path(target)
    files.require_collection(source)
    with published(target, "repair") as unfinished:
        unfinished.mkdir()
        embeds = embed if isinstance(embed, Mapping) else {"": embed} if embed else {}
        report = _Repair(source, unfinished, embeds).run()
    report.path = target
    return report


class _Repair:
    def __init__(self, source: Path, target: Path, embeds: Mapping[str, Embed]) -> None:
        self._path = source / files.STORE_FILE
        self._target = target
        self._embeds = embeds
        self._report = RepairReport(target)
        self._ids: dict[str, int] = {}  # saved, with their keys here
        self._lost_keys: set[int] = set()

    def run(self) -> RepairReport:
        self._source = _unverified(self._path)
        try:
            self._spaces = self._what_it_was()
            self._salvage = Salvage(self._source, self._path, self._spaces)
            copy = Store.open_writer(self._target / files.STORE_FILE, "full")
            try:
                copy.create([space._replace(live=0) for space in self._spaces])
                with (self._target / DAMAGED_FILE).open("x", encoding="utf-8") as self._damaged:
                    self._save_rows(copy)
                self._save_lexical(copy)
                self._save_field_indexes(copy)
            finally:
                copy.close()
        finally:
            self._source.close()
        if not self._report.lost_count:
            (self._target / DAMAGED_FILE).unlink()
        return self._report

    def _what_it_was(self) -> list[Space]:
        try:
            with schema.sqlite_errors(self._path):
                require_own_tables(self._path, self._source)
                sql = "SELECT * FROM spaces ORDER BY space"
                rows: list[Any] = self._source.execute(sql).fetchall()
        except apsw.Error as error:
            raise schema.damaged(self._path, f"nothing can be saved: {error}") from error
        # A migration begins anew: its vectors follow from the texts.
        spaces = visible({space.name: space for space in (Space(*row) for row in rows)})
        if not spaces:
            raise schema.damaged(self._path, "nothing can be saved: no kind of vectors is listed")
        wrong = next((what for space in spaces.values() for what in wrong_space(space)), None)
        if wrong is not None:
            raise schema.damaged(self._path, f"nothing can be saved: {wrong}")
        return list(spaces.values())

    def _save_rows(self, copy: Store) -> None:
        end = self._salvage.end()
        for start in range(1, end, KEYS_AT_ONCE):
            sound = []
            for each in self._read(start, min(start + KEYS_AT_ONCE, end)):
                if self._is_whole(each):
                    sound.append(self._new_row(each))
                else:
                    self._lose(each)
            if sound:
                with copy.writing():
                    copy.insert(sound)
            self._report.saved += len(sound)
        self._lose_missing()
        if not self._salvage.knows_all:
            self._lose_unnamed()

    def _read(self, start: int, end: int) -> list[_Remains]:
        """What is left of the rows with start <= key < end."""
        found: dict[int, _Remains] = {}
        columns = "key, id, document, metadata, crc"
        for key, values in self._salvage.rows("documents", columns, start, end):
            if values is not None or key in self._salvage.ids:
                each = found.setdefault(key, _Remains(key))
                self._take_document(each, values)
        for space in self._spaces:
            table = schema.vector_table(space.space)
            for key, values in self._salvage.rows(table, "key, vector, crc", start, end):
                if values is not None or key in found:
                    self._take_vector(found.setdefault(key, _Remains(key)), space, values)
        return [found[key] for key in sorted(found)]

    def _take_document(self, each: _Remains, values: Sequence[Any] | None) -> None:
        if values is None:
            each.damage.append("its row cannot be read")
            return
        *columns, crc = values
        each.row = Row(each.key, *columns)
        problem = problem_of(each.row, crc)
        if problem is not None:
            each.damage.append(problem)

    def _take_vector(self, each: _Remains, space: Space, values: Sequence[Any] | None) -> None:
        if (
            values is None
            or not isinstance(values[0], bytes)
            or vector_checksum(each.key, values[0]) != values[1]
            or unfit(values[0], space) is not None
        ):
            each.spoilt.append(space)
        else:
            each.vectors[space.space] = values[0]

    @property
    def _own(self) -> Space | None:
        return next((space for space in self._spaces if not space.name), None)

    def _is_whole(self, each: _Remains) -> bool:
        """Whether a row can be saved, if need be with a new vector."""
        row = each.row
        if row is None and not each.damage:
            each.damage.append("its document is gone")
        if each.damage or row is None:
            return False
        if row.id in self._ids:
            each.damage.append(f"its id is also that of key {self._ids[row.id]}")
            return False
        own = self._own
        if own is not None and own.space not in each.vectors and own not in each.spoilt:
            each.spoilt.append(own)  # each document has one; the other kinds' are not missed
        for space in each.spoilt:
            if space.name not in self._embeds or row.document is None:
                each.damage.append(f"its vector{space.called} is damaged")
        if each.damage:
            return False
        self._ids[row.id] = each.key
        return True

    def _new_row(self, each: _Remains) -> NewRow:
        assert each.row is not None
        for space in each.spoilt:
            assert each.row.document is not None
            vector = self._embeds[space.name]([each.row.document])[0]
            each.vectors[space.space] = encode_vector(vector)
        self._report.embedded += bool(each.spoilt)
        return NewRow(each.row.id, each.row.document, each.row.metadata, each.vectors)

    def _lose(self, each: _Remains) -> None:
        name = each.row.id if each.row else self._salvage.ids.get(each.key)
        reason = "; ".join(each.damage)
        self._lost_keys.add(each.key)
        self._count_lost(1, f"{called(each.key, name)}: {reason}")
        line: Mapping[str, Any] = {"key": each.key, "reason": reason}
        if each.row is not None:
            line = {**line, **{k: v for k, v in each.row._asdict().items() if k != "key"}}
        elif name is not None:
            line = {**line, "id": name}
        self._damaged.write(json.dumps(line, default=repr) + "\n")

    def _lose_missing(self) -> None:
        """Names documents that the index of ids holds, and of which no table has anything."""
        there = set(self._ids.values()) | self._lost_keys
        for key, name in sorted(self._salvage.ids.items()):
            if key not in there and name not in self._ids:
                self._lose(_Remains(key, damage=["its row is gone"]))

    def _lose_unnamed(self) -> None:
        """Counts the documents of which neither a row nor an id is left."""
        try:
            live = self._source.execute("SELECT live FROM state").get
        except UNREADABLE:
            live = None
        if not isinstance(live, int):
            self._count_lost(1, "an unknown number of documents: nothing of them can be read")
            return
        unnamed = live - self._report.saved - self._report.lost_count
        if unnamed > 0:
            self._count_lost(unnamed, f"{unnamed} documents: nothing of them can be read")

    def _count_lost(self, count: int, sentence: str) -> None:
        self._report.lost_count += count
        if len(self._report.lost) < _LISTED_MAX:
            self._report.lost.append(sentence)

    def _save_lexical(self, copy: Store) -> None:
        """An index of words as it was, unless only its owner can make it."""
        try:
            old = Store(self._path, self._source).lexical.settings()
        except (*UNREADABLE, ValueError, TypeError):
            return
        if isinstance(old, LexicalSettings) and old.preprocess is None:
            with copy.writing():
                copy.lexical.create(old)

    def _save_field_indexes(self, copy: Store) -> None:
        """Those that are listed, made anew."""
        try:
            sql = f"SELECT value FROM properties WHERE name = '{PROPERTY}'"
            listed = self._source.execute(sql).get
            fields = [] if listed is None else parse_fields(listed)
        except (*UNREADABLE, ValueError):
            return
        with copy.writing():
            for name in fields:
                create_field_index(copy.connection, name)


def _unverified(path: Path) -> apsw.Connection:
    """A connection that reads damaged pages as they are."""
    with schema.sqlite_errors(path):
        try:
            connection = schema.connect_reader(path)
        except (apsw.ReadOnlyError, apsw.CantOpenError):
            connection = schema.connect_reader(path, immutable=True)
        connection.execute("PRAGMA checksum_verification = OFF")
        return connection
