"""Cross-encoders against transformers and sentence-transformers, on small random checkpoints."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import byte_level_bpe
import unitvec as uv
from random_classifiers import PAIRS, as_saved, classifier, edited
from random_models import FAMILY
from unitvec.overflow import TruncationWarning

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.usefixtures("one_torch_thread")


def logits_of(model, tokenizer, pairs, max_length: int = 512) -> np.ndarray:
    """What transformers makes of each pair alone, in double, so that only our rounding is seen."""
    takes_types = getattr(model.config, "type_vocab_size", 0) > 1
    rows = []
    for first, second in pairs:
        inputs = tokenizer(  # lists: of two single texts it drops an empty second one
            [first],
            [second],
            truncation="longest_first",
            max_length=max_length,
            return_tensors="pt",
        )
        if not takes_types:
            inputs.pop("token_type_ids", None)
        with torch.no_grad():
            rows.append(model.double()(**inputs).logits[0].numpy())
    return np.array(rows)


def peer(folder: Path):
    """sentence-transformers' object of a directory."""
    module = pytest.importorskip("sentence_transformers")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return module.CrossEncoder(str(folder), device="cpu")


# ---- against transformers ------------------------------------------------------------------------


@pytest.mark.parametrize("labels", [1, 3])
@pytest.mark.parametrize("name", FAMILY)
def test_logits_equal_transformers(name, labels, classifiers):
    folder = classifiers(name, labels)
    model = getattr(transformers, f"{FAMILY[name][0]}ForSequenceClassification")
    model = model.from_pretrained(folder).eval()
    tokenizer = transformers.BertTokenizerFast.from_pretrained(folder)
    encoder = uv.CrossEncoder(folder)
    assert encoder.max_length == 512
    assert encoder.num_labels == labels
    mine = encoder.predict(PAIRS, activation_fn="identity", on_overflow="truncate")
    expected = logits_of(model, tokenizer, PAIRS)
    assert mine.dtype == np.float32
    assert mine.shape == ((len(PAIRS),) if labels == 1 else (len(PAIRS), labels))
    assert np.ptp(expected, axis=0).min() > 1e-2  # the pairs are told apart at all
    assert_allclose(mine.reshape(expected.shape), expected, atol=1e-5)


@pytest.mark.parametrize("max_length", [3, 4, 5, 8, 11, 100])
def test_pairs_are_cut_as_transformers_cuts_them(max_length, classifiers):
    folder = classifiers("bert", 3)
    encoder = uv.CrossEncoder(folder, max_length=max_length)
    model = transformers.BertForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = transformers.BertTokenizerFast.from_pretrained(folder)
    words = ("the cat sat a dog " * 2).split()
    pairs = [(" ".join(words[:n]), " ".join(words[m:])) for n in range(0, 10, 3) for m in range(10)]
    mine = encoder.predict(pairs, on_overflow="truncate")
    assert_allclose(mine, logits_of(model, tokenizer, pairs, max_length), atol=1e-5)


@pytest.mark.parametrize("kind", ["byte-level", "unigram"])
def test_roberta_with_its_own_kind_of_tokenizer(kind, tmp_path):
    texts = ["The battery lasts very long.", "  Größe, naïve café \u65e5\u672c ", "It rains."]
    if kind == "byte-level":
        name, tokenizer = "roberta", byte_level_bpe.train(texts * 5, tmp_path)
    else:
        name, tokenizer = "xlm-roberta", unigram(texts * 5, tmp_path)
    model = classifier(name, 1, vocab_size=tokenizer.get_vocab_size())
    model.save_pretrained(tmp_path)
    fast = transformers.PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "tokenizer.json"))
    pairs = [(a, b * 8) for a in texts for b in texts]
    encoder = uv.CrossEncoder(tmp_path, max_length=40)
    with pytest.warns(TruncationWarning) as caught:
        mine = encoder.predict(pairs, activation_fn="identity")
    lengths = [len(ids) for ids in fast([a for a, _ in pairs], [b for _, b in pairs]).input_ids]
    assert f"{sum(n > 40 for n in lengths)} of 9 pairs" in str(caught[0].message)
    assert f"the longest: {max(lengths)}" in str(caught[0].message)
    assert_allclose(mine, logits_of(model, fast, pairs, 40)[:, 0], atol=1e-5)


def unigram(texts: list[str], folder: Path):
    """XLM-R's kind of tokenizer, saved in a folder."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=120,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
        unk_token="<unk>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return tokenizer


def test_types_count_unless_the_tokenizer_says_that_it_gives_none(classifiers, tmp_path):
    folder = classifiers("bert", 3)
    without = edited(
        folder,
        tmp_path / "without",
        "tokenizer_config.json",
        model_input_names=["input_ids", "attention_mask"],
    )
    model = transformers.BertForSequenceClassification.from_pretrained(folder).eval()
    mine = uv.CrossEncoder(without).predict(PAIRS[:5])
    tokenizer = transformers.AutoTokenizer.from_pretrained(without)
    assert "token_type_ids" not in tokenizer("a", "the")
    assert_allclose(mine, logits_of(model, tokenizer, PAIRS[:5]), atol=1e-5)
    assert np.abs(mine - uv.CrossEncoder(folder).predict(PAIRS[:5])).max() > 1e-3


# ---- against sentence-transformers ---------------------------------------------------------------


@pytest.mark.parametrize("labels", [1, 3])
@pytest.mark.parametrize("name", ["bert", "electra", "albert"])
def test_predict_equals_sentence_transformers(name, labels, classifiers):
    encoder, other = uv.CrossEncoder(classifiers(name, labels)), peer(classifiers(name, labels))
    mine = encoder.predict(PAIRS, on_overflow="truncate")
    theirs = other.predict(PAIRS)
    assert mine.shape == theirs.shape
    assert_allclose(mine, theirs, atol=1e-5)
    assert_allclose(encoder.predict(PAIRS[0]), other.predict(PAIRS[0]), atol=1e-5)
    assert np.shape(encoder.predict(PAIRS[0])) == np.shape(other.predict(PAIRS[0]))
    softmaxed = encoder.predict(PAIRS, apply_softmax=True, on_overflow="truncate")
    assert_allclose(softmaxed, other.predict(PAIRS, apply_softmax=True), atol=1e-5)


@pytest.mark.parametrize("options", [{}, {"top_k": 2}, {"return_documents": True}, {"top_k": 99}])
def test_rank_equals_sentence_transformers(options, classifiers):
    encoder, other = uv.CrossEncoder(classifiers("bert", 1)), peer(classifiers("bert", 1))
    documents = ["a dog", "the cat", "the cat sat", "", "a dog", "dogs"]  # two of one score
    mine = encoder.rank("the cat sat", documents, **options)
    theirs = other.rank("the cat sat", documents, **options)
    for ours, reference in zip(mine, theirs, strict=True):
        assert ours.keys() == reference.keys()
        assert ours["corpus_id"] == reference["corpus_id"]
        assert ours.get("text") == reference.get("text")
        assert ours["score"] == pytest.approx(reference["score"], abs=1e-5)
        assert type(ours["score"]) is float
    assert encoder.rank("a", iter(documents), **options) == encoder.rank("a", documents, **options)
    assert encoder.rank("a", []) == []


@pytest.mark.parametrize("labels", [1, 3])
@pytest.mark.parametrize("name", ["Sigmoid", "Identity"])
@pytest.mark.parametrize("place", ["new", "nested", "old"])
def test_the_stated_activation_is_used(place, name, labels, classifiers, tmp_path):
    home = "linear" if name == "Identity" else "activation"
    full_name = f"torch.nn.modules.{home}.{name}"
    plain, target = classifiers("bert", labels), tmp_path / "model"
    if place == "new":
        folder = as_saved(plain, target, model_type="CrossEncoder", activation_fn=full_name)
    elif place == "nested":
        nested = {"activation_fn": full_name, "version": "4.0.1"}
        folder = edited(plain, target, "config.json", sentence_transformers=nested)
    else:
        folder = edited(
            plain, target, "config.json", sbert_ce_default_activation_function=full_name
        )
    encoder = uv.CrossEncoder(folder)
    assert encoder.activation_fn == name.lower()
    assert_allclose(encoder.predict(PAIRS[:5]), peer(folder).predict(PAIRS[:5]), atol=1e-5)


@pytest.mark.parametrize("labels", [1, 3])
def test_what_sentence_transformers_saves_is_read(labels, classifiers, tmp_path):
    other = peer(classifiers("bert", labels))
    other.prompts = {"q": "the dogs ", "d": "a"}
    other.default_prompt_name = "q"
    other.activation_fn = torch.nn.Sigmoid()
    other.save_pretrained(str(tmp_path / "saved"))
    assert (tmp_path / "saved" / "modules.json").is_file()
    encoder = uv.CrossEncoder(tmp_path / "saved")
    expected = peer(tmp_path / "saved").predict(PAIRS[:5])
    assert_allclose(encoder.predict(PAIRS[:5]), expected, atol=1e-5)
    plain = uv.CrossEncoder(classifiers("bert", labels)).predict(PAIRS[:5], activation_fn="sigmoid")
    assert np.abs(plain - expected).max() > 1e-3  # the prompt counts


def test_the_length_is_the_tokenizers_or_the_positions(classifiers, tmp_path):
    shorter = edited(
        classifiers("bert", 1), tmp_path / "a", "tokenizer_config.json", model_max_length=20
    )
    assert uv.CrossEncoder(shorter).max_length == 20
    assert_allclose(
        uv.CrossEncoder(shorter).predict(PAIRS, on_overflow="truncate"),
        peer(shorter).predict(PAIRS),
        atol=1e-5,
    )
    unknown = edited(
        classifiers("bert", 1), tmp_path / "b", "tokenizer_config.json", model_max_length=int(1e30)
    )
    assert uv.CrossEncoder(unknown).max_length == 512
    assert uv.CrossEncoder(shorter, max_length=40).max_length == 40
