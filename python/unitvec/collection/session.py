"""An open collection: its connections, its locks, and the rules for who may use them when.

One connection writes, another reads, so that searches see whole batches only and never wait for a
writer. Each is used by one thread at a time; every method may be called from any thread.
"""

from __future__ import annotations

import errno
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from unitvec.collection import files
from unitvec.collection.columns import MetadataColumns
from unitvec.collection.index_cache import IndexCache, IndexPolicy
from unitvec.collection.lock import LOCK_FILE, LockFileWarning, ProcessLock, read_mark
from unitvec.collection.room import Reserve, is_full
from unitvec.collection.schema import damaged, is_failed_sync, require_sqlite
from unitvec.collection.store import Store
from unitvec.collection.vector_rows import Space, visible
from unitvec.errors import FingerprintError

Describe = Callable[[], list[Space]]
_T = TypeVar("_T")


class Session:
    """Opens (or makes) a collection's files and hands out transactions on them.

    Args:
        path: the collection's directory.
        read_only: take no lock and write nothing.
        durability: "full" or "normal", see `schema.connect_writer`.
        policy: when index files are built.
        describe: gives the spaces of a new collection; None: it must exist.

    Raises:
        StoreLockedError: another open collection writes there.
        FormatError: the files are damaged, foreign or of a later version.
        OSError: they cannot be read or written.
    """

    def __init__(
        self,
        path: Path,
        read_only: bool,
        durability: str,
        policy: IndexPolicy,
        describe: Describe | None,
    ) -> None:
        require_sqlite()
        self.path = path
        self.read_only = read_only
        self._policy = policy
        self._pid = os.getpid()
        self._open = True
        self._sync_failed: OSError | None = None
        self._lock: ProcessLock | None = None
        self._writer: Store | None = None
        self._reserve: Reserve | None = None
        self._reader: Store | None = None
        self._write_lock = threading.RLock()
        self._writing_thread: int | None = None
        self._read_lock = threading.RLock()
        try:
            self._connect(durability, describe)
        except BaseException:
            self.close()
            raise

    def _connect(self, durability: str, describe: Describe | None) -> None:
        if self.read_only or describe is None:
            files.require_collection(self.path)
        if self.read_only:
            self._reader, self._lock = files.open_reader(self.path)
        else:
            # What a new collection would be is settled before anything is made on the disk.
            spaces = describe() if describe and not files.is_collection(self.path) else None
            if spaces is not None:
                files.prepare_directory(self.path)
            mark = read_mark(self.path)
            self._lock = ProcessLock(self.path)
            self._reserve = Reserve(self.path / files.STORE_FILE)
            self._writer = Store.open_writer(self.path / files.STORE_FILE, durability)
            if self._writer.is_empty_file():
                if describe is None:
                    raise FileNotFoundError(f"[Collection] {self.path} was never completed")
                self._writer.create(spaces or describe())
            files.sync_names(self.path)
            files.require_complete(self._writer, mark)
            self._marks = durability == "full"
            if not self._marks:
                self._lock.unmark()
            self._reader = Store.open_reader(self.path / files.STORE_FILE)
            self._reserve.keep()
        self.properties: dict[str, Any] = self._reader.properties()
        self.caches: dict[str, IndexCache] = {}
        self.read_spaces()
        self.columns = MetadataColumns()

    def read_spaces(self) -> None:
        """Which kinds of vectors there are; an index in memory for each, kept where it is known."""
        assert self._reader is not None
        with self._read_lock, self._reader.reading():
            self._switches = self._reader.state().switches
            spaces = {space.name: space for space in self._reader.spaces()}
            if not visible(spaces):
                raise damaged(self._reader.path, "it does not say what its vectors are")
            known = {cache.space.space: cache for cache in self.caches.values()}
            caches = {}
            for name, space in spaces.items():
                caches[name] = known.get(space.space) or IndexCache(
                    self.path, self.properties["uuid"], space, self._policy, self.read_only
                )
                caches[name].space = space
            # Whole dictionaries: others may be looking through the old ones.
            self.spaces, self.caches = spaces, caches

    def check(self) -> None:
        """Raises RuntimeError if the collection is closed or belongs to the parent process."""
        if self._pid != os.getpid():
            raise RuntimeError(
                f"[Collection] {self.path} was opened before a fork: open it again in the child, "
                "with read_only=True while the parent has it open"
            )
        if not self._open:
            raise RuntimeError(f"[Collection] {self.path} is closed")

    @contextmanager
    def reading(self) -> Iterator[Store]:
        """One moment of the collection, to read from."""
        self.check()
        with self._read_lock:
            self.check()
            assert self._reader is not None
            with self._reader.reading():
                if self.read_only:
                    self._require_known_spaces(self._reader)
                yield self._reader

    def _require_known_spaces(self, store: Store) -> None:
        if store.state().switches != self._switches:
            raise FingerprintError(
                f"[Collection] {self.path} was migrated to another model since it was opened: open "
                "it again, with that model"
            )

    @contextmanager
    def extra_reader(self, read_once: bool = False) -> Iterator[Store]:
        """A connection of its own, for long work beside which searches go on.

        Args:
            read_once: keep next to nothing of what is read, for one pass over everything.
        """
        self.check()
        store, lock = files.open_reader(self.path)
        try:
            if read_once:
                store.read_once()
            yield store
        finally:
            store.close()
            if lock is not None:
                lock.release()

    @contextmanager
    def exclusive(self) -> Iterator[Store]:
        """The writing connection, outside a transaction; other writers wait."""
        self.check()
        if self.read_only:
            raise PermissionError(f"[Collection] {self.path} is open read-only")
        with self._write_lock:
            self.check()
            assert self._writer is not None
            if self._sync_failed is not None:
                raise self._read_only_since(self._sync_failed)
            outer = self._writing_thread
            try:
                self._writing_thread = threading.get_ident()
                yield self._writer
            except OSError as error:
                if is_failed_sync(error):
                    self._sync_failed = self._sync_failed or error
                raise
            finally:
                self._writing_thread = outer

    @property
    def is_writing_here(self) -> bool:
        """Whether this very thread is in the middle of a change."""
        return self._writing_thread == threading.get_ident()

    def _read_only_since(self, failed: OSError) -> OSError:
        """Why a handle writes no more: what the system could not sync, a later sync may pass over.

        Only opening the files anew shows what is in them.
        """
        return OSError(
            errno.EIO,
            "[Collection] read-only since a sync to the disk failed; close it and open it again "
            f"(the sync: {failed.strerror})",
            str(self.path),
        )

    @contextmanager
    def writing(self) -> Iterator[Store]:
        """One transaction on the writing connection, stored whole at the end or not at all."""
        with self.exclusive() as store:
            try:
                with store.writing():
                    yield store
                    sequence = store.state().sequence
            except OSError as error:
                if is_full(error):
                    store.fold()  # the room that the log takes is there for what comes next
                raise
            self._note(sequence)
            if self._reserve is not None:
                self._reserve.keep()

    def _note(self, sequence: int) -> None:
        """Marks a change that is on the disk as acknowledged; without, it is none the less."""
        if not self._marks or self._lock is None:
            return
        try:
            self._lock.mark(sequence)
        except OSError as error:
            warnings.warn(
                f"the change is stored, but its number could not be noted in {LOCK_FILE} ({error}):"
                " that it got lost later would not be noticed",
                LockFileWarning,
                stacklevel=2,
            )

    def shrink(self, change: Callable[[Store], _T]) -> _T:
        """A transaction that removes rows: on a full disk, in the room that is kept for it.

        Args:
            change: is called again where there was no room, as if for the first time.

        Raises:
            OSError: ENOSPC if that room is not enough for so many rows.
        """
        with self.exclusive() as store:
            try:
                return self._changed(change)
            except OSError as error:
                if not is_full(error):
                    raise
            assert self._reserve is not None
            with self._reserve.given_up():
                try:
                    return self._changed(change)
                except OSError as error:
                    if not is_full(error):
                        raise
                    raise OSError(
                        error.errno,
                        "[delete] disk full, nothing removed: the room that is kept for deletes "
                        "is enough for a few documents; delete fewer at once, or free some",
                        str(self.path),
                    ) from error
                finally:
                    store.fold()

    def _changed(self, change: Callable[[Store], _T]) -> _T:
        with self.writing() as store:
            return change(store)

    @property
    def is_ours(self) -> bool:
        """Whether it is open, and was opened by this process."""
        return self._open and self._pid == os.getpid()

    def close(self) -> None:
        """Gives everything back; in a forked child, leaves it to the parent."""
        if not self.is_ours:
            return
        with self._write_lock, self._read_lock:
            self._open = False
            if self._reserve is not None:
                self._reserve.shrink()  # before the log is folded in, which may need it
            # The reader first: the writer, as the last to close, folds the log into the database.
            for part in (self._reader, self._writer):
                if part is not None:
                    part.close()
            if self._reserve is not None:
                self._reserve.take_back()
            if self._lock is not None:
                self._lock.release()
