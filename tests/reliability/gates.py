"""How often a gate is tried, from which seed, and where its figures go.

`make test` tries each a few times; `make reliability` sets UNITVEC_RELIABILITY=full and keeps what
it counted as a line of JSON per gate in the file that UNITVEC_RELIABILITY_REPORT names. A number in
place of "full" is a share of it: 0.1 tries each a tenth as often.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pytest

#: Of every random choice; another comes from UNITVEC_SEED.
SEED = int(os.environ.get("UNITVEC_SEED", "20261123"))


def tries(short: int, full: int) -> int:
    """How often: `short` in every test run, `full`, or a share of it, before a release."""
    wanted = os.environ.get("UNITVEC_RELIABILITY")
    if not wanted:
        return short
    return full if wanted == "full" else max(short, math.ceil(float(wanted) * full))


#: For a test that takes too long for every run.
before_a_release = pytest.mark.skipif(
    tries(0, 1) == 0, reason="minutes long: only with UNITVEC_RELIABILITY=full"
)


def record(gate: str, **figures: int | float | str) -> None:
    """Keeps what a gate counted, with its seed, where a report is asked for."""
    report = os.environ.get("UNITVEC_RELIABILITY_REPORT")
    if report:
        line = json.dumps({"gate": gate, "seed": SEED, **figures})
        with Path(report).open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")
