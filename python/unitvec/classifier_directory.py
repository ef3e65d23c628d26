"""What a directory says about a sequence classifier beside its weights.

Everything is read from JSON; nothing in the directory is run.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unitvec._core import FormatError
from unitvec.model_directory import (
    module_folders,
    read_prompts,
    stated_max_seq_length,
)
from unitvec.model_files import read_json, require_links_inside, shown

#: The task that sentence_bert_config.json may name, since sentence-transformers 5.5.
TASK = "sequence-classification"


@dataclass(frozen=True)
class ClassifierSettings:
    """How the authors of a cross-encoder meant it to be used.

    Attributes:
        transformer: the folder with config.json, weights and tokeniser.
        labels: config.json's names of the labels, in their order; None: it names none.
        activation: the class name of what turns logits into scores; None: not stated.
        max_length: tokens read of one pair, special ones counted; None: as config.json allows.
        prompt: text put before the first text of every pair.
    """

    transformer: Path
    labels: tuple[str, ...] | None = None
    activation: str | None = None
    max_length: int | None = None
    prompt: str = ""


def read_classifier_settings(directory: Path) -> ClassifierSettings:
    """Reads config.json and what sentence-transformers saves beside it.

    Raises:
        FormatError: a file is not JSON, a field has the wrong type, or the directory holds another
            kind of model.
    """
    require_links_inside(directory, directory)
    modules = read_json(directory / "modules.json", list)
    transformer = directory if modules is None else _transformer_of(directory, modules)
    config = read_json(transformer / "config.json", dict) or {}
    source = directory / "config_sentence_transformers.json"
    # A file that belongs to modules.json.
    options = (read_json(source, dict) or {}) if modules is not None else {}
    prompts = read_prompts(source, options)
    default = options.get("default_prompt_name")
    return ClassifierSettings(
        transformer=transformer,
        labels=_labels(transformer / "config.json", config),
        activation=_activation(directory, options, transformer, config),
        max_length=stated_max_seq_length(transformer),
        prompt="" if default is None else prompts[default],
    )


def _transformer_of(directory: Path, modules: list[Any]) -> Path:
    """The folder of the one module that a cross-encoder consists of."""
    found = module_folders(directory, modules)
    names = [module.name for module in found]
    if names != ["Transformer"]:
        raise FormatError(
            f"{directory / 'modules.json'}: expected one Transformer, as a cross-encoder has it, "
            f"got {names}; unitvec.Encoder opens models that pool"
        )
    folder = found[0].folder
    file = folder / "sentence_bert_config.json"
    task = (read_json(file, dict) or {}).get("transformer_task", TASK)
    if task != TASK:
        raise FormatError(f"{file}: transformer_task: expected {TASK!r}, got {shown(task)}")
    return folder


def _labels(source: Path, config: dict[str, Any]) -> tuple[str, ...] | None:
    stated = config.get("id2label")
    if stated is None:
        return None
    keys = [str(i) for i in range(len(stated))] if isinstance(stated, dict) else None
    if keys is None or set(stated) != set(keys):
        raise FormatError(
            f"{source}: id2label: expected names of labels 0, 1, ..., got {shown(stated)}"
        )
    return tuple(str(stated[key]) for key in keys)


def _activation(
    directory: Path, options: dict[str, Any], transformer: Path, config: dict[str, Any]
) -> str | None:
    """Where sentence-transformers 6, 4 and 5, and those before 4 keep it, in this order."""
    file = transformer / "config.json"
    nested = config.get("sentence_transformers")
    places = (
        (directory / "config_sentence_transformers.json", options, "activation_fn"),
        (file, nested if isinstance(nested, dict) else {}, "activation_fn"),
        (file, config, "sbert_ce_default_activation_function"),
    )
    for source, fields, key in places:
        stated = fields.get(key)
        if stated is None:
            continue
        if not isinstance(stated, str):
            raise FormatError(f"{source}: {key}: expected the name of a class, got {shown(stated)}")
        return stated
    return None
