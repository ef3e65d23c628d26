"""Encoders written as TorchScript files, run by plain torch.jit.load."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import unitvec as uv
from random_models import FAMILY, VOCAB, make_model, save
from sentence_models import MODES, save_sentence_model

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

TEXTS = ["the cat sat", "", "a", "dogs sat " * 20, "the dog, a cat"]
LENGTHS = (2, 17, 130, 512)


def load(path: Path):
    """As anybody would."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch.jit.load speaks of torch.export
        return torch.jit.load(str(path))


def padded(rows: list[list[int]], padding: int = 0, more: int = 0):
    longest = max(map(len, rows)) + more
    ids = torch.tensor([row + [padding] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return ids, mask


def run(module, encoder: uv.Encoder, texts: list[str], **padding):
    limit = encoder.max_seq_length
    rows = [encoder.tokenizer.encode(text, max_length=limit).ids for text in texts]
    with torch.no_grad():
        return module(*padded(rows, **padding))


@pytest.fixture(scope="module", params=FAMILY)
def family(request, tmp_path_factory):
    """An architecture's model of transformers, its encoder, and its exported file."""
    model = make_model(request.param)
    folder = save(model, tmp_path_factory.mktemp(request.param))
    with pytest.warns(UserWarning, match="taking the mean"):
        encoder = uv.Encoder(folder)
    encoder.export_torchscript(folder / "model.pt")
    return model.double(), encoder, folder / "model.pt"


def test_every_architecture_gives_the_token_vectors_of_transformers(family):
    model, _, path = family
    rng = np.random.default_rng(1)
    rows = [rng.integers(2, VOCAB, length).tolist() for length in LENGTHS]
    ids, mask = padded(rows, padding=1)  # RoBERTa's and MPNet's padding id; others do not look
    with torch.no_grad():
        expected = model(ids, attention_mask=mask).last_hidden_state
        mine = load(path)(ids, mask)["last_hidden_state"]
    for row, theirs, length in zip(mine, expected, LENGTHS, strict=True):
        assert_allclose(row[:length].numpy(), theirs[:length].numpy(), atol=1e-5)


def test_every_architecture_gives_the_vectors_of_its_encoder(family):
    _, encoder, path = family
    module = load(path)
    expected = encoder.encode(TEXTS)
    for options in ({}, {"padding": 1, "more": 5}):
        mine = run(module, encoder, TEXTS, **options)
        assert_allclose(mine["sentence_embedding"].numpy(), expected, atol=1e-5)
    alone = run(module, encoder, TEXTS[:1])["sentence_embedding"][0]
    assert_allclose(alone.numpy(), expected[0], atol=1e-5)


def test_it_is_read_back(family):
    _, encoder, path = family
    expected = encoder.encode(TEXTS)
    directory = path.parent
    again = uv.Encoder.from_torchscript(path, directory, pooling="mean", normalize=False)
    assert_allclose(again.encode(TEXTS), expected, atol=1e-5)
    whole = uv.Encoder.from_torchscript(path, directory, pooling=None, normalize=False)
    assert_allclose(whole.encode(TEXTS), expected, atol=1e-5)


def test_token_types_are_an_argument_that_may_be_left_out(tmp_path):
    model = make_model("bert")
    with pytest.warns(UserWarning, match="taking the mean"):
        encoder = uv.Encoder(save(model, tmp_path))
    encoder.export_torchscript(tmp_path / "model.pt")
    module = load(tmp_path / "model.pt")
    ids, mask = padded([[2, 7, 8, 3, 9, 3], [2, 7, 3]])
    types = torch.tensor([[0, 0, 0, 0, 1, 1], [0] * 6])
    with torch.no_grad():
        without = model(ids, mask).last_hidden_state
        expected = model(ids, mask, token_type_ids=types).last_hidden_state
        assert_allclose(module(ids, mask)["last_hidden_state"][0], without[0], atol=1e-5)
        assert_allclose(module(ids, mask, types)["last_hidden_state"][0], expected[0], atol=1e-5)
    assert (expected - without).abs().max() > 1e-2


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Path:
    return save(make_model("mpnet"), tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize(
    "options",
    [
        {"pooling": "mean_words"},
        {"pooling": ["mean_words", "cls"]},
        {"pooling": "mean", "dtype": "bfloat16"},
    ],
)
def test_what_the_caller_chose_is_in_the_file(plain, tmp_path, options):
    encoder = uv.Encoder(plain, **options)
    encoder.export_torchscript(tmp_path / "model.pt")
    for padding in ({}, {"padding": 1, "more": 3}):
        mine = run(load(tmp_path / "model.pt"), encoder, TEXTS, **padding)
        # The file's inputs are never rounded; the encoder's are where bfloat16 is multiplied.
        native = encoder.dtype == "bfloat16" and encoder.info()["products"]["bfloat16"] == "native"
        atol = 6e-2 if native else 1e-5
        assert_allclose(mine["sentence_embedding"].numpy(), encoder.encode(TEXTS), atol=atol)


def check_sentence_model(folder: Path, path: Path) -> None:
    encoder = uv.Encoder(folder)
    encoder.export_torchscript(path)
    expected = encoder.encode(TEXTS, on_overflow="truncate")
    module = load(path)
    for options in ({}, {"padding": 1, "more": 3}):
        mine = run(module, encoder, TEXTS, **options)["sentence_embedding"].numpy()
        assert_allclose(mine, expected, atol=1e-5)
    again = uv.Encoder.from_torchscript(
        path, encoder.tokenizer, pooling=None, normalize=False, max_seq_length=24
    )
    assert again.get_embedding_dimension() == encoder.get_embedding_dimension()
    assert_allclose(again.encode(TEXTS, on_overflow="truncate"), expected, atol=1e-5)


@pytest.mark.parametrize("mode", [*MODES, ("cls", "mean"), ("mean", "max", "lasttoken")])
def test_every_pooling_mode(plain, tmp_path, mode):
    folder = save_sentence_model(
        plain,
        tmp_path / "model",
        lambda m, width: [m.Pooling(width, pooling_mode=mode), m.Normalize()],
    )
    check_sentence_model(folder, tmp_path / "model.pt")


@pytest.mark.parametrize("activation", ["Identity", "Tanh", "ReLU", "GELU", "Sigmoid"])
def test_dense_layers(plain, tmp_path, activation):
    def build(m, dim):
        torch.manual_seed(2)
        function = getattr(torch.nn, activation)()
        return [
            m.Pooling(dim),
            m.Dense(dim, 20, activation_function=function),
            m.Normalize(),
            m.Dense(20, 20, activation_function=function, use_residual=True),
            m.Dense(20, 10, bias=False, activation_function=function, use_residual=True),
        ]

    folder = save_sentence_model(plain, tmp_path / "model", build)
    check_sentence_model(folder, tmp_path / "model.pt")


def test_torch_is_not_imported_to_write_one(plain, tmp_path):
    code = (
        "import sys, warnings, unitvec as uv; warnings.simplefilter('ignore');"
        f"uv.Encoder({str(plain)!r}).export_torchscript({str(tmp_path / 'model.pt')!r});"
        "print(sorted({'torch', 'transformers', 'safetensors'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert (tmp_path / "model.pt").is_file()


@pytest.fixture
def encoder(plain) -> uv.Encoder:
    with pytest.warns(UserWarning, match="taking the mean"):
        return uv.Encoder(plain)


def test_a_path_that_cannot_be_written_is_an_oserror(encoder, tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        encoder.export_torchscript(tmp_path / "absent" / "model.pt")
    with pytest.raises(IsADirectoryError, match="cannot write"):
        encoder.export_torchscript(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_was_there_stays_until_a_whole_file_takes_its_place(encoder, plain, tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(b"before")
    weights = plain / "model.safetensors"
    content = weights.read_bytes()
    try:
        weights.write_bytes(content[:1000])
        with pytest.raises(uv.FormatError, match="safetensors"):
            encoder.export_torchscript(path)
    finally:
        weights.write_bytes(content)
    assert path.read_bytes() == b"before"
    encoder.export_torchscript(path)
    assert load(path)(*padded([[2, 5, 3]]))["sentence_embedding"].shape == (1, 48)
    assert [p.name for p in tmp_path.iterdir()] == ["model.pt"]


@pytest.mark.skipif(sys.platform == "win32", reason="limits files by setrlimit")
def test_a_file_that_grows_too_large_is_an_oserror_and_leaves_nothing(encoder, plain, tmp_path):
    code = (
        "import resource, signal, warnings, unitvec as uv; warnings.simplefilter('ignore');"
        f"encoder = uv.Encoder({str(plain)!r});"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000));"
        f"encoder.export_torchscript({str(tmp_path / 'model.pt')!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "OSError: [Errno 27] cannot write" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_torchscript_encoder_is_not_exported_again(encoder, plain, tmp_path):
    encoder.export_torchscript(tmp_path / "model.pt")
    for pooling in ("mean", None):
        scripted = uv.Encoder.from_torchscript(tmp_path / "model.pt", plain, pooling=pooling)
        with pytest.raises(ValueError, match=r"such a file already: copy it"):
            scripted.export_torchscript(tmp_path / "other.pt")
