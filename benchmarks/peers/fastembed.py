"""fastembed with its defaults: batches of 256 in the order of the texts."""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.padded import Array, max_seq_length, require_mean_and_normalize


def load(model: str, threads: int, converted: str) -> Callable[[list[str]], Array]:
    from fastembed import TextEmbedding
    from fastembed.common.model_description import ModelSource, PoolingType

    directory = tempfile.TemporaryDirectory()
    dim = _assemble(Path(model), Path(converted), Path(directory.name))
    TextEmbedding.add_custom_model(
        model="benchmarks/model",
        pooling=PoolingType.MEAN,
        normalization=True,
        sources=ModelSource(hf="benchmarks/model"),  # required, and not used: the path comes first
        dim=dim,
        model_file="model.onnx",
    )
    encoder = TextEmbedding("benchmarks/model", threads=threads, specific_model_path=directory.name)
    return functools.partial(_encode, encoder.embed, directory)


def _encode(embed: Callable[..., Array], _: object, texts: list[str]) -> Array:
    return np.stack(list(embed(texts))).astype(np.float32, copy=False)


def _assemble(model: Path, converted: Path, target: Path) -> int:
    """A directory as fastembed reads it, with the model's own limit of tokens; returns dim.

    fastembed cuts at tokenizer_config.json's `model_max_length`: 128 in the copy of
    all-MiniLM-L6-v2 that it would download, 512 in the model's own directory. Neither is the 256
    of sentence_bert_config.json, so that its vectors of long texts would be those of other texts.
    """
    require_mean_and_normalize(model)
    for name in ("config.json", "tokenizer.json", "special_tokens_map.json"):
        (target / name).symlink_to((model / name).resolve())
    (target / "model.onnx").symlink_to(converted / "model.onnx")
    tokenizer = json.loads((model / "tokenizer_config.json").read_text(encoding="utf-8"))
    tokenizer.pop("max_length", None)
    tokenizer["model_max_length"] = max_seq_length(model)
    (target / "tokenizer_config.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    return int(config["hidden_size"])


def versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("fastembed", "onnxruntime")}
