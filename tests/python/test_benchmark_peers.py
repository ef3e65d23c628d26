"""The benchmark's adapters for other runtimes, and what happens where one cannot be run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import conversions, encode, environment, padded
from benchmarks.environment import Environment, UnavailableError
from benchmarks.peers import BASELINE, PEERS
from benchmarks.process import PeerError
from benchmarks.settings import Settings

import fake_systems
from fake_systems import HERE


@pytest.fixture
def fakes(monkeypatch):
    return fake_systems.install(monkeypatch)


def test_a_system_that_cannot_be_run_is_left_out_with_the_reason(fakes, capsys):
    result = encode.run(Settings(repeats=2, latency_calls=3))
    ours = ["unitvec fp32", "unitvec bf16"]
    assert list(result["systems"]) == [BASELINE, "onnxruntime fp32", *ours]
    reasons = result["left_out"]
    assert reasons["other bf16"] == "[other bf16] expected a processor with bf16"
    assert "no_such_package to be installed" in reasons["absent fp32"]
    assert "left out: other bf16: [other bf16] expected" in capsys.readouterr().err
    json.dumps(result)  # a record is JSON

    table = encode.table(result)
    assert "| other bf16 | absent | absent | absent | absent | absent |" in table
    assert "Absent: other bf16: [other bf16] expected a processor with bf16." in table


def test_a_subset_without_the_baseline_has_no_ratios(fakes):
    result = encode.run(Settings(repeats=1, latency_calls=2, peers=("onnxruntime fp32",)))
    row = result["runs"][0]["workloads"]["mixed"]["systems"]["onnxruntime fp32"]
    assert "times_baseline" not in row
    assert row["busy_cores"]["median"] >= 0
    assert "unitvec" not in encode.table(result)


def test_a_run_without_any_system_says_why(fakes):
    with pytest.raises(PeerError, match=r"expected a system that can be run, got .*bf16"):
        encode.run(Settings(peers=("other bf16",)))


def test_an_environment_that_pip_cannot_fill_is_unavailable(monkeypatch, tmp_path):
    def fails(command, **_):
        raise subprocess.CalledProcessError(1, command, stderr="slow\nERROR: no network\n")

    monkeypatch.setattr(environment, "ENVIRONMENTS", tmp_path)
    monkeypatch.setattr(environment.venv, "create", lambda *_, **__: None)
    monkeypatch.setattr(environment.subprocess, "run", fails)
    with pytest.raises(
        UnavailableError, match=r"expected to install absent==1, got: ERROR: no network"
    ):
        environment.interpreter(Environment("absent", ("no_such_package",), ("absent==1",)))


def test_every_peer_names_a_module_and_a_conversion_that_exist():
    folder = Path(environment.__file__).parent
    for peer in PEERS.values():
        assert (folder / "peers" / f"{peer.module}.py").is_file()
        assert peer.conversion is None or peer.conversion in conversions.CONVERSIONS
    for conversion in conversions.CONVERSIONS.values():
        assert (folder / "conversions" / f"{conversion.module}.py").is_file()


@pytest.fixture
def steps(monkeypatch, tmp_path):
    """Two conversions, the second from the first; and the calls that were made."""
    made = []
    known = {
        "one": conversions.Conversion("onnx_export", HERE),
        "two": conversions.Conversion("onnx_optimized", HERE, "one"),
    }

    def convert(conversion, model, source, target):
        made.append((conversion.module, source and source.name.split("-")[0]))
        (target / "file").write_text("x")

    monkeypatch.setattr(conversions, "CONVERSIONS", known)
    monkeypatch.setattr(conversions, "_convert", convert)
    return made


def _model(folder, content):
    folder.mkdir()
    (folder / "config.json").write_text(content)
    return folder


def test_a_model_is_converted_once_and_again_when_it_changes(steps, tmp_path):
    first, second = _model(tmp_path / "a", "{}"), _model(tmp_path / "b", "{ }")
    paths = [conversions.converted("two", m, tmp_path / "kept") for m in (first, first, second)]
    assert paths[0] == paths[1] != paths[2]
    assert steps == [("onnx_export", None), ("onnx_optimized", "one")] * 2


def test_a_conversion_that_fails_says_so_and_leaves_nothing(monkeypatch, tmp_path, capsys):
    # The package itself stands for a module without `convert`: that raises in its own process.
    monkeypatch.setitem(conversions.CONVERSIONS, "bad", conversions.Conversion("__init__", HERE))
    model = _model(tmp_path / "m", "{}")
    for _ in range(2):
        with pytest.raises(UnavailableError, match=r"__init__ cannot convert m: AttributeError"):
            conversions.converted("bad", model, tmp_path / "kept")
    assert list((tmp_path / "kept").iterdir()) == []
    assert capsys.readouterr().err.count("converting m to bad") == 1  # tried once


def test_batches_hold_every_text_once_longest_first():
    lengths = [3, 9, 1, *range(40)]
    found = list(padded.batches(lengths))
    assert sorted(np.concatenate(found)) == list(range(43))
    assert [len(batch) for batch in found] == [32, 11]
    ordered = [lengths[i] for batch in found for i in batch]
    assert ordered == sorted(lengths, reverse=True)


def test_padding_has_no_part_in_a_mean():
    input_ids, mask = padded.pad([[5, 6, 7], [8]])
    np.testing.assert_array_equal(input_ids, [[5, 6, 7], [8, 0, 0]])
    np.testing.assert_array_equal(mask, [[1, 1, 1], [1, 0, 0]])
    vectors = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    expected = np.stack([vectors[0].mean(axis=0), vectors[1, 0]])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(padded.mean_and_normalize(vectors, mask), expected, atol=1e-6)


@pytest.fixture(scope="module", params=["bert", "mpnet"])
def directory(request, tmp_path_factory):
    """A random model with mean pooling, whose limit of tokens is not the tokenizer's."""
    pytest.importorskip("sentence_transformers")
    from random_models import make_model, save

    folder = save(make_model(request.param), tmp_path_factory.mktemp("model"))
    (folder / "1_Pooling").mkdir()
    kinds = {"": "Transformer", "1_Pooling": "Pooling", "2_Normalize": "Normalize"}
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate(kinds.items())
    ]
    pooling = {"word_embedding_dimension": 48, "pooling_mode_mean_tokens": True}
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 20}')
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer["truncation"] = {
        "direction": "Right",
        "max_length": 12,
        "strategy": "LongestFirst",
        "stride": 0,
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    return folder


def test_other_pooling_is_refused(directory, tmp_path):
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    (tmp_path / "modules.json").write_text((directory / "modules.json").read_text())
    with pytest.raises(ValueError, match=r"expected .* mean Pooling .*pooling_mode_cls_token"):
        padded.require_mean_and_normalize(tmp_path)


@pytest.mark.filterwarnings("ignore")  # torch says that its other exporter is the newer one
def test_onnxruntime_gives_the_vectors_of_sentence_transformers(directory, tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")
    from benchmarks.conversions import onnx_export
    from benchmarks.peers import onnxruntime as adapter
    from sentence_transformers import SentenceTransformer
    from torch.onnx._internal.torchscript_exporter import onnx_proto_utils

    # The package onnx, which the tests do without, would add functions that this graph has not.
    monkeypatch.setattr(onnx_proto_utils, "_add_onnxscript_fn", lambda model, _: model)
    onnx_export.convert(directory, None, tmp_path)
    words = "the cat sat a dogs unknown".split()
    rng = np.random.default_rng(3)
    texts = [" ".join(rng.choice(words, n)) for n in [*range(1, 40), 1, 60]]

    vectors = adapter.load(str(directory), 1, str(tmp_path))(texts)
    expected = SentenceTransformer(str(directory), device="cpu").encode(texts)
    np.testing.assert_allclose(vectors, expected, atol=2e-6)
    assert set(adapter.versions()) == {"onnxruntime"}
