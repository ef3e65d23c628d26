"""Is a database's schema the one that this library makes?

A database from elsewhere may hold more than rows: views and virtual tables in place of tables,
triggers, generated columns, indexes and checks whose expressions SQLite evaluates. Nothing of that
is ours, so a schema that differs by a word is refused, before the first statement that could run
any of it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from unitvec.collection.field_indexes import is_own_index
from unitvec.collection.lexical import is_own_table
from unitvec.collection.migrations import own_tables
from unitvec.collection.schema import FORMAT_VERSION, VECTOR_TABLE, damaged
from unitvec.collection.where import shown

#: Indexes that SQLite makes by itself for UNIQUE, and which have no statement.
_UNIQUE = {"sqlite_autoindex_documents_1": "documents", "sqlite_autoindex_spaces_1": "spaces"}
_ENCODING = "UTF-8"
_VECTOR_TABLE = re.compile(r"vectors_(0|[1-9][0-9]{0,18})")


class Entry(NamedTuple):
    """A row of SQLite's `sqlite_schema`."""

    type: Any
    name: Any
    tbl_name: Any
    rootpage: Any
    sql: Any


def require_own_schema(path: Path, connection: apsw.Connection, version: int) -> None:
    """Raises FormatError unless a database has the tables of its format version, and no other.

    Args:
        path: of the database.
        connection: to it, hardened.
        version: of the format, from 1 to the present one.
    """
    encoding = connection.pragma("encoding")
    if encoding != _ENCODING:
        raise damaged(path, f"expected texts in {_ENCODING}, got {encoding}")
    tables = own_tables(version)
    entries = read_schema(connection)
    _require_none_foreign(path, entries, tables)
    missing = sorted(tables.keys() - {entry.name for entry in entries})
    if missing:
        raise damaged(path, f"its table {missing[0]!r} is missing")


def require_own_tables(path: Path, connection: apsw.Connection) -> None:
    """Raises FormatError if what has the name of one of our tables is something else.

    What more a damaged database holds, or lacks, is no matter to who reads these alone.
    """
    tables = own_tables(FORMAT_VERSION)
    _require_none_foreign(
        path, [e for e in read_schema(connection) if e.name in tables or _is_of_vectors(e)], tables
    )


def read_schema(connection: apsw.Connection) -> list[Entry]:
    """Every entry, as it is."""
    sql = "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema"
    return [Entry(*row) for row in connection.execute(sql)]


def _require_none_foreign(path: Path, entries: list[Entry], tables: dict[str, set[str]]) -> None:
    names, pages = set(), set()
    for entry in entries:
        if not isinstance(entry.name, str) or not _is_own(entry, tables):
            raise damaged(path, f"no collection's schema has {_named(entry)}")
        if entry.name in names or (entry.rootpage and entry.rootpage in pages):
            raise damaged(path, f"its schema has {_named(entry)} twice, or in another's pages")
        names.add(entry.name)
        pages.add(entry.rootpage)


def _is_own(entry: Entry, tables: dict[str, set[str]]) -> bool:
    kind, name, of, _, sql = entry
    if kind == "index":
        if name in _UNIQUE:
            return sql is None and of == _UNIQUE[name] and of in tables
        return of == "documents" and is_own_index(name, sql)
    if kind != "table" or of != name:
        return False
    if name in tables:
        return any(sql == own for own in tables[name])
    if "spaces" in tables and _is_of_vectors(entry):
        own: str = VECTOR_TABLE.strip(" \n;").format(table=name)
        return bool(sql == own)
    return is_own_table(name, sql)


def _named(entry: Entry) -> str:
    kind = entry.type if entry.type in ("table", "index", "view", "trigger") else "entry"
    made = "" if entry.sql is None else f" made by {shown(entry.sql)}"
    return f"the {kind} {shown(entry.name)}{made}"


def vector_tables(entries: list[Entry]) -> set[str]:
    """Names of the tables of vectors."""
    return {entry.name for entry in entries if _is_of_vectors(entry)}


def _is_of_vectors(entry: Entry) -> bool:
    return isinstance(entry.name, str) and _VECTOR_TABLE.fullmatch(entry.name) is not None
