"""Does a store sync to disk before it acknowledges a write? Its system calls tell.

A worker upserts a few rows under strace. Syncs between the beginning and the end of a call are
those that the caller waited for, whichever thread makes them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from benchmarks.collection_peers import StoreSystem
from benchmarks.collection_sync_worker import BEGIN, END
from benchmarks.collection_systems import Corpus
from benchmarks.environment import interpreter
from benchmarks.process import environment_variables

UPSERTS = 5

TRACED = "fsync,fdatasync,syncfs,sync,msync,access,faccessat,faccessat2"
SYNC = re.compile(r"\b(?:fsync|fdatasync|syncfs|sync)\(|\bmsync\([^)]*\bMS_SYNC")


def syncs_per_upsert(system: StoreSystem, path: Path, corpus: Corpus, threads: int) -> float | None:
    """Syncs that a one-row upsert waits for, the mean of a few; None where strace cannot tell.

    Args:
        system: whose store lies at `path`; it is changed.
        path: of a store that no process has open.
        corpus: the documents that it was made of.
        threads: of the process.
    """
    if shutil.which("strace") is None:
        return None
    store = {"path": str(path), "dim": corpus.dim, "options": system.options}
    request = json.dumps({"store": store, "documents": corpus.rows(0, UPSERTS)})
    worker = [str(interpreter(system.environment)), "-m", "benchmarks.collection_sync_worker"]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "calls"
        trace = ["strace", "-f", "-qq", "-e", f"trace={TRACED}", "-o", str(log)]
        done = subprocess.run(
            [*trace, *worker, system.module, request],
            check=False,
            env=environment_variables(threads),
            capture_output=True,
        )
        if done.returncode != 0 or not log.is_file():
            return None
        with log.open(encoding="utf-8", errors="replace") as lines:
            counts = syncs_by_call(lines)
    return statistics.fmean(counts) if len(counts) == UPSERTS else None


def syncs_by_call(lines: Iterable[str]) -> list[int]:
    """Of strace's lines the number of syncs between each pair of marks."""
    counts: list[int] = []
    is_inside = False
    for line in lines:
        if BEGIN in line:
            counts.append(0)
            is_inside = True
        elif END in line:
            is_inside = False
        elif is_inside and SYNC.search(line):
            counts[-1] += 1
    return counts


def disk_sync_seconds(folder: Path, calls: int = 50) -> float:
    """Median of writing 4 KB to a file in the folder and syncing it: what durability costs here."""
    seconds = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(calls):
            os.pwrite(file.fileno(), bytes(4096), 0)
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)
