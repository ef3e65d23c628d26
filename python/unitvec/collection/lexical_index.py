"""Lexical search of an open collection: through the table on disk, or one for the session."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import apsw

from unitvec.collection.lexical import (
    DamagedLexicalError,
    LexicalIndexWarning,
    LexicalSettings,
    LexicalTable,
    Preprocess,
    documents_after,
    finding_damage,
)
from unitvec.collection.lexical_options import LexicalOptions, name_of, require_same_lexical
from unitvec.collection.session import Session
from unitvec.collection.store import Store
from unitvec.index_arguments import MarkedIds


class LexicalIndex:
    """Makes the table when it is first needed, and finds documents by their words through it.

    Where nothing can be written, or the table cannot be repaired, the same table is made in memory
    and kept in step with the documents until the collection is closed.

    Args:
        session: the open collection.
        options: what the caller asked for when opening it.

    Raises:
        FingerprintError, ValueError: the stored table is made otherwise.
    """

    def __init__(self, session: Session, options: LexicalOptions) -> None:
        self._session = session
        self._options = options
        self._memory: MemoryTable | None = None
        self._was_replaced = False
        if options.wanted is False:
            self._change(lambda table, unread: table.drop(unread))
        settings = self.settings()
        if settings is not None:
            require_same_lexical(settings, options)
        if not session.read_only:
            with session.exclusive() as store:
                store.lexical.preprocess = options.preprocess
            if options.wanted:
                self.prepare()

    @property
    def preprocess(self) -> Preprocess | None:
        """The function that the caller gave."""
        return self._options.preprocess

    def settings(self) -> LexicalSettings | None:
        """What the table on disk was made with; None where there is none."""
        with self._session.reading() as store:
            return store.lexical.settings()

    def prepare(self) -> None:
        """Sees to it that there is a table; to be called outside a transaction."""
        if self._memory is not None or self.settings() is not None:
            return
        if self._session.read_only:
            self._memory = MemoryTable(self._options)
            return
        self._make()

    def _make(self, anew: bool = False) -> DamagedLexicalError | None:
        """Makes the table on disk in one transaction, beside which others go on reading.

        Returns:
            What was wrong with a page of the old one.
        """

        def make(table: LexicalTable, unread: bool) -> None:
            settings = table.settings()
            if settings is None or anew:
                table.create(settings or self._options.settings(), unread=unread)

        try:
            return self._change(make)
        except (OSError, DamagedLexicalError) as error:  # such as a full disk
            self._memory = MemoryTable(self._options)
            warnings.warn(
                f"the lexical index could not be stored ({error}); it is kept in memory until the "
                "collection is closed",
                LexicalIndexWarning,
                stacklevel=2,
            )
        return None

    def _change(self, change: Callable[[LexicalTable, bool], None]) -> DamagedLexicalError | None:
        """Changes the table in a transaction; where a page is damaged, again without reading it."""
        try:
            with self._session.writing() as store, finding_damage():
                change(store.lexical, False)
        except DamagedLexicalError as error:
            if not error.page:
                raise
            with self._session.writing() as store, finding_damage():
                change(store.lexical, True)
            return error
        return None

    def replace(self, error: DamagedLexicalError) -> None:
        """After damage was found: makes the table anew, or one in memory."""
        warnings.warn(
            f"the lexical index is damaged ({error}); it is made anew from the documents, which "
            "are safe",
            LexicalIndexWarning,
            stacklevel=2,
        )
        if self._session.read_only or self._was_replaced:
            self._memory = MemoryTable(self._options)
        else:
            self._was_replaced = True
            self._make(anew=True)

    def compact(self) -> None:
        """Makes the table on disk anew in as few pages as it needs, and whole if it was damaged."""
        settings = self.settings()
        if settings is not None and settings.preprocess == name_of(self._options.preprocess):
            damage = self._make(anew=True)
            if damage is not None:
                warnings.warn(
                    f"the lexical index was damaged ({damage}); it was made anew from the "
                    "documents, which are safe",
                    LexicalIndexWarning,
                    stacklevel=2,
                )
        with self._session.writing() as store:
            store.lexical.merge()

    def search(
        self, store: Store, text: str, k: int, allowed: MarkedIds | None
    ) -> tuple[list[int], list[float]]:
        """As `LexicalTable.search`, as of the store's current transaction.

        Raises:
            DamagedLexicalError: the table on disk is damaged; `replace` helps.
        """
        table = store.lexical if self._memory is None else self._memory.refresh(store)
        settings = table.settings()
        if settings is not None:
            require_same_lexical(settings, self._options)
        table.preprocess = self._options.preprocess
        if self._memory is not None:
            return table.search(text, k, allowed)
        with finding_damage():
            keys, scores = table.search(text, k, allowed)
        if len(keys) != len(store.existing(keys)):
            raise DamagedLexicalError("it holds keys of no document")
        return keys, scores


class MemoryTable:
    """A lexical table in memory, brought to the state of the documents when it is searched."""

    def __init__(self, options: LexicalOptions) -> None:
        self._options = options
        self._sequence = -1
        self._last_key = 0
        self._table: LexicalTable | None = None

    def refresh(self, store: Store) -> LexicalTable:
        """The table as of the store's current transaction."""
        state = store.state()
        if self._table is None or self._sequence < state.purged:
            self._table = self._new(store)
        elif self._sequence < state.sequence:
            self._table.remove(store.deleted_since(self._sequence))
            self._table.insert(documents_after(store.connection, self._last_key))
        self._sequence, self._last_key = state.sequence, state.next_key - 1
        return self._table

    def _new(self, store: Store) -> LexicalTable:
        connection = apsw.Connection(":memory:")
        connection.execute("CREATE TABLE properties (name TEXT PRIMARY KEY, value ANY) STRICT")
        table = LexicalTable(connection)
        table.preprocess = self._options.preprocess
        settings = store.lexical.settings() or self._options.settings()
        with connection:
            table.create(settings, documents_after(store.connection, 0))
        return table
