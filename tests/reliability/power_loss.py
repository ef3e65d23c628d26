"""What a disk may hold after the power failed, given the operations that a program had done.

The model, after ALICE (Pillai et al., OSDI 2014) and CrashMonkey (Mohan et al., OSDI 2018):

- A file's content is safe up to its last fsync or fdatasync. Of what was written since, each sector
  of 512 bytes holds any of its versions, whatever the others hold: writes are dropped, reordered
  and torn between sectors, never within one.
- A file's length is any that it had since the last sync. What lies within it and never reached the
  disk reads as zeros or, on the stricter kind of file system, as garbage.
- A truncation that did not reach the disk keeps away what was written later beyond it, for that
  would have gone into other blocks.
- Names (made, renamed, removed) are safe after an fsync of their folder. On the *strict* kind
  (all that POSIX promises) any of the others may be missing, in any combination; a rename is one
  change. On the *journaled* kind (as ext4) they arrive in order, and any fsync brings them along.

A sync that has not returned has done nothing yet: what it may have done, dropping covers.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import io_trace
from io_trace import Operation

SECTOR = 512


class Change(NamedTuple):
    """A write, or (data None) a change of the length to `offset`."""

    offset: int
    data: bytes | None


class File:
    """Content that is safe, and what was done to it since."""

    def __init__(self) -> None:
        self.safe = bytearray()
        self.pending: list[Change] = []

    def everything(self) -> bytearray:
        """The content as the program sees it."""
        count = len(self.pending)
        return self.content(lambda sector: count, count, bytes)

    def sync(self) -> None:
        """Makes everything so far safe."""
        self.safe = self.everything()
        self.pending = []

    def after_power_loss(self, rng: random.Random, fill: Callable[[int], bytes]) -> bytearray:
        """One of the contents that may be found."""
        count = len(self.pending)
        fate = rng.choice(("all", "none", "first", "sectors", "sectors", "sectors"))
        if fate != "sectors":
            limit = {"all": count, "none": 0, "first": rng.randint(0, count)}[fate]
            return self.content(lambda sector: limit, limit, fill)
        drawn: dict[int, int] = {}

        def limit_of(sector: int) -> int:
            if sector not in drawn:
                drawn[sector] = rng.choice((0, count, count, rng.randint(0, count)))
            return drawn[sector]

        return self.content(limit_of, rng.choice((count, count, rng.randint(0, count))), fill)

    def content(
        self, limit_of: Callable[[int], int], length_limit: int, fill: Callable[[int], bytes]
    ) -> bytearray:
        """The content when each sector has seen the first `limit_of(sector)` pending changes.

        Args:
            limit_of: how many changes reached a sector, by its number.
            length_limit: how many reached the length.
            fill: that many bytes for what lies within the length and was never written.
        """
        content = bytearray(self.safe)
        length, border = len(content), math.inf
        for i, change in enumerate(self.pending):
            if change.data is None:
                if i < length_limit:
                    length = change.offset
                    del content[length:]
                    content.extend(bytes(length - len(content)))
                else:
                    border = min(border, change.offset)
                continue
            if i < length_limit:
                length = max(length, change.offset + len(change.data))
            for start, piece in _sectors(change.offset, change.data):
                if i < limit_of(start // SECTOR) and start < border:
                    if start > len(content):
                        content.extend(fill(start - len(content)))
                    content[start : start + len(piece)] = piece
        del content[length:]
        content.extend(fill(length - len(content)))
        return content


def _sectors(offset: int, data: bytes) -> list[tuple[int, bytes]]:
    """A write, cut at the borders of sectors."""
    end = offset + len(data)
    starts = [offset, *range((offset // SECTOR + 1) * SECTOR, end, SECTOR), end]
    return [(a, data[a - offset : b - offset]) for a, b in itertools.pairwise(starts)]


class Folder:
    """Names that are safe, and names as the program sees them."""

    def __init__(self) -> None:
        self.safe: Names = {}
        self.now: Names = {}


Names = dict[str, "File | Folder"]

#: What one call did to names: the file or folder under each, None where it is gone.
Naming = list[tuple[Folder, str, "File | Folder | None"]]


class Disk:
    """Follows a trace and can be asked at any moment what a power loss would leave.

    Args:
        root: the folder that was watched; everything was made below it, within the trace.
        journaled: the kind of file system, see above.
    """

    def __init__(self, root: Path, journaled: bool) -> None:
        self.root = str(root)
        self.journaled = journaled
        self.top = Folder()
        self.open: dict[int, File | Folder] = {}
        self.pending: list[Naming] = []

    def apply(self, operation: Operation) -> None:
        """Follows one operation of the trace."""
        if not operation.is_done:
            return
        node = self.open.get(operation.fd)
        kind = operation.kind
        if kind == io_trace.OPEN:
            self._open(operation)
        elif kind == io_trace.CLOSE:
            del self.open[operation.fd]
        elif kind == io_trace.WRITE:
            assert isinstance(node, File)
            node.pending.append(Change(operation.offset, operation.data))
        elif kind == io_trace.TRUNCATE:
            assert isinstance(node, File)
            node.pending.append(Change(operation.size, None))
        elif kind == io_trace.SYNC:
            self._sync(node)
        elif kind == io_trace.MKDIR:
            self._rename([(*self._place(operation.path), Folder())])
        elif kind in (io_trace.UNLINK, io_trace.RMDIR):
            self._rename([(*self._place(operation.path), None)])
        elif kind == io_trace.RENAME:
            folder, name = self._place(operation.path)
            moved = (*self._place(operation.other), folder.now[name])
            self._rename([(folder, name, None), moved])

    def _place(self, path: str) -> tuple[Folder, str]:
        *parents, name = path[len(self.root) + 1 :].split("/")
        folder = self.top
        for parent in parents:
            below = folder.now[parent]
            assert isinstance(below, Folder)
            folder = below
        return folder, name

    def _open(self, operation: Operation) -> None:
        if operation.path == self.root:
            self.open[operation.fd] = self.top
            return
        folder, name = self._place(operation.path)
        if operation.size == io_trace.CREATED:
            self._rename([(folder, name, File())])
        node = folder.now[name]
        if operation.size == io_trace.EMPTIED:
            assert isinstance(node, File)
            node.pending.append(Change(0, None))
        self.open[operation.fd] = node

    def _rename(self, naming: Naming) -> None:
        for folder, name, node in naming:
            _put(folder.now, name, node)
        self.pending.append(naming)

    def _sync(self, node: File | Folder | None) -> None:
        if isinstance(node, File):
            node.sync()
        kept = []
        for naming in self.pending:
            if self.journaled or any(folder is node for folder, _, _ in naming):
                for folder, name, other in naming:
                    _put(folder.safe, name, other)
            else:
                kept.append(naming)
        self.pending = kept

    def write_everything(self, target: Path) -> None:
        """Makes the folder as the program saw it."""
        _write(self.top, target, lambda folder: folder.now, File.everything)

    def write_after_power_loss(self, rng: random.Random, target: Path) -> None:
        """Makes one of the folders that may be found when the power fails now."""
        fill = bytes if self.journaled or rng.random() < 0.5 else rng.randbytes
        names = self._names_after_power_loss(rng)
        _write(
            self.top,
            target,
            lambda folder: names.get(id(folder), folder.safe),
            lambda file: file.after_power_loss(rng, fill),
        )

    def _names_after_power_loss(self, rng: random.Random) -> dict[int, Names]:
        """Names of those folders, by id(), where they may differ from the safe ones."""
        if self.journaled:
            arrived = self.pending[: rng.randint(0, len(self.pending))]
        else:
            share = rng.choice((0.0, 1.0, rng.random()))
            arrived = [naming for naming in self.pending if rng.random() < share]
        names: dict[int, Names] = {}
        for naming in arrived:
            for folder, name, node in naming:
                _put(names.setdefault(id(folder), dict(folder.safe)), name, node)
        return names


def _put(names: Names, name: str, node: File | Folder | None) -> None:
    if node is None:
        names.pop(name, None)
    else:
        names[name] = node


def _write(
    folder: Folder,
    target: Path,
    names_of: Callable[[Folder], Names],
    content_of: Callable[[File], bytearray],
) -> None:
    target.mkdir()
    for name, node in names_of(folder).items():
        if isinstance(node, Folder):
            _write(node, target / name, names_of, content_of)
        else:
            (target / name).write_bytes(content_of(node))
