"""CTranslate2; it skips padding by itself, and makes int8 weights as it loads."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.padded import Array, PaddedEncoder


def load(
    model: str,
    threads: int,
    converted: str,
    precision: str,
    max_seq_length: int | None = None,
) -> PaddedEncoder:
    import ctranslate2

    encoder = ctranslate2.Encoder(
        converted, compute_type=precision, inter_threads=1, intra_threads=threads
    )

    def token_vectors(input_ids: Array, attention_mask: Array) -> Array:
        output = encoder.forward_batch(  # token types default to 0
            _view(input_ids), _view(attention_mask.sum(axis=1))
        )
        return np.asarray(output.last_hidden_state)

    def _view(values: Array) -> ctranslate2.StorageView:
        return ctranslate2.StorageView.from_array(values.astype(np.int32))

    return PaddedEncoder(Path(model), token_vectors, max_seq_length)


def versions() -> dict[str, str]:
    import ctranslate2

    return {"ctranslate2": ctranslate2.__version__}
