"""What the machine can do, in a process of its own: prints bandwidth and GEMM speed as JSON.

python -m benchmarks.roofline_worker THREADS MEGABYTES ROWS DIM INTERMEDIATE
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

ROUNDS = 5


def best_seconds(work: Callable[[], object]) -> float:
    """The shortest of some rounds, after a warm-up: what the machine can do at its best."""
    work()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def bandwidth(threads: int, megabytes: int) -> dict[str, float]:
    """GB/s of reading an array (a sum), and of reading and writing one (a copy)."""
    source = np.ones(megabytes * 10**6 // 4, np.float32)
    target = np.zeros_like(source)
    parts = list(zip(np.array_split(source, threads), np.array_split(target, threads), strict=True))
    with ThreadPoolExecutor(threads) as pool:  # NumPy lets go of the interpreter lock for both

        def read() -> None:
            list(pool.map(lambda part: part[0].sum(), parts))

        def copy() -> None:
            list(pool.map(lambda part: np.copyto(part[1], part[0]), parts))

        return {
            "read": source.nbytes / best_seconds(read) / 1e9,
            "copy": 2 * source.nbytes / best_seconds(copy) / 1e9,
        }


def gemm(threads: int, rows: int, shapes: Iterable[tuple[int, int]]) -> dict[str, dict[str, float]]:
    """GFLOP/s in fp32 of (rows, in) times (in, out), by "in x out" and by library."""
    speeds: dict[str, dict[str, float]] = {}
    operands = {}
    rng = np.random.default_rng(1)
    for inner, outer in shapes:
        x = rng.normal(size=(rows, inner)).astype(np.float32)
        weight = rng.normal(size=(inner, outer)).astype(np.float32)
        operands[f"{inner} x {outer}"] = x, weight
    for shape, (x, weight) in operands.items():
        out = np.empty((rows, weight.shape[1]), np.float32)
        seconds = best_seconds(partial(np.matmul, x, weight, out=out))
        speeds[shape] = {"NumPy": 2 * rows * weight.size / seconds / 1e9}
    import torch  # only now: its threads would wait beside NumPy's

    torch.set_num_threads(threads)
    for shape, (x, weight) in operands.items():
        a, b = torch.from_numpy(x), torch.from_numpy(weight)
        result = torch.empty(rows, weight.shape[1])
        seconds = best_seconds(partial(torch.mm, a, b, out=result))
        speeds[shape]["torch"] = 2 * rows * weight.size / seconds / 1e9
    return speeds


def main(threads: str, megabytes: str, rows: str, dim: str, intermediate: str) -> None:
    width, wide = int(dim), int(intermediate)
    layers = [(width, 3 * width), (width, width), (width, wide), (wide, width)]
    result = {
        "gigabytes_per_second": bandwidth(int(threads), int(megabytes)),
        "gigaflops": gemm(int(threads), int(rows), layers),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
