"""One progress bar for everything that may last: on stderr, and only where somebody looks."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from typing import Any, Protocol

#: Shorter jobs show no bar, in seconds.
DELAY = 1.0


class Bar(Protocol):
    """What a job tells of its progress."""

    def update(self, n: int) -> Any:
        """`n` more units are done."""


class NoBar:
    """Stands in for a progress bar where none is shown."""

    def __enter__(self) -> NoBar:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, n: int) -> None:
        """Does nothing."""


def progress_bar(
    total: int | None, description: str, unit: str, show: bool | None = None
) -> AbstractContextManager[Bar]:
    """A tqdm bar on stderr.

    Args:
        total: how many units there are, or None when that is not known.
        description: what is being done, for example "Encoding".
        unit: what is counted, for example "texts".
        show: True at once; False never; None on a terminal or in a notebook, and only once the job
            has lasted `DELAY` seconds.
    """
    from tqdm.auto import tqdm  # 50 ms: longer than one query takes

    watched = sys.stderr is not None and (sys.stderr.isatty() or "ipykernel" in sys.modules)
    bar: AbstractContextManager[Bar] = tqdm(
        total=total,
        desc=description,
        unit=f" {unit}",
        delay=0.0 if show else DELAY,
        disable=not (watched if show is None else show),
        dynamic_ncols=True,
        leave=bool(show),
    )
    return bar
