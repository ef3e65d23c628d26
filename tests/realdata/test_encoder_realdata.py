"""all-MiniLM-L6-v2 against sentence-transformers on STS-B and SciFact."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.stats import spearmanr

import unitvec as uv
from corpora import abstracts, sts_pairs


@pytest.fixture(scope="module")
def reference(model_directory: Path):
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(model_directory), device="cpu")


def test_the_limit_is_256_tokens_not_the_128_of_its_tokenizer_file(encoder: uv.Encoder):
    assert encoder.max_seq_length == 256


def test_it_gives_its_golden_vector(encoder: uv.Encoder, model_directory: Path):
    assert encoder.verify() < 1e-5
    assert uv.Encoder(model_directory, dtype="bfloat16").verify() > 1e-5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dtype", "lowest", "worse"), [("bfloat16", 0.9998, 3e-4), ("int8", 0.994, 3e-3)]
)
def test_fewer_bits_keep_the_quality(
    encoder, model_directory, data_directory, dtype, lowest, worse
):
    first, second, scores = sts_pairs(data_directory)
    n = len(first)
    quality = []
    vectors = []
    for model in (encoder, uv.Encoder(model_directory, dtype=dtype)):
        vectors.append(model.encode(first + second))
        cosines = (vectors[-1][:n] * vectors[-1][n:]).sum(axis=1)
        quality.append(spearmanr(cosines, scores).statistic)
    cosines = (vectors[0] * vectors[1]).sum(axis=1)
    print(f"{dtype}: lowest cosine {cosines.min():.6f}, mean {cosines.mean():.6f}, {quality}")
    assert cosines.min() >= lowest
    assert quality[1] >= quality[0] - worse


@pytest.mark.slow
def test_sts_b_vectors_and_spearman_equal_sentence_transformers(encoder, reference, data_directory):
    first, second, scores = sts_pairs(data_directory)
    assert len(scores) == 1500
    mine = encoder.encode(first + second)
    theirs = reference.encode(first + second, batch_size=128)
    assert np.abs(mine - theirs).max() <= 1e-5
    n = len(first)
    rho = spearmanr((mine[:n] * mine[n:]).sum(1), scores).statistic
    expected = spearmanr((theirs[:n] * theirs[n:]).sum(1), scores).statistic
    assert abs(rho - expected) <= 0.0005
    assert rho > 0.86  # what the model is known to reach


@pytest.mark.slow
def test_scifact_vectors_equal_sentence_transformers(encoder, reference, data_directory):
    documents = abstracts(data_directory, 500)
    mine = encoder.encode(documents, on_overflow="truncate")
    theirs = reference.encode(documents)
    assert np.abs(mine - theirs).max() <= 1e-5


@pytest.mark.slow
def test_real_texts_have_the_same_bits_alone_in_batches_and_on_one_thread(
    encoder, model_directory, data_directory
):
    documents = abstracts(data_directory, 40)
    texts = [d[: 40 + 37 * i] for i, d in enumerate(documents)]  # short ones and long ones
    together = encoder.encode(texts, on_overflow="truncate")
    alone = np.vstack([encoder.encode(text, on_overflow="truncate") for text in texts])
    assert_array_equal(alone, together)
    one = uv.Encoder(model_directory, threads=1).encode(texts[::-1], on_overflow="truncate")
    assert_array_equal(one[::-1], together)


@pytest.mark.slow
def test_a_traced_minilm_gives_the_same_vectors(encoder, model_directory, data_directory, tmp_path):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    model = transformers.AutoModel.from_pretrained(model_directory, attn_implementation="eager")

    class TokenVectors(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model.eval()

        def forward(self, ids, mask):
            return self.model(input_ids=ids, attention_mask=mask).last_hidden_state

    ids = torch.tensor([[101, 7592, 2088, 102], [101, 7592, 102, 0]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns of every Python branch it flattens
        traced = torch.jit.trace(TokenVectors(), (ids, (ids != 0).long()))
        torch.jit.save(traced, tmp_path / "minilm.pt")
    encoder_of_file = uv.Encoder.from_torchscript(
        tmp_path / "minilm.pt", tokenizer=model_directory, max_seq_length=256
    )
    first, _, _ = sts_pairs(data_directory)
    texts = first[:200] + abstracts(data_directory, 10)
    difference = encoder_of_file.encode(texts, on_overflow="truncate") - encoder.encode(
        texts, on_overflow="truncate"
    )
    assert np.abs(difference).max() <= 1e-5


@pytest.mark.slow
def test_an_exported_minilm_gives_the_same_vectors(
    encoder, model_directory, data_directory, tmp_path
):
    torch = pytest.importorskip("torch")
    path = tmp_path / "minilm.pt"
    encoder.export_torchscript(path)
    first, _, _ = sts_pairs(data_directory)
    texts = first[:200] + abstracts(data_directory, 10)
    expected = encoder.encode(texts, on_overflow="truncate")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        module = torch.jit.load(str(path))
    rows = []
    for begin in range(0, len(texts), 30):
        inputs = encoder.tokenizer(
            texts[begin : begin + 30], padding=True, truncation=True, max_length=256
        )
        ids, mask = torch.tensor(inputs["input_ids"]), torch.tensor(inputs["attention_mask"])
        with torch.no_grad():
            rows.append(module(ids, mask)["sentence_embedding"].numpy())
    assert np.abs(np.concatenate(rows) - expected).max() <= 1e-5
    again = uv.Encoder.from_torchscript(
        path, model_directory, pooling=None, normalize=False, max_seq_length=256
    )
    assert np.abs(again.encode(texts, on_overflow="truncate") - expected).max() <= 1e-5
