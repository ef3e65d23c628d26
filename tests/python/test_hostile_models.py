"""No model directory, however damaged, crashes, hangs, runs code or reads outside itself."""

from __future__ import annotations

import json
import os
import pickle
import select
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import unitvec as uv
from random_models import MODEL_TYPES, make_model, save
from tricky_text import examples

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

SECONDS = 30  # for one model directory; a hundred times what a sound one takes
REFUSALS = ("FormatError", "ModelNotFoundError", "ValueError")
ABSENT = object()
WRONG = [None, "x", [1], {"a": 1}, True, 1.5, 0, -1, 2**31, 2**63, 1e308]


class Worker:
    """A process that loads directories; started again after a crash, which fails the test."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self, folder: Path) -> tuple[str, Any]:
        if self._process is None or self._process.poll() is not None:
            script = Path(__file__).parents[1] / "hostile_worker.py"
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


@pytest.fixture(scope="module")
def load():
    worker = Worker()
    yield worker
    worker.close()


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def change(path: Path, key: str, value: Any) -> None:
    content = json.loads(path.read_text())
    content.pop(key, None)
    if value is not ABSENT:
        content[key] = value
    write(path, content)


def save_tensors(path: Path, tensors: dict[str, np.ndarray | torch.Tensor]) -> None:
    from safetensors.torch import save_file

    save_file({name: torch.as_tensor(t).contiguous() for name, t in tensors.items()}, path)


def tensors_of(path: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(path)


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> dict[str, Path]:
    """A directory of every architecture, with all that sentence-transformers may add."""
    folders = {}
    for name in MODEL_TYPES:
        folder = folders[name] = save(make_model(name), tmp_path_factory.mktemp(name))
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


@pytest.fixture
def bert(sound, tmp_path) -> Path:
    return Path(shutil.copytree(sound["bert"], tmp_path / "model"))


def refused(outcome: tuple[str, Any], *words: str) -> None:
    kind, message = outcome
    assert kind == "FormatError", outcome
    assert len(message) < 1000
    for word in words:
        assert word in message, message


@pytest.mark.parametrize("name", MODEL_TYPES)
def test_sound_directories_load(sound, load, name):
    kind, vectors = load(sound[name])
    assert kind == "loaded", vectors
    assert np.shape(vectors) == (3, 8)


# ---- settings ------------------------------------------------------------------------------------

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
NOT_JSON = {
    "empty": b"",
    "text": b"hello",
    "cut": b'{"a": ',
    "list or object": b"[{}]",
    "number": b"7",
    "null": b"null",
    "not UTF-8": b'{"a": "\xff\xfe"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "NaN": b'{"model_max_length": NaN}',
    "Infinity": b"[Infinity]",
    "deep": b"[" * 1_000_000,
    "deep object": b'{"a":' * 100_000,
    "closed": b"[" * 100_000 + b"]" * 100_000,
    "numerous": b"[" + b"0," * 12_000_000 + b"0]",
}


@pytest.mark.parametrize("file", JSON_FILES)
def test_what_is_not_json_is_refused(bert, load, file):
    path = bert / file
    if file == "added_tokens.json":
        (bert / "tokenizer.json").unlink()  # with which nobody reads it
    if file.endswith("index.json"):
        (bert / "model.safetensors").unlink()
    for name, content in NOT_JSON.items():
        path.write_bytes(content)
        outcome = load(bert)
        assert outcome[0] == "FormatError", (name, outcome[:1], str(outcome[1])[:200])
        refused(outcome, path.name)


def test_a_hundred_megabytes_of_brackets_are_refused(bert, load):
    for file in ("config.json", "modules.json", "tokenizer.json"):
        whole = (bert / file).read_bytes()
        (bert / file).write_bytes(b"[" * 100_000_000)
        refused(load(bert), file)
        (bert / file).write_bytes(whole)


def test_a_byte_order_mark_and_a_name_given_twice_are_read_alike(bert, load):
    """The last one counts, in the core as in Python."""
    expected = load(bert)
    for file in JSON_FILES[:-1]:
        path = bert / file
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    path = bert / "config.json"
    path.write_bytes(path.read_bytes().replace(b"{", b'{"vocab_size": "x", ', 1))
    path = bert / "sentence_bert_config.json"
    path.write_bytes(path.read_bytes().replace(b"{", b'{"max_seq_length": "x", ', 1))
    assert load(bert) == expected


# ---- weights -------------------------------------------------------------------------------------


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


def test_a_pickle_is_refused_and_not_opened(bert, load, tmp_path):
    canary = tmp_path / "canary"
    (bert / "model.safetensors").unlink()
    (bert / "pytorch_model.bin").write_bytes(pickle.dumps(Canary(canary)))
    refused(load(bert), "pytorch_model.bin is a pickle", "safe_serialization=True")
    assert not canary.exists()


class Canary:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


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


# ---- paths and links -----------------------------------------------------------------------------

OUTSIDE = "../outside/2_Dense"
TRAVERSALS = [
    *("../" * n + "outside/2_Dense" for n in range(1, 6)),
    *(f"{a}{OUTSIDE}" for a in ("./", "././", "1_Pooling/../", ".//", "2_Dense/../1_Pooling/../")),
    *(OUTSIDE.replace("/", s) for s in ("\\", "//", "/./", "\\/", "/\\")),
    *(f"{up}/outside/2_Dense" for up in ("%2e%2e", "..%00", "..;", ".. ", " ..", "...", "....")),
    *("/etc", "/", "//etc", "///", "/outside/2_Dense", "~", "~root", "~/x", "$HOME", "${HOME}"),
    *("C:", "C:\\x", "C:/x", "c:..\\x", "\\\\server\\share", "//server/share", "\\\\?\\C:\\x"),
    *("file:///etc", "http://x/y", "2_Dense\0", "\0", "\0../x", f"2_Dense\0/{OUTSIDE}", "..\0"),
    *("\ud800", "2_Dense\n", "..", "../", "../.", "1_Pooling/..", "a" * 300, "a/" * 3000, "NUL"),
]


def test_a_path_out_of_the_directory_is_refused(bert, load):
    shutil.copytree(bert / "2_Dense", bert.parent / "outside" / "2_Dense")  # would load
    modules = json.loads((bert / "modules.json").read_text())
    assert len(TRAVERSALS) >= 50
    for number in (0, 1, 2):
        for path in [*TRAVERSALS, str(bert.parent / "outside" / "2_Dense")]:
            if number == 0 and path == "1_Pooling/..":
                continue
            changed = [dict(module) for module in modules]
            changed[number]["path"] = path
            write(bert / "modules.json", changed)
            refused(load(bert))


def link(path: Path, target: Path | str) -> None:
    path.unlink()
    path.symlink_to(target)


@pytest.mark.parametrize(
    "file",
    [
        *(f for f in JSON_FILES if "index" not in f),
        "vocab.txt",
        "model.safetensors",
        "2_Dense/model.safetensors",
    ],
)
def test_a_link_out_of_the_directory_is_refused(bert, load, file):
    outside = bert.parent / "outside"
    shutil.copytree(bert, outside)
    for target in (outside / file, os.path.relpath(outside / file, (bert / file).parent)):
        link(bert / file, target)
        refused(load(bert), file, "symbolic link")
    if "/" not in file:
        with pytest.raises(uv.FormatError, match="symbolic link"):
            uv.Tokenizer.from_pretrained(bert)


def test_a_folder_that_is_a_link_out_of_the_directory_is_refused(bert, load):
    shutil.move(bert / "2_Dense", bert.parent / "outside")
    (bert / "2_Dense").symlink_to(bert.parent / "outside")
    refused(load(bert), "inside the model")


def test_links_within_a_directory_and_to_it_are_followed(bert, load):
    expected = load(bert)
    (bert / "model.safetensors").rename(bert / "weights")
    (bert / "model.safetensors").symlink_to("weights")
    assert load(bert) == expected
    (bert.parent / "alias").symlink_to(bert)
    assert load(bert.parent / "alias") == expected


def test_the_links_of_the_hub_cache_are_followed(bert, load):
    """snapshots/COMMIT/FILE -> ../../blobs/DIGEST."""
    expected = load(bert)
    repository = bert.parent / "models--org--name"
    blobs = repository / "blobs"
    blobs.mkdir(parents=True)
    snapshot = repository / "snapshots" / "abc"
    shutil.copytree(bert, snapshot)
    files = [path for path in snapshot.rglob("*") if path.is_file()]
    for number, path in enumerate(files):
        path.rename(blobs / str(number))
        path.symlink_to(os.path.relpath(blobs / str(number), path.parent))
    assert load(snapshot) == expected
    link(snapshot / "config.json", bert / "config.json")
    refused(load(snapshot), "config.json", "symbolic link")


@pytest.mark.parametrize("file", [*JSON_FILES[:-1], "model.safetensors", "vocab.txt"])
def test_what_is_no_regular_file_is_refused(bert, load, file):
    path = bert / file
    if file in ("added_tokens.json", "vocab.txt"):
        (bert / "tokenizer.json").unlink()
    path.unlink()
    os.mkfifo(path)
    refused(load(bert), path.name)
    path.unlink()
    path.mkdir()
    refused(load(bert), path.name)
    path.rmdir()
    path.symlink_to(path.name)
    refused(load(bert), path.name)


# ---- shards --------------------------------------------------------------------------------------


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


# ---- what the fuzzers start from ----------------------------------------------------------------

CORPORA = {
    "config": "config.json",
    "safetensors": "model.safetensors",
    "tokenizer_json": "tokenizer.json",
}


@pytest.mark.parametrize("corpus", CORPORA)
def test_the_corpora_of_the_fuzzers_are_harmless(bert, load, corpus):
    files = sorted((Path(__file__).parents[1] / "fuzz" / "corpus" / corpus).iterdir())
    assert len(files) >= 9
    for file in files:
        shutil.copy(file, bert / CORPORA[corpus])
        kind, message = load(bert)
        assert kind == "loaded" or kind in REFUSALS, (file.name, kind, message)


# ---- anything ------------------------------------------------------------------------------------

EDITS = st.lists(
    st.tuples(
        st.floats(0, 1),  # where in the file
        st.sampled_from(["flip", "delete", "insert", "number", "repeat", "cut"]),
        st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=4,
)
NUMBERS = [b"0", b"-1", b"9223372036854775808", b"1e308", b"null", b"[]", b"{}", b'"x"', b"true"]


def edited(content: bytes, edits: list[tuple[float, str, bytes]]) -> bytes:
    data = bytearray(content)
    for share, kind, extra in edits:
        at = min(int(share * len(data)), max(len(data) - 1, 0))
        if kind == "cut":
            del data[at:]
        elif kind == "delete":
            del data[at : at + len(extra)]
        elif kind == "insert":
            data[at:at] = extra
        elif kind == "number":
            data[at : at + 1] = NUMBERS[extra[0] % len(NUMBERS)]
        elif kind == "repeat":
            data[at:at] = data[at : at + 16 * len(extra)]
        elif data:
            data[at] ^= 1 << extra[0] % 8
    return bytes(data)


@given(
    model=st.sampled_from(MODEL_TYPES),
    file=st.sampled_from([*JSON_FILES[:-1], "vocab.txt", "model.safetensors"]),
    header=st.booleans(),
    edits=EDITS,
)
@settings(
    max_examples=max(150, examples(0) // 40),  # each loads a model
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_damage_is_harmless(sound, load, tmp_path_factory, model, file, header, edits):
    folder = tmp_path_factory.getbasetemp() / f"damaged-{model}"
    if not folder.exists():
        shutil.copytree(sound[model], folder)
    content = (sound[model] / file).read_bytes()
    end = len(content)
    if file.endswith(".safetensors") and header:  # where there is more to get wrong
        end = 8 + struct.unpack("<Q", content[:8])[0]
    (folder / file).write_bytes(edited(content[:end], edits) + content[end:])
    kind, message = load(folder)
    shutil.copy(sound[model] / file, folder / file)
    assert kind == "loaded" or kind in REFUSALS, (kind, message)
