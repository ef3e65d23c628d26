"""What every step of a pipeline did to a text, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

#: Characters of a step's result that the table of `str` shows.
_WIDTH = 72


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        name: of the option that asked for it; "text" for what came in, "tokenize" for the cut.
        result: what came out: a str before the cut into tokens, a list of str from there on.
        removed: tokens that went in and did not come out, in order.
        changed: (before, after) of tokens that came out changed; after is more than one token
            where the step cut one into several.
    """

    name: str
    result: str | list[str]
    removed: list[str]
    changed: list[tuple[str, str]]

    @property
    def summary(self) -> str:
        """What it did, in words."""
        parts = []
        if self.removed:
            parts.append(f"removed {', '.join(self.removed)}")
        if self.changed:
            parts.append(", ".join(f"{before} → {after}" for before, after in self.changed))
        return "; ".join(parts)

    @property
    def shown(self) -> str:
        """The result as one line; tokens parted by "·"."""
        if isinstance(self.result, str):
            return self.result.replace("\n", "⏎")
        return " · ".join(self.result)


class Explanation:
    """The steps of `Pipeline.explain`, in order; a list of `Step`.

    `str` gives a table; a notebook shows one with every token that was removed or changed.

    Attributes:
        steps: what each did, the text itself first.
    """

    def __init__(self, steps: list[Step]) -> None:
        self.steps = steps

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, position: int) -> Step:
        return self.steps[position]

    @property
    def tokens(self) -> list[str]:
        """What is left at the end."""
        return list(self.steps[-1].result)

    def __str__(self) -> str:
        width = max(len(step.name) for step in self.steps)
        lines = []
        for step in self.steps:
            lines.append(f"{step.name:{width}}  {_cut(step.shown)}".rstrip())
            if step.summary:
                lines.append(f"{'':{width}}    {_cut(step.summary)}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Explanation of {len(self.steps)} steps>\n{self}"

    def _repr_html_(self) -> str:
        cell = 'style="text-align:left;vertical-align:top"'
        rows = "".join(
            f"<tr><td {cell}><code>{escape(step.name)}</code></td>"
            f"<td {cell}>{escape(step.shown)}</td><td {cell}>{_html_of(step)}</td></tr>"
            for step in self.steps
        )
        head = "".join(f"<th {cell}>{name}</th>" for name in ("step", "result", "what it did"))
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…"


def _html_of(step: Step) -> str:
    # Not struck out: a line through "!" or "-" hides it.
    left_out = [
        f'<del style="text-decoration:none">{escape(token)}</del>' for token in step.removed
    ]
    removed = f"− {' '.join(left_out)}" if left_out else ""
    changed = ", ".join(f"{escape(a)} → <b>{escape(b)}</b>" for a, b in step.changed)
    return "<br>".join(filter(None, [removed, changed]))
