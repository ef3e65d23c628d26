"""OpenVINO on the exported graph, which it optimises itself; one stream with every thread."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.padded import Array, PaddedEncoder, named


def load(
    model: str,
    threads: int,
    converted: str,
    precision: str,
    file: str = "model.onnx",
    max_seq_length: int | None = None,
) -> PaddedEncoder:
    import openvino

    core = openvino.Core()
    able = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if precision == "bf16" and "BF16" not in able:
        # The hint would be ignored in silence, and the row would repeat the one for fp32.
        raise ValueError(f"expected a processor with bf16, got one with {', '.join(able)}")
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": precision,
    }
    compiled = core.compile_model(str(Path(converted) / file), "CPU", settings)
    request = compiled.create_infer_request()

    names = [each.any_name for each in compiled.inputs]

    def token_vectors(input_ids: Array, attention_mask: Array) -> Array:
        inputs = named(names, input_ids, attention_mask)
        return np.asarray(request.infer(inputs, share_inputs=True, share_outputs=True)[0])

    return PaddedEncoder(Path(model), token_vectors, max_seq_length)


def versions() -> dict[str, str]:
    from importlib.metadata import version

    return {"openvino": version("openvino")}
