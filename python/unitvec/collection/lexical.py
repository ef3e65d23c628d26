"""The words of documents: an FTS5 table beside them in the same database, ranked by BM25.

The table has no copy of the texts (`content=''`) and can delete by key alone
(`contentless_delete=1`): 128 bytes a passage of 200 characters where one that reads the texts of
`documents` took 126, and it also holds what a preprocessing function made of them, which that one
could not. It is derived from the documents, changed in the same transactions, and made anew
whenever it is in doubt.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import apsw

from unitvec.collection.lexical_query import TOKENIZERS, match_expression
from unitvec.collection.schema import schema_writable
from unitvec.collection.vector_rows import as_carray
from unitvec.index_arguments import MarkedIds

Preprocess = Callable[[str], str]

TABLE = "lexical"
PROPERTY = "lexical"

#: The tables behind it, as FTS5 makes them.
_SHADOW_TABLES = {
    f"{TABLE}_{name}": f"CREATE TABLE '{TABLE}_{name}'{columns}"
    for name, columns in (
        ("data", "(id INTEGER PRIMARY KEY, block BLOB)"),
        ("idx", "(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID"),
        ("docsize", "(id INTEGER PRIMARY KEY, sz BLOB, origin INTEGER)"),
        ("config", "(k PRIMARY KEY, v) WITHOUT ROWID"),
    )
}


class DamagedLexicalError(Exception):
    """The table makes no sense; never leaves the collection.

    Attributes:
        page: a page of it is not as written. SQLite has then rolled the whole transaction back, and
            cannot even drop the table.
    """

    def __init__(self, what: str, page: bool = False) -> None:
        super().__init__(what)
        self.page = page


@contextmanager
def finding_damage() -> Iterator[None]:
    """Raises DamagedLexicalError where SQLite says that the table read or changed is damaged.

    CorruptError: by its own data; SQLError: FTS5 refuses its format; IOError: a page's checksum.
    """
    try:
        yield
    except (apsw.CorruptError, apsw.SQLError) as error:
        raise DamagedLexicalError(str(error)) from error
    except apsw.IOError as error:
        if getattr(error, "extendedresult", None) != apsw.SQLITE_IOERR_DATA:
            raise
        what = "a page does not have the bytes that were written"
        raise DamagedLexicalError(what, page=True) from error


class LexicalIndexWarning(UserWarning):
    """The lexical index was damaged or could not be stored; the documents are safe."""


@dataclass(frozen=True)
class LexicalSettings:
    """What the table was made with.

    Attributes:
        tokenizer: "unicode61", "porter" or "trigram".
        preprocess: the name or fingerprint of the function applied to texts first; None: none.
    """

    tokenizer: str = "unicode61"
    preprocess: str | None = None


class LexicalTable:
    """The FTS5 table of one connection; used by one thread at a time.

    Attributes:
        preprocess: the function applied to every text, where the settings name one.
    """

    def __init__(self, connection: apsw.Connection, schema: str = "main") -> None:
        self.connection = connection
        self._name = f"{schema}.{TABLE}"
        self.preprocess: Preprocess | None = None

    def settings(self) -> LexicalSettings | None:
        """What the table was made with; None where there is none.

        Raises:
            FormatError: what is stored about it makes no sense.
        """
        sql = "SELECT value FROM properties WHERE name = ?"
        row = self.connection.execute(sql, (PROPERTY,)).fetchone()
        return None if row is None else _parse_settings(row[0])

    def create(
        self,
        settings: LexicalSettings,
        texts: Iterable[tuple[int, str | None]] | None = None,
        unread: bool = False,
    ) -> None:
        """Makes the table anew, inside a writing transaction.

        Args:
            settings: what to make it with.
            texts: key and text of what it is to hold; None: all documents of this database.
            unread: as in `drop`, about an old table.
        """
        self.drop(unread)
        create_table(self.connection, "main", settings)
        self.connection.execute(
            "INSERT OR REPLACE INTO properties VALUES (?, ?)",
            (PROPERTY, json.dumps(asdict(settings))),
        )
        self.fill(documents_after(self.connection, 0) if texts is None else texts, settings)

    def drop(self, unread: bool = False) -> None:
        """Removes the table, inside a writing transaction.

        Args:
            unread: read none of its pages, of which some are damaged: it is only taken out of the
                schema. Its pages stay in the file, unused; a snapshot has none of them.

        Raises:
            DamagedLexicalError: a page is damaged; the transaction is gone.
        """
        self.connection.execute("DELETE FROM properties WHERE name = ?", (PROPERTY,))
        shadows = list(_SHADOW_TABLES)
        if unread:
            self._forget([TABLE, *shadows])
            return
        try:
            with finding_damage(), self._savepoint():
                self.connection.execute(f"DROP TABLE IF EXISTS {TABLE}")
        except DamagedLexicalError as error:
            if error.page:
                raise
            self._forget([TABLE])  # FTS5 refuses to open it, even to drop it
            for shadow in shadows:
                self.connection.execute(f"DROP TABLE IF EXISTS {shadow}")

    def _forget(self, names: list[str]) -> None:
        """Takes tables out of the schema without touching their pages."""
        with schema_writable(self.connection):
            for name in names:
                self.connection.execute("DELETE FROM sqlite_schema WHERE tbl_name = ?", (name,))

    def insert(self, texts: Iterable[tuple[int, str | None]]) -> None:
        """Adds documents under their keys, in the transaction that stores them."""
        settings = self.settings()
        if settings is not None:
            with self._dropped_if_damaged():
                self.fill(texts, settings)
                self._flush()

    def fill(self, texts: Iterable[tuple[int, str | None]], settings: LexicalSettings) -> None:
        """Adds documents to a table made with these settings."""
        self.connection.executemany(
            f"INSERT INTO {self._name} (rowid, document) VALUES (?, ?)",
            ((key, self.prepared(text, settings)) for key, text in texts if text is not None),
        )

    def prepared(self, text: str, settings: LexicalSettings) -> str:
        """A document or query as the tokenizer gets it.

        Raises:
            ValueError: the function that the table was made with was not given.
        """
        if settings.preprocess is None:
            return text
        if self.preprocess is None:
            raise ValueError(
                f"[Collection] its lexical index is made over texts that {settings.preprocess!r} "
                "preprocessed: open it with lexical={'preprocess': that function}"
            )
        prepared = self.preprocess(text)
        if not isinstance(prepared, str):
            raise TypeError(
                f"[lexical] expected preprocess to give str, got {type(prepared).__name__}"
            )
        return prepared

    def remove(self, keys: Iterable[int]) -> None:
        """Forgets documents, in the transaction that deletes them; unknown keys do nothing."""
        if self.settings() is not None:
            with self._dropped_if_damaged():
                self.connection.executemany(
                    f"DELETE FROM {TABLE} WHERE rowid = ?", ((key,) for key in keys)
                )
                self._flush()

    def _flush(self) -> None:
        """Has FTS5 write what it holds in memory, so that damage shows here and not at COMMIT."""
        self.connection.execute(f"INSERT INTO {TABLE} ({TABLE}) VALUES ('flush')")

    @contextmanager
    def _savepoint(self) -> Iterator[None]:
        """What fails inside is undone, also in FTS5's memory, unless SQLite has undone all."""
        self.connection.execute("SAVEPOINT lexical")
        try:
            yield
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK TO lexical")
                self.connection.execute("RELEASE lexical")
            raise
        self.connection.execute("RELEASE lexical")

    @contextmanager
    def _dropped_if_damaged(self) -> Iterator[None]:
        """No damage in what is derived keeps documents from being stored or deleted.

        Raises:
            FormatError: a page was damaged, with which SQLite undid the transaction; without the
                table, which is gone now, the call can be repeated.
        """
        try:
            with finding_damage(), self._savepoint():
                yield
        except DamagedLexicalError as error:
            what = (
                f"the lexical index is damaged ({error}) and was dropped; the next lexical search "
                "makes it anew from the documents, which are safe"
            )
            if self.connection.in_transaction:
                self.drop(error.page)
                warnings.warn(what, LexicalIndexWarning, stacklevel=2)
                return
            with self.connection:
                self.drop(unread=True)
            raise _format_error(f"{what}. Nothing of this call was stored: call again") from error

    def search(self, text: str, k: int, allowed: MarkedIds | None) -> tuple[list[int], list[float]]:
        """Keys of the documents that share a token with a text, best first, and their scores.

          score(d) = sum over the query's tokens t of
                     idf(t) * f(t, d) * 2.2 / (f(t, d) + 1.2 * (0.25 + 0.75 * |d| / mean |d|))
          idf(t) = max(log((N - n(t) + 0.5) / (n(t) + 0.5)), 1e-6)

        That is FTS5's `bm25` with its sign turned, so that larger is better: N documents, n(t) of
        them with the token, f(t, d) times in d, which has |d| tokens. N and n are of the whole
        collection, filtered or not. Of equal scores the older document comes first.

        Args:
            text: the query; only its tokens count.
            k: at most so many.
            allowed: only these keys; None: all.

        Source: Robertson and Zaragoza 2009, https://doi.org/10.1561/1500000019, as in
        sqlite.org/fts5.html.
        """
        settings = self.settings()
        if settings is None:
            return [], []
        query = self.prepared(text, settings)
        match = match_expression(self.connection, settings.tokenizer, query)
        if match is None:
            return [], []
        # The plus keeps SQLite from asking FTS5 anew for each key. Sorting by a column rather than
        # by FTS5's `rank` scores only what is allowed, and is quicker even where all is.
        only = "" if allowed is None else "AND +rowid IN carray(?)"
        listed = [] if allowed is None else [as_carray(allowed.chosen)]
        rows: list[tuple[Any, ...]] = self.connection.execute(
            f"SELECT rowid, bm25({TABLE}) AS cost FROM {TABLE} WHERE {TABLE} MATCH ? {only} "
            "ORDER BY cost, rowid LIMIT ?",
            (match, *listed, k),
        ).fetchall()
        return [key for key, _ in rows], [-cost for _, cost in rows]

    def merge(self) -> None:
        """Merges what many small transactions left into one, inside a writing transaction."""
        if self.settings() is not None:
            with self._dropped_if_damaged():
                self.connection.execute(f"INSERT INTO {TABLE} ({TABLE}) VALUES ('optimize')")


def _parse_settings(text: Any) -> LexicalSettings:
    try:
        settings = LexicalSettings(**json.loads(text))
        known = settings.tokenizer in TOKENIZERS
    except (TypeError, ValueError):
        known = False
    if known and isinstance(settings.preprocess, (str, type(None))):
        return settings
    raise _format_error(
        f"the settings of the lexical index are damaged, or of a later version: {text!r}; "
        "Collection(path, lexical=False) removes it, the documents are safe"
    )


def _format_error(what: str) -> Exception:
    from unitvec._core import FormatError  # only now: the core takes 0.3 s to load

    error: Exception = FormatError(f"[Collection] {what}")
    return error


def create_table(connection: apsw.Connection, schema: str, settings: LexicalSettings) -> None:
    """Makes an empty table in one of the connection's databases: "main" or "temp"."""
    connection.execute(f"CREATE VIRTUAL TABLE {schema}.{_definition(settings.tokenizer)}")


def _definition(tokenizer: str) -> str:
    return (
        f"{TABLE} USING fts5(document, content='', contentless_delete=1, "
        f"tokenize='{' '.join(TOKENIZERS[tokenizer])}')"
    )


def is_own_table(name: str, sql: object) -> bool:
    """Whether the schema may have this statement for the table, or for one that FTS5 makes.

    What FTS5 of another version makes for its own tables may read otherwise.
    """
    if name == TABLE:
        return sql in [f"CREATE VIRTUAL TABLE {_definition(each)}" for each in TOKENIZERS]
    return name in _SHADOW_TABLES and (sql == _SHADOW_TABLES[name] or sql == _made_here().get(name))


@cache
def _made_here() -> dict[str, str]:
    connection = apsw.Connection(":memory:")
    create_table(connection, "main", LexicalSettings())
    made: dict[str, str] = dict(connection.execute("SELECT name, sql FROM sqlite_schema").get)
    connection.close()
    return made


def documents_after(connection: apsw.Connection, key: int) -> Iterator[tuple[int, str | None]]:
    """Key and text of every document stored after a key, in that order; None: vector alone."""
    sql = "SELECT key, document FROM documents WHERE key > ? ORDER BY key"
    rows: Iterator[tuple[Any, ...]] = connection.execute(sql, (key,))
    return ((key, document) for key, document in rows)
