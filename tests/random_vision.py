"""Small random models that read images, made with transformers, and pictures for them."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np

EDGE = 32
WORDS = ["a", "photo", "of", "cat", "dog", "red", "blue", "house", "the", "sea"]


def make_clip():
    """A random CLIP of two small towers."""
    import torch
    import transformers

    text = {
        "vocab_size": 600,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 77,
        "bos_token_id": 598,
        "eos_token_id": 599,
        "pad_token_id": 599,
        "initializer_range": 0.3,
    }
    vision = {
        "hidden_size": 48,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "image_size": EDGE,
        "patch_size": 8,
        "initializer_range": 0.3,
    }
    config = transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=24)
    torch.manual_seed(7)
    return transformers.CLIPModel(config).eval()


def save_clip_tokenizer(folder: Path) -> Path:
    """Byte-level BPE with pieces that end in "</w>", as transformers saves CLIP's."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    characters = sorted(ByteLevel.alphabet())
    vocabulary = characters + [c + "</w>" for c in characters]
    merges: list[tuple[str, str]] = []
    for word in WORDS:
        pieces = [*word[:-1], word[-1] + "</w>"]
        while len(pieces) > 1:
            merged = pieces[-2] + pieces[-1]
            if merged not in vocabulary:
                merges.append((pieces[-2], pieces[-1]))
                vocabulary.append(merged)
            pieces[-2:] = [merged]
    vocabulary += [f"<unused {i}>" for i in range(598 - len(vocabulary))]
    vocabulary += ["<|startoftext|>", "<|endoftext|>"]
    ids = {token: i for i, token in enumerate(vocabulary)}
    (folder / "vocab.json").write_text(json.dumps(ids), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    tokenizer = CLIPTokenizer(ids, merges, model_max_length=77)
    tokenizer.save_pretrained(folder)
    return folder


def make_resnet():
    """A random ResNet of two stages."""
    import torch
    import transformers

    config = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[16, 24], depths=[1, 1], layer_type="basic"
    )
    torch.manual_seed(8)
    model = transformers.ResNetModel(config).eval()
    with torch.no_grad():  # statistics other than those of an untrained network
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.3)
                module.running_var.uniform_(0.5, 2)
    return model


def trace(module, example, path: Path, **options) -> Path:
    """Writes a module as it runs on `example`, a tuple."""
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # tracing warns of every Python branch it flattens
        torch.jit.save(torch.jit.trace(module, example, **options), str(path))
    return path


def picture(seed: int, height: int = 40, width: int = 56) -> np.ndarray:
    """Smooth colours with some noise, shape (height, width, 3), uint8."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = [
        np.sin(rng.uniform(0.05, 0.5) * x + rng.uniform(0.05, 0.5) * y + rng.uniform(0, 6))
        for _ in range(3)
    ]
    noise = rng.normal(0, 12, (height, width, 3))
    return np.clip(127 + 110 * np.stack(waves, 2) + noise, 0, 255).astype(np.uint8)
