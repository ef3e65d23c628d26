"""Loads model directories in a process of its own, so that a crash is seen as one.

Reads one directory a line; answers with one line of JSON: the kind of outcome, and its message.
"""

from __future__ import annotations

import json
import resource
import sys
import warnings

import numpy as np

import unitvec as uv

TEXTS = ["the cat sat", "", "dogs " * 9]
MEMORY = 4 << 30  # bytes of addresses that may be taken from here on


def outcome(directory: str) -> tuple[str, object]:
    """What loading and encoding does: "loaded" with the vectors, or an error's name and text."""
    try:
        vectors = uv.Encoder(directory).encode(TEXTS, on_overflow="truncate", prompt_name=None)
    except Exception as error:
        return type(error).__name__, str(error)
    return ("loaded" if np.isfinite(vectors).all() else "not finite"), vectors.tolist()


def main() -> None:
    """Answers until the input ends."""
    warnings.simplefilter("ignore")
    with open("/proc/self/statm") as stream:
        taken = int(stream.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
    for line in sys.stdin:
        print(json.dumps(outcome(line.rstrip("\n"))), flush=True)


if __name__ == "__main__":
    main()
