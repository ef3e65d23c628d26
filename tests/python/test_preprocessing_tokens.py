"""Words as people mean them: exact cases, offsets, and nothing lost whatever the text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitvec.preprocessing import Token, tokenize


def may_be_left_out(character: str) -> bool:
    """White space, controls and format characters; what a later Unicode has is not known here."""
    return character.isspace() or unicodedata.category(character) in ("Cc", "Cf", "Zs", "Zl", "Zp")


#: Text of what the rules look at, more often than chance would have it.
tricky = st.text(
    st.sampled_from("aZé中あアก019.,:/-'’&+#@_()!$% \n\u200b\u00ad\u0301\u200d😀🏽🇩\ufe0f<")
)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        (
            "The restaurant had delicious food!",
            ["The", "restaurant", "had", "delicious", "food", "!"],
        ),
        ("Highly recommended!!!", ["Highly", "recommended", "!", "!", "!"]),
        ("It's 5+ years, isn't it?", ["It's", "5+", "years", ",", "isn't", "it", "?"]),
        ("", []),
        (" \t\n", []),
    ],
)
def test_exact_cases(text: str, tokens: list[str]) -> None:
    assert tokenize(text) == tokens


def test_offsets_are_code_points() -> None:
    text = "I ❤️ Zoë’s C++, see https://a.org/b."
    tokens = tokenize(text, offsets=True)
    assert [text[t.start : t.end] for t in tokens] == [t.text for t in tokens]
    assert [(t.text, t.kind) for t in tokens] == [
        ("I", "word"),
        ("❤️", "emoji"),
        ("Zoë’s", "word"),
        ("C++", "word"),
        (",", "punctuation"),
        ("see", "word"),
        ("https://a.org/b", "url"),
        (".", "punctuation"),
    ]
    assert tokens[0] == Token("I", 0, 1, "word")


@given(st.text() | tricky, st.sampled_from(["keep", "split"]))
def test_nothing_is_lost(text: str, joined: str) -> None:
    tokens = tokenize(text, contractions=joined, hyphens=joined, offsets=True)
    behind = 0
    for token in [*tokens, Token("", len(text), len(text), "word")]:
        assert all(map(may_be_left_out, text[behind : token.start]))
        assert token.start < token.end or token.start == len(text)
        assert not any(c.isspace() for c in token.text)
        behind = token.end
    assert [token.text for token in tokens] == tokenize(text, contractions=joined, hyphens=joined)


def test_contractions_and_hyphens_are_split_on_request() -> None:
    text = "We can't re-open Ann's shop"
    assert tokenize(text) == ["We", "can't", "re-open", "Ann's", "shop"]
    assert tokenize(text, contractions="split", hyphens="split") == [
        *("We", "ca", "n't", "re", "-", "open", "Ann", "'s", "shop")
    ]


def test_a_lone_surrogate_is_text() -> None:
    assert tokenize("a \ud800 b", offsets=True)[1][1:3] == (2, 3)


@pytest.mark.parametrize("text", [None, 5, b"bytes", ["a", "list"]])
def test_other_than_str_is_refused(text: object) -> None:
    with pytest.raises(TypeError, match=r"\[tokenize\] expected text to be a str, got "):
        tokenize(text)  # type: ignore[call-overload]


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(ValueError, match="contractions to be one of 'keep', 'split', got 'cut'"):
        tokenize("text", contractions="cut")
    with pytest.raises(ValueError, match="hyphens to be one of 'keep', 'split', got True"):
        tokenize("text", hyphens=True)  # type: ignore[call-overload]
