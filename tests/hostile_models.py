"""Model directories to be damaged, and a process that loads them."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from random_models import MODEL_TYPES, make_model, save

if TYPE_CHECKING:
    import torch


SECONDS = 30  # for one model directory; a hundred times what a sound one takes
ABSENT = object()  # stands for a field that is taken out
#: Values of which most are wrong for any field.
WRONG = [None, "x", [1], {"a": 1}, True, 1.5, 0, -1, 2**31, 2**63, 1e308]
#: All that is JSON; the last one is there for weights in shards alone.
JSON_FILES = [
    "config.json",
    "modules.json",
    "1_Pooling/config.json",
    "2_Dense/config.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "model.safetensors.index.json",
]


class Worker:
    """A process that loads directories; started again after a crash, which fails the test."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self, folder: Path) -> tuple[str, Any]:
        if self._process is None or self._process.poll() is not None:
            script = Path(__file__).with_name("hostile_worker.py")
            self._process = subprocess.Popen(
                [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        pipes = self._process.stdin, self._process.stdout
        pipes[0].write(f"{folder}\n".encode())
        pipes[0].flush()
        ready, _, _ = select.select([pipes[1]], [], [], SECONDS)
        line = pipes[1].readline() if ready else b""
        if not line:
            self.close()
            pytest.fail(f"{'a crash' if ready else 'no answer'} of the process that loads {folder}")
        return tuple(json.loads(line))

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        self._process = None


def write(path: Path, value: Any) -> None:
    """Writes a JSON file, and its folder where there is none."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def change(path: Path, key: str, value: Any) -> None:
    """Sets one field of a JSON file, or takes it out: ABSENT."""
    content = json.loads(path.read_text())
    content.pop(key, None)
    if value is not ABSENT:
        content[key] = value
    write(path, content)


def save_tensors(path: Path, tensors: dict[str, np.ndarray | torch.Tensor]) -> None:
    """Writes a safetensors file."""

    import torch
    from safetensors.torch import save_file

    save_file({name: torch.as_tensor(t).contiguous() for name, t in tensors.items()}, path)


def tensors_of(path: Path) -> dict[str, torch.Tensor]:
    """What a safetensors file holds."""

    from safetensors.torch import load_file

    return load_file(path)


def make_sound(root: Path) -> dict[str, Path]:
    """A directory of every architecture, with all that sentence-transformers may add."""
    folders = {}
    for name in MODEL_TYPES:
        folder = folders[name] = save(make_model(name), root / name)
        kinds = ["Transformer", "Pooling", "Dense", "Normalize"]
        paths = ["", "1_Pooling", "2_Dense", "3_Normalize"]
        types = [f"sentence_transformers.models.{kind}" for kind in kinds]
        write(
            folder / "modules.json",
            [{"path": p, "type": t} for p, t in zip(paths, types, strict=True)],
        )
        write(folder / "sentence_bert_config.json", {"max_seq_length": 24})
        write(folder / "1_Pooling" / "config.json", {"pooling_mode": "mean"})
        write(folder / "2_Dense" / "config.json", {"in_features": 48, "out_features": 8})
        weights = np.random.default_rng(3).normal(size=(8, 48)).astype(np.float32)
        save_tensors(
            folder / "2_Dense" / "model.safetensors",
            {"linear.weight": weights, "linear.bias": weights[:, 0]},
        )
        write(
            folder / "config_sentence_transformers.json",
            {"prompts": {"query": "the "}, "similarity_fn_name": "cosine"},
        )
        write(folder / "special_tokens_map.json", {"unk_token": "[UNK]"})
        write(folder / "added_tokens.json", {})
    return folders


def refused(outcome: tuple[str, Any], *words: str) -> None:
    """Checks that a directory was refused, shortly, with all these words."""
    kind, message = outcome
    assert kind == "FormatError", outcome
    assert len(message) < 1000
    for word in words:
        assert word in message, message
