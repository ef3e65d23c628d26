"""Checks of what the functions of this package are given."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def require_text(function: str, text: object, what: str = "text") -> None:
    """Raises TypeError, in the name of `function`, unless `text` is a str."""
    if not isinstance(text, str):
        raise TypeError(f"[{function}] expected {what} to be a str, got {_described(text)}")


def require_texts(function: str, texts: list[Any], first: int = 0) -> None:
    """Raises TypeError for the first that is no str; `first` is the position of `texts[0]`."""
    for position, text in enumerate(texts, first):
        if not isinstance(text, str):
            raise TypeError(
                f"[{function}] expected every text to be a str, got {_described(text)} "
                f"at position {position}"
            )


def require_iterable(function: str, texts: object) -> None:
    """Raises TypeError unless `texts` can be an iterable of texts."""
    if isinstance(texts, (bytes, bytearray, dict)) or not isinstance(texts, Iterable):
        raise TypeError(
            f"[{function}] expected a str or an iterable of str, got {_described(texts)}"
        )


def require_choice(function: str, name: str, value: object, choices: Iterable[object]) -> None:
    """Raises ValueError unless `value` is one of `choices`."""
    choices = list(choices)
    if not any(value is choice or value == choice for choice in choices):
        listed = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"[{function}] expected {name} to be one of {listed}, got {value!r}")


def require_flag(function: str, name: str, value: object) -> None:
    """Raises TypeError unless `value` is True or False."""
    if not isinstance(value, bool):
        raise TypeError(f"[{function}] expected {name} to be True or False, got {value!r}")


def _described(value: object) -> str:
    shown = repr(value)
    if len(shown) > 40:
        shown = f"{shown[:37]}..."
    return f"{type(value).__name__} {shown}"
