"""Figures as tables show them."""

from __future__ import annotations

import math
from collections.abc import Mapping


def spread(value: Mapping[str, float], digits: int | None = None) -> str:
    """A `measure.summary` as "median (least - largest)", by default with about three digits.

    Args:
        value: with "median", "min" and "max".
        digits: behind the point; None: one below 100, else none.
    """
    if digits is None:
        digits = 0 if value["median"] >= 100 else 1
    median, least, most = (f"{value[key]:,.{digits}f}" for key in ("median", "min", "max"))
    return f"{median} ({least} - {most})"


def digits_for(value: float) -> int:
    """Digits behind the point that make three in all."""
    return max(0, 2 - math.floor(math.log10(value))) if value > 0 else 0


def row(*cells: str) -> str:
    """A line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def header(*titles: str) -> list[str]:
    """The two lines that a Markdown table begins with."""
    return [row(*titles), f"|{' --- |' * len(titles)}"]
