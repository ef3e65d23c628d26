"""A fork copies the memory of every thread, and only the thread that forks.

What another thread does in SQLite at that moment, nobody ends in the child: SQLite's own locks stay
taken, and transactions stay open that only the parent has. So a fork waits until no thread is in
SQLite, and keeps others out meanwhile. Some work takes minutes: a fork does not wait for its end,
and its child is told so when it opens a collection, where it might hang.

SQLite's list of open files is copied, too, and what it says of locks on them is true of the parent
alone: a file that is opened again in the child would be read without any. So the child of a quiet
fork closes its copies of the parent's connections, which leaves the parent's as they are.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import apsw

#: Seconds for which a fork waits; a search takes thousandths of one.
PATIENCE = 1.0

_PAUSE = 0.0002  # s, between two looks


class _Forks:
    """Who is in SQLite, and whether somebody forks.

    Who comes adds itself and then looks whether there is a fork; who forks says so and then looks
    who is there: they cannot miss each other. Changes of the set are atomic.
    """

    def __init__(self) -> None:
        self.inside: set[int] = set()
        self.done = threading.Event()
        self.done.set()
        self.one_at_a_time = threading.Lock()
        self.was_busy = False

    def before(self) -> None:
        self.one_at_a_time.acquire()
        self.done.clear()
        end = time.monotonic() + PATIENCE
        while self._others() and time.monotonic() < end:
            time.sleep(_PAUSE)

    def _others(self) -> set[int]:
        return self.inside.copy() - {threading.get_ident()}

    def after_in_parent(self) -> None:
        self.done.set()
        self.one_at_a_time.release()


_forks = _Forks()
_connections: weakref.WeakSet[apsw.Connection] = weakref.WeakSet()


def closed_in_child(connection: apsw.Connection) -> apsw.Connection:
    """The same connection, of which a forked child will close its copy."""
    _connections.add(connection)
    return connection


@contextmanager
def in_sqlite() -> Iterator[None]:
    """Inside, no fork begins for a while; where one has begun, it waits before. May be nested."""
    forks, thread = _forks, threading.get_ident()
    is_outermost = thread not in forks.inside
    try:
        forks.inside.add(thread)
        while is_outermost and not forks.done.is_set():
            forks.inside.discard(thread)
            forks.done.wait()
            forks.inside.add(thread)
        yield
    finally:
        if is_outermost:
            forks.inside.discard(thread)


def require_quiet_fork() -> None:
    """Raises RuntimeError in a child that was forked while a thread was in SQLite."""
    if _forks.was_busy:
        raise RuntimeError(
            "[Collection] this process was forked while a collection was in use: SQLite cannot be "
            "used in it; fork before, or start processes by multiprocessing's 'spawn'"
        )


def _before() -> None:
    _forks.before()


def _after_in_parent() -> None:
    _forks.after_in_parent()


def _after_in_child() -> None:
    global _forks
    was_busy = _forks.was_busy or bool(_forks.inside)
    _forks = _Forks()  # whose locks no thread of the parent holds
    _forks.was_busy = was_busy
    if not was_busy:
        for connection in list(_connections):
            with suppress(apsw.Error):  # the parent has it, and what is not synced is the parent's
                connection.close(True)
    _connections.clear()


os.register_at_fork(
    before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child
)
