"""Models whose tokenizer cuts off the start of a long text: all kinds of files, as transformers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import byte_level_bpe
import unigram
import unitvec as uv
from random_classifiers import edited
from random_models import make_model, save
from random_vision import save_clip_tokenizer
from sentence_models import MODES, save_sentence_model
from unitvec.overflow import TruncationWarning

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("tokenizers")
pytestmark = pytest.mark.usefixtures("one_torch_thread")

TEXTS = ["the cat sat", "", "a dog sat the cat dogs", "dogs sat " * 30 + "the cat", "a " * 9 + "b"]
PAIRS = [(a, b) for a in TEXTS for b in TEXTS]
KINDS = ["WordPiece", "vocab.txt", "BPE", "merges.txt", "Unigram", "CLIP"]


def files_of(kind: str, folder: Path):
    """A tokenizer's files of one kind; returns the class of transformers that reads them."""
    if kind == "BPE":
        byte_level_bpe.train(TEXTS, folder, size=300)
        return transformers.PreTrainedTokenizerFast
    if kind == "merges.txt":
        byte_level_bpe.train(TEXTS, folder, size=300).model.save(str(folder))
        (folder / "tokenizer.json").unlink()
        return transformers.RobertaTokenizerFast
    if kind == "Unigram":
        unigram.train(TEXTS * 10, folder)
        return transformers.PreTrainedTokenizerFast
    if kind == "CLIP":
        save_clip_tokenizer(folder)
        return transformers.PreTrainedTokenizerFast
    save(make_model("bert"), folder)
    if kind == "vocab.txt":
        (folder / "tokenizer.json").unlink()
        return transformers.BertTokenizerFast
    return transformers.PreTrainedTokenizerFast


def state(folder: Path, config: str | None, direction: str | None) -> None:
    """Writes the side into tokenizer_config.json and into tokenizer.json, or takes it out."""
    path = folder / "tokenizer_config.json"
    content = json.loads(path.read_text()) if path.exists() else {}
    content.pop("truncation_side", None)
    if config is not None:
        content["truncation_side"] = config
    path.write_text(json.dumps(content))
    path = folder / "tokenizer.json"
    if path.exists():
        content = json.loads(path.read_text())
        truncation = {"max_length": 4, "strategy": "LongestFirst", "stride": 0}
        content["truncation"] = direction and {**truncation, "direction": direction}
        path.write_text(json.dumps(content))


@pytest.mark.parametrize("kind", KINDS)
def test_the_side_is_found_where_transformers_finds_it(kind, tmp_path):
    peer_class = files_of(kind, tmp_path)
    sides = [("left", None), ("left", "Right"), ("right", "Left"), (None, None), (None, "Left")]
    for config, direction in sides:
        state(tmp_path, config, direction)
        tokenizer = uv.Tokenizer(tmp_path)
        theirs = peer_class.from_pretrained(tmp_path)
        assert tokenizer.truncation_side == theirs.truncation_side, (config, direction)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_kept_is_what_transformers_keeps(kind, side, tmp_path):
    peer_class = files_of(kind, tmp_path)
    state(tmp_path, side, None)
    tokenizer, theirs = uv.Tokenizer(tmp_path), peer_class.from_pretrained(tmp_path)
    other = {"left": "right", "right": "left"}[side]
    for limit in (4, 5, 8, 21):
        expected = theirs(TEXTS, truncation=True, max_length=limit)["input_ids"]
        assert [e.ids for e in tokenizer.encode_batch(TEXTS, max_length=limit)] == expected
        called = tokenizer(TEXTS, truncation=True, max_length=limit)["input_ids"]
        assert [row.tolist() for row in called] == expected
        sequences = tokenizer._sequences(TEXTS, limit, 1)
        assert sequences.input_ids.tolist() == [i for ids in expected for i in ids]
        assert sequences.full_lengths.tolist() == [len(ids) for ids in theirs(TEXTS)["input_ids"]]
        theirs.truncation_side = other
        turned = theirs(TEXTS, truncation=True, max_length=limit)["input_ids"]
        theirs.truncation_side = side
        assert turned != expected
        asked = tokenizer.encode_batch(TEXTS, max_length=limit, truncation_side=other)
        assert [e.ids for e in asked] == turned


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("kind", KINDS)
def test_of_pairs_is_kept_what_transformers_keeps(kind, side, tmp_path):
    peer_class = files_of(kind, tmp_path)
    state(tmp_path, side, None)
    tokenizer, theirs = uv.Tokenizer(tmp_path), peer_class.from_pretrained(tmp_path)
    firsts, seconds = [a for a, _ in PAIRS], [b for _, b in PAIRS]
    for limit in (6, 9, 22):
        expected = theirs(firsts, seconds, truncation="longest_first", max_length=limit)
        expected = expected["input_ids"]
        assert [e.ids for e in tokenizer.encode_batch(PAIRS, max_length=limit)] == expected
        sequences = tokenizer._pair_sequences(firsts, seconds, limit, 1)
        assert sequences.input_ids.tolist() == [i for ids in expected for i in ids]


@pytest.mark.parametrize("kind", KINDS)
def test_a_side_that_is_none_is_refused(kind, tmp_path):
    files_of(kind, tmp_path)
    for wrong in ("Left", 1, ["left"], True):
        state(tmp_path, wrong, None)
        with pytest.raises(uv.FormatError, match=r"tokenizer_config.json.* truncation_side: "):
            uv.Tokenizer(tmp_path)
    if (tmp_path / "tokenizer.json").exists():
        state(tmp_path, None, "left")
        with pytest.raises(uv.FormatError, match=r"tokenizer\.json"):
            uv.Tokenizer(tmp_path)


def edited_side(folder: Path, target: Path, side: str | None) -> Path:
    """A copy of a model directory of which another end is cut off."""
    shutil.copytree(folder, target)
    state(target, side, None)
    return target


# ---- models --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def left(tmp_path_factory) -> Path:
    """A sentence-transformers directory of 12 tokens, cut at the start, with a prompt."""
    pytest.importorskip("sentence_transformers")
    root = tmp_path_factory.mktemp("left")
    plain = save(make_model("bert"), root / "plain")
    state(plain, "left", None)
    return save_sentence_model(
        plain,
        root / "model",
        lambda m, width: [m.Pooling(width, pooling_mode=tuple(MODES), include_prompt=False)],
        max_seq_length=12,
        prompts={"query": "the dogs "},
    )


def test_vectors_equal_sentence_transformers(left):
    from sentence_transformers import SentenceTransformer

    encoder, theirs = uv.Encoder(left), SentenceTransformer(str(left), device="cpu")
    for prompt in (None, "query"):
        mine = encoder.encode(TEXTS, prompt_name=prompt, on_overflow="truncate")
        assert_allclose(mine, theirs.encode(TEXTS, prompt_name=prompt), atol=1e-5)
    with pytest.warns(TruncationWarning, match="1 of 5 texts"):
        encoder.encode(TEXTS)


def test_chunks_read_the_whole_text_on_either_side(left, tmp_path):
    right = edited_side(left, tmp_path / "right", "right")
    chunks = [uv.Encoder(folder).encode(TEXTS, on_overflow="chunk") for folder in (left, right)]
    assert_array_equal(*chunks)
    cut = [uv.Encoder(folder).encode(TEXTS, on_overflow="truncate") for folder in (left, right)]
    assert np.abs(cut[0][3] - cut[1][3]).max() > 1e-3


def test_the_side_counts_in_the_fingerprint_where_it_is_left(left, tmp_path):
    """Beside the digests of files, so that stored vectors of before are known to be others."""
    settings = {}
    for side in ("left", "right", None):
        encoder = uv.Encoder(edited_side(left, tmp_path / str(side), side))
        encoder._file_digests = {}
        settings[side] = encoder.fingerprint
    assert settings["left"] != settings["right"] == settings[None]


def test_scores_of_pairs_equal_transformers(classifiers, tmp_path):
    folder = edited(
        classifiers("bert", 1), tmp_path / "left", "tokenizer_config.json", truncation_side="left"
    )
    model = transformers.BertForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = transformers.BertTokenizerFast.from_pretrained(folder)
    encoder = uv.CrossEncoder(folder, max_length=14)
    mine = encoder.predict(PAIRS, activation_fn="identity", on_overflow="truncate")
    for (first, second), score in zip(PAIRS, mine, strict=True):
        inputs = tokenizer(
            [first],
            [second],
            truncation="longest_first",
            max_length=14,
            return_tensors="pt",
        )
        with torch.no_grad():
            assert_allclose(score, model(**inputs).logits[0, 0].numpy(), atol=1e-4)
    right = uv.CrossEncoder(classifiers("bert", 1), max_length=14)
    assert encoder.fingerprint != right.fingerprint
