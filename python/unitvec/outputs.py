"""What `Encoder.encode` gives back, put together from what the core gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from unitvec import _core

FloatArray = npt.NDArray[np.float32]


class Rows:
    """Vectors that arrive some at a time, one after another in memory.

    Memory for `count` of them is taken at once; where that is not known it grows by a quarter, in
    place, so that a long job never holds its result twice.
    """

    def __init__(self, first: npt.NDArray[Any], count: int | None) -> None:
        self._rows = np.empty((len(first) if count is None else count, first.shape[1]), first.dtype)
        self._used = 0
        self.append(first)

    def append(self, part: npt.NDArray[Any]) -> None:
        """Adds vectors, shape (n, dim), behind those that are there."""
        end = self._used + len(part)
        if end > len(self._rows):
            self._resize(max(end, len(self._rows) * 5 // 4))
        self._rows[self._used : end] = part
        self._used = end

    def array(self) -> npt.NDArray[Any]:
        """All of them, shape (n, dim); nothing may be added afterwards."""
        if self._used != len(self._rows):
            self._resize(self._used)
        return self._rows

    def _resize(self, rows: int) -> None:
        # No view of it has left this object.
        self._rows.resize((rows, self._rows.shape[1]), refcheck=False)


def truncated(vectors: FloatArray, dim: int, normalize: bool) -> FloatArray:
    """The leading dimensions of vectors, scaled to length 1 again on request."""
    kept = np.ascontiguousarray(vectors[:, :dim])
    return _core.l2_normalize(kept) if normalize else kept


def everything(
    sequences: _core.TokenSequences, vectors: list[FloatArray], pooled: FloatArray
) -> list[dict[str, Any]]:
    """All that is known about each text."""
    ids = np.split(sequences.input_ids, sequences.offsets[1:-1])
    return [
        {
            "sentence_embedding": pooled[i],
            "token_embeddings": vectors[i],
            "input_ids": ids[i],
            "attention_mask": np.ones(len(ids[i]), np.int64),
            "token_count": int(sequences.full_lengths[i]),
            "truncated": bool(sequences.full_lengths[i] > len(ids[i])),
        }
        for i in range(len(vectors))
    ]
