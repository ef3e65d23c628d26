"""Byte-level BPE gives the same tokens as `tokenizers`: on real text and on every code point."""

from __future__ import annotations

from pathlib import Path

import pytest

import unitvec as uv
from corpora import corpus
from same_tokens import differences

tokenizers = pytest.importorskip("tokenizers", reason="compares with Hugging Face's tokenizers")

CORPORA = ["stsb", "scifact", "reviews", "newsgroups", "naughty", "tatoeba", "wikitext2"]


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "prefix-space"])
def pair(request, data_directory: Path, tmp_path_factory):
    """Our tokenizer and theirs, trained on English and on twelve languages."""
    from byte_level_bpe import train

    path = tmp_path_factory.mktemp("bpe")
    texts = corpus(data_directory, "scifact")[:3000] + corpus(data_directory, "tatoeba")[::5]
    peer = train(texts, path, add_prefix_space=request.param, size=12000)
    return uv.Tokenizer.from_pretrained(path), peer


@pytest.mark.parametrize("name", CORPORA)
def test_real_text_has_the_same_tokens(data_directory: Path, pair, name: str):
    ours, theirs = pair
    texts = corpus(data_directory, name)
    assert len(texts) > 500
    assert list(differences(ours, theirs, texts))[:3] == []
    counts = [len(e) for e in theirs.encode_batch(texts)]
    assert ours.count(texts).tolist() == counts  # the encoder's way, without offsets


def test_pairs_and_windows_are_the_same(data_directory: Path, pair):
    ours, theirs = pair
    texts = corpus(data_directory, "stsb")
    pairs = list(zip(texts[::2], texts[1::2], strict=True))
    assert list(differences(ours, theirs, pairs))[:3] == []


def test_decoded_text_is_the_same(data_directory: Path, pair):
    ours, theirs = pair
    for name in ("stsb", "naughty", "tatoeba"):
        for ids in (e.ids for e in theirs.encode_batch(corpus(data_directory, name))):
            assert ours.decode(ids) == theirs.decode(ids)


@pytest.mark.slow
def test_every_code_point_alone_and_between_letters(pair):
    ours, theirs = pair
    block = 0x8000
    for start in range(0, 0x110000, block):
        characters = [chr(c) for c in range(start, start + block) if not 0xD800 <= c < 0xE000]
        texts = [t for c in characters for t in (c, f"a{c}1 {c}  {c}!")]
        assert list(differences(ours, theirs, texts))[:3] == []
