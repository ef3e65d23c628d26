"""What recall an approximate search reaches for what time: `Index.tune`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Tuning", "TuningPoint"]


class TuningPoint(NamedTuple):
    """What a sample of queries found with one effort.

    Attributes:
        effort: `ef_search` of a graph, `nprobe` of lists.
        recall: share of the true k nearest that it found, mean over the queries.
        standard_error: of that mean.
        microseconds: for a query, measured once over all of them together: a hint, as other work
            on the machine is in it.
    """

    effort: int
    recall: float
    standard_error: float
    microseconds: float


class Tuning(Sequence[TuningPoint]):
    """Points of rising effort; prints as a table, and draws itself.

    Attributes:
        k: neighbours that were asked for.
        effort: what the points' efforts are called: "ef_search" or "nprobe".
    """

    def __init__(self, k: int, effort: str, points: Sequence[TuningPoint]) -> None:
        """Hold the points."""
        self.k = k
        self.effort = effort
        self._points = tuple(points)

    def __getitem__(self, i: Any) -> Any:
        """Point `i`, or a slice of them."""
        return self._points[i]

    def __len__(self) -> int:
        """How many points there are; none where every search is exact."""
        return len(self._points)

    def __iter__(self) -> Iterator[TuningPoint]:
        """Each point."""
        return iter(self._points)

    def __repr__(self) -> str:
        """The table as text."""
        if not self:
            return f"Tuning(k={self.k}): every search is exact"
        lines = [f"{self.effort:>9}  {f'recall@{self.k}':>10}  {'±':>7}  {'µs/query':>9}"]
        lines += [
            f"{p.effort:>9}  {p.recall:>10.4f}  {p.standard_error:>7.4f}  {p.microseconds:>9.1f}"
            for p in self
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """The table in a notebook."""
        if not self:
            return f"<p>k = {self.k}: every search is exact</p>"
        head = "".join(
            f"<th>{name}</th>" for name in (self.effort, f"recall@{self.k}", "±", "µs/query")
        )
        rows = "".join(
            f"<tr><td>{p.effort}</td><td>{p.recall:.4f}</td><td>{p.standard_error:.4f}</td>"
            f"<td>{p.microseconds:.1f}</td></tr>"
            for p in self
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw recall against time, each point with its effort.

        Args:
            ax: where to; None: a new figure.

        Raises:
            ImportError: matplotlib is not installed.
        """
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots(layout="constrained")
        times = [p.microseconds for p in self]
        recalls = [p.recall for p in self]
        ax.errorbar(times, recalls, [p.standard_error for p in self], marker="o", capsize=3)
        for p in self:
            ax.annotate(
                str(p.effort),
                (p.microseconds, p.recall),
                textcoords="offset points",
                xytext=(6, -10),
            )
        ax.set_xscale("log")
        ax.set(
            xlabel=f"time of a query, µs (points: {self.effort})",
            ylabel=f"recall@{self.k}",
            title="Recall of approximate search",
        )
        ax.grid(visible=True, which="both", alpha=0.3)
        return ax
