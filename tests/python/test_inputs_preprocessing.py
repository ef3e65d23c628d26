"""Odd inputs of preprocessing: the rows of docs/inputs.md, in its order, each under its name."""

from __future__ import annotations

import pytest

from odd_inputs import row
from unitvec import preprocessing as pp

pytest.importorskip("simplemma", reason="the extra `preprocessing` is not installed")

CLEAN = pp.Pipeline(stopwords="english", lemmatize="all", remove_digits=True)


@row("text of nothing, or of what every step takes away")
@pytest.mark.parametrize("text", ["", " \n\t", "!!!", "The 5 of the..."])
def test_nothing_left(text: str) -> None:
    assert CLEAN(text) == ""
    assert CLEAN.tokens(text) == []
    assert CLEAN([text, "cats"]) == ["", "cat"]
    assert CLEAN([]) == pp.remove_punctuation([]) == pp.lemmatize([]) == []
    with pytest.raises(ValueError, match="expected a word, got ''"):
        pp.lemmatize("")
    with pytest.raises(ValueError, match="got ''"):
        pp.stopwords("")


@row("bytes, numbers, None, a dict in place of text")
@pytest.mark.parametrize("wrong", [b"bytes", 5, None, {"a": 1}, float("nan")])
def test_no_text(wrong: object) -> None:
    name = type(wrong).__name__
    for function in (pp.tokenize, pp.lowercase, CLEAN, CLEAN.tokens, pp.lemmatize, pp.stopwords):
        with pytest.raises(TypeError, match=rf"expected .* got {name}"):
            function(wrong)  # type: ignore[operator]
    for function in (CLEAN, pp.remove_punctuation, pp.remove_stopwords):
        with pytest.raises(TypeError, match=rf"every text to be a str, got {name} .* position 1"):
            function(["a", wrong])  # type: ignore[operator]


@row("options, lists, parts of speech that there are not")
def test_unknown_names() -> None:
    with pytest.raises(ValueError, match="expected one of english, minimal, search"):
        pp.Pipeline(stopwords="klingon")
    with pytest.raises(ValueError, match="lemmatize to be one of None, 'all', 'verb'"):
        pp.Pipeline(lemmatize="verbs")
    with pytest.raises(ValueError, match="expected pos to be None, 'verb', 'noun'"):
        pp.lemmatize("word", pos="verbs")
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        pp.Pipeline(stop_words="english")  # type: ignore[call-arg]


@row("lone surrogates in words")
def test_surrogates() -> None:
    assert pp.Pipeline(remove_punctuation=False)("a\ud800b") == "a \ufffd b"
    assert CLEAN("cats \udfff") == "cat"
    assert pp.lemmatize("\ud800") == "\ud800"


@row("NUL and other controls between words")
def test_controls() -> None:
    assert pp.tokenize("a\x00b\x07c\x85d") == ["a", "b", "c", "d"]


@row("scripts without spaces")
def test_scripts_without_spaces() -> None:
    assert pp.tokenize("他说。สวัสดีครับ") == ["他", "说", "。", "สวัสดีครับ"]
    assert pp.lemmatize(["他", "สวัสดี"]) == ["他", "สวัสดี"]


@row("text without end, one word of a million characters")
def test_long_text() -> None:
    assert CLEAN("a" * 1_000_000) == "a" * 1_000_000
    assert len(CLEAN("dogs " * 1_000_000)) == 4 * 1_000_000 - 1
