"""Safetensors that are cut, not finite, of wrong shapes, or in wrong shards."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import unitvec as uv
from hostile_models import change, refused, save_tensors, tensors_of, write
from random_models import MODEL_TYPES

torch = pytest.importorskip("torch")


def test_weights_cut_anywhere_are_refused(bert, load):
    path = bert / "model.safetensors"
    whole = path.read_bytes()
    (length,) = struct.unpack("<Q", whole[:8])
    rng = np.random.default_rng(7)
    places = [*range(0, 40), *rng.integers(40, 8 + length, 60), 8 + length, len(whole) - 1]
    places += list(rng.integers(8 + length, len(whole), 60))
    for place in map(int, places):
        path.write_bytes(whole[:place])
        refused(load(bert), "model.safetensors")


@pytest.mark.parametrize("length", [0, 1, 10**8, 10**8 + 1, 2**63, 2**64 - 1])
def test_a_wrong_length_of_the_header_is_refused(bert, load, length):
    path = bert / "model.safetensors"
    path.write_bytes(struct.pack("<Q", length) + path.read_bytes()[8:])
    refused(load(bert), "model.safetensors")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64"])
def test_weights_must_be_finite(bert, load, dtype, value):
    name = "encoder.layer.1.intermediate.dense.weight"
    tensors = tensors_of(bert / "model.safetensors")
    tensors[name] = tensors[name].to(getattr(torch, dtype))
    save_tensors(bert / "model.safetensors", tensors)
    assert load(bert)[0] == "loaded"
    tensors[name][3, 4] = value
    save_tensors(bert / "model.safetensors", tensors)
    refused(load(bert), name, "finite")


def test_a_weight_beyond_float32_is_refused(bert, load):
    tensors = tensors_of(bert / "model.safetensors")
    tensors["pooler.dense.bias"] = torch.full((48,), 1e300, dtype=torch.float64)
    save_tensors(bert / "model.safetensors", tensors)
    refused(load(bert), "pooler.dense.bias", "range")


@pytest.mark.parametrize("value", [3e38, 1e30, 1e20])
@pytest.mark.parametrize("folder", ["", "2_Dense"])
def test_weights_whose_sums_overflow_give_an_error_and_no_vectors(bert, load, folder, value):
    path = bert / folder / "model.safetensors"
    change(bert / "2_Dense" / "config.json", "activation_function", "torch.nn.Identity")
    tensors = tensors_of(path)
    name = "linear.weight" if folder else "encoder.layer.2.output.LayerNorm.weight"
    signs = (-1.0) ** torch.arange(48)  # of equal weights the sum over a row would be small
    tensors[name] = (value * signs).expand_as(tensors[name])
    save_tensors(path, tensors)
    refused(load(bert), "model.safetensors", "weights are damaged")


def test_half_precision_gives_the_vectors_of_the_same_numbers(bert):
    path = bert / "model.safetensors"
    tensors = tensors_of(path)
    for dtype in (torch.float16, torch.bfloat16):
        rounded = {name: tensor.to(dtype) for name, tensor in tensors.items()}
        save_tensors(path, rounded)
        vectors = uv.Encoder(bert).encode(["the cat", "dogs"])
        save_tensors(path, {name: tensor.float() for name, tensor in rounded.items()})
        assert_array_equal(uv.Encoder(bert).encode(["the cat", "dogs"]), vectors)
        save_tensors(path, {name: tensor.double() for name, tensor in rounded.items()})
        assert_array_equal(uv.Encoder(bert).encode(["the cat", "dogs"]), vectors)


def test_tensors_that_do_not_fit_are_named(sound, load, tmp_path):
    for model in MODEL_TYPES:
        folder = Path(shutil.copytree(sound[model], tmp_path / model))
        path = folder / "model.safetensors"
        tensors = tensors_of(path)
        names = [name for name in tensors if "pooler" not in name and "position_ids" not in name]
        for name in np.random.default_rng(1).choice(names, 4, replace=False):
            others = {n: t for n, t in tensors.items() if n != name}
            for wrong in (None, tensors[name][..., :-1], tensors[name].to(torch.int32)):
                save_tensors(path, others if wrong is None else {**others, name: wrong})
                refused(load(folder), name)


def test_layers_that_config_json_does_not_count_are_refused(sound, load, tmp_path):
    for model in MODEL_TYPES:
        if model == "albert":  # its layers share their weights
            continue
        folder = Path(shutil.copytree(sound[model], tmp_path / model))
        key = "n_layers" if model == "distilbert" else "num_hidden_layers"
        change(folder / "config.json", key, 2)
        refused(load(folder), "layer.2.", "config.json")


@pytest.fixture
def shards(bert) -> Path:
    tensors = tensors_of(bert / "model.safetensors")
    (bert / "model.safetensors").unlink()
    names = sorted(tensors)
    halves = {"1.safetensors": names[: len(names) // 2], "2.safetensors": names[len(names) // 2 :]}
    for file, part in halves.items():
        save_tensors(bert / file, {name: tensors[name] for name in part})
    write(
        bert / "model.safetensors.index.json",
        {"weight_map": {name: file for file, part in halves.items() for name in part}},
    )
    return bert


def test_shards_give_the_vectors_of_one_file(shards, sound, load):
    assert load(shards) == load(sound["bert"])


@pytest.mark.parametrize(
    "name",
    [
        *("../2.safetensors", "/etc/2.safetensors", "a/../2.safetensors", "..\\2.safetensors"),
        *("2.safetensors\0", "\0.safetensors", "2.safetensors\0.safetensors", "", ".", "2.bin"),
        *(3, None, ["2.safetensors"], {"2.safetensors": 1}, "3.safetensors", "1.safetensors"),
    ],
)
def test_a_wrong_shard_is_refused(shards, load, name):
    path = shards / "model.safetensors.index.json"
    index = json.loads(path.read_text())
    shutil.copy(shards / "2.safetensors", shards.parent / "2.safetensors")  # would load
    last = max(index["weight_map"])
    write(path, {"weight_map": {**index["weight_map"], last: name}})
    refused(load(shards))


def test_a_shard_may_not_be_a_link_out_of_the_directory(shards, load):
    shutil.move(shards / "2.safetensors", shards.parent / "2.safetensors")
    (shards / "2.safetensors").symlink_to(shards.parent / "2.safetensors")
    refused(load(shards), "2.safetensors", "symbolic link")
