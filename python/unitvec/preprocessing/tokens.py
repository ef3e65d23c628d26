"""Words and punctuation as people mean them, with offsets."""

from __future__ import annotations

from typing import Literal, NamedTuple, overload

from unitvec import _core
from unitvec.preprocessing.arguments import require_choice, require_text

#: What a token is, as `Token.kind` says.
KINDS = (
    "word",
    "number",
    "punctuation",
    "symbol",
    "emoji",
    "emoticon",
    "url",
    "email",
    "hashtag",
    "mention",
)

#: Whether contractions and hyphenated words stay whole.
JOINED = ("keep", "split")


class Token(NamedTuple):
    """A token and where it stands: `text[start:end]` of the text it was cut from.

    Attributes:
        text: the token, as it is written.
        start: the code point it begins at.
        end: the code point behind it.
        kind: "word", "number", "punctuation", "symbol", "emoji", "emoticon", "url", "email",
            "hashtag" or "mention".
    """

    text: str
    start: int
    end: int
    kind: str


@overload
def tokenize(
    text: str,
    *,
    contractions: str = ...,
    hyphens: str = ...,
    offsets: Literal[False] = ...,
) -> list[str]: ...
@overload
def tokenize(
    text: str, *, contractions: str = ..., hyphens: str = ..., offsets: Literal[True]
) -> list[Token]: ...
def tokenize(
    text: str, *, contractions: str = "keep", hyphens: str = "keep", offsets: bool = False
) -> list[str] | list[Token]:
    """The words, numbers and punctuation marks of a text, in order.

    Contractions ("don't", "Ann's"), hyphenated words, numbers ("1,000.50", "10:30", "5+"),
    abbreviations ("U.S.", "e.g.", "Mr."), names such as "C++", "node.js" and "AT&T", addresses,
    e-mails, hashtags, mentions, emoji (with what is joined to them) and emoticons are one token
    each. Marks are tokens of their own; two or more full stops or hyphens in a row are one.

    Chinese characters are tokens of their own, runs of Hiragana and of Katakana are one each, and
    so is a run of letters in scripts that write no spaces and need a dictionary (Thai, Lao, Khmer,
    Burmese). Nothing is lost but white space, controls and invisible format characters outside
    words.

    Args:
        text: any text; the empty text has no tokens.
        contractions: "keep", or "split" as treebanks do: "do" "n't", "Ann" "'s".
        hyphens: "keep", or "split": "well" "-" "known".
        offsets: return `Token`s instead of str.

    Raises:
        TypeError: `text` is no str.
        ValueError: an option that there is not.

    Example:
        >>> tokenize("The restaurant had delicious food!")
        ['The', 'restaurant', 'had', 'delicious', 'food', '!']
    """
    require_text("tokenize", text)
    require_choice("tokenize", "contractions", contractions, JOINED)
    require_choice("tokenize", "hyphens", hyphens, JOINED)
    split = {
        "split_contractions": contractions == "split",
        "split_hyphens": hyphens == "split",
    }
    if not offsets:
        (tokens,) = _core.split_texts([text], **split)
        return list(tokens)
    return [
        Token(text[start:end], start, end, kind)
        for start, end, kind in _core.split_words(text, **split)
    ]
