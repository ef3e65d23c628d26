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
def published(path: Path, overwrite: bool) -> Iterator[Path]:
    """A name beside `path` for a file or folder to be made, which then takes `path`.

    After an error nothing of it is left; after a kill at most a file `.NAME.*.tmp`.

    Raises:
        FileExistsError: something is at `path` and may not be replaced.
    """
    _require_free(path, overwrite)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        yield unfinished
        _sync(unfinished)
        _require_free(path, overwrite)
        unfinished.replace(path)
    except BaseException:
        _remove(unfinished)
        raise
    sync_to_disk(path.parent)


def _require_free(path: Path, overwrite: bool) -> None:
    if path.is_dir():
        raise FileExistsError(f"[export] expected a new path, got the folder {path}")
    if path.exists() and not overwrite:
        raise FileExistsError(f"[export] {path} exists; overwrite=True replaces it")


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
