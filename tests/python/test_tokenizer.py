"""uv.Tokenizer: the worked cases, transformers' calling conventions, errors."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.testing import assert_array_equal

import unitvec as uv
from same_tokens import differing_fields
from tricky_text import examples, tricky_text

VOCABULARY = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *"product quality excellent battery last lasts very long incredible value".split(),
    *"is the lasting yes it un a b c d e".split(),
    *("##aff", "##able", "##ing", ",", "?"),
]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model")
    (path / "vocab.txt").write_text("\n".join(VOCABULARY), encoding="utf-8")
    config = {"do_lower_case": True, "model_max_length": 8, "tokenizer_class": "BertTokenizer"}
    (path / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def tokenizer(directory: Path) -> uv.Tokenizer:
    return uv.Tokenizer.from_pretrained(directory)


@pytest.fixture(scope="module")
def transformers_tokenizer(model_directory: Path):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(model_directory)


def test_a_review_becomes_ids_mask_and_types_of_one_length(tokenizer: uv.Tokenizer):
    out = tokenizer("product quality excellent battery lasts very long incredible value")
    assert set(out) == {"input_ids", "token_type_ids", "attention_mask"}
    assert {len(array) for array in out.values()} == {11}
    assert out["attention_mask"].all()
    assert not out["token_type_ids"].any()
    assert out["input_ids"].dtype == np.int64


def test_a_pair_has_types_0_then_1_and_two_separators(tokenizer: uv.Tokenizer):
    e = tokenizer.encode("Is the battery long lasting", "Yes it lasts very long")
    assert e.tokens == (
        "[CLS] is the battery long lasting [SEP] yes it lasts very long [SEP]".split()
    )
    assert e.type_ids == [0] * 7 + [1] * 6
    assert e.sequence_ids == [None, *[0] * 5, None, *[1] * 5, None]


def test_pieces_join_back_to_the_text(tokenizer: uv.Tokenizer):
    e = tokenizer.encode("unaffable, lasting")
    assert e.tokens == ["[CLS]", "un", "##aff", "##able", ",", "lasting", "[SEP]"]
    assert e.word_ids == [None, 0, 0, 0, 1, 2, None]
    assert e.offsets[1:4] == [(0, 2), (2, 5), (5, 9)]
    assert tokenizer.decode(e.ids) == "unaffable, lasting"
    assert tokenizer.decode(np.array(e.ids), clean_up=False) == "unaffable , lasting"


def test_offsets_are_indices_of_the_python_string(tokenizer: uv.Tokenizer):
    text = "\U0001f50b Báttery, a\u0301b"  # an emoji, an accent, a combining mark
    e = tokenizer.encode(text, add_special_tokens=False)
    assert [text[a:b] for a, b in e.offsets] == ["\U0001f50b", "Báttery", ",", "a\u0301b"]
    assert e.tokens[1] == "battery"


def test_a_lone_surrogate_is_cleaned_away(tokenizer: uv.Tokenizer):
    assert tokenizer.encode("a\ud800 b\udfff").tokens == ["[CLS]", "a", "b", "[SEP]"]
    assert tokenizer.encode("\ud800a b").offsets[1:3] == [(1, 2), (3, 4)]


def test_truncation_gives_overflowing_windows(tokenizer: uv.Tokenizer):
    e = tokenizer.encode("a b c d e", max_length=5, stride=1)
    assert e.tokens == ["[CLS]", "a", "b", "c", "[SEP]"]
    assert [w.tokens[1:-1] for w in e.overflowing] == [["c", "d", "e"]]
    assert tokenizer.encode("a b c", max_length=3, truncation_side="left").tokens[1] == "c"


def test_a_call_pads_and_truncates_to_the_models_length(tokenizer: uv.Tokenizer):
    out = tokenizer(["a", "a b c d e a b c"], padding=True, truncation=True)
    assert out["input_ids"].shape == (2, 8)  # model_max_length
    assert_array_equal(out["attention_mask"].sum(axis=1), [3, 8])
    assert tokenizer(["a"], padding="max_length", max_length=6)["input_ids"].shape == (1, 6)
    assert tokenizer(["a"], padding=True, pad_to_multiple_of=4)["input_ids"].shape == (1, 4)


def test_rows_of_different_length_stay_lists(tokenizer: uv.Tokenizer):
    rows = tokenizer(["a", "a b"])["input_ids"]
    assert [len(row) for row in rows] == [3, 4]


def test_no_texts_give_nothing(tokenizer: uv.Tokenizer):
    assert tokenizer.encode_batch([]) == []
    assert tokenizer.count([]).shape == (0,)
    assert tokenizer([], padding=True)["input_ids"].shape == (0, 0)


def test_counts_are_the_lengths_without_a_cut(tokenizer: uv.Tokenizer):
    texts = ["", "a", "unaffable " * 50]
    assert_array_equal(tokenizer.count(texts), [len(tokenizer.encode(t)) for t in texts])


def test_tokens_and_ids_map_both_ways(tokenizer: uv.Tokenizer):
    assert tokenizer.vocab == {token: i for i, token in enumerate(VOCABULARY)}
    assert len(tokenizer) == tokenizer.vocab_size == len(VOCABULARY)
    assert tokenizer.token_to_id("nowhere") is None
    assert tokenizer.id_to_token(4) == "[MASK]"
    with pytest.raises(IndexError, match=r"expected an id in \[0, 31\), got 31"):
        tokenizer.id_to_token(len(VOCABULARY))
    with pytest.raises(IndexError):
        tokenizer.decode([-1])


def test_a_saved_tokenizer_is_the_same(tokenizer: uv.Tokenizer, tmp_path: Path):
    tokenizer.save_pretrained(tmp_path / "copy")
    copy = uv.Tokenizer.from_pretrained(tmp_path / "copy")
    assert copy.vocab == tokenizer.vocab
    assert copy.model_max_length == 8
    assert copy.encode("Unaffable").ids == tokenizer.encode("Unaffable").ids


def test_many_threads_use_one_tokenizer(tokenizer: uv.Tokenizer):
    texts = ["unaffable battery, lasting " * 20] * 50
    expected = [e.ids for e in tokenizer.encode_batch(texts, threads=1)]
    results: list[list[list[int]]] = []

    def work() -> None:
        results.append([e.ids for e in tokenizer.encode_batch(texts, threads=2)])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 4


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: t.encode(3), TypeError, "text must be a str, got int"),
        (lambda t: t.encode("a", 3), TypeError, "pair must be a str, got int"),
        (lambda t: t.encode_batch("a"), TypeError, "got one str"),
        (lambda t: t.encode_batch(["a", None]), TypeError, "must be a str, got NoneType"),
        (lambda t: t.encode_batch([("a", "b", "c")]), TypeError, "two texts, got 3"),
        (lambda t: t.count("a"), TypeError, "got one str"),
        (lambda t: t.encode("a", max_length=1), ValueError, "max_length of at least 2"),
        (lambda t: t.encode("a", max_length=0), ValueError, "max_length of at least 1, got 0"),
        (lambda t: t.encode("a b c", max_length=3, stride=1), ValueError, "stride below"),
        (lambda t: t.encode("a", truncation="odd"), ValueError, 'got "odd"'),
        (lambda t: t.encode("a", truncation_side="odd"), ValueError, 'got "odd"'),
        (lambda t: t(["a"], ["b", "c"]), ValueError, "as many second texts as texts"),
        (lambda t: t(["a"], padding="odd"), ValueError, "got 'odd'"),
    ],
)
def test_wrong_arguments_are_named(tokenizer: uv.Tokenizer, call, error, message):
    with pytest.raises(error, match=message):
        call(tokenizer)


def test_without_a_stated_length_truncation_needs_one(directory: Path, tmp_path: Path):
    (tmp_path / "vocab.txt").write_bytes((directory / "vocab.txt").read_bytes())
    bare = uv.Tokenizer.from_pretrained(tmp_path)
    with pytest.raises(ValueError, match="expected max_length with truncation"):
        bare("a", truncation=True)


def test_a_directory_without_a_tokenizer_is_refused(tmp_path: Path):
    with pytest.raises(
        uv.FormatError, match=r"expected tokenizer\.json, vocab\.txt, or .*, got none"
    ):
        uv.Tokenizer.from_pretrained(tmp_path)


def test_a_token_twice_is_refused(tmp_path: Path):
    (tmp_path / "vocab.txt").write_text("[UNK]\n[CLS]\n[SEP]\na\na\n")
    with pytest.raises(uv.FormatError, match=r"vocab\.txt.*every token once"):
        uv.Tokenizer.from_pretrained(tmp_path)


def test_a_model_of_another_kind_is_refused(tmp_path: Path):
    (tmp_path / "tokenizer.json").write_text('{"model": {"type": "WordLevel", "vocab": {}}}')
    with pytest.raises(uv.FormatError, match=r"tokenizer\.json.*model\.type.*WordLevel"):
        uv.Tokenizer.from_pretrained(tmp_path)


TEXTS = [
    "How long does it last?",
    "An unaffable tokenizer, isn't it?",
    "",
    "naïve café \u4e2d\u56fd " * 12,
]


@pytest.mark.parametrize(
    "arguments",
    [
        {"padding": True},
        {"padding": True, "truncation": True, "max_length": 12},
        {"padding": "max_length", "max_length": 40, "truncation": True},
        {"padding": True, "pad_to_multiple_of": 8},
        {"padding": True, "add_special_tokens": False, "return_special_tokens_mask": True},
        {
            "padding": True,
            "truncation": True,
            "max_length": 10,
            "stride": 2,
            "return_overflowing_tokens": True,
            "return_offsets_mapping": True,
        },
    ],
)
def test_a_call_returns_what_transformers_returns(
    model_directory, transformers_tokenizer, arguments
):
    tokenizer = uv.Tokenizer.from_pretrained(model_directory)
    expected = transformers_tokenizer(TEXTS, return_tensors="np", **arguments)
    got = tokenizer(TEXTS, **arguments)
    assert set(got) == set(expected)
    for name, array in expected.items():
        assert_array_equal(got[name], array, err_msg=name)


@pytest.mark.parametrize("truncation", ["longest_first", "only_first", "only_second"])
def test_pairs_are_cut_as_transformers_cuts_them(
    model_directory, transformers_tokenizer, truncation
):
    tokenizer = uv.Tokenizer.from_pretrained(model_directory)
    a, b = ["one two three four five six seven"] * 2, ["eight nine ten eleven", "twelve " * 9]
    arguments = {"padding": True, "truncation": truncation, "max_length": 14}
    expected = transformers_tokenizer(a, b, return_tensors="np", **arguments)
    got = tokenizer(a, b, **arguments)
    for name, array in expected.items():
        assert_array_equal(got[name], array, err_msg=name)


@pytest.fixture(scope="module")
def peer(model_directory: Path):
    tokenizers = pytest.importorskip("tokenizers", reason="compares with Hugging Face's tokenizers")
    peer = tokenizers.Tokenizer.from_file(str(model_directory / "tokenizer.json"))
    peer.no_truncation()
    peer.no_padding()
    return peer


@pytest.fixture(scope="module")
def minilm(model_directory: Path) -> uv.Tokenizer:
    return uv.Tokenizer.from_pretrained(model_directory)


@settings(max_examples=examples(300), deadline=None, derandomize=True)
@given(text=tricky_text)
def test_any_text_gives_what_tokenizers_gives(minilm: uv.Tokenizer, peer, text: str):
    assert differing_fields(minilm.encode(text), peer.encode(text)) == []
    ids = peer.encode(text).ids
    assert minilm.decode(ids) == peer.decode(ids)


def test_added_tokens_json_beside_vocab_txt_is_read(directory: Path, tmp_path: Path):
    for name in ("vocab.txt", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((directory / name).read_bytes())
    added = {"[NEW]": len(VOCABULARY), "long-lasting": len(VOCABULARY) + 1}
    (tmp_path / "added_tokens.json").write_text(json.dumps(added), encoding="utf-8")
    e = uv.Tokenizer.from_pretrained(tmp_path).encode("is [NEW] Long-lasting")
    assert e.tokens == ["[CLS]", "is", "[NEW]", "long-lasting", "[SEP]"]
    (tmp_path / "added_tokens.json").write_text('{"[NEW]": 90}', encoding="utf-8")
    with pytest.raises(uv.FormatError, match="ids"):
        uv.Tokenizer.from_pretrained(tmp_path)


def test_a_word_of_a_million_characters_gives_what_tokenizers_gives(minilm: uv.Tokenizer, peer):
    for character in ("a", "\u0301", "\u4e2d", "\u200b"):
        text = f"before {character * 1_000_000} after"
        assert differing_fields(minilm.encode(text), peer.encode(text)) == []
