"""The vectors that indexes are measured with: of real sentences, encoded once and kept in build/.

Queries are held out: sentences that are not among those of the vectors. A million vectors are made
from the real ones: see `grown`.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.conversions import model_digest
from benchmarks.measure import FloatArray
from benchmarks.sentences import sentences
from benchmarks.settings import Settings
from benchmarks.systems import encode, running
from benchmarks.workloads import SEED

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "build" / "bench-vectors"

ENCODER = "unitvec fp32"
COUNT, QUERIES = 100_000, 1_000

#: Length of the noise that `grown` adds to vectors of length 1.
NOISE = 0.3


@dataclass(frozen=True)
class Vectors:
    """Files with float32 vectors of length 1, which every process reads for itself."""

    vectors: Path  # (count, dim)
    queries: Path  # (queries, dim)

    def load(self) -> tuple[FloatArray, FloatArray]:
        """Both; the vectors stay on disk until they are read."""
        return np.load(self.vectors, mmap_mode="r"), np.load(self.queries)


def real_vectors(settings: Settings, folder: Path = KEPT) -> Vectors:
    """Vectors and queries of real sentences; the first time they are encoded, for minutes.

    `scale` below 1 takes the first of each.

    Raises:
        PeerError: if the encoder fails.
    """
    queries, pieces = real_sentences(settings)
    target = folder / _key(settings, queries, pieces)
    if not target.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as unfinished:
            made = Path(unfinished) / "made"
            made.mkdir()
            _encode(pieces, queries, made, settings)
            os.replace(made, target)
    return Vectors(target / "vectors.npy", target / "queries.npy")


def real_sentences(settings: Settings) -> tuple[list[str], list[str]]:
    """The sentences of `real_vectors`: of the queries, and of the vectors."""
    count = max(1_000, round(COUNT * settings.scale))
    wanted = max(100, round(QUERIES * settings.scale))
    texts = sentences(QUERIES + count)
    return texts[:wanted], texts[QUERIES:]


def _encode(pieces: list[str], queries: list[str], folder: Path, settings: Settings) -> None:
    print(f"encoding {len(pieces) + len(queries):,} sentences, once", file=sys.stderr, flush=True)
    with running([ENCODER], settings) as systems:
        encode(systems.processes[ENCODER], pieces, folder / "vectors.npy")
        encode(systems.processes[ENCODER], queries, folder / "queries.npy")


def _key(settings: Settings, queries: list[str], pieces: list[str]) -> str:
    """Changes with the model, the seed, and the sentences and how they are divided."""
    digest = hashlib.sha256(model_digest(settings.model_directory()).encode())
    for texts in (queries, pieces):
        digest.update(b"\0".join(text.encode() for text in texts) + b"\0\0")
    return f"{settings.model_name}-{len(pieces)}-{SEED}-{digest.hexdigest()[:12]}"


def grown(real: FloatArray, count: int, path: Path) -> None:
    """Writes `count` vectors of length 1: first the real ones, (n, dim), then copies with noise.

    A copy is a real vector plus Gaussian noise of length about `NOISE`, and of length 1 again: its
    cosine to the real one is about 1 / sqrt(1 + NOISE^2), 0.96.
    """
    made = np.lib.format.open_memmap(path, "w+", np.float32, (count, real.shape[1]))
    made[: len(real)] = real[:count]
    rng = np.random.default_rng(SEED)
    for begin in range(len(real), count, len(real)):
        block = real[: count - begin]
        noise = rng.standard_normal(block.shape, np.float32) * (NOISE / np.sqrt(block.shape[1]))
        noise += block
        noise /= np.linalg.norm(noise, axis=1, keepdims=True)
        made[begin : begin + len(block)] = noise
    made.flush()
