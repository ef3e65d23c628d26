"""Index files are built beside everything else: searches and writes go on meanwhile."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from unitvec.collection.coded import Coded, graph
from unitvec.collection.generations import (
    DoubtfulIndexError,
    IndexFileWarning,
    examine_generation,
    put_aside,
    write_generation,
)
from unitvec.collection.index_cache import ROWS_AT_ONCE
from unitvec.collection.nearest import NearestSearch
from unitvec.collection.schema import damaged
from unitvec.collection.store import Generation, State, Store
from unitvec.collection.vector_rows import Space

_RECALL_SAMPLE = 100  # queries: the estimate's standard error is then about 0.01
_RECALL_K = 10
_POLLED = 0.002  # s


class StoppedError(Exception):
    """The collection is being closed; never leaves it."""


class IndexBuild:
    """Builds and saves a graph over all rows of a space; reads SQLite, changes nothing.

    Rows are read some at a time, each time as of then: one that is deleted meanwhile may be in the
    file or not, and is in the list of deletions after `Generation.sequence` either way.

    Args:
        directory: the collection's.
        uuid: of the collection.
        store: a connection of its own.
        space: whose vectors.
        stop: is set to end it.
        before: key up to which rows are read, where one with a later key may get its vector after
            others with still later ones; None: all rows.
    """

    def __init__(
        self,
        directory: Path,
        uuid: str,
        store: Store,
        space: Space,
        stop: threading.Event,
        before: int | None = None,
    ) -> None:
        self._directory = directory
        self._uuid = uuid
        self._store = store
        self._space = space
        self._stop = stop
        self._before = before

    def run(self, afresh: bool = False) -> tuple[Coded, Generation]:
        """The graph and the pointer to its file, which the caller stores.

        Args:
            afresh: start from nothing even where the previous file could be extended.

        Raises:
            StoppedError: `stop` was set.
            OSError: the file could not be written.
            FormatError: there are more or fewer vectors than the database says.
        """
        with self._store.reading():
            state = self._store.state()
            previous = self._store.generation(self._space)
            number = self._store.last_number("last_generation") + 1
            coded = None if afresh or previous is None else self._previous(previous, state)
            # But for what is stored or deleted meanwhile. The number may be a lie.
            room = min(self._store.live(self._space), self._store.most_vectors(self._space))
        after = previous.last_key if coded is not None and previous is not None else 0
        is_new = coded is None
        coded = coded if coded is not None else Coded(self._space, graph(self._space))
        coded.index.reserve(max(1, room))
        before = state.next_key if self._before is None else self._before
        self._extend(coded, after, before)
        wrong = self._miscounted(coded, state, before)
        if wrong is not None and is_new:
            raise damaged(self._store.path, wrong)
        if wrong is not None:  # it may be the previous file that lacks some
            del coded
            return self.run(afresh=True)
        recall = self._measured_recall(coded, state)
        pointer = Generation(
            generation=number,
            space=self._space.space,
            file="",
            uuid=self._uuid,
            sequence=state.sequence,
            last_key=before - 1,
            live=len(coded.index),
            bytes=0,
            header="",
            recall=recall,
            error=coded.error,
        )
        return coded, write_generation(self._directory, coded.index, pointer)

    def _previous(self, previous: Generation, state: State) -> Coded | None:
        """The last generation's graph without what was deleted since."""
        try:
            index = examine_generation(self._directory, previous, self._space, self._uuid, state)
        except DoubtfulIndexError as error:
            put_aside(self._directory, previous, str(error), read_only=True)
            return None
        coded = Coded(self._space, index, previous.error)
        coded.forget(self._store.deleted_since(previous.sequence), clear_dead=True)
        return coded

    def _extend(self, coded: Coded, after: int, before: int) -> None:
        while True:
            if self._stop.is_set():
                raise StoppedError
            with self._store.reading():
                rows = self._store.vectors_between(self._space, after, before, ROWS_AT_ONCE)
            if not len(rows):
                return
            coded.add(rows)
            after = rows.keys[-1]

    def _miscounted(self, coded: Coded, state: State, before: int) -> str | None:
        """What is wrong where the graph and the later rows are not as many as there are to be."""
        with self._store.reading():
            coded.forget(self._store.deleted_since(state.sequence), clear_dead=False)
            count = len(coded.index) + self._store.count_vectors_after(self._space, before - 1)
            live = self._store.live(self._space)
        if count == live:
            return None
        return f"{count} vectors{self._space.called} where it says {live}"

    def _measured_recall(self, coded: Coded, state: State) -> float:
        """Share of the true 10 nearest that is found for rows of its own, without themselves."""
        with self._store.reading():
            # What was deleted since it was read has no vector any more.
            coded.forget(self._store.deleted_since(state.sequence), clear_dead=False)
            keys = np.sort(coded.index.ids)
            sample = keys[:: max(1, len(keys) // _RECALL_SAMPLE)].tolist()
            sampled = self._store.vectors(self._space, sample)
            if not len(sampled):
                return 1.0
            found, truth = (
                NearestSearch(
                    self._space,
                    [coded],
                    lambda keys: self._store.vectors_there(self._space, keys),
                    _RECALL_K + 1,
                    None,
                    min_recall,
                ).run(sampled.rows, 1.0)
                for min_recall in (None, 1.0)
            )
        shares = []
        for key, got, expected in zip(sampled.keys, found.keys, truth.keys, strict=True):
            nearest = set(expected) - {key}
            shares.append(len(nearest & set(got)) / max(1, len(nearest)))
        return float(np.mean(shares))


class _Run:
    """One thread's work, from its start to its end."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.goes_on = True
        self.thread: int | None = None

    def wait(self) -> None:
        """Returns at its end, and at once in its own thread, which may close the collection."""
        # Not by joining the thread: until Python 3.12 a Ctrl-C makes `join` take it for ended.
        while self.goes_on and self.thread != threading.get_ident():
            time.sleep(_POLLED)


class BackgroundBuilder:
    """Runs one build after the other in a thread of its own, as long as one is wanted.

    Args:
        build: builds and adopts the next index file that is wanted; False where none is.
    """

    def __init__(self, build: Callable[[threading.Event], bool]) -> None:
        self._build = build
        self._closed = False
        self._lock = threading.Lock()
        self._run: _Run | None = None
        self._failed: Exception | None = None

    def start(self) -> None:
        """Begins, unless it runs; after a failure it waits to be asked by `finish`."""
        with self._lock:
            running = self._run is not None and self._run.goes_on
            if running or self._failed is not None or self._closed:
                return
            run = _Run()
            # Not a daemon: a program that ends without close() leaves a finished index too.
            thread = threading.Thread(target=self._build_all, args=(run,), name="unitvec-index")
            try:
                self._run = run
                thread.start()
            except BaseException:  # a Ctrl-C; it may have started or not
                run.goes_on = False
                run.stop.set()
                raise

    def _build_all(self, run: _Run) -> None:
        run.thread = threading.get_ident()
        try:
            while not run.stop.is_set() and self._build(run.stop):
                pass
        except StoppedError:
            pass
        except Exception as error:
            if run.stop.is_set():
                return
            self._failed = error
            warnings.warn(
                f"no index file could be written ({error}); the documents are safe, newer ones "
                "are searched exactly",
                IndexFileWarning,
                stacklevel=2,
            )
        finally:
            run.goes_on = False

    def finish(self) -> None:
        """Returns when nothing is left to build; Ctrl-C stops it.

        Raises:
            Exception: what kept an index file from being written.
        """
        self.wait()  # what it reads may be older than what was stored last
        self._failed = None
        self.start()
        self.wait()
        if self._failed is not None:
            raise self._failed

    def wait(self) -> None:
        """Returns when the running build, if any, has ended; Ctrl-C stops it."""
        run = self._run
        if run is None:
            return
        try:
            run.wait()
        except BaseException:
            run.stop.set()  # this build, and not those that are asked for later
            run.wait()
            raise

    def stop(self, wait: bool = True) -> None:
        """Ends a running build soon, without its result, and starts none any more."""
        self._closed = True
        run = self._run
        if run is not None:
            run.stop.set()
            if wait:
                run.wait()
