"""Files and folders that appear under their name only when they are whole and on the disk."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from unitvec.durable import sync_to_disk


@contextmanager
def published(path: Path, verb: str, overwrite: bool | None = None) -> Iterator[Path]:
    """A name beside `path` for a file or folder to be made, which then takes `path`.

    After an error nothing of it is left; after a kill at most a file or folder `.NAME.*.tmp`.

    Args:
        path: where it appears, whole and on the disk.
        verb: what is being done, for messages.
        overwrite: whether a file that is there may be replaced; None: that is not offered.

    Raises:
        FileExistsError: something is at `path` and may not be replaced.
    """
    _require_free(path, verb, overwrite)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        yield unfinished
        _sync(unfinished)
        _require_free(path, verb, overwrite)
        unfinished.replace(path)
    except BaseException:
        _remove(unfinished)
        raise
    sync_to_disk(path.parent)


def _require_free(path: Path, verb: str, overwrite: bool | None) -> None:
    if overwrite is None and path.exists():
        raise FileExistsError(f"[{verb}] expected a new path, got {path}, which exists")
    if path.is_dir():
        raise FileExistsError(f"[{verb}] expected a new path, got the folder {path}")
    if path.exists() and not overwrite:
        raise FileExistsError(f"[{verb}] {path} exists; overwrite=True replaces it")


def _sync(path: Path) -> None:
    if path.is_dir():
        for entry in path.iterdir():
            _sync(entry)
    sync_to_disk(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
