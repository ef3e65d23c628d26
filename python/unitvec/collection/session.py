"""An open collection: its connections, its locks, and the rules for who may use them when.

One connection writes, another reads, so that searches see whole batches only and never wait for a
writer. Each is used by one thread at a time; every method may be called from any thread.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from unitvec.collection import files, maintenance
from unitvec.collection.generations import remove_stale
from unitvec.collection.index_cache import IndexCache, IndexPolicy
from unitvec.collection.lock import ProcessLock
from unitvec.collection.schema import is_failed_sync, require_sqlite
from unitvec.collection.store import Store


class Session:
    """Opens (or makes) a collection's files and hands out transactions on them.

    Args:
        path: the collection's directory.
        read_only: take no lock and write nothing.
        durability: "full" or "normal", see `schema.connect_writer`.
        policy: when index files are built.
        describe: gives the properties of a new collection; None: it must exist.

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
        describe: Callable[[], dict[str, Any]] | None,
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
        self._reader: Store | None = None
        self._write_lock = threading.RLock()
        self._read_lock = threading.RLock()
        try:
            self._connect(durability, describe)
        except BaseException:
            self.close()
            raise

    def _connect(self, durability: str, describe: Callable[[], dict[str, Any]] | None) -> None:
        if self.read_only or describe is None:
            files.require_collection(self.path)
        if self.read_only:
            self._reader, self._lock = files.open_reader(self.path)
        else:
            # What a new collection would be is settled before anything is made on the disk.
            properties = describe() if describe and not files.is_collection(self.path) else None
            if properties is not None:
                files.prepare_directory(self.path)
            self._lock = ProcessLock(self.path)
            self._writer = Store.open_writer(self.path / files.STORE_FILE, durability)
            if self._writer.is_empty_file():
                if describe is None:
                    raise FileNotFoundError(f"[Collection] {self.path} was never completed")
                self._writer.create(properties or describe())
            files.sync_names(self.path)
            self._reader = Store.open_reader(self.path / files.STORE_FILE)
        self.properties = self._reader.properties()
        self.cache = IndexCache(self.path, self.properties, self.read_only)

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
                yield self._reader

    @contextmanager
    def extra_reader(self) -> Iterator[Store]:
        """A connection of its own, for long work beside which searches go on."""
        self.check()
        store, lock = files.open_reader(self.path)
        try:
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
            try:
                yield self._writer
            except OSError as error:
                if is_failed_sync(error):
                    self._sync_failed = self._sync_failed or error
                raise

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
        with self.exclusive() as store, store.writing():
            yield store

    def maintain(self, rebuild: bool = False) -> None:
        """Builds or extends the index file where the policy wants it; searches go on meanwhile."""
        with self.exclusive() as store:
            state, generation = store.state(), store.generation()
            changes = state.next_key - 1 - (generation.last_key if generation else 0)
            believed = generation is not None and (self.path / generation.file).is_file()
            if not (rebuild or self._policy.wants_graph(state.live, changes, believed)):
                if generation is not None and not believed:
                    store.set_generation(None)
                return
            if state.live < self._policy.approximate_from:
                store.set_generation(None)
                remove_stale(self.path, None)
                return
            graph, generation = maintenance.build_generation(
                self.path, store, self.properties, rebuild
            )
            store.set_generation(generation)
            remove_stale(self.path, generation)
            with self._read_lock:
                self.cache.adopt(graph, generation)

    def replace_lost_index(self) -> None:
        """Builds the index file again if a search just found that it cannot be believed."""
        if self.cache.is_lost and not self.read_only:
            self.cache.is_lost = False
            self.maintain()

    def close(self) -> None:
        """Gives everything back; in a forked child, leaves it to the parent."""
        if not self._open or self._pid != os.getpid():
            return
        with self._write_lock, self._read_lock:
            self._open = False
            # The reader first: the writer, as the last to close, folds the log into the database.
            for part in (self._reader, self._writer):
                if part is not None:
                    part.close()
            if self._lock is not None:
                self._lock.release()
