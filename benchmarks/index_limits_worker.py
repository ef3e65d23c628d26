"""What the machine can do for exact search, in a process of its own, as JSON.

The bandwidth of reading an array as large as the vectors, so that it has the same share of the
caches, and the best speed of matrix products of queries with blocks of vectors.

python -m benchmarks.index_limits_worker THREADS MEGABYTES QUERIES DIM
"""

from __future__ import annotations

import json
import sys

from benchmarks.roofline_worker import bandwidth, gemm

BLOCKS = (1024, 4096, 16384)  # vectors in a product


def main(threads: str, megabytes: str, queries: str, dim: str) -> None:
    shapes = [(int(dim), block) for block in BLOCKS]
    speeds = gemm(int(threads), int(queries), shapes)
    result = {
        "gigabytes_per_second": bandwidth(int(threads), int(megabytes))["read"],
        "gigaflops": max(speed for shape in speeds.values() for speed in shape.values()),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
