"""Next sentences: the logits of transformers, and the right class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import unitvec as uv
from random_classifiers import PAIRS
from random_models import make_model, save

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers", reason="compares with transformers")

pytestmark = pytest.mark.usefixtures("one_torch_thread")

SHORT = [pair for pair in PAIRS if len(" ".join(pair).split()) < 400]


@pytest.fixture(scope="module", params=["ForNextSentencePrediction", "ForPreTraining"])
def random_model(request, tmp_path_factory: pytest.TempPathFactory):
    model = make_model("bert", request.param)
    with torch.no_grad():
        for part, values in model.named_parameters():
            if part.endswith("bias"):
                values.normal_(0, 0.2)
    return save(model, tmp_path_factory.mktemp("next")), model


def expected(folder: Path, model, pairs: list[tuple[str, str]]) -> np.ndarray:
    tokenizer = transformers.BertTokenizerFast.from_pretrained(folder)
    rows = []
    for a, b in pairs:
        with torch.no_grad():
            output = model(**tokenizer([a], [b], return_tensors="pt"))  # "" alone is no text
        logits = getattr(output, "seq_relationship_logits", None)
        rows.append((output.logits if logits is None else logits)[0].numpy())
    return np.array(rows)


def test_logits_are_those_of_transformers(random_model) -> None:
    folder, model = random_model
    follows = uv.NextSentence(folder)
    logits = expected(folder, model, SHORT)
    assert_allclose([follows.logits(a, b) for a, b in SHORT], logits, atol=1e-4)
    powers = np.exp(logits.astype(np.float64))
    probabilities = powers[:, 0] / powers.sum(1)  # class 0: is next
    firsts, seconds = zip(*SHORT, strict=True)
    assert_allclose(follows(firsts, seconds), probabilities, atol=1e-5)
    assert follows(*SHORT[0]) == pytest.approx(probabilities[0], abs=1e-5)


def test_one_side_may_be_one_text(random_model) -> None:
    follows = uv.NextSentence(random_model[0])
    texts = ["a dog", "the cat sat", ""]
    assert_array_equal(follows("the cat", texts), [follows("the cat", text) for text in texts])
    assert_array_equal(follows(texts, "the cat"), [follows(text, "the cat") for text in texts])
    assert follows([], []).shape == follows("a", []).shape == (0,)


def test_many_pairs_are_those_alone(random_model) -> None:
    follows = uv.NextSentence(random_model[0])
    firsts = [f"{'the cat ' * (i % 7)}sat" for i in range(700)]
    together = follows(firsts, "a dog")
    assert_array_equal(together[600:], [follows(text, "a dog") for text in firsts[600:]])


def test_continuations_are_ranked(random_model) -> None:
    follows = uv.NextSentence(random_model[0])
    candidates = ["a dog", "the cat sat", "dogs", "the cat sat"]
    ranked = follows.continuations("the cat", candidates)
    scores = follows("the cat", candidates)
    assert [hit["corpus_id"] for hit in ranked] == np.argsort(-scores, kind="stable").tolist()
    assert all(hit["score"] == scores[hit["corpus_id"]] for hit in ranked)
    assert all(hit["text"] == candidates[hit["corpus_id"]] for hit in ranked)
    assert follows.continuations("the cat", candidates, top_k=1) == ranked[:1]
    assert follows.continuations("the cat", []) == []


def test_mistakes_are_named(random_model) -> None:
    follows = uv.NextSentence(random_model[0])
    with pytest.raises(ValueError, match="as many texts b as a, got 2 and 1"):
        follows(["a", "b"], ["c"])
    with pytest.raises(ValueError, match="a pair of at most 512 tokens, got 803"):
        follows("cat " * 400, "sat " * 400)
    with pytest.raises(TypeError, match="every text of b to be a str, got int at position 1"):
        follows(["a", "b"], ["c", 5])  # type: ignore[list-item]
    with pytest.raises(TypeError, match=r"a text .* and several candidates, got str and str"):
        follows.continuations("a", "b")
    with pytest.raises(ValueError, match="top_k to be None or at least 0, got -1"):
        follows.continuations("a", ["b"], top_k=-1)
