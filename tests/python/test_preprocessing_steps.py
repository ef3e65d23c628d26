"""Each step by itself: on texts, on tokens, and on every character there is."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitvec import preprocessing as pp

CHARACTERS = [
    chr(code)
    for code in range(sys.maxunicode + 1)
    if unicodedata.category(chr(code)) not in ("Cn", "Cs")  # unassigned here, surrogates
]


def test_every_character_is_removed_by_its_category() -> None:
    left = pp.remove_punctuation(CHARACTERS)
    kept = {c for c in CHARACTERS if unicodedata.category(c)[0] not in "PSC" and not c.isspace()}
    assert kept - set(left) == set()
    wrongly_left = {c for c in left if unicodedata.category(c)[0] in "PS"}
    assert wrongly_left == set()


@pytest.mark.parametrize(("categories", "expected"), [("P", "S"), ("S", "P")])
def test_one_category_can_be_chosen(categories: str, expected: str) -> None:
    marks = [c for c in CHARACTERS if unicodedata.category(c)[0] in "PS"]
    left = pp.remove_punctuation(marks, categories=categories)
    assert {unicodedata.category(c)[0] for c in left} == {expected}
    assert left == [c for c in marks if unicodedata.category(c)[0] == expected]


def test_every_digit_is_removed() -> None:
    digits = [c for c in CHARACTERS if unicodedata.category(c) in ("Nd", "No")]
    assert pp.remove_digits(digits) == []
    assert pp.remove_digits([f"a{c}b" for c in digits]) == ["ab"] * len(digits)
    assert pp.remove_numbers(digits) == []


def test_lower_case_is_pythons() -> None:
    # A capital sigma needs its neighbours; U+0345 is a mark that has no capital of its own.
    text = "".join(c for c in CHARACTERS if c != "Σ")
    assert pp.lowercase(text) == text.lower()
    for word in ("ΟΔΟΣ", "ΣΑΣ ΣΣ", "Σ", "ΑΣ.", "ΑΣ\u0301Β"):
        assert pp.lowercase(word) == word.lower()


@given(st.text(st.sampled_from("AΣσé中 1.'\u0301")))
def test_lower_case_of_sigmas_is_pythons(text: str) -> None:
    # Python also looks past marks such as "." and "'" between letters; words do not hold these
    for word in text.replace(".", " ").replace("'", " ").split():
        assert pp.lowercase(word) == word.lower()


def test_punctuation_of_a_text() -> None:
    text = "Hello,world! It's a well-known C++ trick: 5+ #python @ann 😀 :) $5 (50%)."
    assert pp.remove_punctuation(text) == (
        "Hello world It's a well-known C++ trick 5 python ann 5 50"
    )
    assert pp.remove_punctuation(text, inside_words=True) == (
        "Hello world Its a well known C trick 5 python ann 5 50"
    )
    assert pp.remove_punctuation("so! 😀 <3 ?", keep="!", keep_emoji=True) == "so ! 😀 <3"
    assert pp.remove_punctuation("") == ""


def test_numbers_and_digits() -> None:
    text = "5+ years of Python3, the 1st B2B in 1990s: 1,000.50"
    assert pp.remove_numbers(text) == "years of Python3 , the 1st B2B in 1990s :"
    assert pp.remove_digits(text) == "years of Python , the BB in :"


def test_stop_words_of_texts_and_tokens() -> None:
    assert pp.remove_stopwords("The cat DIDN’T sit") == "cat sit"
    assert pp.remove_stopwords(["The", "restaurant", "had", "food"], "minimal") == [
        *("restaurant", "had", "food")
    ]
    assert pp.remove_stopwords("The cat sat", ["CAT"]) == "The sat"


def test_html_becomes_what_a_reader_sees() -> None:
    assert pp.strip_html("<p>Fish &amp; chips<br/>for <b>tw</b>o</p><!-- no -->") == (
        "Fish & chips\nfor two"
    )
    assert pp.strip_html("a<td>b</td><script>x < y; '</b>'</script><style>p{}</style>c") == "a b c"
    assert pp.strip_html("I <3 you & 1 < 2 > 0") == "I <3 you & 1 < 2 > 0"
    assert pp.strip_html("not closed <a href='x") == "not closed <a href='x"
    assert pp.strip_html("plain") == "plain"
    assert pp.strip_html("&lt;b&gt; &eacute; &unknown;") == "<b> é &unknown;"


@given(st.text(st.sampled_from("abc \n.!é中")))
def test_text_without_markup_stays(text: str) -> None:
    assert pp.strip_html(text) == text


def test_a_long_broken_page_takes_no_time_to_speak_of() -> None:
    for piece in ("<a ", "<", "&", "</", "<!--", "<a '"):
        assert isinstance(pp.strip_html(piece * 20_000), str)


def test_urls_go_or_are_replaced() -> None:
    text = "See https://a.org/b, or www.c.de. Mail ann@a.org!"
    assert pp.strip_urls(text) == "See , or . Mail ann@a.org!"
    assert pp.strip_urls(text, "URL", emails=True) == "See URL, or URL. Mail URL!"
    assert pp.strip_urls("read http://a.b now") == "read now"
    assert pp.strip_urls("http://a.b") == ""
    assert pp.strip_urls("  no address ") == "  no address "


def test_unicode_forms() -> None:
    assert pp.normalize_unicode("e\u0301") == "é"
    assert pp.normalize_unicode("ﬁ ½", "NFKC") == "fi 1⁄2"
    with pytest.raises(ValueError, match="expected form to be one of 'NFC', 'NFD', 'NFKC', 'NFKD'"):
        pp.normalize_unicode("text", "UTF-8")


@pytest.mark.parametrize(
    "step",
    [
        pp.lowercase,
        pp.normalize_unicode,
        pp.remove_digits,
        pp.remove_numbers,
        pp.remove_punctuation,
        pp.remove_stopwords,
        pp.strip_html,
        pp.strip_urls,
    ],
)
@pytest.mark.parametrize("text", [None, 5, b"bytes", {"a": 1}])
def test_other_than_text_is_refused_by_name(step, text: object) -> None:
    with pytest.raises(
        TypeError, match=rf"\[{step.__name__}\] expected .* got {type(text).__name__}"
    ):
        step(text)


def test_a_token_that_is_no_str_is_named_with_its_place() -> None:
    with pytest.raises(TypeError, match="every text to be a str, got float nan at position 1"):
        pp.remove_punctuation(["a", float("nan")])  # type: ignore[list-item]


def test_unknown_options_are_refused() -> None:
    with pytest.raises(ValueError, match="categories to be one of 'PS', 'P', 'S', got 'X'"):
        pp.remove_punctuation("text", categories="X")
    with pytest.raises(TypeError, match="keep_emoji to be True or False, got 'yes'"):
        pp.remove_punctuation("text", keep_emoji="yes")
    with pytest.raises(TypeError, match="unexpected keyword argument 'emoji'"):
        pp.remove_punctuation("text", emoji=True)
