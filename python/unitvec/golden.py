"""Golden vectors: what a model must give for one sentence, wherever it runs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unitvec._core import FormatError

#: The sentence: punctuation, digits, accents and characters without spaces between them.
SENTENCE = "The quick brown fox jumps over 13 lazy dogs; Grüße aus Köln, 世界!"

#: Made with sentence-transformers on float32 weights, by the SHA-256 of those weights.
KNOWN = Path(__file__).with_name("golden_vectors.json")

#: How far a component may be from the golden one, in units of the largest. The kernels of
#: different processors round differently by a few 1e-6; bfloat16 weights have 8 bits, and int8
#: rounds what goes into a layer, too.
TOLERANCE = {"float32": 5e-5, "bfloat16": 3e-2, "int8": 0.15}


@dataclass(frozen=True)
class GoldenVector:
    """A vector of `SENTENCE`, and what it is of.

    Attributes:
        weights: SHA-256 over the weight files' digests.
        pooling: the modes.
        normalize: whether it has length 1.
        vector: its components.
    """

    weights: str
    pooling: list[str]
    normalize: bool
    vector: list[float]

    @property
    def settings(self) -> tuple[str, list[str], bool]:
        """What two golden vectors must share to be compared."""
        return self.weights, self.pooling, self.normalize

    def save(self, path: Path) -> None:
        """Writes it as JSON."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> GoldenVector:
        """Reads what `save` wrote. Raises FormatError where that is something else."""
        try:
            golden = cls(**json.loads(path.read_bytes()))
            np.asarray(golden.vector, np.float32)
            return golden
        except (ValueError, TypeError) as error:
            raise FormatError(f"{path}: expected a golden vector, got {error}") from error


def difference(mine: GoldenVector, golden: GoldenVector | None, name: str, dtype: str) -> float:
    """The largest difference of a component, in units of the largest one.

    See `Encoder.verify` for what it raises.

    Args:
        mine: what the model gave here.
        golden: what it must give; None: what comes with unitvec.
        name: of the model, for the messages.
        dtype: of its weights.
    """
    expected = golden or _known(mine)
    if expected is None:
        raise LookupError(
            f"[verify] expected a golden vector of {name}, got none, and none comes with unitvec; "
            "make one with golden_vector() where all is well"
        )
    if expected.settings != mine.settings:
        raise RuntimeError(
            f"[verify] expected the golden vector of {name} with its pooling, got one of another "
            "model"
        )
    same_length = len(mine.vector) == len(expected.vector)
    worst = float("inf")
    if same_length:
        scale = np.abs(expected.vector).max()
        worst = float(np.abs(np.subtract(mine.vector, expected.vector)).max() / scale)
    if not worst <= TOLERANCE[dtype]:
        raise RuntimeError(
            f"[verify] expected {name} to give its golden vector within {TOLERANCE[dtype]}, got a "
            f"difference of {worst:.3g}: its files, this build or this machine is damaged"
        )
    return worst


def _known(mine: GoldenVector) -> GoldenVector | None:
    """The golden vector that comes with unitvec for a model with these settings."""
    entries: list[dict[str, Any]] = json.loads(KNOWN.read_bytes())["vectors"]
    found = [GoldenVector(**{k: v for k, v in e.items() if k != "model"}) for e in entries]
    return next((golden for golden in found if golden.settings == mine.settings), None)
