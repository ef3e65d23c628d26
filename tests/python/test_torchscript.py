"""TorchScript modules as encoders: what they may return, what they may not, many threads."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import unitvec as uv
from random_models import make_model, save

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

COUNTER = itertools.count()
TEXTS = ["the cat sat", "", "a", "dogs sat " * 20, "the dog, a cat"]


class Fields(NamedTuple):
    """The token vectors are not the first field."""

    pooler_output: torch.Tensor
    last_hidden_state: torch.Tensor


class Pair(NamedTuple):
    first: torch.Tensor
    second: torch.Tensor


class GivesFields(torch.nn.Module):
    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> Fields:
        v = torch.stack([ids, mask], 2).to(torch.float32)
        return Fields(v[:, 0], 2 * v)


class GivesPair(torch.nn.Module):
    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> Pair:
        v = torch.stack([ids, mask], 2).to(torch.float32)
        return Pair(v[:, 0], v)


def save_scripted(module: torch.nn.Module, folder: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(module), str(folder / "module.pt"))
    return folder / "module.pt"


def script(source: str, folder: Path) -> Path:
    """A module of one function, from its source; `v` is (id, mask, position) of every token."""
    # A class of its own, since libtorch keeps one set of methods a class.
    module = type(f"Module{next(COUNTER)}", (torch.jit.ScriptModule,), {})()
    module.define(source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(module, str(folder / "module.pt"))
    return folder / "module.pt"


def forward(result: str, folder: Path, arguments: str = "ids, mask") -> Path:
    return script(
        f"def forward(self, {arguments}):\n"
        "  p = torch.arange(ids.size(1)).expand_as(ids)\n"
        "  v = torch.stack([ids, mask, p], 2).to(torch.float32)\n"
        f"  {result}\n",
        folder,
    )


@pytest.fixture(scope="module")
def directory(tmp_path_factory) -> Path:
    """A small BERT; its tokenizer serves the modules too."""
    return save(make_model("bert"), tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="module")
def traced(directory) -> Path:
    """The same BERT, traced by transformers' own code."""
    model = make_model("bert")

    class TokenVectors(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, ids, mask):
            return self.model(input_ids=ids, attention_mask=mask).last_hidden_state

    ids = torch.tensor([[2, 5, 6, 3], [2, 7, 3, 0]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns of every Python branch it flattens
        module = torch.jit.trace(TokenVectors(), (ids, (ids != 0).long()))
        torch.jit.save(module, str(directory / "traced.pt"))
    return directory / "traced.pt"


# ---- what a module may return ------------------------------------------------------------------


@pytest.mark.parametrize(
    "result",
    ["v", "(v, mask)", "[v, v]", "{'last_hidden_state': v, 'x': p}", "((v, p), mask)"],
)
def test_token_vectors_are_found(directory, tmp_path, result):
    path = forward(f"return {result}", tmp_path)
    encoder = uv.Encoder.from_torchscript(path, directory, pooling="max", normalize=False)
    ids = encoder.tokenizer.encode("the cat").ids
    assert_array_equal(encoder.encode(["a", "the cat"])[1], [max(ids), 1, len(ids) - 1])


@pytest.mark.parametrize(
    "result",
    [
        "v[:, 0]",
        "(v[:, 0], p)",
        "{'last_hidden_state': v, 'sentence_embedding': v[:, 0]}",
        "{'text_embeds': v[:, 0]}",
        "{'pooler_output': v[:, 0]}",
    ],
)
def test_text_vectors_are_found(directory, tmp_path, result):
    path = forward(f"return {result}", tmp_path)
    encoder = uv.Encoder.from_torchscript(path, directory, pooling=None, normalize=False)
    assert encoder.pooling == "none"
    start = encoder.tokenizer.encode("").ids[0]
    assert_array_equal(encoder.encode(["a", "the cat"]), [[start, 1, 0]] * 2)


def test_a_named_tuple_gives_the_field_of_that_name(directory, tmp_path):
    path = save_scripted(GivesFields(), tmp_path)
    tokens = uv.Encoder.from_torchscript(path, directory, pooling="cls", normalize=False)
    texts = uv.Encoder.from_torchscript(path, directory, pooling=None, normalize=False)
    assert_array_equal(tokens.encode("a cat"), 2 * texts.encode("a cat"))
    start = tokens.tokenizer.encode("").ids[0]
    assert_array_equal(texts.encode("a cat"), [start, 1])


def test_a_named_tuple_without_it_gives_its_first_field(directory, tmp_path):
    path = save_scripted(GivesPair(), tmp_path)
    assert uv.Encoder.from_torchscript(path, directory, pooling=None).encode("a").shape == (2,)
    with pytest.raises(uv.FormatError, match=r"got \(1, 2\) of Float; .*pooling=None"):
        uv.Encoder.from_torchscript(path, directory)


def test_optional_arguments_other_than_types_stay_away(directory, tmp_path):
    path = forward("return v + scale", tmp_path, "ids, mask, scale: float = 100.0")
    encoder = uv.Encoder.from_torchscript(path, directory, pooling="cls", normalize=False)
    assert encoder.encode("a")[1] == 101


def test_a_frozen_module_is_read(directory, traced, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        frozen = torch.jit.freeze(torch.jit.load(str(traced)).eval())
        torch.jit.save(frozen, str(tmp_path / "frozen.pt"))
    expected = uv.Encoder.from_torchscript(traced, directory).encode(TEXTS)
    again = uv.Encoder.from_torchscript(tmp_path / "frozen.pt", directory).encode(TEXTS)
    assert_allclose(again, expected, atol=1e-6)


# ---- what it may not ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ("return v.sum(1).sum(1)", r"expected token vectors .* got \(1\) of Float"),
        ("return v[:, :1]", r"got \(1, 1, 3\) of Float"),
        ("return ids", r"got \(1, 2\) of Long$"),
        ("return v[:, :, :0]", r"got \(1, 2, 0\) of Float"),
        ("return 'vectors'", "got no tensor"),
        ("return {'hidden': v}", "got no tensor"),
        ("return {1: v}", "got no tensor"),
        ("return ()", "got no tensor"),
        ("return v.view([7, 7])", "forward: raised: .*shape"),
        ("assert ids.size(1) > 9000, 'too short'", "forward: raised: .*too short"),
    ],
)
def test_a_module_that_returns_something_else_is_refused(directory, tmp_path, result, message):
    path = forward(result, tmp_path)
    with pytest.raises(uv.FormatError, match=message):
        uv.Encoder.from_torchscript(path, directory)


@pytest.mark.parametrize(
    ("arguments", "count"), [("ids", 1), ("", 0), ("ids, mask, a, b", 4)], ids=repr
)
def test_other_arguments_are_refused(directory, tmp_path, arguments, count):
    arguments = f", {arguments}" if arguments else ""
    path = script(f"def forward(self{arguments}):\n  return 1\n", tmp_path)
    with pytest.raises(uv.FormatError, match=rf"got {count} argument\(s\)"):
        uv.Encoder.from_torchscript(path, directory)


def test_token_vectors_are_no_text_vectors(directory, traced):
    with pytest.raises(uv.FormatError, match=r"token vectors needs a pooling"):
        uv.Encoder.from_torchscript(traced, directory, pooling=None)


def test_files_that_are_no_modules_are_refused(directory, tmp_path):
    path = script("def encode(self, ids):\n  return ids\n", tmp_path)
    with pytest.raises(uv.FormatError, match="got a module without it"):
        uv.Encoder.from_torchscript(path, directory)
    path.write_bytes(b"not a module")
    with pytest.raises(uv.FormatError, match="expected a TorchScript module"):
        uv.Encoder.from_torchscript(path, directory)
    with pytest.raises(uv.FormatError, match=r"absent\.pt"):
        uv.Encoder.from_torchscript(tmp_path / "absent.pt", directory)


def test_an_error_at_work_names_the_file(directory, tmp_path):
    path = forward("assert ids.size(1) < 10, 'too long for me'\n  return v", tmp_path)
    encoder = uv.Encoder.from_torchscript(path, directory)
    assert encoder.encode("a cat").shape == (3,)
    with pytest.raises(uv.FormatError, match=r"module\.pt: forward: raised: .*too long for me"):
        encoder.encode("a cat " * 10)


@pytest.mark.parametrize("pooling", ["mean", None])
def test_vectors_that_are_not_finite_are_refused(directory, tmp_path, pooling):
    vectors = "v" if pooling else "v[:, 0]"
    path = forward(f"return {vectors} / (ids.size(1) - 2)", tmp_path)
    encoder = uv.Encoder.from_torchscript(path, directory, pooling=pooling)
    assert np.isfinite(encoder.encode("a cat")).all()
    with pytest.raises(
        ValueError, match=r"expected finite (token|text) vectors of the module, got"
    ):
        encoder.encode("")


def test_lengths_below_one_are_refused(directory, traced):
    for name in ("max_seq_length", "pad_to"):
        with pytest.raises(ValueError, match=f"expected {name} of at least 1"):
            uv.Encoder.from_torchscript(traced, directory, **{name: -1})


# ---- text modules ------------------------------------------------------------------------------


def test_a_text_module_gives_nothing_but_text_vectors(directory, tmp_path):
    encoder = uv.Encoder.from_torchscript(
        forward("return v.sum(1)", tmp_path), directory, pooling="none", max_seq_length=6
    )
    for output_value in ("token_embeddings", None):
        with pytest.raises(ValueError, match="this module gives text vectors alone"):
            encoder.encode("a", output_value=output_value)
    with pytest.raises(ValueError, match="expected a transformer"):
        encoder.hidden_states("a")
    assert encoder.encode([]).shape == (0, 3)
    assert encoder.info()["architecture"] == "torchscript"
    assert (
        encoder.fingerprint
        != uv.Encoder.from_torchscript(
            tmp_path / "module.pt", directory, pooling="none", max_seq_length=7
        ).fingerprint
    )
    with pytest.warns(uv.encoder.TruncationWarning, match="1 of 2 texts"):
        encoder.encode(["a", "a cat " * 20])
    windows = encoder.encode("a cat " * 20, on_overflow="chunk")
    assert_allclose(np.linalg.norm(windows), 1, atol=1e-6)


def test_texts_are_padded_to_a_fixed_length(directory, tmp_path):
    # The sum over positions says how many there were.
    path = forward("return v.sum(1)", tmp_path)
    encoder = uv.Encoder.from_torchscript(path, directory, pooling=None, normalize=False, pad_to=12)
    assert encoder.max_seq_length == 12
    unpadded = uv.Encoder.from_torchscript(
        path, directory, pooling=None, normalize=False, max_seq_length=12
    )
    assert encoder.fingerprint != unpadded.fingerprint
    ids = encoder.tokenizer.encode("a cat").ids
    padding = encoder.tokenizer.token_to_id("[PAD]")
    expected = [sum(ids) + (12 - len(ids)) * padding, len(ids), sum(range(12))]
    assert_array_equal(encoder.encode(["a cat", "a"])[0], expected)
    encoder.max_seq_length = 50
    with pytest.raises(ValueError, match="at most 12 tokens"):
        encoder.encode("cat " * 30)


def test_padding_is_the_tokenizers_own(tmp_path):
    folder = save(make_model("roberta"), tmp_path)
    vocabulary = (folder / "vocab.txt").read_text().split()
    vocabulary[0], vocabulary[1] = vocabulary[1], vocabulary[0]  # [PAD] is 1
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    (folder / "tokenizer.json").unlink()
    path = forward("return ids[:, -1:].to(torch.float32)", tmp_path)
    encoder = uv.Encoder.from_torchscript(path, folder, pooling=None, normalize=False)
    assert encoder.encode(["a", "a cat sat"])[0] == 1


# ---- threads and company -----------------------------------------------------------------------


@pytest.mark.parametrize("pooling", ["mean", None])
def test_sixteen_threads_get_the_same_vectors(directory, traced, tmp_path, pooling):
    path = traced
    if pooling is None:
        with pytest.warns(UserWarning, match="taking the mean"):
            uv.Encoder(directory).export_torchscript(tmp_path / "model.pt")
        path = tmp_path / "model.pt"
    texts = [("the cat sat a dog " * n).strip() for n in range(1, 9)]
    expected = uv.Encoder.from_torchscript(path, directory, pooling=pooling).encode(texts)
    encoder = uv.Encoder.from_torchscript(path, directory, pooling=pooling)  # compiles in threads
    results: list[tuple[int, np.ndarray]] = []

    def work(number: int) -> None:
        for i in range(6):
            row = (number + i) % len(texts)
            results.append((row, encoder.encode(texts[row])))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 16 * 6
    for row, vector in results:
        assert_allclose(vector, expected[row], atol=1e-5)


def test_nothing_is_switched_for_the_whole_process(directory, traced):
    """Python's torch shares this libtorch: its fusers, threads and modes stay as they were."""
    state = (
        "(torch._C._jit_llga_enabled(), torch._C._jit_texpr_fuser_enabled(), "
        "torch._C._jit_can_fuse_on_cpu(), torch._C._get_graph_executor_optimize(), "
        "torch.get_num_threads(), torch.is_grad_enabled(), torch.is_inference_mode_enabled(), "
        "torch.get_default_dtype())"
    )
    work = (
        f"uv.Encoder.from_torchscript({str(traced)!r}, {str(directory)!r}, threads=1)"
        ".encode(['a cat', 'a'] * 40)"
    )
    code = (
        f"import torch, unitvec as uv\nbefore = {state}\n{work}\nassert before == {state}, before"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    code = f"import unitvec as uv\n{work}\nimport torch\nprint({state})"
    after = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    code = f"import torch\nprint({state})"
    bare = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert after.stdout == bare.stdout
