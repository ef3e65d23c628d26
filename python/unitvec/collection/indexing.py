"""An open collection that keeps its index files as the policy wants them, beside other work."""

from __future__ import annotations

import threading
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from unitvec.collection.building import BackgroundBuilder, IndexBuild
from unitvec.collection.coded import Coded
from unitvec.collection.forking import in_sqlite
from unitvec.collection.generations import IndexFileWarning, remove_stale
from unitvec.collection.index_cache import IndexPolicy
from unitvec.collection.session import Describe, Session
from unitvec.collection.store import Generation, Store
from unitvec.collection.vector_rows import INTERNAL, Space

#: Looks at the policy while the rows are written that may call for a new index file.
_EXAMINATIONS = 20


def _weakly(session: IndexingSession) -> Callable[[threading.Event], bool]:
    """Builds for a session as long as somebody has it: one that is forgotten frees its lock."""
    reference = weakref.ref(session)

    def build_next(stop: threading.Event) -> bool:
        session = reference()
        return session is not None and session.build_next(stop)

    return build_next


class IndexingSession(Session):
    """A session, see there, with a thread that builds index files."""

    def __init__(
        self,
        path: Path,
        read_only: bool,
        durability: str,
        policy: IndexPolicy,
        describe: Describe | None,
    ) -> None:
        self._build_lock = threading.RLock()  # before the locks of the connections
        self._builder = BackgroundBuilder(_weakly(self))
        self._examined, self._unexamined = False, 0
        self._building = False
        # What a run built last, told by the event that stops it.
        self._built: tuple[threading.Event | None, Generation | None] = None, None
        self._complete_before: dict[int, int] = {}  # by the number of a staged space
        self._migrating: dict[str, object] = {}  # by name of the space, whose call it is
        super().__init__(path, read_only, durability, policy, describe)

    def close(self, finish: bool = True) -> None:
        """Gives everything back; in a forked child, leaves it to the parent.

        Args:
            finish: let a running build of an index file end first; Ctrl-C stops it.
        """
        if not self.is_ours:
            return
        # From inside a change (of a signal's handler, say) a build may be waiting for its end.
        waits = not self.is_writing_here
        try:
            if finish and waits:
                self._builder.wait()
        finally:
            self._builder.stop(waits)
            super().close()

    def maintain(self, changed: int | None = None) -> None:
        """Has the index files built or extended where the policy wants it, and does not wait.

        Args:
            changed: rows written; few of them alone cannot have made a difference.
        """
        try:
            self._maintain(changed)
        except Exception as error:  # such as no memory for a thread, a disk that does not answer
            self._warn_of_index(error)

    def _warn_of_index(self, error: Exception) -> None:
        """In place of an error, after which one would believe that nothing was stored or found."""
        warnings.warn(
            f"what was written is stored, but the index file cannot be brought up to date ({error})"
            "; what it lacks is searched exactly",
            IndexFileWarning,
            stacklevel=2,
        )

    def _maintain(self, changed: int | None) -> None:
        self._unexamined += changed or 0
        least = min(self._policy.approximate_from, self._policy.tail_min) / _EXAMINATIONS
        if self._examined and changed is not None and self._unexamined < least:
            return
        if self._building:  # looks itself when it is done
            return
        self._examined, self._unexamined = True, 0
        if self._wanted() is not None:
            self._builder.start()

    def build_indexes(self) -> None:
        """Returns when the index files are as the policy wants them.

        Raises:
            OSError: one could not be written.
            PermissionError: the collection is open read-only.
        """
        self.check()
        if self.read_only:
            raise PermissionError(f"[build_index] {self.path} is open read-only")
        self._builder.wait()
        # No thread for nothing: Python loses a Ctrl-C that meets it while it forgets one.
        if self._wanted() is not None:
            self._builder.finish()

    def build_staged(self, space: Space, before: int) -> None:
        """As `build_indexes`, of vectors that are not complete yet as well.

        Args:
            space: an internal one.
            before: a key; no row with a smaller one gets a vector any more.
        """
        self._complete_before[space.space] = before
        try:
            self.build_indexes()
        finally:
            self._complete_before.pop(space.space, None)

    @contextmanager
    def migrating(self, space: Space) -> Iterator[None]:
        """One migration of a space at a time: two would switch to what the other has not done.

        Raises:
            RuntimeError: another call is at it.
        """
        call = object()
        try:
            if self._migrating.setdefault(space.name, call) is not call:  # in one step
                raise RuntimeError(
                    f"[migrate] the vectors{space.called} of {self.path} are being migrated by "
                    "another call: wait for its end"
                )
            yield
        finally:
            if self._migrating.get(space.name) is call:
                del self._migrating[space.name]

    @contextmanager
    def not_building(self) -> Iterator[Store]:
        """The writing connection, while no index file is being built."""
        self.check()
        with self._build_lock, self.exclusive() as store:
            yield store

    def rebuild_indexes(self) -> None:
        """Builds every index file afresh."""
        with self.not_building() as store:
            for space in self.spaces.values():
                wanted = store.live(space) >= self._policy.approximate_from
                if wanted and not space.name.startswith(INTERNAL):
                    self._build(space, threading.Event(), afresh=True)
                elif store.generation(space) is not None:
                    with store.writing():
                        store.set_generation(space, None)
                    remove_stale(self.path, store.generations())

    def remove_stale(self) -> None:
        """Deletes index files that nothing points to."""
        with self.not_building() as store:
            remove_stale(self.path, store.generations())

    def _wanted(self) -> Space | None:
        """A space whose index file the policy wants built or extended."""
        with self.exclusive() as store, in_sqlite(), store.reading():
            for space in self.spaces.values():
                if self._is_settled(space) and self._wants_graph(store, space):
                    return space
        return None

    def _is_settled(self, space: Space) -> bool:
        """Whether new vectors get larger keys than all there are, or it is known which do not."""
        return not space.name.startswith(INTERNAL) or space.space in self._complete_before

    def _wants_graph(self, store: Store, space: Space) -> bool:
        policy, live = self._policy, store.live(space)
        if live < policy.approximate_from:
            return False
        pointer = store.generation(space)
        if pointer is None or not (self.path / pointer.file).is_file():
            return True
        # Later keys are as many rows as the graph lacks, or more: mostly that says enough.
        later = max(0, store.state().next_key - 1 - pointer.last_key)
        if not policy.wants_graph(live, later, pointer.live + later - live, pointer.live):
            return False
        # Counted, where the number of all may be a lie; beyond that many the others do not matter.
        most = int(min(policy.most_tail(live) + 1, later))
        tail = store.count_vectors_after(space, pointer.last_key, most)
        return policy.wants_graph(live, tail, pointer.live + tail - live, pointer.live)

    def build_next(self, stop: threading.Event) -> bool:
        """Builds what is wanted; False where nothing is. Runs in the builder's thread."""
        space = self._wanted()
        if space is None or self._is_futile(space, stop):
            return False
        self._building = True
        try:
            self._built = stop, self._build(space, stop)
        finally:
            self._building = False
        return True

    def _is_futile(self, space: Space, stop: threading.Event) -> bool:
        """Whether this run has just built what is wanted again, and nothing changed since."""
        run, built = self._built
        with self.exclusive() as store, in_sqlite(), store.reading():
            pointer, state = store.generation(space), store.state()
        if (
            run is not stop
            or pointer is None
            or (pointer, state.sequence) != (built, pointer.sequence)
        ):
            return False
        warnings.warn(
            f"{pointer.file} is wanted anew, though nothing changed since it was written: it stays "
            "as it is; `verify` may say more",
            IndexFileWarning,
            stacklevel=2,
        )
        return True

    def _build(
        self, space: Space, stop: threading.Event, afresh: bool = False
    ) -> Generation | None:
        """Builds, stores and adopts an index file; returns its pointer.

        None: of a space that another call has dropped, or not completed, there is none to build.
        """
        with self._build_lock:
            with self.exclusive() as store, in_sqlite():
                if not store.has_space(space) or not self._is_settled(space):
                    return None
                store.free_cache()  # of what was just stored
            with self.extra_reader(read_once=True) as store:
                build = IndexBuild(
                    self.path,
                    self.properties["uuid"],
                    store,
                    space,
                    stop,
                    self._complete_before.get(space.space),
                )
                graph, generation = build.run(afresh)
            with self.exclusive() as store:
                with store.writing_durably():  # before what it replaces is deleted
                    is_there = store.has_space(space)
                    if is_there:
                        store.set_generation(space, generation)
                remove_stale(self.path, store.generations())
                if is_there:
                    self._adopt(graph, generation)
        return generation if is_there else None

    def _adopt(self, graph: Coded, generation: Generation) -> None:
        with self._read_lock:
            for cache in self.caches.values():
                if cache.space.space == generation.space:  # whatever its name is by now
                    cache.adopt(graph, generation)

    def replace_lost_indexes(self) -> None:
        """Has index files built again where a search just found that one cannot be believed."""
        lost = [cache for cache in self.caches.values() if cache.is_lost]
        if not lost or self.read_only:
            return
        try:
            with self.writing() as store:
                for cache in lost:
                    cache.is_lost = False
                    store.set_generation(cache.space, None)
        except Exception as error:
            self._warn_of_index(error)
        self.maintain()
