"""onnxruntime on a graph with its fused attention, GELU and layer norm for BERT."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.padded import Array, PaddedEncoder, named


def load(
    model: str, threads: int, converted: str, max_seq_length: int | None = None
) -> PaddedEncoder:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        str(Path(converted) / "model.onnx"), options, providers=["CPUExecutionProvider"]
    )

    names = [each.name for each in session.get_inputs()]

    def token_vectors(input_ids: Array, attention_mask: Array) -> Array:
        return np.asarray(session.run(None, named(names, input_ids, attention_mask))[0])

    return PaddedEncoder(Path(model), token_vectors, max_seq_length)


def versions() -> dict[str, str]:
    import onnxruntime

    return {"onnxruntime": onnxruntime.__version__}
