"""One progress bar for everything that may last: on stderr, and only where somebody looks."""

from __future__ import annotations

import sys
from typing import Any

from tqdm.auto import tqdm

#: Shorter jobs show no bar, in seconds.
DELAY = 1.0


def progress_bar(
    total: int | None, description: str, unit: str, show: bool | None = None
) -> tqdm[Any]:
    """A tqdm bar on stderr.

    Args:
        total: how many units there are, or None when that is not known.
        description: what is being done, for example "Encoding".
        unit: what is counted, for example "texts".
        show: True at once; False never; None on a terminal or in a notebook, and only once the job
            has lasted `DELAY` seconds.
    """
    watched = sys.stderr is not None and (sys.stderr.isatty() or "ipykernel" in sys.modules)
    return tqdm(
        total=total,
        desc=description,
        unit=f" {unit}",
        delay=0.0 if show else DELAY,
        disable=not (watched if show is None else show),
        dynamic_ncols=True,
        leave=bool(show),
    )
