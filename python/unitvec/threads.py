"""How many threads a caller asks for."""

from __future__ import annotations


def require_threads(function: str, threads: int | None) -> None:
    """Raises ValueError, in the name of `function`, unless it is None or a whole number from 1."""
    if threads is not None and (not isinstance(threads, int) or threads < 1):
        raise ValueError(f"[{function}] expected threads to be None or at least 1, got {threads!r}")
