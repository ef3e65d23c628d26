"""The same tokens as Hugging Face's `tokenizers`: on real text and on every code point.

Compared are ids, type ids, masks, offsets, word numbers and decoded text. Deliberate differences,
none of which these tests touch:

* a `max_length` without room for the special tokens is an error; `tokenizers` then does not cut;
* where only one text of a pair may be cut and that does not suffice: always an error;
* overflowing windows of a RobertaProcessing pair have type 0 throughout, as its first window has;
* `tokens` of an added token is its content, without white space that it has taken;
* `decode` refuses ids without a token instead of leaving them out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

import unitvec as uv
from corpora import corpus
from same_tokens import differences

tokenizers = pytest.importorskip("tokenizers", reason="compares with Hugging Face's tokenizers")


@pytest.fixture(scope="module")
def peer(model_directory: Path):
    peer = tokenizers.Tokenizer.from_file(str(model_directory / "tokenizer.json"))
    peer.no_truncation()
    peer.no_padding()
    return peer


@pytest.fixture(scope="module")
def tokenizer(model_directory: Path) -> uv.Tokenizer:
    return uv.Tokenizer.from_pretrained(model_directory)


@pytest.mark.parametrize(
    "name", ["stsb", "scifact", "reviews", "newsgroups", "naughty", "tatoeba", "wikitext2"]
)
def test_real_text_has_the_same_tokens(data_directory: Path, tokenizer, peer, name: str):
    texts = corpus(data_directory, name)
    assert len(texts) > 500
    assert list(differences(tokenizer, peer, texts))[:3] == []
    counts = [len(e) for e in peer.encode_batch(texts)]
    assert tokenizer.count(texts).tolist() == counts  # the encoder's way, without offsets


def test_pairs_have_the_same_tokens(data_directory: Path, tokenizer, peer):
    texts = corpus(data_directory, "stsb")
    pairs = list(zip(texts[::2], texts[1::2], strict=True))
    assert list(differences(tokenizer, peer, pairs))[:3] == []


@pytest.mark.parametrize("strategy", ["longest_first", "only_first", "only_second"])
def test_pairs_are_cut_alike(data_directory: Path, model_directory, tokenizer, strategy: str):
    theirs = tokenizers.Tokenizer.from_file(str(model_directory / "tokenizer.json"))
    theirs.no_padding()
    theirs.enable_truncation(40, stride=3, strategy=strategy)
    texts = [t for t in corpus(data_directory, "reviews") if len(t) < 3000][:60]
    for long, other in zip(texts, ["a short second text", "another one here"] * 30, strict=True):
        pair = (other, long) if strategy == "only_second" else (long, other)
        a = tokenizer.encode(*pair, max_length=40, stride=3, truncation=strategy)
        b = theirs.encode(*pair)
        assert a.ids == b.ids
        assert [w.ids for w in a.overflowing] == [w.ids for w in b.overflowing]
        assert [w.offsets for w in a.overflowing] == [w.offsets for w in b.overflowing]


def test_decoded_text_is_the_same(data_directory: Path, tokenizer, peer):
    for name in ("stsb", "naughty", "tatoeba"):
        for ids in (e.ids for e in peer.encode_batch(corpus(data_directory, name))):
            assert tokenizer.decode(ids) == peer.decode(ids)


RULES = [
    {"clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
    {"clean_text": True, "handle_chinese_chars": True, "strip_accents": False, "lowercase": False},
    {"clean_text": False, "handle_chinese_chars": False, "strip_accents": True, "lowercase": False},
]


@pytest.mark.slow
@pytest.mark.parametrize("rules", RULES, ids=["uncased", "cased", "accents"])
def test_every_code_point_alone_and_between_letters(tmp_path: Path, rules: dict):
    block = 0x8000
    for start in range(0, 0x110000, block):
        characters = [chr(c) for c in range(start, start + block) if not 0xD800 <= c < 0xE000]
        texts = [t for c in characters for t in (c, f"a{c}b")]
        if start < 0x20000:  # where there are marks: are they put in the same order?
            texts += [f"e\u0301{c}\u0323\u302e\u0334" for c in characters]
        theirs = one_token_a_character(rules, texts)
        theirs.save(str(tmp_path / "tokenizer.json"))
        ours = uv.Tokenizer.from_pretrained(tmp_path)
        assert list(differences(ours, theirs, texts))[:3] == []


def one_token_a_character(rules: dict, texts: Sequence[str]):
    """A tokenizer that knows every character of these texts, so that none hides in [UNK]."""
    normalizer = tokenizers.normalizers.BertNormalizer(**rules)
    vocabulary = {"[UNK]": 0}
    for c in sorted({c for text in texts for c in normalizer.normalize_str(text)}):
        for token in (c, "##" + c):
            vocabulary.setdefault(token, len(vocabulary))
    model = tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]")
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    return tokenizer
