"""What a search found, beside what an exact search of the same index finds."""

from __future__ import annotations

from typing import Any


def recall(index: Any, q: Any, found: Any, **filters: Any) -> float:
    """The share of the found that are as near as the true neighbours."""
    best = index.search(q, found.ids.shape[1], exact=True, **filters)
    return float((found.scores >= best.scores[:, -1:]).mean())
