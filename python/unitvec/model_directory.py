"""What a sentence-transformers directory says about turning token vectors into a text's vector.

Everything is read from JSON; nothing in the directory is run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from unitvec._core import FormatError

#: Pooling modes by the key of 1_Pooling/config.json that switches each on, in the order in which
#: the vectors of several are joined.
POOLING_MODES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}

#: Modules of a model, by the last component of their class name.
KNOWN_MODULES = ("Transformer", "Pooling", "Dense", "Normalize")

#: In `SentenceSettings.modules`: vectors are scaled to length 1.
NORMALIZE = "normalize"

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
        pooling: the modes, names of `POOLING_MODES`; the vectors of several are joined.
        include_prompt: whether a prompt's tokens count in pooling.
        modules: what follows pooling, in order: folders of dense layers, and `NORMALIZE`.
        max_seq_length: tokens read of one text, special ones counted; None: as config.json allows.
        prompts: text put before another, by name ("query", "document", ...).
        default_prompt_name: the prompt used when none is named.
        similarity_fn_name: "cosine", "dot", "euclidean" or "manhattan".
        declared: False for a plain transformers directory, whose pooling is our guess.
    """

    transformer: Path
    pooling: tuple[str, ...] = ("mean",)
    include_prompt: bool = True
    modules: tuple[Path | str, ...] = ()
    max_seq_length: int | None = None
    prompts: dict[str, str] = field(default_factory=dict)
    default_prompt_name: str | None = None
    similarity_fn_name: str = "cosine"
    declared: bool = True

    @property
    def normalize(self) -> bool:
        """Whether vectors are scaled to length 1 in the end."""
        return bool(self.modules) and self.modules[-1] == NORMALIZE


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
    transformer, pooling, *others = _module_folders(directory, modules)
    modes, include_prompt = _pooling_of(pooling.folder)
    options = _read_json(directory / "config_sentence_transformers.json", dict) or {}
    prompts = _prompts(directory, options)
    return SentenceSettings(
        transformer=transformer.folder,
        pooling=modes,
        include_prompt=include_prompt,
        modules=tuple(NORMALIZE if m.name == "Normalize" else m.folder for m in others),
        max_seq_length=_max_seq_length(transformer.folder),
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


class _Module(NamedTuple):
    name: str
    folder: Path


def _module_folders(directory: Path, modules: list[Any]) -> list[_Module]:
    """The modules in their order: a Transformer, Pooling, then others."""
    source = directory / "modules.json"
    found = [_module(directory, source, module) for module in modules]
    names = [module.name for module in found]
    if names[:2] != ["Transformer", "Pooling"] or {"Transformer", "Pooling"} & set(names[2:]):
        raise FormatError(
            f"{source}: expected a Transformer, Pooling, then Dense and Normalize as they like, "
            f"got {names}"
        )
    return found


def _module(directory: Path, source: Path, module: Any) -> _Module:
    if not isinstance(module, dict) or not isinstance(module.get("type"), str):
        raise FormatError(f'{source}: expected objects with a "type", got {module!r}')
    name = module["type"].rpartition(".")[2]
    if name not in KNOWN_MODULES:
        raise FormatError(
            f"{source}: expected modules among {', '.join(KNOWN_MODULES)}, got {module['type']!r}"
        )
    path = module.get("path", "")
    if not isinstance(path, str):
        raise FormatError(f"{source}: expected the path of {name} to be text, got {path!r}")
    folder = (directory / path).resolve()
    if not folder.is_relative_to(directory.resolve()):
        raise FormatError(f"{source}: expected a path inside the model, got {path!r}")
    return _Module(name, folder)


def _pooling_of(folder: Path) -> tuple[tuple[str, ...], bool]:
    """The pooling modes, and whether a prompt's tokens count."""
    path = folder / "config.json"
    config = _read_json(path, dict)
    if config is None:
        raise FormatError(f"{path}: expected the pooling's settings, got no such file")
    include_prompt = config.get("include_prompt", True)
    if not isinstance(include_prompt, bool):
        raise FormatError(f"{path}: include_prompt: expected true or false, got {include_prompt!r}")
    return _pooling_modes(path, config), include_prompt


def _pooling_modes(path: Path, config: dict[str, Any]) -> tuple[str, ...]:
    known = list(POOLING_MODES.values())
    stated = config.get("pooling_mode")
    if stated is None:  # the form of releases before 5.5
        modes = [mode for key, mode in POOLING_MODES.items() if config.get(key) is True]
        unknown = [
            key
            for key, on in config.items()
            if key.startswith("pooling_mode_") and on is True and key not in POOLING_MODES
        ]
        if unknown or not modes:
            raise FormatError(
                f"{path}: expected at least one of {', '.join(POOLING_MODES)} to be true and no "
                f"other mode, got {modes + unknown}"
            )
        return tuple(modes)
    modes = [stated] if isinstance(stated, str) else stated
    if not isinstance(modes, list) or not modes or any(mode not in known for mode in modes):
        raise FormatError(
            f"{path}: pooling_mode: expected one or several of {', '.join(known)}, got {stated!r}"
        )
    return tuple(modes)


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


def stated_licence(directory: Path) -> str | None:
    """What the head of the model's card, README.md, says under "license"; None: nothing."""
    try:
        lines = (directory / "README.md").read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return None
    if not lines or lines[0].strip() != "---":
        return None
    for line in lines[1:]:
        key, colon, value = line.partition(":")
        if line.strip() == "---":
            return None
        if colon and key == "license" and value.strip():
            return value.strip().strip("\"'")
    return None
