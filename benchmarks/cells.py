"""Figures as tables show them."""

from __future__ import annotations

from collections.abc import Mapping


def spread(value: Mapping[str, float]) -> str:
    """A `measure.summary` as "median (least - largest)", with about three digits."""
    digits = 0 if value["median"] >= 100 else 1
    median, least, most = (f"{value[key]:,.{digits}f}" for key in ("median", "min", "max"))
    return f"{median} ({least} - {most})"


def row(*cells: str) -> str:
    """A line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def header(*titles: str) -> list[str]:
    """The two lines that a Markdown table begins with."""
    return [row(*titles), f"|{' --- |' * len(titles)}"]
