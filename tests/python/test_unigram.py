"""Unigram tokenizers, read by the package `tokenizers` behind our own class."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import unigram
import unitvec as uv
from same_tokens import differences, differing_fields

tokenizers = pytest.importorskip("tokenizers", reason="reads Unigram models with it")

TEXTS = [
    "The battery lasts very long; it is the best we have had.",
    "Encoders turn text into vectors, and vectors answer questions about text.",
    "Größe, naïve café \u65e5\u672c\u8a9e \U0001f50b",
    "",
    "a <mask> b",
]


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Our tokenizer and theirs of one file, set up as XLM-R's."""
    path = tmp_path_factory.mktemp("unigram")
    peer = unigram.train(TEXTS * 10, path)
    peer.enable_truncation(4)  # the length that a file says is not obeyed
    peer.enable_padding()
    peer.save(str(path / "tokenizer.json"))
    peer.no_truncation()
    peer.no_padding()
    return uv.Tokenizer.from_pretrained(path), peer


def test_tokens_are_the_same(pair):
    ours, theirs = pair
    assert list(differences(ours, theirs, TEXTS)) == []
    pairs = [(a, b) for a in TEXTS for b in TEXTS]
    assert list(differences(ours, theirs, pairs)) == []
    assert ours.count(TEXTS).tolist() == [len(e) for e in theirs.encode_batch(TEXTS)]
    assert len(ours.encode(TEXTS[0], add_special_tokens=False)) == ours.count(TEXTS)[0] - 2


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("strategy", ["longest_first", "only_first", "only_second"])
def test_pairs_are_cut_alike(pair, strategy: str, side: str):
    ours, theirs = pair
    theirs.enable_truncation(20, stride=2, strategy=strategy, direction=side)
    try:
        short = "the text"
        a, b = (short, TEXTS[0]) if strategy == "only_second" else (TEXTS[0], short)
        got = ours.encode(a, b, max_length=20, stride=2, truncation=strategy, truncation_side=side)
        # tokenizers gives the windows of a second text type 1 whatever the template says
        different = set(differing_fields(got, theirs.encode(a, b))) - {"overflowing.type_ids"}
        assert different == set()
        assert got.overflowing
        assert all(not any(window.type_ids) for window in got.overflowing)
    finally:
        theirs.no_truncation()


def test_windows_have_the_types_of_the_template(pair, tmp_path: Path):
    from tokenizers import processors

    theirs = tokenizers.Tokenizer.from_str(pair[1].to_str())
    theirs.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> $B:1 </s>:1",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    theirs.save(str(tmp_path / "tokenizer.json"))
    theirs.enable_truncation(20, stride=2, strategy="only_second")
    got = uv.Tokenizer.from_pretrained(tmp_path).encode(
        "the text", TEXTS[0], max_length=20, stride=2, truncation="only_second"
    )
    assert differing_fields(got, theirs.encode("the text", TEXTS[0])) == []


def test_texts_are_cut_alike(pair):
    ours, theirs = pair
    theirs.enable_truncation(8, stride=3)
    try:
        for text in TEXTS:
            got = ours.encode(text, max_length=8, stride=3)
            assert differing_fields(got, theirs.encode(text)) == []
    finally:
        theirs.no_truncation()


def test_a_call_pads_as_for_other_models(pair):
    ours, _ = pair
    out = ours(TEXTS, padding=True, truncation=True, max_length=8, return_offsets_mapping=True)
    assert out["input_ids"].shape == (len(TEXTS), 8)
    assert_array_equal(out["attention_mask"].sum(axis=1), np.minimum(ours.count(TEXTS), 8))
    assert (out["input_ids"][out["attention_mask"] == 0] == 1).all()  # <pad>
    assert out["offset_mapping"].shape == (len(TEXTS), 8, 2)
    left = ours([TEXTS[3]], padding="max_length", max_length=5, padding_side="left")
    assert left["attention_mask"].tolist() == [[0, 0, 0, 1, 1]]
    assert ours([], padding=True)["input_ids"].shape == (0, 0)


def test_text_comes_back(pair):
    ours, theirs = pair
    for text in TEXTS:
        ids = ours.encode(text).ids
        assert ours.decode(ids) == theirs.decode(ids)
    assert ours.token_to_id("<mask>") == 4
    assert ours.id_to_token(4) == "<mask>"
    assert ours.vocab == theirs.get_vocab()
    with pytest.raises(IndexError, match="expected an id"):
        ours.decode([10_000])


def test_the_encoders_way_gives_the_same_ids_and_full_lengths(pair):
    ours, _ = pair
    sequences = ours._sequences(TEXTS, 6, 0)
    assert sequences.full_lengths.tolist() == ours.count(TEXTS).tolist()
    ids = np.split(sequences.input_ids, sequences.offsets[1:-1])
    assert [row.tolist() for row in ids] == [ours.encode(t, max_length=6).ids for t in TEXTS]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: t.encode(b"a"), TypeError, "every text must be a str, got bytes"),
        (lambda t: t.encode("a", max_length=1), ValueError, "at least 2, the number of special"),
        (lambda t: t.encode(TEXTS[0], max_length=5, stride=3), ValueError, "a stride below the 3"),
        (lambda t: t.encode("a", truncation="last", max_length=2), ValueError, "truncation to be"),
        (
            lambda t: t.encode(TEXTS[0], max_length=5, truncation="only_second"),
            ValueError,
            "expected a pair",
        ),
        (
            lambda t: t.encode("a", TEXTS[0], max_length=9, truncation="only_first"),
            ValueError,
            "a first text of more than",
        ),
        (lambda t: t.count("text"), TypeError, "a list of str, got one str"),
    ],
)
def test_wrong_arguments_are_named(pair, call, error, message: str):
    with pytest.raises(error, match=message):
        call(pair[0])


def test_a_lone_surrogate_is_the_replacement_character(pair):
    ours, _ = pair
    assert ours.encode("a\ud800b").ids == ours.encode("a\ufffdb").ids


def test_many_threads_cut_differently_at_the_same_time(pair):
    ours, _ = pair
    expected = {n: ours.encode(TEXTS[0], max_length=n).ids for n in range(2, 12)}
    wrong = []

    def work(n: int) -> None:
        got = [ours.encode(TEXTS[0], max_length=n).ids for _ in range(100)]
        wrong.extend(ids for ids in got if ids != expected[n])

    threads = [threading.Thread(target=work, args=(n,)) for n in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_damaged_file_is_named(tmp_path: Path):
    (tmp_path / "tokenizer.json").write_text('{"model": {"type": "Unigram", "vocab": 3}}')
    with pytest.raises(uv.FormatError, match=r"tokenizer\.json"):
        uv.Tokenizer.from_pretrained(tmp_path)


def test_without_the_package_the_extra_is_named(pair):
    code = (
        "import sys; sys.modules['tokenizers'] = None\n"
        "import unitvec as uv\n"
        f"uv.Tokenizer.from_pretrained({str(pair[0].directory)!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install unitvec[unigram]" in done.stderr
