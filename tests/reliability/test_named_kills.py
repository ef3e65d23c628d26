"""C2: a kill around any write, sync, rename, COMMIT or update of the pointer loses nothing."""

from __future__ import annotations

import gates
from gate_kills import Point, kill_at_every_point
from io_jobs import Runner

#: Points that must be among those found, whatever else there is.
EXPECTED = {
    "make folder", "create database", "write database", "sync database", "sync folder",
    "create log", "write log header", "write frame", "write commit frame", "sync log",
    "remove log", "create index", "write index", "sync index", "rename index", "remove index",
    "pointer: write commit frame", "pointer: sync log",
}  # fmt: skip


def test_kills_at_named_points(runner: Runner) -> None:
    times = gates.tries(short=2, full=100)
    seeds = range(gates.SEED, gates.SEED + gates.tries(short=2, full=20))
    hits = kill_at_every_point(runner, seeds, times)
    wanted = {Point(when, what) for what in EXPECTED for when in ("before", "after")}
    assert wanted <= hits.keys()
    assert min(hits.values()) >= times
    gates.record(
        "C2",
        kills=hits.total(),
        points=len(hits),
        fewest=min(hits.values()),
        **{f"{point.when} {point.what}": count for point, count in sorted(hits.items())},
    )
