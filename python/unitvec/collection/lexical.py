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
from typing import Any

import apsw
import numpy as np
from numpy.typing import NDArray

from unitvec.collection.lexical_query import TOKENIZERS, match_expression
from unitvec.collection.vector_rows import as_carray

Preprocess = Callable[[str], str]

TABLE = "lexical"
PROPERTY = "lexical"
_SHADOWS = ("data", "idx", "docsize", "config")

#: What SQLite raises when the table's own data make no sense; SQLError for its file format.
DAMAGE = (apsw.CorruptError, apsw.SQLError)


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
        """What the table was made with; None where there is none."""
        sql = "SELECT value FROM properties WHERE name = ?"
        row = self.connection.execute(sql, (PROPERTY,)).fetchone()
        return None if row is None else LexicalSettings(**json.loads(row[0]))

    def create(
        self, settings: LexicalSettings, texts: Iterable[tuple[int, str | None]] | None = None
    ) -> None:
        """Makes the table anew, inside a writing transaction.

        Args:
            settings: what to make it with.
            texts: key and text of what it is to hold; None: all documents of this database.
        """
        self.drop()
        create_table(self.connection, "main", settings)
        self.connection.execute(
            "INSERT OR REPLACE INTO properties VALUES (?, ?)",
            (PROPERTY, json.dumps(asdict(settings))),
        )
        self.fill(documents_after(self.connection, 0) if texts is None else texts, settings)

    def drop(self) -> None:
        """Removes the table, also a damaged one, inside a writing transaction."""
        self.connection.execute("DELETE FROM properties WHERE name = ?", (PROPERTY,))
        try:
            self.connection.execute(f"DROP TABLE IF EXISTS {TABLE}")
        except DAMAGE:  # FTS5 refuses to open it, even to drop it
            self.connection.execute("PRAGMA writable_schema = ON")
            self.connection.execute("DELETE FROM sqlite_schema WHERE name = ?", (TABLE,))
            self.connection.execute("PRAGMA writable_schema = RESET")
            for shadow in _SHADOWS:
                self.connection.execute(f"DROP TABLE IF EXISTS {TABLE}_{shadow}")

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
    def _dropped_if_damaged(self) -> Iterator[None]:
        """No damage in what is derived keeps documents from being stored or deleted.

        A savepoint, so that FTS5 forgets what it could not write before its table is dropped.
        """
        try:
            with self.connection:
                yield
        except DAMAGE as error:
            self.drop()
            warnings.warn(
                f"the lexical index is damaged ({error}) and was dropped; the next lexical search "
                "makes it anew from the documents, which are safe",
                LexicalIndexWarning,
                stacklevel=2,
            )

    def search(
        self, text: str, k: int, allowed: NDArray[np.int64] | None
    ) -> tuple[list[int], list[float]]:
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
        listed = [] if allowed is None else [as_carray(allowed)]
        rows: list[tuple[Any, ...]] = self.connection.execute(
            f"SELECT rowid, bm25({TABLE}) AS cost FROM {TABLE} WHERE {TABLE} MATCH ? {only} "
            "ORDER BY cost, rowid LIMIT ?",
            (match, *listed, k),
        ).fetchall()
        return [key for key, _ in rows], [-cost for _, cost in rows]

    def merge(self) -> None:
        """Merges what many small transactions left into one, inside a writing transaction."""
        if self.settings() is not None:
            self.connection.execute(f"INSERT INTO {TABLE} ({TABLE}) VALUES ('optimize')")


def create_table(connection: apsw.Connection, schema: str, settings: LexicalSettings) -> None:
    """Makes an empty table in one of the connection's databases: "main" or "temp"."""
    tokenizer = " ".join(TOKENIZERS[settings.tokenizer])
    connection.execute(
        f"CREATE VIRTUAL TABLE {schema}.{TABLE} USING fts5("
        f"document, content='', contentless_delete=1, tokenize='{tokenizer}')"
    )


def documents_after(connection: apsw.Connection, key: int) -> Iterator[tuple[int, str | None]]:
    """Key and text of every document stored after a key, in that order; None: vector alone."""
    sql = "SELECT key, document FROM documents WHERE key > ? ORDER BY key"
    rows: Iterator[tuple[Any, ...]] = connection.execute(sql, (key,))
    return ((key, document) for key, document in rows)
