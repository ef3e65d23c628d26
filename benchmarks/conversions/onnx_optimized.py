"""The graph with onnxruntime's own operators for BERT: attention, bias + GELU, residual + norm.

MPNet's attention, whose scores have a bias by distance, stays in separate operators.
"""

from __future__ import annotations

import json
from pathlib import Path

from onnxruntime.transformers import optimizer


def convert(model: Path, source: Path, target: Path) -> None:
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    optimized = optimizer.optimize_model(
        str(source / "model.onnx"),
        model_type="bert",
        num_heads=config["num_attention_heads"],
        hidden_size=config["hidden_size"],
    )
    fused = optimized.get_fused_operator_statistics()
    layers = config["num_hidden_layers"]
    attentions = 0 if config["model_type"] == "mpnet" else layers
    if fused["Attention"] != attentions or fused["SkipLayerNormalization"] < 2 * layers:
        raise ValueError(f"expected {layers} layers to be fused, got {fused}")
    optimized.save_model_to_file(str(target / "model.onnx"))
