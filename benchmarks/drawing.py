"""Pictures of results, as SVG: logarithmic axes, and lines that stay apart in black and white."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.peers import is_ours

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: (x, y) of each point of a line
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """One pair of axes."""

    title: str
    y_label: str
    lines: Mapping[str, Points]  # by system


@dataclass(frozen=True)
class Figure:
    """Panels side by side over one kind of x."""

    title: str
    x_label: str
    x_ticks: Sequence[float]
    panels: Sequence[Panel]


#: Ours: black, unbroken, filled markers. Others: grey, broken, hollow markers.
OUR_MARKERS = "osD^v"
OTHER_STYLES = (("--", "s"), (":", "o"), ("-.", "^"), ((0, (1, 3)), "D"), ((0, (6, 3)), "v"))


def draw(figure: Figure, path: Path) -> None:
    """Writes a figure; the same figure gives the same bytes.

    Raises:
        ImportError: matplotlib is not installed.
    """
    import matplotlib
    from matplotlib.figure import Figure as Canvas

    with matplotlib.rc_context({"svg.hashsalt": "unitvec", "font.size": 9}):
        canvas = Canvas(figsize=(4.8 * len(figure.panels), 4.6), layout="constrained")
        canvas.suptitle(figure.title)
        for axes, panel in zip(
            canvas.subplots(1, len(figure.panels), squeeze=False)[0], figure.panels, strict=True
        ):
            _panel(axes, panel, figure)
        handles, labels = axes.get_legend_handles_labels()
        canvas.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
        path.parent.mkdir(parents=True, exist_ok=True)
        canvas.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _panel(axes: Axes, panel: Panel, figure: Figure) -> None:
    for name, style in _styles(panel.lines).items():
        x, y = zip(*panel.lines[name], strict=True)
        axes.plot(x, y, label=name, **style)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(list(figure.x_ticks), [f"{tick:,.10g}" for tick in figure.x_ticks])
    axes.set_title(panel.title)
    axes.set_xlabel(figure.x_label)
    axes.set_ylabel(panel.y_label)
    _name_ticks(axes)
    axes.grid(which="both", color="0.88", linewidth=0.6)
    axes.set_axisbelow(True)


def _name_ticks(axes: Axes) -> None:
    """Ticks at 1, 2 and 5 times a power of ten, as numbers rather than powers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.minorticks_off()


def _styles(names: Mapping[str, Points]) -> dict[str, dict[str, Any]]:
    styles: dict[str, dict[str, Any]] = {}
    others = [name for name in names if not is_ours(name)]
    for number, name in enumerate(others):
        line, marker = OTHER_STYLES[number % len(OTHER_STYLES)]
        styles[name] = {
            "color": "0.45",
            "linestyle": line,
            "marker": marker,
            "markerfacecolor": "white",
        }
    for number, name in enumerate(filter(is_ours, names)):
        styles[name] = {"color": "black", "linewidth": 1.8, "marker": OUR_MARKERS[number]}
    return styles
