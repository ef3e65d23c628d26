"""Where the time of encoding goes, in a process of its own: prints times as JSON.

python -m benchmarks.profile_worker DTYPE MODEL THREADS SCALE CALLS
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import unitvec
from benchmarks.workloads import QUERY, workloads
from unitvec import _core


def profile(encoder: unitvec.Encoder, texts: list[str], calls: int) -> dict[str, Any]:
    """Seconds of one call of `encode`, and of its steps; means over `calls`.

    "tokenise" is added to the steps of the core. Threads that work through batches of their own
    add up in the core's steps, and in no other.
    """
    tokenise = _Timed(encoder.tokenizer._sequences)
    encoder.tokenizer._sequences = tokenise  # type: ignore[method-assign]
    _core.start_step_times()
    start = time.perf_counter()
    for _ in range(calls):
        encoder.encode(texts, show_progress_bar=False, on_overflow="truncate")
    seconds = time.perf_counter() - start
    steps = {"tokenise": tokenise.seconds, **_core.stop_step_times()}
    del encoder.tokenizer._sequences  # the class's own again
    lengths = [len(encoder.tokenizer.encode(text)) for text in texts]
    return {
        "seconds": seconds / calls,
        "steps": {name: value / calls for name, value in steps.items()},
        "lengths": [min(length, encoder.max_seq_length) for length in lengths],
    }


class _Timed:
    """A function that adds up how long it took."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.seconds = 0.0

    def __call__(self, *arguments: Any) -> Any:
        start = time.perf_counter()
        result = self._function(*arguments)
        self.seconds += time.perf_counter() - start
        return result


def main(dtype: str, model: str, threads: str, scale: str, calls: str) -> None:
    """One short query in each of `calls` calls; then all long texts in one."""
    encoder = unitvec.Encoder(Path(model), dtype=dtype, threads=int(threads))
    texts = workloads(float(scale))["long"]
    encoder.encode(texts[: max(4, len(texts) // 10)], on_overflow="truncate")  # the warm-up
    profile(encoder, [QUERY], 10)
    result = {
        "query": profile(encoder, [QUERY], int(calls)),
        "long": profile(encoder, texts, 1),
        "versions": {"unitvec": version("unitvec"), "instruction set": _core.active_isa()},
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
