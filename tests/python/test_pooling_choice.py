"""The vectors of words, and how they become a text's: by hand, and as `pooling=` says."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import unitvec as uv
from random_models import FAMILY, make_model, save

pytest.importorskip("transformers")

TEXTS = ["customer service excellent helpful", "the cat sat", "a", "", "dogs " * 60]


@pytest.fixture(scope="module", params=["bert", "roberta", "mpnet"])
def folder(request, tmp_path_factory):
    assert request.param in FAMILY
    return save(make_model(request.param), tmp_path_factory.mktemp(request.param))


def by_hand(tokens: np.ndarray, mode: str) -> np.ndarray:
    words = tokens[1:-1]
    return {
        "cls": lambda: tokens[0],
        "mean": lambda: tokens.mean(axis=0),
        "mean_words": lambda: words.mean(axis=0) if len(words) else np.zeros_like(tokens[0]),
        "max": lambda: tokens.max(axis=0),
        "lasttoken": lambda: tokens[-1],
    }[mode]()


@pytest.mark.parametrize("mode", ["cls", "mean", "mean_words", "max", "lasttoken"])
def test_pooling_by_hand_gives_the_sentence_vector(mode, folder):
    encoder = uv.Encoder(folder, pooling=mode)
    assert encoder.pooling == encoder.info()["pooling"] == mode
    vectors = encoder.encode(TEXTS)
    tokens = encoder.encode(TEXTS, output_value="token_embeddings")
    for row, words in zip(vectors, tokens, strict=True):
        assert_allclose(row, by_hand(words, mode), atol=1e-5)
    everything = encoder.encode(TEXTS, output_value=None)
    assert_array_equal([item["sentence_embedding"] for item in everything], vectors)


def test_the_vectors_of_words(folder):
    encoder = uv.Encoder(folder, pooling="mean")
    text = "the cat sat dogs"  # five pieces: "dogs" is "dog" and "##s"
    tokens = encoder.encode(text, output_value="token_embeddings")
    assert tokens.shape == (7, 48)
    assert tokens.dtype == np.float32
    assert_array_equal(encoder.encode([text], output_value="token_embeddings")[0], tokens)
    assert_array_equal(encoder.hidden_states(text)[-1], tokens)
    assert_array_equal(tokens[0], uv.Encoder(folder, pooling="cls").encode(text))  # [CLS]


def test_several_modes_are_joined(folder):
    encoder = uv.Encoder(folder, pooling=["cls", "mean_words"])
    assert encoder.pooling == ("cls", "mean_words")
    assert encoder.get_embedding_dimension() == 96
    tokens = encoder.encode("the cat sat", output_value="token_embeddings")
    expected = np.concatenate([tokens[0], tokens[1:-1].mean(axis=0)])
    assert_allclose(encoder.encode("the cat sat"), expected, atol=1e-5)


def test_a_choice_makes_another_model_of_it(folder):
    prints = {uv.Encoder(folder, pooling=mode).fingerprint for mode in ("cls", "mean")}
    assert len(prints) == 2


@pytest.mark.parametrize(
    ("pooling", "message"),
    [("sum", "one of cls, mean, max"), ([], "one mode or several, got none")],
)
def test_an_unknown_mode_is_refused(pooling, message, folder):
    with pytest.raises(ValueError, match=message):
        uv.Encoder(folder, pooling=pooling)
