"""Pickles and Python files in a model directory, which must not run."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

from hostile_models import change, refused, write


class Canary:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_pickle_is_refused_and_not_opened(bert, load, tmp_path):
    canary = tmp_path / "canary"
    (bert / "model.safetensors").unlink()
    (bert / "pytorch_model.bin").write_bytes(pickle.dumps(Canary(canary)))
    refused(load(bert), "pytorch_model.bin is a pickle", "safe_serialization=True")
    assert not canary.exists()


def test_code_in_a_directory_is_never_run(bert, load, tmp_path):
    canary = tmp_path / "canary"
    expected = load(bert)
    code = f"import os\nos.mkdir({str(canary)!r})\n"
    for name in ("modeling_custom", "tokenization_custom", "__init__", "sitecustomize", "json"):
        (bert / f"{name}.py").write_text(code)
    (bert / "pytorch_model.bin").write_bytes(pickle.dumps(Canary(canary)))
    auto = {"AutoModel": "modeling_custom.Model", "AutoTokenizer": ["tokenization_custom.T", None]}
    for file in ("config.json", "tokenizer_config.json"):
        change(bert / file, "auto_map", auto)
        change(bert / file, "trust_remote_code", True)
    assert load(bert) == expected
    assert not canary.exists()
    modules = json.loads((bert / "modules.json").read_text())
    modules[0]["type"] = "modeling_custom.Model"
    write(bert / "modules.json", modules)
    refused(load(bert), "modeling_custom.Model")
    assert not canary.exists()
