"""What a sentence-transformers directory says about turning token vectors into a text's vector.

Everything is read from JSON; nothing in the directory is run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unitvec._core import FormatError

#: Pooling modes built into the core, by the key of 1_Pooling/config.json that switches each on.
POOLING_MODES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_max_tokens": "max",
}

#: Modules that may follow the transformer, by the last component of their class name.
KNOWN_MODULES = ("Transformer", "Pooling", "Normalize")

#: sentence_bert_config.json under today's name and the names of older versions.
LENGTH_FILES = (
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_mpnet_config.json",
)


@dataclass(frozen=True)
class SentenceSettings:
    """How the authors of a model meant its token vectors to be used.

    Attributes:
        transformer: the folder with config.json, weights and tokeniser.
        pooling: "cls", "mean" or "max".
        normalize: whether vectors are scaled to length 1 by default.
        max_seq_length: tokens read of one text, special ones counted; None: as config.json allows.
        prompts: text put before another, by name ("query", "document", ...).
        default_prompt_name: the prompt used when none is named.
        similarity_fn_name: "cosine", "dot", "euclidean" or "manhattan".
        declared: False for a plain transformers directory, whose pooling is our guess.
    """

    transformer: Path
    pooling: str = "mean"
    normalize: bool = False
    max_seq_length: int | None = None
    prompts: dict[str, str] = field(default_factory=dict)
    default_prompt_name: str | None = None
    similarity_fn_name: str = "cosine"
    declared: bool = True


def read_settings(directory: Path) -> SentenceSettings:
    """Reads modules.json and what it points to.

    Raises:
        FormatError: a file is not JSON, a field has the wrong type, or a module is not supported.
    """
    modules = _read_json(directory / "modules.json", list)
    if modules is None:
        return SentenceSettings(
            directory, max_seq_length=_max_seq_length(directory), declared=False
        )
    paths = _module_paths(directory, modules)
    transformer = paths["Transformer"]
    options = _read_json(directory / "config_sentence_transformers.json", dict) or {}
    prompts = _prompts(directory, options)
    return SentenceSettings(
        transformer=transformer,
        pooling=_pooling(paths["Pooling"]) if "Pooling" in paths else "mean",
        normalize="Normalize" in paths,
        max_seq_length=_max_seq_length(transformer),
        prompts=prompts,
        default_prompt_name=options.get("default_prompt_name"),
        similarity_fn_name=options.get("similarity_fn_name") or "cosine",
    )


def _read_json(path: Path, kind: type) -> Any:
    """The parsed file, or None where there is none."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        value = json.loads(text)
    except ValueError as error:
        raise FormatError(f"{path}: expected JSON, got something else ({error})") from error
    if not isinstance(value, kind):
        raise FormatError(f"{path}: expected a JSON {kind.__name__}, got {type(value).__name__}")
    return value


def _module_paths(directory: Path, modules: list[Any]) -> dict[str, Path]:
    """Folder of each module by the last component of its class name."""
    source = directory / "modules.json"
    paths: dict[str, Path] = {}
    for module in modules:
        if not isinstance(module, dict) or not isinstance(module.get("type"), str):
            raise FormatError(f'{source}: expected objects with a "type", got {module!r}')
        name = module["type"].rpartition(".")[2]
        if name not in KNOWN_MODULES:
            raise FormatError(
                f"{source}: expected modules among {', '.join(KNOWN_MODULES)}, "
                f"got {module['type']!r}"
            )
        folder = (directory / str(module.get("path", ""))).resolve()
        if not folder.is_relative_to(directory.resolve()):
            raise FormatError(f"{source}: expected a path inside the model, got {module['path']!r}")
        paths[name] = folder
    if "Transformer" not in paths:
        raise FormatError(f"{source}: expected a Transformer module, got {sorted(paths)}")
    return paths


def _pooling(folder: Path) -> str:
    path = folder / "config.json"
    config = _read_json(path, dict)
    if config is None:
        raise FormatError(f"{path}: expected the pooling's settings, got no such file")
    if isinstance(config.get("pooling_mode"), str):
        mode = config["pooling_mode"]
        if mode not in POOLING_MODES.values():
            raise FormatError(
                f"{path}: pooling_mode: expected one of "
                f"{', '.join(POOLING_MODES.values())}, got {mode!r}"
            )
        return str(mode)
    on = [key for key, value in config.items() if key.startswith("pooling_mode_") and value is True]
    if len(on) != 1 or on[0] not in POOLING_MODES:
        raise FormatError(
            f"{path}: expected exactly one of {', '.join(POOLING_MODES)} to be true, got {on}"
        )
    return POOLING_MODES[on[0]]


def _max_seq_length(transformer: Path) -> int | None:
    """From sentence_bert_config.json, else tokenizer_config.json's model_max_length.

    Never from the truncation that tokenizer.json stores: MiniLM's says 128, its limit is 256.
    """
    for name in LENGTH_FILES:
        config = _read_json(transformer / name, dict)
        if config is not None and config.get("max_seq_length") is not None:
            return _length(transformer / name, "max_seq_length", config["max_seq_length"])
    config = _read_json(transformer / "tokenizer_config.json", dict) or {}
    stated = config.get("model_max_length")
    # transformers writes 1e30 for "not known"
    if isinstance(stated, (int, float)) and 0 < stated < 1e9:
        return _length(transformer / "tokenizer_config.json", "model_max_length", int(stated))
    return None


def _length(path: Path, name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 3:
        raise FormatError(f"{path}: {name}: expected an integer of at least 3, got {value!r}")
    return value


def _prompts(directory: Path, options: dict[str, Any]) -> dict[str, str]:
    source = directory / "config_sentence_transformers.json"
    prompts = options.get("prompts") or {}
    if not isinstance(prompts, dict) or not all(isinstance(p, str) for p in prompts.values()):
        raise FormatError(f"{source}: prompts: expected texts by name, got {prompts!r}")
    name = options.get("default_prompt_name")
    if name is not None and name not in prompts:
        raise FormatError(
            f"{source}: default_prompt_name: expected one of {sorted(prompts)}, got {name!r}"
        )
    return dict(prompts)
