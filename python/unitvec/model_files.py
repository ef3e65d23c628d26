"""Reading the files of a model directory, which may come from anybody."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, NoReturn

from unitvec._core import FormatError

#: Bytes of the largest file of settings; those of real models have a few thousand.
SETTINGS_LIMIT = 1 << 24

#: Bytes of the largest vocabulary, as in the core.
TEXT_LIMIT = 1 << 27

#: Endings of the files that are read.
SUFFIXES = (".json", ".txt", ".safetensors")

#: transformers writes 1e30 as model_max_length where nobody knows one.
LARGEST_MODEL_MAX_LENGTH = 10**9


def read_bytes(path: Path, limit: int = TEXT_LIMIT) -> bytes | None:
    """A file's content, or None where there is no such file.

    Raises:
        FormatError: it cannot be read, is not a regular file, or has more than `limit` bytes.
    """
    try:
        # O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:  # ValueError: a path that no system could have
        raise FormatError(f"{path}: expected a readable file, got {error}") from error
    try:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise FormatError(f"{path}: expected a regular file, got a folder, pipe or device")
        if state.st_size > limit:
            raise FormatError(f"{path}: expected at most {limit} bytes, got {state.st_size}")
        with open(descriptor, "rb", closefd=False) as stream:
            return stream.read(limit)
    finally:
        os.close(descriptor)


def parse_json(path: Path, content: bytes, kind: type) -> Any:
    """The value of a JSON text, which may begin with a byte order mark.

    Of a name that an object has twice, the last one counts, as in the core.

    Raises:
        FormatError: it is not JSON (NaN and Infinity are not), not UTF-8, or of another kind.
    """
    try:
        value = json.loads(content.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except RecursionError:
        raise FormatError(f"{path}: expected JSON of few levels, got hundreds") from None
    except ValueError as error:
        raise FormatError(f"{path}: expected JSON, got something else ({error})") from error
    if not isinstance(value, kind):
        raise FormatError(f"{path}: expected a JSON {kind.__name__}, got {type(value).__name__}")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"the number {name}, which JSON does not have")


def read_json(path: Path, kind: type) -> Any:
    """The value of a JSON file of settings, or None where there is no such file.

    Raises:
        FormatError: as `read_bytes` and `parse_json`.
    """
    content = read_bytes(path, SETTINGS_LIMIT)
    return None if content is None else parse_json(path, content, kind)


def shown(value: Any) -> str:
    """A value for a message: short, whatever somebody put into the file."""
    if isinstance(value, (dict, list)):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, int) and abs(value) >= 1 << 128:
        return "an integer of more than 38 digits"
    text = ascii(value[:60] if isinstance(value, str) else value)
    return text if len(text) <= 60 else text[:57] + "..."


def model_max_length(path: Path, config: dict[str, Any]) -> int | None:
    """The tokens that tokenizer_config.json says a model reads; None where it does not know.

    Raises:
        FormatError: it is not a whole number of at least 3.
    """
    stated = config.get("model_max_length")
    if stated is None:
        return None
    number = isinstance(stated, (int, float)) and not isinstance(stated, bool)
    if number and stated >= LARGEST_MODEL_MAX_LENGTH:
        return None
    if not number or stated < 3 or stated != int(stated):
        raise FormatError(
            f"{path}: model_max_length: expected a whole number of at least 3, got {shown(stated)}"
        )
    return int(stated)


def require_links_inside(root: Path, folder: Path) -> None:
    """Refuses symbolic links by which a model would read files that are not its own.

    Files that `folder` holds must lie in `root`, or be blobs of the same repository in the Hugging
    Face cache, whose snapshots consist of links to these.

    Raises:
        FormatError: naming the link.
    """
    own = root.resolve()
    caches = [
        parent.parent / "blobs"
        for parent in own.parents
        if parent.name == "snapshots" and parent.parent.name.startswith("models--")
    ]
    try:
        links = [e for e in os.scandir(folder) if e.is_symlink() and e.name.endswith(SUFFIXES)]
    except OSError:
        return  # what reads the folder's files says which one is not there
    for link in links:
        target = Path(os.path.realpath(link.path))
        if not any(target.is_relative_to(allowed) for allowed in [own, *caches]):
            raise FormatError(
                f"{link.path}: expected a file inside the model, got a symbolic link out of "
                f"{root}; put a copy of the file in its place if you trust it"
            )
