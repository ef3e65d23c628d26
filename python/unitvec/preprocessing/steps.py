"""The steps of a pipeline as functions, for a text or for its tokens."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import overload

from unitvec import _core
from unitvec.preprocessing.arguments import (
    require_choice,
    require_flag,
    require_iterable,
    require_text,
    require_texts,
)
from unitvec.preprocessing.markup import text_of_html
from unitvec.preprocessing.stop_lists import as_stop_words, stopwords
from unitvec.preprocessing.tokens import tokenize

#: Unicode's normalisation forms (https://unicode.org/reports/tr15/).
FORMS = ("NFC", "NFD", "NFKC", "NFKD")

#: General categories of marks that `remove_punctuation` takes away.
CATEGORIES = ("PS", "P", "S")


def normalize_unicode(text: str, form: str = "NFC") -> str:
    """The text in one of Unicode's normalisation forms, by Python's `unicodedata`.

    "NFC" writes equal characters equally; "NFKC" also replaces look-alikes ("ﬁ", full-width
    letters, "½") by plain ones.

    Raises:
        ValueError: a form that there is not.
        TypeError: `text` is no str.
    """
    require_text("normalize_unicode", text)
    require_choice("normalize_unicode", "form", form, FORMS)
    return unicodedata.normalize(form, text)  # type: ignore[arg-type]  # one of FORMS


def lowercase(text: str) -> str:
    """The text in lower case; a capital sigma that ends a word becomes a final one."""
    require_text("lowercase", text)
    return _core.lower_case(text)


def strip_html(text: str) -> str:
    r"""The text without tags, comments, scripts and style sheets, character references resolved.

    By the standard library's parser. Elements that are not part of a line, such as `<br>`, become a
    space or a line end; a "<" that begins no whole tag is text. A text without markup comes back
    as it is.

    Example:
        >>> strip_html("<p>Fish &amp; chips<br/>for <b>two</b></p>")
        'Fish & chips\nfor two'
    """
    require_text("strip_html", text)
    return text_of_html(text)


def strip_urls(text: str, replacement: str = "", *, emails: bool = False) -> str:
    """The text without web addresses, with or without a scheme ("www.a.org", "a.org/path").

    Args:
        text: any text.
        replacement: what stands in the place of each, such as "URL"; where it is empty, one of the
            two spaces around the address goes too.
        emails: treat e-mail addresses like web addresses.
    """
    require_text("strip_urls", text)
    require_text("strip_urls", replacement, "replacement")
    require_flag("strip_urls", "emails", emails)
    kinds = ("url", "email") if emails else ("url",)
    parts, behind = [], 0
    for token in tokenize(text, offsets=True):
        if token.kind in kinds:
            before = text[behind : token.start]
            behind = token.end
            parts += [before, replacement]
            spaces = not parts[0] or before[-1:].isspace()
            if not replacement and spaces and text[behind : behind + 1].isspace():
                behind += 1
    return "".join([*parts, text[behind:]]).rstrip() if parts else text


@overload
def remove_punctuation(  # type: ignore[overload-overlap]
    text: str,
    *,
    categories: str = ...,
    keep: str = ...,
    keep_emoji: bool = ...,
    inside_words: bool = ...,
) -> str: ...
@overload
def remove_punctuation(
    text: Iterable[str],
    *,
    categories: str = ...,
    keep: str = ...,
    keep_emoji: bool = ...,
    inside_words: bool = ...,
) -> list[str]: ...
def remove_punctuation(
    text: str | Iterable[str],
    *,
    categories: str = "PS",
    keep: str = "",
    keep_emoji: bool = False,
    inside_words: bool = False,
) -> str | list[str]:
    """A text, or tokens, without punctuation marks, symbols and pictures.

    Marks that belong to a word stay: "don't", "well-known", "U.S.", "C++". Numbers, hashtags and
    mentions lose those at their ends: "5+" becomes "5", "#python" becomes "python".

    Args:
        text: a text, of which the remaining tokens come back with single spaces, or tokens.
        categories: which marks: "PS" (general categories P and S), "P" or "S".
        keep: characters that stay, such as "!?".
        keep_emoji: pictures and emoticons stay.
        inside_words: take the marks out of words as well: "dont", "well known", "US", "C".

    Raises:
        ValueError: an option that there is not.
        TypeError: something that is no str.

    Example:
        >>> remove_punctuation("The restaurant had delicious food!")
        'The restaurant had delicious food'
    """
    function = "remove_punctuation"
    require_choice(function, "categories", categories, CATEGORIES)
    require_text(function, keep, "keep")
    require_flag(function, "keep_emoji", keep_emoji)
    require_flag(function, "inside_words", inside_words)
    cleaner = _core.WordCleaner(
        remove_punctuation=True,
        categories=categories,
        keep=keep,
        keep_emoji=keep_emoji,
        marks_inside_words=inside_words,
    )
    return _cleaned(function, cleaner, text)


@overload
def remove_digits(text: str) -> str: ...  # type: ignore[overload-overlap]
@overload
def remove_digits(text: Iterable[str]) -> list[str]: ...
def remove_digits(text: str | Iterable[str]) -> str | list[str]:
    """A text, or tokens, without numbers and without the digits in words.

    "5+" and "1st" go, "Python3" becomes "Python", "15-year" becomes "year"; addresses stay.
    """
    return _cleaned("remove_digits", _core.WordCleaner(remove_digits=True), text)


@overload
def remove_numbers(text: str) -> str: ...  # type: ignore[overload-overlap]
@overload
def remove_numbers(text: Iterable[str]) -> list[str]: ...
def remove_numbers(text: str | Iterable[str]) -> str | list[str]:
    """A text, or tokens, without tokens that are numbers: "5+", "1,000.50", "10:30".

    Digits in words stay: "Python3", "1st", "B2B".
    """
    return _cleaned("remove_numbers", _core.WordCleaner(remove_numbers=True), text)


@overload
def remove_stopwords(  # type: ignore[overload-overlap]
    text: str, words: str | Iterable[str] = ...
) -> str: ...
@overload
def remove_stopwords(text: Iterable[str], words: str | Iterable[str] = ...) -> list[str]: ...
def remove_stopwords(
    text: str | Iterable[str], words: str | Iterable[str] = "english"
) -> str | list[str]:
    """A text, or tokens, without stop words, in capitals or not.

    Args:
        text: a text, of which the remaining tokens come back with single spaces, or tokens.
        words: the name of a list of `stopwords`, or the words themselves.
    """
    chosen = (
        stopwords(words) if isinstance(words, str) else as_stop_words("remove_stopwords", words)
    )
    return _cleaned("remove_stopwords", _without(chosen), text)


@lru_cache(maxsize=16)
def _without(words: frozenset[str]) -> _core.WordCleaner:
    return _core.WordCleaner(stop_words=sorted(words))


def _cleaned(
    function: str, cleaner: _core.WordCleaner, text: str | Iterable[str]
) -> str | list[str]:
    if isinstance(text, str):
        return str(cleaner.clean([text])[0])
    require_iterable(function, text)
    tokens = list(text)
    require_texts(function, tokens)
    return [word for words in cleaner.clean_tokens(tokens) for word in words]
