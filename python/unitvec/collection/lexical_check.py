"""Does the lexical table hold what the documents say? Compared token by token with a new one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import apsw

from unitvec.collection.lexical import (
    DAMAGE,
    TABLE,
    LexicalSettings,
    LexicalTable,
    Preprocess,
    create_table,
    documents_after,
)
from unitvec.collection.lexical_options import name_of
from unitvec.collection.store import Store

_REMEDY = "the documents are safe; compact() makes it anew"


def lexical_problems(store: Store, preprocess: Preprocess | None) -> list[str]:
    """What is wrong with the lexical table, one sentence each; changes nothing.

    SQLite's own `integrity_check` looks at a table of FTS5 too, but without texts to compare with
    it cannot see a wrong position or count. Here the table is made again, in a temporary database,
    and both are read through side by side. Without the preprocessing function that it was made
    with, only its keys are compared.
    """
    settings = store.lexical.settings()
    if settings is None:
        return []
    try:
        problems = _compare_keys(store.connection)
        if not problems and settings.preprocess == name_of(preprocess):
            problems = _compare_tokens(store.connection, settings, preprocess)
    except DAMAGE as error:
        problems = [str(error)]
    return [f"lexical index: {problem}; {_REMEDY}" for problem in problems]


def _compare_keys(connection: apsw.Connection) -> list[str]:
    """The table has a row for each document with a text, and no other."""
    documents = "SELECT key FROM documents WHERE document IS NOT NULL"
    problems = []
    for sql, what in (
        (f"{documents} AND key NOT IN (SELECT rowid FROM {TABLE})", "documents are missing"),
        (f"SELECT rowid FROM {TABLE} WHERE rowid NOT IN ({documents})", "rows without a document"),
    ):
        ((count,),) = connection.execute(f"SELECT count(*) FROM ({sql})")
        if count:
            problems.append(f"{count} {what}")
    return problems


def _compare_tokens(
    connection: apsw.Connection, settings: LexicalSettings, preprocess: Preprocess | None
) -> list[str]:
    """Every occurrence of a token, and every document's length, is that of a table made now."""
    again = LexicalTable(connection, "temp")
    again.preprocess = preprocess
    create_table(connection, "temp", settings)
    again.fill(documents_after(connection, 0), settings)
    problems = []
    for what, read in (("tokens", _tokens), ("lengths", _lengths)):
        stored, expected = read(connection, "main"), read(connection, "temp")
        pairs = itertools.zip_longest(stored, expected)
        if any(one != other for one, other in pairs):
            problems.append(f"its {what} are not those of the documents")
    return problems


def _tokens(connection: apsw.Connection, schema: str) -> Iterator[tuple[object, ...]]:
    """(token, key, position) of all, in FTS5's order."""
    name = f"temp.{TABLE}_tokens_{schema}"
    connection.execute(f"CREATE VIRTUAL TABLE {name} USING fts5vocab({schema}, {TABLE}, instance)")
    return iter(connection.execute(f"SELECT term, doc, offset FROM {name}"))


def _lengths(connection: apsw.Connection, schema: str) -> Iterator[tuple[object, ...]]:
    """(key, number of tokens as FTS5 writes it) of all."""
    return iter(connection.execute(f"SELECT id, sz FROM {schema}.{TABLE}_docsize ORDER BY id"))
