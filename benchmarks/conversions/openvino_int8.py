"""The exported graph in OpenVINO's format, weights and activations in int8 calibrated by NNCF."""

from __future__ import annotations

import json
from pathlib import Path

import nncf
import openvino

from benchmarks.padded import Array, named, pad, tokenizer
from benchmarks.workloads import data_directory

#: Film reviews, which no question about encoding measures; every other one cut to a short text.
TEXTS = 64
SHORT = 100  # characters


def convert(model: Path, source: Path, target: Path) -> None:
    tokenize = tokenizer(model).encode
    graph = openvino.Core().read_model(source / "model.onnx")
    names = [each.any_name for each in graph.inputs]

    def inputs(text: str) -> dict[str, Array]:
        return named(names, *pad([tokenize(text).ids]))

    quantized = nncf.quantize(
        graph,
        nncf.Dataset(_texts(), inputs),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=TEXTS,
    )
    openvino.save_model(quantized, target / "model.xml", compress_to_fp16=False)


def _texts() -> list[str]:
    path = data_directory() / "reviews" / "imdb_4000.jsonl"
    with open(path, encoding="utf-8") as file:
        texts = [json.loads(next(file))["text"] for _ in range(TEXTS)]
    return [text[:SHORT] if i % 2 else text for i, text in enumerate(texts)]
