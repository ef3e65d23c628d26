"""Writes the files that fuzz_index starts from: small indexes of every kind, metric and dtype.

usage: index_seeds.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from unitvec import Index

DIM = 8
ROWS = 48  # so many that a search of a graph walks it
SEEDS = [
    ("flat", "cosine", "float32"),
    ("flat", "dot", "float16"),
    ("flat", "euclidean", "int8"),
    ("flat", "manhattan", "float32"),
    ("flat", "hamming", None),
    ("hnsw", "cosine", "float32"),
    ("hnsw", "dot", "float16"),
    ("hnsw", "euclidean", "int8"),
    ("hnsw", "manhattan", "float32"),
    ("hnsw", "hamming", None),
    ("ivf", "cosine", "float32"),
    ("ivf", "dot", "float16"),
    ("ivf", "euclidean", "int8"),
    ("ivfpq", "cosine", "float32"),
    ("ivfpq", "euclidean", "float16"),
    ("auto", "cosine", "float32"),
]


def make_index(kind: str, metric: str, dtype: str | None) -> Index:
    rng = np.random.default_rng(1)
    index = Index(DIM, kind, metric, dtype, M=2, nlist=3, nprobe=1, automatic_threshold=10)
    x = rng.standard_normal((ROWS, DIM)).astype(np.float32)
    if kind in ("ivf", "ivfpq"):
        index.train(x)
    index.add(x > 0 if metric == "hamming" else x)
    index.remove([2, 9])
    return index


def make_sketched() -> Index:
    """Vectors so long, and so many, that they have sketches."""
    index = Index(96, "hnsw", "cosine", "int8", M=2)
    index.add(np.random.default_rng(2).standard_normal((256, 96)).astype(np.float32))
    return index


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for kind, metric, dtype in SEEDS:
        make_index(kind, metric, dtype).save(folder / f"{kind}-{metric}-{dtype or 'bits'}")
    make_sketched().save(folder / "hnsw-sketches")
    Index(DIM).save(folder / "empty")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
