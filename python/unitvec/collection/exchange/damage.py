"""What is wrong with a file, and where in it."""

from __future__ import annotations

from pathlib import Path


def damaged(path: Path, place: str, what: str) -> ValueError:
    """A `FormatError` that names the file, the line or row, and what was expected.

    Args:
        path: the file.
        place: such as "line 3"; "" where no place is known.
        what: the rest of the sentence.
    """
    from unitvec._core import FormatError  # only now: the core takes 0.3 s to load

    error: ValueError = FormatError(f"[import_from] {path}{place and ' ' + place}: {what}")
    return error
