"""What a sentence-transformers directory says about turning token vectors into a text's vector.

Everything is read from JSON; nothing in the directory is run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from unitvec._core import FormatError
from unitvec.model_files import (
    model_max_length,
    read_bytes,
    read_json,
    require_links_inside,
    shown,
)

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

#: Most modules of a model; more would only cost time.
MODULES_MAX = 100

#: What vectors may be compared by: names of `SentenceSettings.similarity_fn_name`.
SIMILARITIES = ("cosine", "dot", "euclidean", "manhattan")

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
        pad_to: tokens that a TorchScript module wants every text padded to; None: it does not.
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
    pad_to: int | None = None

    @property
    def normalize(self) -> bool:
        """Whether vectors are scaled to length 1 in the end."""
        return bool(self.modules) and self.modules[-1] == NORMALIZE


def read_settings(directory: Path) -> SentenceSettings:
    """Reads modules.json and what it points to.

    Raises:
        FormatError: a file is not JSON, a field has the wrong type, a module is not supported, or
            a path or link leads out of the directory.
    """
    require_links_inside(directory, directory)
    modules = read_json(directory / "modules.json", list)
    if modules is None:
        return SentenceSettings(
            directory, max_seq_length=stated_max_seq_length(directory), declared=False
        )
    found = module_folders(directory, modules)
    _require_order(directory, found)
    transformer, pooling, *others = found
    modes, include_prompt = _pooling_of(pooling.folder)
    options = read_json(directory / "config_sentence_transformers.json", dict) or {}
    source = directory / "config_sentence_transformers.json"
    prompts = read_prompts(source, options)
    return SentenceSettings(
        transformer=transformer.folder,
        pooling=modes,
        include_prompt=include_prompt,
        modules=tuple(NORMALIZE if m.name == "Normalize" else m.folder for m in others),
        max_seq_length=stated_max_seq_length(transformer.folder),
        prompts=prompts,
        default_prompt_name=options.get("default_prompt_name"),
        similarity_fn_name=_similarity(source, options),
    )


class Module(NamedTuple):
    """One module of a model: the last component of its class name, and where its files are."""

    name: str
    folder: Path


def module_folders(directory: Path, modules: list[Any]) -> list[Module]:
    """The modules that modules.json lists, in their order.

    Raises:
        FormatError: one is not of `KNOWN_MODULES`, or lies outside the model; there are too many.
    """
    source = directory / "modules.json"
    if len(modules) > MODULES_MAX:
        raise FormatError(f"{source}: expected at most {MODULES_MAX} modules, got {len(modules)}")
    found = [_module(directory, source, module) for module in modules]
    for module in found:
        require_links_inside(directory, module.folder)
    return found


def _require_order(directory: Path, found: list[Module]) -> None:
    """A Transformer, Pooling, then others."""
    names = [module.name for module in found]
    if names[:2] != ["Transformer", "Pooling"] or {"Transformer", "Pooling"} & set(names[2:]):
        cross_encoder = "; unitvec.CrossEncoder opens it" if names == ["Transformer"] else ""
        raise FormatError(
            f"{directory / 'modules.json'}: expected a Transformer, Pooling, then Dense and "
            f"Normalize as they like, got {names}{cross_encoder}"
        )


def _module(directory: Path, source: Path, module: Any) -> Module:
    if not isinstance(module, dict) or not isinstance(module.get("type"), str):
        raise FormatError(f'{source}: expected objects with a "type", got {shown(module)}')
    name = module["type"].rpartition(".")[2]
    if name not in KNOWN_MODULES:
        raise FormatError(
            f"{source}: expected modules among {', '.join(KNOWN_MODULES)}, got "
            f"{shown(module['type'])}"
        )
    path = module.get("path", "")
    if not isinstance(path, str):
        raise FormatError(f"{source}: expected the path of {name} to be text, got {shown(path)}")
    folder = _inside(directory, path)
    if folder is None:
        raise FormatError(f"{source}: expected a path inside the model, got {shown(path)}")
    return Module(name, folder)


def _inside(directory: Path, path: str) -> Path | None:
    """The folder of that name in a directory; None for whatever leads or might lead elsewhere.

    Refused on every system alike: what only one reads as a drive, a root or the folder above.
    """
    odd = any(c in '\\:*?"<>|' or not c.isprintable() for c in path)
    if odd or len(path) > 255 or path.startswith("/") or ".." in path.split("/"):
        return None
    try:
        folder = (directory / path).resolve()
    except (OSError, RuntimeError, ValueError):  # RuntimeError: links that go round in a circle
        return None
    return folder if folder.is_relative_to(directory.resolve()) else None


def _pooling_of(folder: Path) -> tuple[tuple[str, ...], bool]:
    """The pooling modes, and whether a prompt's tokens count."""
    path = folder / "config.json"
    config = read_json(path, dict)
    if config is None:
        raise FormatError(f"{path}: expected the pooling's settings, got no such file")
    include_prompt = config.get("include_prompt")
    if include_prompt is None:
        include_prompt = True
    if not isinstance(include_prompt, bool):
        raise FormatError(
            f"{path}: include_prompt: expected true or false, got {shown(include_prompt)}"
        )
    return _pooling_modes(path, config), include_prompt


def _pooling_modes(path: Path, config: dict[str, Any]) -> tuple[str, ...]:
    known = list(POOLING_MODES.values())
    stated = config.get("pooling_mode")
    if stated is None:  # the form of releases before 5.5
        for key, on in config.items():
            if key.startswith("pooling_mode_") and not isinstance(on, bool):
                raise FormatError(f"{path}: {key}: expected true or false, got {shown(on)}")
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
    strange = not isinstance(modes, list) or not modes or any(mode not in known for mode in modes)
    if strange or len(set(modes)) < len(modes):
        raise FormatError(
            f"{path}: pooling_mode: expected one or several of {', '.join(known)}, each once, got "
            f"{shown(stated)}"
        )
    return tuple(modes)


def stated_max_seq_length(transformer: Path) -> int | None:
    """From sentence_bert_config.json, else tokenizer_config.json's model_max_length.

    Never from the truncation that tokenizer.json stores: MiniLM's says 128, its limit is 256.
    """
    for name in LENGTH_FILES:
        config = read_json(transformer / name, dict)
        if config is not None and config.get("max_seq_length") is not None:
            return _length(transformer / name, "max_seq_length", config["max_seq_length"])
    config = read_json(transformer / "tokenizer_config.json", dict) or {}
    return model_max_length(transformer / "tokenizer_config.json", config)


def _length(path: Path, name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 3:
        raise FormatError(f"{path}: {name}: expected an integer of at least 3, got {shown(value)}")
    return value


def read_prompts(source: Path, options: dict[str, Any]) -> dict[str, str]:
    """The texts by name in config_sentence_transformers.json, and its default checked."""
    prompts = options.get("prompts")
    if prompts is None:
        prompts = {}
    if not isinstance(prompts, dict) or not all(isinstance(p, str) for p in prompts.values()):
        raise FormatError(f"{source}: prompts: expected texts by name, got {shown(prompts)}")
    name = options.get("default_prompt_name")
    if name is not None and (not isinstance(name, str) or name not in prompts):
        raise FormatError(
            f"{source}: default_prompt_name: expected one of {sorted(prompts)}, got {shown(name)}"
        )
    return dict(prompts)


def _similarity(source: Path, options: dict[str, Any]) -> str:
    name = options.get("similarity_fn_name")
    if name is None:
        return "cosine"
    if not isinstance(name, str) or name not in SIMILARITIES:
        raise FormatError(
            f"{source}: similarity_fn_name: expected one of {', '.join(SIMILARITIES)}, got "
            f"{shown(name)}"
        )
    return name


def stated_licence(directory: Path) -> str | None:
    """What the head of the model's card, README.md, says under "license"; None: nothing."""
    try:
        lines = (read_bytes(directory / "README.md") or b"").decode(errors="replace").split("\n")
    except FormatError:
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
