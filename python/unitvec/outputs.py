"""What `Encoder.encode` gives back, put together from what the core gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from unitvec import _core

FloatArray = npt.NDArray[np.float32]


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
