"""Every member of the BERT family against transformers, on small random checkpoints."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import unitvec as uv
from random_models import FAMILY, MODEL_TYPES, VOCAB, make_model, save
from same_bits import require_same_bits

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

LENGTHS = (1, 2, 17, 130, 512)


@pytest.fixture(scope="module", params=FAMILY)
def family(request, tmp_path_factory):
    """An architecture's name, the model of transformers, and our encoder of its directory."""
    model = make_model(request.param)
    folder = save(model, tmp_path_factory.mktemp(request.param))
    with pytest.warns(UserWarning, match="taking the mean"):
        encoder = uv.Encoder(folder)
    return request.param, model.double(), encoder  # so that only our own rounding is seen


def random_ids(length: int, seed: int) -> list[int]:
    return [int(i) for i in np.random.default_rng(seed).integers(0, VOCAB, length)]


def theirs(model, ids: list[int]):
    with torch.no_grad():
        everything = torch.ones((1, len(ids)), dtype=torch.long)
        return model(torch.tensor([ids]), attention_mask=everything, output_hidden_states=True)


def test_every_layer_equals_transformers(family):
    _, model, encoder = family
    assert encoder.max_seq_length == 512
    for seed, length in enumerate(LENGTHS):
        ids = random_ids(length, seed)  # some of them are the padding token's
        expected = theirs(model, ids).hidden_states
        states = encoder.hidden_states([ids])[0]
        assert len(states) == len(expected) == 4
        for mine, other in zip(states, expected, strict=True):
            assert_allclose(mine, other[0].numpy(), atol=1e-5)


def test_the_pooler_equals_transformers(family):
    name, model, encoder = family
    if getattr(model, "pooler", None) is None:
        assert name.startswith(("distilbert", "electra"))
        with pytest.raises(ValueError, match="expected a model with a pooler"):
            encoder.pooler_output("a cat")
        return
    texts = ["the cat sat", "", "dogs " * 20]
    mine = encoder.pooler_output(iter(texts))
    for text, row in zip(texts, mine, strict=True):
        ids = encoder.tokenizer.encode(text).ids
        assert_allclose(row, theirs(model, ids).pooler_output[0].numpy(), atol=1e-5)
        assert_array_equal(encoder.pooler_output(text), row)
    assert encoder.pooler_output([]).shape == (0, 48)


def test_a_text_has_the_same_bits_alone_and_in_any_batch(family):
    _, _, encoder = family
    require_same_bits(encoder)


def test_parameters_are_counted(family):
    _, model, encoder = family
    pooler = sum(p.numel() for n, p in model.named_parameters() if n.startswith("pooler."))
    everything = sum(p.numel() for p in model.parameters())
    assert encoder._core.parameters == everything - pooler


@pytest.mark.parametrize("name", MODEL_TYPES)
def test_a_checkpoint_with_a_head_gives_the_same_vectors(name, tmp_path):
    model = make_model(name, "ForMaskedLM")
    with pytest.warns(UserWarning, match="taking the mean"):
        encoder = uv.Encoder(save(model, tmp_path / "model"))
    ids = random_ids(20, 1)
    states = encoder.hidden_states([ids])[0]
    assert_allclose(states[-1], theirs(model, ids).hidden_states[-1][0].numpy(), atol=1e-5)


@pytest.mark.parametrize("name", MODEL_TYPES)
def test_a_text_longer_than_the_positions_is_refused(name, tmp_path):
    with pytest.warns(UserWarning, match="taking the mean"):
        encoder = uv.Encoder(save(make_model(name), tmp_path / "model"))
    with pytest.raises(ValueError, match="at most 512 tokens"):
        encoder.hidden_states([[5] * 513])


def damaged(name: str, tmp_path: Path, **changes) -> Path:
    folder = save(make_model(name), tmp_path / "model")
    path = folder / "config.json"
    config = json.loads(path.read_text())
    for key, value in changes.items():
        if value is None:
            del config[key]
        else:
            config[key] = value
    path.write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("bert", {"model_type": "gpt2"}, "bert, distilbert, roberta, xlm-roberta, mpnet"),
        ("distilbert", {"dim": None}, '"dim"'),
        ("distilbert", {"n_heads": 5}, "n_heads"),
        ("roberta", {"pad_token_id": 513}, "max_position_embeddings"),
        ("roberta", {"pad_token_id": -1}, "pad_token_id"),
        ("mpnet", {"relative_attention_num_buckets": 16}, "relative_attention_num_buckets"),
        ("electra", {"embedding_size": 23}, "word_embeddings.weight"),
        ("albert", {"num_hidden_groups": 4}, "num_hidden_groups"),
        ("albert", {"inner_group_num": 2}, "inner_group_num"),
        ("albert", {"embedding_size": None}, "embedding_size"),
    ],
)
def test_a_wrong_field_is_named(name, changes, message, tmp_path):
    with (
        pytest.raises(uv.FormatError, match=message),
        pytest.warns(UserWarning, match="taking the mean"),
    ):
        uv.Encoder(damaged(name, tmp_path, **changes))
