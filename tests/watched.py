"""Which files of a folder were touched, as Linux itself reports it (inotify)."""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path

_EVENTS = {0x1: "read", 0x2: "written", 0x20: "opened", 0x40: "moved away", 0x80: "moved here"}
_EVENTS |= {0x100: "created", 0x200: "deleted"}
_NONBLOCK = os.O_NONBLOCK


class Watched:
    """Notes from now on what any process does to a folder's entries.

    Looking at names and sizes (`stat`) is not noted: it reads no byte.
    """

    def __init__(self, folder: Path) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.inotify_init1(_NONBLOCK)
        mask = sum(_EVENTS)
        if self._fd < 0 or self._libc.inotify_add_watch(self._fd, bytes(folder), mask) < 0:
            raise OSError(ctypes.get_errno(), f"cannot watch {folder}")

    def touched(self) -> list[str]:
        """What happened since the last call, such as "opened victim"; ends nothing."""
        try:
            data = os.read(self._fd, 1 << 20)
        except BlockingIOError:
            return []
        found, at = [], 0
        while at < len(data):
            _, mask, _, length = struct.unpack_from("iIII", data, at)
            name = data[at + 16 : at + 16 + length].rstrip(b"\0").decode()
            found += [f"{event} {name}" for bit, event in _EVENTS.items() if mask & bit]
            at += 16 + length
        return found

    def close(self) -> None:
        """Stops watching."""
        os.close(self._fd)
