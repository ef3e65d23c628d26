"""`dtype="int8"`: every architecture beside itself in float32, and the bits of a text."""

from __future__ import annotations

import numpy as np
import pytest

import unitvec as uv
from random_models import FAMILY, VOCAB, make_model, save
from same_bits import require_same_bits

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.fixture(scope="module", params=FAMILY)
def family(request, tmp_path_factory):
    """A model directory, its encoder in float32, and in int8."""
    folder = save(make_model(request.param), tmp_path_factory.mktemp(request.param))
    whole = uv.Encoder(folder, pooling="mean")
    return folder, whole, uv.Encoder(folder, pooling="mean", dtype="int8")


def test_token_vectors_point_where_float32_points(family):
    _, whole, encoder = family
    for seed, length in enumerate((2, 17, 130, 512)):
        ids = np.random.default_rng(seed).integers(0, VOCAB, length).tolist()
        for mine, exact in zip(
            encoder.hidden_states([ids])[0], whole.hidden_states([ids])[0], strict=True
        ):
            errors = np.linalg.norm(mine - exact, axis=1)
            lengths = np.linalg.norm(exact, axis=1)
            # Random weights lose more than trained ones: of real models see tests/realdata.
            assert errors.sum() <= 0.12 * lengths.sum()
            assert (errors <= 0.2 * lengths).all()
        assert not np.array_equal(mine, exact)


def test_a_text_has_the_same_bits_alone_and_in_any_batch(family):
    require_same_bits(family[2])


def test_it_is_another_model_than_in_float32(family):
    folder, whole, encoder = family
    assert (encoder.dtype, encoder.info()["dtype"]) == ("int8", "int8")
    assert encoder.fingerprint != whole.fingerprint
    assert encoder.info()["parameters"] == whole.info()["parameters"]
    assert encoder.verify(whole.golden_vector()) > 0.0
    with pytest.raises(ValueError, match="expected dtype 'float32' or 'bfloat16', got 'int8'"):
        encoder.export_torchscript(folder / "model.pt")


def test_a_cross_encoder_scores_as_in_float32(tmp_path):
    model = make_model("bert", "ForSequenceClassification")
    folder = save(model, tmp_path / "model")
    pairs = [("the cat sat", "a dog"), ("dogs", "dogs sat"), ("a cat", "the dog " * 9)]
    whole = uv.CrossEncoder(folder).predict(pairs)
    mine = uv.CrossEncoder(folder, dtype="int8").predict(pairs)
    assert np.corrcoef(mine.ravel(), whole.ravel())[0, 1] > 0.98
    assert not np.array_equal(mine, whole)
