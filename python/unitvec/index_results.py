"""What searches of an index give back."""

from __future__ import annotations

from typing import Any, NamedTuple

from unitvec.distance import FloatMatrix
from unitvec.index_arguments import Ids

__all__ = ["RangeResult", "SearchResult"]


class SearchResult(tuple[Any, Any]):
    """What `Index.search` found: unpacks as `scores, ids`.

    Attributes:
        scores: shape (nq, k), best first; larger is nearer (with `distances=True`: smaller).
        ids: int64, shape (nq, k); -1 where fewer than k vectors could be found.
        exact: no nearer vector was missed.
        recall_estimate: share of the true k nearest that such a search finds: 1 where it is exact,
            else as measured on a sample of queries (see `Index.tune`); None where none was measured
            yet for about this k.
    """

    exact: bool
    recall_estimate: float | None

    def __new__(
        cls, scores: FloatMatrix, ids: Ids, *, exact: bool, recall_estimate: float | None = None
    ) -> SearchResult:
        """Hold the two arrays as a pair."""
        result = super().__new__(cls, (scores, ids))
        result.exact = exact
        result.recall_estimate = recall_estimate
        return result

    @property
    def scores(self) -> FloatMatrix:
        """Shape (nq, k)."""
        return self[0]  # type: ignore[no-any-return]

    @property
    def ids(self) -> Ids:
        """Shape (nq, k)."""
        return self[1]  # type: ignore[no-any-return]


class RangeResult(NamedTuple):
    """What `Index.range_search` found for one query, best first."""

    scores: FloatMatrix
    ids: Ids
