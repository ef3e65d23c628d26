"""Pooling modes, dense layers and prompts of sentence-transformers directories."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import unitvec as uv
from random_models import MODEL_TYPES, make_model, save
from sentence_models import MODES, save_sentence_model

torch = pytest.importorskip("torch")
sentence_transformers = pytest.importorskip("sentence_transformers")

TEXTS = ["the cat sat", "", "a", "dogs sat " * 20, "the dog, a cat"]


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Path:
    return save(make_model("mpnet"), tmp_path_factory.mktemp("plain"))


def same_as_sentence_transformers(folder: Path, **options) -> uv.Encoder:
    encoder = uv.Encoder(folder)
    theirs = sentence_transformers.SentenceTransformer(str(folder), device="cpu")
    expected = theirs.encode(TEXTS, **options)
    mine = encoder.encode(TEXTS, on_overflow="truncate", **options)
    assert encoder.get_embedding_dimension() == expected.shape[1]
    assert_allclose(mine, expected, atol=1e-5)
    everything = encoder.encode(TEXTS, on_overflow="truncate", output_value=None, **options)
    assert_array_equal([e["sentence_embedding"] for e in everything], mine)
    return encoder


@pytest.mark.parametrize("mode", [*MODES, ("cls", "mean"), ("mean", "max", "lasttoken")])
def test_every_pooling_mode(plain, tmp_path, mode):
    folder = save_sentence_model(
        plain, tmp_path / "model", lambda m, width: [m.Pooling(width, pooling_mode=mode)]
    )
    assert same_as_sentence_transformers(folder).pooling == mode


def test_the_older_form_of_the_pooling_file(plain, tmp_path):
    folder = save_sentence_model(
        plain, tmp_path / "model", lambda m, width: [m.Pooling(width, pooling_mode=("cls", "max"))]
    )
    expected = uv.Encoder(folder).encode("the cat")
    old = {"word_embedding_dimension": 48, "pooling_mode_mean_tokens": False}
    old |= {"pooling_mode_max_tokens": True, "pooling_mode_cls_token": True}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(old))
    assert_array_equal(uv.Encoder(folder).encode("the cat"), expected)


@pytest.mark.parametrize("mode", MODES)
def test_a_prompt_may_be_left_out_of_pooling(plain, tmp_path, mode):
    folder = save_sentence_model(
        plain,
        tmp_path / "model",
        lambda m, width: [m.Pooling(width, pooling_mode=mode, include_prompt=False)],
        prompts={"query": "the dogs ", "document": ""},
    )
    encoder = same_as_sentence_transformers(folder, prompt_name="query")
    alone = encoder.encode("a cat", prompt_name="query")
    assert_array_equal(encoder.encode(["a", "a cat"], prompt_name="query")[1], alone)


@pytest.mark.parametrize("include_prompt", [True, False])
@pytest.mark.parametrize("name", MODEL_TYPES)
def test_every_architecture_with_every_mode_at_every_length(name, include_prompt, tmp_path):
    def build(m, width):
        pooling = m.Pooling(width, pooling_mode=tuple(MODES), include_prompt=include_prompt)
        return [pooling, m.Normalize()]

    folder = save_sentence_model(
        save(make_model(name), tmp_path / "plain"),
        tmp_path / "model",
        build,
        max_seq_length=512,
        prompts={"query": "the dogs sat "},
    )
    encoder = uv.Encoder(folder)
    theirs = sentence_transformers.SentenceTransformer(str(folder), device="cpu")
    words = [word for word in ("the", "cat", "sat", "a", "dog") for _ in range(103)]
    texts = [" ".join(words[::-1][:n]) for n in (0, 1, 2, 14, 61, 62, 126, 250, 509, 510, 515)]
    for prompt in (None, "query"):
        mine = encoder.encode(texts, prompt_name=prompt, on_overflow="truncate")
        assert mine.shape == (len(texts), 48 * len(MODES))
        assert_allclose(mine, theirs.encode(texts, prompt_name=prompt), atol=1e-5)


ACTIVATIONS = ["Identity", "Tanh", "ReLU", "GELU", "Sigmoid"]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("width", [20, 48])
def test_dense_layers(plain, tmp_path, activation, width):
    def build(m, dim):
        torch.manual_seed(2)
        function = getattr(torch.nn, activation)()
        return [
            m.Pooling(dim, pooling_mode="mean"),
            m.Dense(dim, width, activation_function=function),
            m.Normalize(),
            m.Dense(width, 10, bias=False, activation_function=function, use_residual=True),
            m.Normalize(),
        ]

    encoder = same_as_sentence_transformers(save_sentence_model(plain, tmp_path / "m", build))
    assert encoder.normalize_embeddings
    vectors = encoder.encode(["the cat", "a dog"])
    assert_array_equal(encoder.encode("a dog"), vectors[1])
    unscaled = encoder.encode(["the cat", "a dog"], normalize_embeddings=False)
    assert_allclose(uv.l2_normalize(unscaled), vectors, atol=1e-6)
    assert encoder.encode([]).shape == (0, 10)


def test_a_residual_of_one_width_needs_no_projection(plain, tmp_path):
    folder = save_sentence_model(
        plain,
        tmp_path / "model",
        lambda m, width: [m.Pooling(width), m.Dense(width, width, use_residual=True)],
    )
    assert not same_as_sentence_transformers(folder).normalize_embeddings


@pytest.fixture
def dense(plain, tmp_path) -> Path:
    """A directory with a dense layer that a test may damage."""
    return save_sentence_model(
        plain, tmp_path / "model", lambda m, width: [m.Pooling(width), m.Dense(width, 20)]
    )


def rewrite(path: Path, change) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(activation_function="torch.nn.Softmax"), "Identity, Tanh"),
        (lambda c: c.update(activation_function=3), "activation_function"),
        (lambda c: c.pop("in_features"), "in_features"),
        (lambda c: c.update(in_features=0), "in_features"),
        (lambda c: c.update(in_features=40), "linear.weight"),
        (lambda c: c.update(out_features="20"), "out_features"),
        (lambda c: c.update(module_input_name="token_embeddings"), "module_input_name"),
    ],
)
def test_a_wrong_field_of_a_dense_layer_is_named(dense, change, message):
    rewrite(dense / "2_Dense" / "config.json", change)
    with pytest.raises(uv.FormatError, match=message):
        uv.Encoder(dense)


def test_a_dense_layer_must_fit_what_comes_in(dense):
    rewrite(dense / "1_Pooling" / "config.json", lambda c: c.update(pooling_mode=["cls", "mean"]))
    with pytest.raises(uv.FormatError, match="in_features to be 96"):
        uv.Encoder(dense)


def test_a_dense_layer_without_weights_is_refused(dense):
    (dense / "2_Dense" / "model.safetensors").unlink()
    with pytest.raises(uv.FormatError, match="2_Dense"):
        uv.Encoder(dense)


def test_a_dense_layer_is_part_of_the_fingerprint(dense, tmp_path):
    before = uv.Encoder(dense).fingerprint
    copy = shutil.copytree(dense, tmp_path / "copy")
    assert uv.Encoder(copy).fingerprint == before
    rewrite(copy / "2_Dense" / "config.json", lambda c: c.update(activation_function="x.ReLU"))
    assert uv.Encoder(copy).fingerprint != before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.pop(1), "Pooling"),
        (lambda m: m.reverse(), "Transformer"),
        (lambda m: m.append(m[1]), "Transformer"),
        (lambda m: m[1].update(type="a.b.CNN"), "CNN"),
        (lambda m: m[1].update(type=7), '"type"'),
        (lambda m: m[1].update(path="../elsewhere"), "inside the model"),
        (lambda m: m[1].update(path=3), "path"),
        (lambda m: m.clear(), "Transformer"),
    ],
)
def test_a_wrong_list_of_modules_is_refused(dense, change, message):
    rewrite(dense / "modules.json", change)
    with pytest.raises(uv.FormatError, match=message):
        uv.Encoder(dense)


@pytest.mark.parametrize(
    "mode", ["sum", [], ["mean", "sum"], 3, {"mean": True}, [["mean"]]], ids=repr
)
def test_a_wrong_pooling_mode_is_refused(dense, mode):
    rewrite(dense / "1_Pooling" / "config.json", lambda c: c.update(pooling_mode=mode))
    with pytest.raises(uv.FormatError, match="pooling_mode"):
        uv.Encoder(dense)


def test_pooling_of_a_torchscript_module_is_checked(plain):
    tokenizer = uv.Tokenizer.from_pretrained(plain)
    with pytest.raises(ValueError, match="weightedmean"):
        uv.Encoder.from_torchscript("model.pt", tokenizer, pooling=["mean", "sum"])


def test_vectors_are_unit_vectors_only_where_the_authors_say_so(plain, tmp_path):
    folder = save_sentence_model(
        plain, tmp_path / "model", lambda m, width: [m.Pooling(width), m.Normalize()]
    )
    encoder = uv.Encoder(folder)
    assert_allclose(np.linalg.norm(encoder.encode("a cat")), 1.0, atol=1e-6)
    assert np.linalg.norm(encoder.encode("a cat", normalize_embeddings=False)) > 1.1


# ---- texts longer than the model reads ------------------------------------------------------


@pytest.fixture(scope="module")
def chunker(plain, tmp_path_factory) -> uv.Encoder:
    folder = save_sentence_model(
        plain,
        tmp_path_factory.mktemp("chunks") / "model",
        lambda m, width: [m.Pooling(width), m.Dense(width, 12), m.Normalize()],
        prompts={"query": "the dog ", "endless": "the cat " * 30},
    )
    return uv.Encoder(folder)  # reads 24 tokens


def test_a_long_text_is_the_weighted_mean_of_its_windows(plain, tmp_path):
    folder = save_sentence_model(plain, tmp_path / "model", lambda m, width: [m.Pooling(width)])
    encoder = uv.Encoder(folder)
    long = "the cat sat a dog " * 10  # 50 words in windows of 22, each with 2 of the one before
    encoding = encoder.tokenizer.encode(long, max_length=24, stride=2)
    windows = [encoding.ids, *(window.ids for window in encoding.overflowing)]
    assert [len(window) for window in windows] == [24, 24, 12]
    means = [states[-1].mean(0) for states in encoder.hidden_states(windows)]
    expected = np.average(means, axis=0, weights=[24, 24, 12])
    assert_allclose(encoder.encode(long, on_overflow="chunk"), expected, atol=1e-6)


def test_texts_that_fit_keep_their_bits_among_chunks(chunker):
    texts = ["the cat", "dogs sat " * 40, "", "a dog sat"]
    chunked = chunker.encode(texts, on_overflow="chunk")
    assert chunked.shape == (4, 12)
    assert_allclose(np.linalg.norm(chunked, axis=1), 1.0, atol=1e-6)
    for i in (0, 2, 3):
        assert_array_equal(chunked[i], chunker.encode(texts[i]))
    assert_array_equal(chunked[1], chunker.encode(texts[1], on_overflow="chunk"))
    cut = chunker.encode(texts[1], on_overflow="truncate")
    assert np.abs(chunked[1] - cut).max() > 1e-3
    assert chunker.encode([], on_overflow="chunk").shape == (0, 12)


def test_every_window_has_the_prompt(chunker):
    long = "cats sat a " * 20
    with_prompt = chunker.encode(long, prompt_name="query", on_overflow="chunk")
    from unitvec.chunks import windows_of

    texts = ["the dog " + long]
    cut = chunker.tokenizer._sequences(texts, 24, 1)
    windows = windows_of(chunker.tokenizer, texts, "the dog ", 24, cut)
    rows = np.split(windows.sequences.input_ids, windows.sequences.offsets[1:-1])
    assert len(rows) > 3
    start = chunker.tokenizer.encode("the dog").ids[:-1]
    assert all(list(row[: len(start)]) == start and len(row) <= 24 for row in rows)
    assert np.abs(with_prompt - chunker.encode(long, on_overflow="chunk")).max() > 1e-3


def test_what_chunks_cannot_do_is_refused(chunker):
    with pytest.raises(ValueError, match="fewer than 22 tokens"):
        chunker.encode("a cat", prompt_name="endless", on_overflow="chunk")
    with pytest.raises(ValueError, match="output_value"):
        chunker.encode("a cat", output_value="token_embeddings", on_overflow="chunk")
