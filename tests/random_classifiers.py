"""Small random classifiers of every architecture, and their directories."""

from __future__ import annotations

import json
from pathlib import Path

from random_models import make_model, save

PAIRS = [
    ("the cat sat", "a dog"),
    ("", ""),
    ("", "a dog sat"),
    ("a", ""),
    ("the", "the cat sat a dogs " * 20),
    ("dogs sat the cat " * 80, "a cat " * 30),  # 463 tokens
    ("dogs " * 200, "the cats sat " * 140),  # cut: both of 400 and 560 tokens
    ("a dog " * 300, "the"),  # cut: only its first text
    ("the", "a dog " * 300),
]


def classifier(name: str, labels: int, **more):
    """A random model whose head has biases too, as trained ones have."""
    import torch

    model = make_model(name, "ForSequenceClassification", num_labels=labels, **more)
    with torch.no_grad():
        for part, values in model.named_parameters():
            if part.endswith("bias"):
                values.normal_(0, 0.2)
    return model


class Folders:
    """Directories of classifiers by model and number of labels, each made once."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __call__(self, name: str, labels: int) -> Path:
        folder = self._root / f"{name}-{labels}"
        if not folder.is_dir():
            folder.mkdir()
            save(classifier(name, labels), folder)
        return folder


def edited(folder: Path, target: Path, file: str, **fields) -> Path:
    """A copy of a directory with fields of one JSON file set, or removed where they are None."""
    target.mkdir()
    for path in folder.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    path = target / file
    content = json.loads(path.read_text()) if path.exists() else {}
    content |= fields
    path.write_text(json.dumps({k: v for k, v in content.items() if v is not None}))
    return target


def as_saved(folder: Path, target: Path, **fields) -> Path:
    """A copy with sentence-transformers' files beside it."""
    edited(folder, target, "config_sentence_transformers.json", **fields)
    module = {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}
    (target / "modules.json").write_text(json.dumps([module]))
    task = {
        "transformer_task": "sequence-classification",
        "modality_config": {"text": {"method": "forward", "method_output_name": "logits"}},
        "module_output_name": "scores",
    }
    (target / "sentence_bert_config.json").write_text(json.dumps(task))
    return target
