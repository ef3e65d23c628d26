"""Settings of every wrong kind: config.json, pooling, dense layers, tokenizer, modules.json."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import unitvec as uv
from hostile_models import ABSENT, WRONG, change, refused, write
from random_models import MODEL_TYPES


@pytest.mark.parametrize("name", MODEL_TYPES)
def test_sound_directories_load(sound, load, name):
    kind, vectors = load(sound[name])
    assert kind == "loaded", vectors
    assert np.shape(vectors) == (3, 8)


SIZES = ["vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads"]
SIZES += ["intermediate_size", "max_position_embeddings"]
COMMON = [*SIZES, "type_vocab_size", "model_type", "hidden_act", "layer_norm_eps"]
OWN = {
    "bert": ["position_embedding_type"],
    "distilbert": ["dim", "n_layers", "n_heads", "hidden_dim", "activation"],
    "roberta": ["pad_token_id"],
    "xlm-roberta": ["pad_token_id"],
    "camembert": ["pad_token_id"],
    "mpnet": ["relative_attention_num_buckets"],
    "electra": ["embedding_size"],
    "albert": ["embedding_size", "num_hidden_groups", "inner_group_num"],
}
#: Fields that may be absent, and what they then are.
DEFAULTS = {
    "hidden_act": "gelu",
    "activation": "gelu",
    "layer_norm_eps": 1e-12,
    "position_embedding_type": "absolute",
    "pad_token_id": 1,
    "relative_attention_num_buckets": 32,
    "num_hidden_groups": 1,
    "inner_group_num": 1,
}
#: transformers' names of what DistilBERT calls dim, n_layers, ..., and what others do not have.
UNREAD = {
    "distilbert": [*SIZES[1:5], "hidden_act", "type_vocab_size"],
    "mpnet": ["type_vocab_size"],
}


@pytest.mark.parametrize("name", MODEL_TYPES)
def test_every_field_of_config_json(sound, load, name, tmp_path):
    folder = Path(shutil.copytree(sound[name], tmp_path / "model"))
    path = folder / "config.json"
    original = path.read_text()
    fields = [f for f in COMMON + OWN[name] if f not in UNREAD.get(name, [])]
    for field in fields:
        path.write_text(original)
        default = DEFAULTS.get(field, ABSENT)
        if name == "albert" and field == "hidden_act":
            default = "gelu_new"
        change(path, field, default)
        usual = load(folder)
        assert (usual[0] == "loaded") == (default is not ABSENT), (field, usual)
        for value in [ABSENT, *WRONG]:
            change(path, field, value)
            outcome = load(folder)
            if outcome[0] == "loaded":
                assert default is not ABSENT, (field, value)
                same = value in (ABSENT, None) or value == default
                assert same or field == "layer_norm_eps" or field in ("pad_token_id",), (
                    field,
                    value,
                )
                if value in (ABSENT, None):
                    assert outcome == usual
            else:
                assert default is ABSENT or value not in (ABSENT, None), (field, value)
                refused(outcome)
                named = [field, "embeddings", "layer", "bias", "encoder", "transformer"]
                assert any(word in outcome[1] for word in named), (field, value, outcome)


SETTINGS = [
    ("1_Pooling/config.json", "pooling_mode", []),
    ("1_Pooling/config.json", "include_prompt", [ABSENT, None, True]),
    ("2_Dense/config.json", "in_features", []),
    ("2_Dense/config.json", "out_features", []),
    ("2_Dense/config.json", "bias", [ABSENT, None, True]),
    ("2_Dense/config.json", "use_residual", [ABSENT, None]),
    ("2_Dense/config.json", "activation_function", [ABSENT, None]),
    ("sentence_bert_config.json", "max_seq_length", [ABSENT, None, 2**31, 2**63]),
    ("config_sentence_transformers.json", "similarity_fn_name", [ABSENT, None]),
    ("config_sentence_transformers.json", "prompts", [ABSENT, None]),
    ("config_sentence_transformers.json", "default_prompt_name", [ABSENT, None]),
    ("tokenizer_config.json", "model_max_length", [ABSENT, None, 2**31, 2**63, 1e308]),
    ("tokenizer_config.json", "truncation_side", [ABSENT, None]),
    ("tokenizer_config.json", "unk_token", [ABSENT, None, "x"]),
    ("special_tokens_map.json", "mask_token", [ABSENT, None, "x"]),
    ("model.safetensors.index.json", "weight_map", []),
]


@pytest.mark.parametrize(("file", "field", "sound_values"), SETTINGS)
def test_every_field_of_the_other_files(bert, load, file, field, sound_values):
    path = bert / file
    if file.endswith("index.json"):
        (bert / "model.safetensors").rename(bert / "x.safetensors")
        write(path, {})
    for value in [ABSENT, *WRONG]:
        if any(value is s or value == s for s in sound_values):
            continue
        if value is None and field == "pooling_mode":
            continue  # the older form of the file, tested below
        if value is True and field == "use_residual":
            continue  # asks for another tensor
        change(path, field, value)
        refused(load(bert), path.name, field if value is not ABSENT else "")
    for value in sound_values:
        change(path, field, value)
        assert load(bert)[0] == "loaded", (field, value)


@pytest.mark.parametrize("name", ["cosine", "dot", "euclidean", "manhattan"])
def test_every_similarity_is_known(bert, name):
    change(bert / "config_sentence_transformers.json", "similarity_fn_name", name)
    encoder = uv.Encoder(bert)
    assert encoder.similarity(encoder.encode("a"), encoder.encode("a")).shape == (1, 1)


def test_an_unknown_similarity_is_refused_when_the_model_is_loaded(bert):
    change(bert / "config_sentence_transformers.json", "similarity_fn_name", "l2_normalize")
    with pytest.raises(uv.FormatError, match="similarity_fn_name: expected one of cosine, dot"):
        uv.Encoder(bert)


@pytest.mark.parametrize("value", [None, 1, "true", [True]])
def test_the_older_form_of_the_pooling_file_is_checked(bert, load, value):
    write(
        bert / "1_Pooling" / "config.json",
        {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": value},
    )
    refused(load(bert), "1_Pooling", "pooling_mode_mean_tokens")


def test_a_mode_is_not_repeated(bert, load):
    write(bert / "1_Pooling" / "config.json", {"pooling_mode": ["mean"] * 100_000})
    refused(load(bert), "pooling_mode")


def test_modules_are_limited(bert, load):
    modules = json.loads((bert / "modules.json").read_text())
    write(bert / "modules.json", modules + modules[3:] * 100_000)
    refused(load(bert), "at most 100 modules")
