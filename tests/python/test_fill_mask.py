"""Masked words: the logits of transformers, and what a user asks of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import unitvec as uv
from random_models import make_model, save

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers", reason="compares with transformers")

pytestmark = pytest.mark.usefixtures("one_torch_thread")

NAMES = [
    *("bert", "bert-gelu_new", "bert-relu", "distilbert", "roberta", "xlm-roberta", "camembert"),
    *("mpnet", "electra", "electra-wide", "albert"),
]
TEXT = "the [MASK] sat [MASK] a dogs"


def random_masked(name: str, head: str = "ForMaskedLM", **more):
    """A random model whose head has biases and norms as trained ones have."""
    model = make_model(name, head, **more)
    with torch.no_grad():
        for part, values in model.named_parameters():
            if part.endswith("bias"):
                values.normal_(0, 0.2)
            if "norm" in part.lower() and part.endswith("weight"):
                values.normal_(1, 0.2)
    return model


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory):
    """Directories of random models, each made once: folders(name, **settings)."""
    root, made = tmp_path_factory.mktemp("masked"), {}

    def folder(name: str, head: str = "ForMaskedLM", **more) -> tuple[Path, object]:
        key = f"{name}-{head}-{len(more)}-{'-'.join(more)}"
        if key not in made:
            model = random_masked(name, head, **more)
            (root / key).mkdir()
            made[key] = (save(model, root / key), model)
        return made[key]

    return folder


def expected_logits(model, folder: Path, text: str) -> np.ndarray:
    """transformers' logits at the masks, shape (masks, vocab)."""
    tokenizer = transformers.BertTokenizerFast.from_pretrained(folder)
    ids = tokenizer(text, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        output = model(input_ids=ids)
    logits = output.logits if hasattr(output, "logits") else output.prediction_logits
    return logits[0, ids[0] == tokenizer.mask_token_id].numpy()


@pytest.mark.parametrize("untied", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_logits_are_those_of_transformers(folders, name: str, untied: bool) -> None:
    folder, model = folders(name, **({"tie_word_embeddings": False} if untied else {}))
    fill = uv.FillMask(folder)
    expected = expected_logits(model, folder, TEXT)
    assert_allclose(fill.logits(TEXT), expected, atol=1e-4)
    for hits, row in zip(fill(TEXT, top_k=5), expected, strict=True):
        words = row[: fill.tokenizer.vocab_size]  # the model has more rows
        assert [hit["token"] for hit in hits] == np.argsort(-words)[:5].tolist()


def test_pretraining_checkpoints_are_read(folders) -> None:
    folder, model = folders("bert", "ForPreTraining")
    assert_allclose(
        uv.FillMask(folder).logits(TEXT), expected_logits(model, folder, TEXT), atol=1e-4
    )


def test_old_names_are_read(folders, tmp_path: Path) -> None:
    """gamma and beta, as checkpoints before 2019 have them."""
    safetensors = pytest.importorskip("safetensors.numpy")
    folder, model = folders("bert")
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    tensors = safetensors.load_file(folder / "model.safetensors")
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): values
        for name, values in tensors.items()
    }
    assert set(old) != set(tensors)
    safetensors.save_file(old, tmp_path / "model.safetensors")
    assert_allclose(
        uv.FillMask(tmp_path).logits(TEXT), expected_logits(model, folder, TEXT), atol=1e-4
    )


def test_answers_look_like_those_of_the_pipeline(folders) -> None:
    folder, model = folders("bert", vocab_size=11)
    peer = transformers.pipeline(
        "fill-mask", model=model, tokenizer=transformers.BertTokenizerFast.from_pretrained(folder)
    )
    fill = uv.FillMask(folder)
    for text in ("the [MASK] sat", TEXT):
        for ours, theirs in zip(_flat(fill(text)), _flat(peer(text)), strict=True):
            assert {k: v for k, v in ours.items() if k not in ("score", "sequence")} == {
                k: v for k, v in theirs.items() if k not in ("score", "sequence")
            }
            assert ours["score"] == pytest.approx(theirs["score"], abs=1e-5)
    (best, *_) = fill("the [MASK] sat")
    assert best["sequence"] == peer("the [MASK] sat")[0]["sequence"]


def _flat(hits: list) -> list[dict]:
    return [hit for each in hits for hit in (each if isinstance(each, list) else [each])]


def test_texts_in_one_call_are_those_alone(folders) -> None:
    fill = uv.FillMask(folders("roberta")[0])
    texts = ["a [MASK]", TEXT, "the cat [MASK] a dog sat the cat"]
    assert fill(texts, top_k=3) == [fill(text, top_k=3) for text in texts]
    assert fill([]) == []
    assert fill(iter(texts)) == fill(texts)


def test_probabilities_sum_to_one(folders) -> None:
    fill = uv.FillMask(folders("bert", vocab_size=11)[0])
    hits = fill("the [MASK] sat", top_k=60)
    assert len(hits) == 11
    assert sum(hit["score"] for hit in hits) == pytest.approx(1)
    scores = [hit["score"] for hit in hits]
    assert scores == sorted(scores, reverse=True)


def test_targets_are_compared_among_themselves(folders) -> None:
    fill = uv.FillMask(folders("bert")[0])
    everything = {hit["token_str"]: hit["score"] for hit in fill("the [MASK] sat", top_k=60)}
    hits = fill("the [MASK] sat", targets=["dog", "cat", "a"], top_k=2)
    assert len(hits) == 2
    for hit in hits:
        assert hit["score"] == pytest.approx(everything[hit["token_str"]])
    assert fill("the [MASK] sat", targets="dog")[0]["token_str"] == "dog"
    at_each = fill(TEXT, targets=["dog", "cat"])
    assert [[len(hits), hits[0]["score"] >= hits[1]["score"]] for hits in at_each] == [
        [2, True]
    ] * 2


def test_a_target_of_several_pieces_is_an_error_or_scored_by_all_of_them(folders) -> None:
    fill = uv.FillMask(folders("bert")[0])
    with pytest.raises(ValueError, match=r"one token each, got 'dogs', which is \['dog', '##s'\]"):
        fill("the [MASK] sat", targets=["dogs", "cat"])
    with pytest.raises(ValueError, match="one token each, got 'dogs'"):
        fill(TEXT, targets=["dogs"], pieces="score")
    dogs, cat = sorted(
        fill("the [MASK] sat", targets=["dogs", "cat"], pieces="score"),
        key=lambda hit: hit["token_str"],
        reverse=True,
    )
    assert (dogs["token_str"], cat["token_str"]) == ("dogs", "cat")
    assert dogs["sequence"] == "the dogs sat"
    logits = fill.logits("the [MASK] [MASK] sat").astype(np.float64)
    each = np.exp(logits - logits.max(1, keepdims=True))
    each /= each.sum(1, keepdims=True)
    assert dogs["score"] == pytest.approx(each[0, dogs["token"][0]] * each[1, dogs["token"][1]])


def test_the_score_of_a_text_masks_every_token_once(folders) -> None:
    folder, model = folders("bert")
    fill = uv.FillMask(folder)
    words = "the cat sat a dog".split()
    expected = []
    for i, word in enumerate(words):
        masked = " ".join([*words[:i], "[MASK]", *words[i + 1 :]])
        row = expected_logits(model, folder, masked)[0].astype(np.float64)
        target = fill.tokenizer.token_to_id(word)
        expected.append(row[target] - np.log(np.exp(row).sum()))
    assert_allclose(fill.token_scores(" ".join(words)), expected, atol=1e-4)
    assert fill.score(" ".join(words)) == pytest.approx(sum(expected), abs=5e-4)
    assert fill.score("") == 0
    assert fill.score(["", "the cat"]).tolist() == [0, fill.score("the cat")]
    long = " ".join(words * 30)
    assert len(fill.token_scores(long)) == 150


def test_mistakes_are_named(folders) -> None:
    fill = uv.FillMask(folders("bert")[0])
    with pytest.raises(ValueError, match=r"at least one \[MASK\] in every text, got 'no mask'"):
        fill(["a [MASK]", "no mask"])
    with pytest.raises(ValueError, match="a text of at most 512 tokens, got 603"):
        fill("[MASK] " + "cat " * 600)
    with pytest.raises(ValueError, match="a text of at most 512 tokens, got 602"):
        fill.score("cat " * 600)
    for wrong in (0, -1, True, 1.5):
        with pytest.raises(ValueError, match="top_k to be at least 1"):
            fill("a [MASK]", top_k=wrong)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="pieces to be one of"):
        fill("a [MASK]", pieces="first")
    with pytest.raises(ValueError, match="expected targets to be words, got ' '"):
        fill("a [MASK]", targets=[" "])
    for wrong in (5, None, b"a [MASK]"):
        with pytest.raises(TypeError, match=r"\[FillMask\] expected a str or an iterable of str"):
            fill(wrong)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="got int at position 1"):
        fill(["a [MASK]", 5])  # type: ignore[list-item]


def test_a_model_without_the_head_is_refused(tmp_path: Path, folders) -> None:
    folder = save(make_model("bert"), tmp_path)
    with pytest.raises(
        uv.FormatError, match=r"cls.predictions.transform.dense.weight.*ForMaskedLM"
    ):
        uv.FillMask(folder)
    masked, _ = folders("bert")
    with pytest.raises(uv.FormatError, match=r"cls.seq_relationship.weight.*ForPreTraining"):
        uv.NextSentence(masked)


def test_a_damaged_head_is_refused(folders, tmp_path: Path) -> None:
    folder, _ = folders("bert")
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": "yes"}))
    with pytest.raises(uv.FormatError, match="tie_word_embeddings"):
        uv.FillMask(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": False}))
    with pytest.raises(uv.FormatError, match=r"cls.predictions.decoder.weight"):
        uv.FillMask(tmp_path)
