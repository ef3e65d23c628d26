"""Byte-level BPE, as RoBERTa's, beside Hugging Face's `tokenizers`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import unitvec as uv
from same_tokens import differences, differing_fields
from tricky_text import examples, tricky_text

pytest.importorskip("tokenizers", reason="compares with Hugging Face's tokenizers")

TEXTS = [
    "The battery lasts very long; it's the best we've had, isn't it? I'll say they'd agree.",
    "Encoders turn text into vectors, and vectors answer questions about the text.",
    "In 2019 there were 1,500 of them; in 2020 about 2,345.67 more.",
    "Größe, naïve café, Ærøskøbing \u2014 \u65e5\u672c\u8a9e\u306e\u30c6\u30ad \U0001f50b",
]
ODD = [
    *(
        "",
        " ",
        "  ",
        "\n",
        " \n ",
        "a",
        " a",
        "  a",
        "a ",
        "a  ",
        "   a",
        "     !",
        "a \t b",
        "\u00a0a",
        "a\u2003 b",
    ),
    *("'s", "it's", "''s", "'S", "we'veve", " 'll", "x'", "1a 2b", "\u00b2 \u0661 \u2167"),
    *(
        "a\u0301",
        "\u0301",
        " \u0301a",
        "e\u200bf",
        "\U0001f469\u200d\U0001f52c",
        "\x00\x01",
        "\ufeffa",
    ),
    *(
        "<s>",
        "a<mask>b",
        "a  <mask>  b",
        "<mask>",
        " <mask>hello",
        "  <mask>a",
        "<pad><pad>",
        "<unk> </s>x",
    ),
    *("ab" * 40, "x" * 1000, "\u65e5" * 100, "\U0001f50b" * 30, "Ġ", "\u0120hello \u0100"),
]


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "prefix-space"])
def pair(request, tmp_path_factory):
    """Our tokenizer and theirs of the same file."""
    from byte_level_bpe import train

    path = tmp_path_factory.mktemp("bpe")
    peer = train(TEXTS * 20, path, add_prefix_space=request.param)
    return uv.Tokenizer.from_pretrained(path), peer


def test_odd_texts_have_the_same_tokens(pair):
    ours, theirs = pair
    assert list(differences(ours, theirs, TEXTS + ODD)) == []
    counts = [len(e) for e in theirs.encode_batch(TEXTS + ODD)]
    assert ours.count(TEXTS + ODD).tolist() == counts


def test_pairs_have_the_same_tokens(pair):
    ours, theirs = pair
    pairs = [(a, b) for a in ODD[:20] for b in TEXTS[:2] + ODD[10:16]]
    assert list(differences(ours, theirs, pairs)) == []


@settings(max_examples=examples(300), deadline=None, derandomize=True)
@given(text=tricky_text)
def test_any_text_gives_what_tokenizers_gives(pair, text: str):
    ours, theirs = pair
    expected = theirs.encode(text)
    assert differing_fields(ours.encode(text), expected) == []
    for skip in (True, False):
        assert ours.decode(expected.ids, skip_special_tokens=skip) == theirs.decode(
            expected.ids, skip_special_tokens=skip
        )


@settings(max_examples=200, deadline=None, derandomize=True)
@given(text=st.text(st.sampled_from("ab e'st \n\t1é日"), max_size=40))
def test_texts_of_few_characters_are_split_alike(pair, text: str):
    ours, theirs = pair
    assert differing_fields(ours.encode(text), theirs.encode(text)) == []


def test_a_text_comes_back_from_its_tokens(pair):
    ours, _ = pair
    for text in TEXTS:
        assert ours.decode(ours.encode(text).ids).strip() == text


@pytest.mark.parametrize("side", ["right", "left"])
def test_windows_are_cut_and_trimmed_alike(pair, side: str):
    ours, theirs = pair
    theirs.enable_truncation(9, stride=2, direction=side)
    try:
        for text in TEXTS:
            a = ours.encode(text, max_length=9, stride=2, truncation_side=side)
            assert differing_fields(a, theirs.encode(text)) == []
    finally:
        theirs.no_truncation()


def test_a_word_of_a_million_characters_has_the_same_tokens(pair):
    ours, theirs = pair
    for character in ("a", "\U0001f50b"):
        text = f"before {character * 1_000_000} after"
        assert differing_fields(ours.encode(text), theirs.encode(text)) == []


def test_a_lone_surrogate_is_the_replacement_character(pair):
    ours, _ = pair
    assert ours.encode("a\ud800b").ids == ours.encode("a\ufffdb").ids


def test_words_that_are_tokens_stay_whole_where_the_file_says_so(tmp_path: Path):
    from tokenizers import Tokenizer

    from byte_level_bpe import train

    train(TEXTS * 20, tmp_path)
    file = tmp_path / "tokenizer.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["model"]["ignore_merges"] = True
    words = ("\u0120qqqq", "zzzzzzzzzzzzzzzzzzzzzzzz")
    at = max(t["id"] for t in content["added_tokens"]) + 1
    content["model"]["vocab"] |= {word: at + i for i, word in enumerate(words)}
    content["model"]["vocab"]["<mask>"] = at - 1
    file.write_text(json.dumps(content), encoding="utf-8")
    texts = [*TEXTS, "a qqqq zzzzzzzzzzzzzzzzzzzzzzzz", "z" * 24]
    ours = uv.Tokenizer.from_pretrained(tmp_path)
    assert list(differences(ours, Tokenizer.from_file(str(file)), texts)) == []
    assert len(ours.encode("z" * 24, add_special_tokens=False).ids) == 1


def broken(change) -> dict:
    """A small file with one thing changed."""
    from tokenizers import pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    content = {
        "model": {
            "type": "BPE",
            "vocab": {token: i for i, token in enumerate([*alphabet, "ab"])},
            "merges": ["a b"],
        },
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True},
        "post_processor": {"type": "ByteLevel", "trim_offsets": True, "add_prefix_space": False},
        "decoder": {"type": "ByteLevel"},
        "added_tokens": [],
    }
    change(content)
    return content


def test_the_small_file_is_read_when_nothing_is_wrong(tmp_path: Path):
    file = tmp_path / "tokenizer.json"
    file.write_text(json.dumps(broken(lambda _: None)), encoding="utf-8")
    assert uv.Tokenizer.from_pretrained(tmp_path).encode("cab ab").tokens == [
        *("c", "ab", "\u0120", "ab")
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["model"]["merges"].append("a q!"), r"model.merges\[1\].*no \"q!\""),
        (lambda c: c["model"]["merges"].append("ab"), r"model.merges\[1\].*a space between"),
        (lambda c: c["model"]["merges"].append(["a"]), r"model.merges\[1\].*two tokens"),
        (lambda c: c["model"].update(dropout=0.1), "model.dropout.*same text"),
        (lambda c: c["model"].update(byte_fallback=True), "model.byte_fallback.*false"),
        (lambda c: c["model"].update(continuing_subword_prefix="##"), "subword_prefix.*none"),
        (lambda c: c["model"].update(type="WordLevel"), "model.type.*WordPiece or BPE"),
        (lambda c: c["pre_tokenizer"].update(type="Whitespace"), "pre_tokenizer.type.*ByteLevel"),
        (lambda c: c.update(pre_tokenizer=None), "pre_tokenizer"),
    ],
)
def test_what_byte_level_bpe_has_not_is_refused(tmp_path: Path, change, message: str):
    file = tmp_path / "tokenizer.json"
    file.write_text(json.dumps(broken(change)), encoding="utf-8")
    with pytest.raises(uv.FormatError, match=message):
        uv.Tokenizer.from_pretrained(tmp_path)


def test_a_byte_without_a_token_is_named(tmp_path: Path):
    content = broken(lambda _: None)
    tokens = [token for token in content["model"]["vocab"] if token != "\u0120"]
    content["model"]["vocab"] = {token: i for i, token in enumerate(tokens)}
    (tmp_path / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(uv.FormatError, match=r"every byte.*\(byte 32\)"):
        uv.Tokenizer.from_pretrained(tmp_path)


@pytest.mark.parametrize("prefix", [False, True])
def test_vocab_json_and_merges_txt_are_the_same_tokenizer(tmp_path: Path, prefix: bool):
    from byte_level_bpe import train

    theirs = train(TEXTS * 20, tmp_path / "new", add_prefix_space=prefix)
    old = tmp_path / "old"
    old.mkdir()
    theirs.model.save(str(old))  # vocab.json, merges.txt
    mask = theirs.token_to_id("<mask>")
    (old / "added_tokens.json").write_text(json.dumps({"<mask>": mask}), encoding="utf-8")
    config = {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": prefix}
    (old / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    ours = uv.Tokenizer.from_pretrained(old)
    assert list(differences(ours, theirs, TEXTS + ODD)) == []
    assert ours.decode(ours.encode(TEXTS[0]).ids).strip() == TEXTS[0]
    ours.save_pretrained(tmp_path / "copy")
    copy = uv.Tokenizer.from_pretrained(tmp_path / "copy")
    assert copy.encode(TEXTS[3]).ids == ours.encode(TEXTS[3]).ids


@pytest.mark.parametrize(
    ("merges", "message"),
    [
        ("#version: 0.2\na b c\n", "merges.txt.*line 2.*a space between"),
        ("#version: 0.2\na q!\n", 'merges.txt.*line 2.*no "q!"'),
    ],
)
def test_a_damaged_merges_txt_names_the_line(tmp_path: Path, merges: str, message: str):
    vocabulary = broken(lambda _: None)["model"]["vocab"]
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (tmp_path / "merges.txt").write_text(merges, encoding="utf-8")
    with pytest.raises(uv.FormatError, match=message):
        uv.Tokenizer.from_pretrained(tmp_path)
