"""Lemmas: the form of a word that a dictionary lists, from two well-kept libraries.

Without a part of speech simplemma decides, whose word lists prefer the commoner reading. With one,
LemmInflect's table of that part of speech has the first word: read as a verb "amazing" is
"amaze". docs/preprocessing.md has their accuracy.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any, overload

from unitvec.extras import load_extra
from unitvec.preprocessing.arguments import require_text
from unitvec.preprocessing.parts_of_speech import universal

#: Words kept in the cache; a corpus of a million texts has some hundred thousand.
_CACHED = 1 << 18

#: Parts of speech that do not change their form, or whose form is their lemma.
_UNCHANGED = ("PROPN", "NUM", "PUNCT", "SYM", "X")
_IN_TABLES = ("VERB", "NOUN", "ADJ", "ADV")

#: The auxiliaries that have forms; "would" and "might" are lemmas of their own, as in treebanks.
_AUXILIARIES = ("be", "have", "do")

#: Parts of contractions, as `tokenize(contractions="split")` cuts them, and what they stand for.
_CLITICS = {
    "n't": "not", "'m": "be", "'re": "be", "'ve": "have", "'ll": "will", "'d": "would",
    "ca": "can", "wo": "will", "sha": "shall",
}  # fmt: skip

#: Words whose "'s" is no possessive.
_WITH_IS = [
    "he",
    "she",
    "it",
    "that",
    "this",
    "what",
    "who",
    "where",
    "when",
    "why",
    "how",
    "there",
    "here",
    "let",
    "one",
    "everything",
    "something",
    "nothing",
    "everyone",
    "someone",
]


@overload  # a str is an iterable of str, too: the first that fits counts
def lemmatize(  # type: ignore[overload-overlap]
    word: str, pos: str | None = ..., *, language: str = ...
) -> str: ...
@overload
def lemmatize(word: Iterable[str], pos: str | None = ..., *, language: str = ...) -> list[str]: ...
def lemmatize(
    word: str | Iterable[str], pos: str | None = None, *, language: str = "en"
) -> str | list[str]:
    """The lemma of a word, or of each of several.

    A word in lower case has a lemma in lower case. A contraction stays as it is ("don't" would
    lose its "not"); a possessive has the lemma of its noun. What no dictionary lists stays as it
    is.

    Args:
        word: one word, without white space around it, or an iterable of them.
        pos: what it is in its sentence: "verb", "noun", "adj", "adv" (or WordNet's "v", "n", "a",
            "s", "r"), or a universal tag such as "AUX" or "PROPN". None: its commonest reading.
        language: a code that simplemma knows, such as "de"; with a `pos` only "en".

    Raises:
        ValueError: an empty word, an unknown `pos` or language.
        TypeError: a word that is no str.
        ImportError: the libraries are not installed (`pip install 'unitvec[preprocessing]'`).

    Example:
        >>> lemmatize(["running", "runs", "ran", "restaurant"])
        ['run', 'run', 'run', 'restaurant']
        >>> lemmatize("amazing"), lemmatize("amazing", pos="verb")
        ('amazing', 'amaze')
    """
    tag = universal("lemmatize", pos)
    require_language(language)
    if tag is not None and language != "en":
        raise ValueError(f"[lemmatize] expected pos only with language 'en', got {language!r}")
    if isinstance(word, str):
        return _checked(word, tag, language)
    if isinstance(word, (bytes, bytearray, dict)) or not isinstance(word, Iterable):
        require_text("lemmatize", word, "word")
    return [_checked(each, tag, language) for each in word]


def require_language(language: str) -> None:
    """Raises ValueError unless simplemma knows the language."""
    known = _simplemma_languages()
    if language not in known:
        raise ValueError(
            f"[lemmatize] expected language to be one of {', '.join(known)}, got {language!r}"
        )


def _checked(word: str, tag: str | None, language: str) -> str:
    require_text("lemmatize", word, "word")
    if not word.strip():
        raise ValueError(f"[lemmatize] expected a word, got {word!r}")
    return lemma(word, tag, language)


def lemma(word: str, tag: str | None, language: str = "en") -> str:
    """The lemma of a word that is no empty text, by its universal tag."""
    if tag in _UNCHANGED or not (word[0].isalpha() or word.startswith(("'", "\u2019"))):
        return word  # numbers, addresses: too many to remember
    return _lemma(word, tag, language)


@lru_cache(maxsize=_CACHED)
def _lemma(word: str, tag: str | None, language: str) -> str:
    if language != "en":
        return _of_simplemma(word, language)
    straight = word.replace("\u2019", "'")
    is_auxiliary = tag == "AUX" or (tag == "VERB" and straight.startswith("'"))
    clitic = _clitic(straight.lower(), is_auxiliary)
    if clitic is not None:
        return clitic
    if "'" in straight:
        return _of_apostrophe(word, straight, tag)
    if is_auxiliary:
        return _of_auxiliary(word)
    return _of_table(word, tag) if tag in _IN_TABLES else _of_commonest(word)


def _clitic(word: str, is_auxiliary: bool) -> str | None:
    """Of a part of a contraction; an auxiliary may stand without its apostrophe ("ve")."""
    if is_auxiliary:
        with_apostrophe = word if "'" in word else f"'{word}"
        if with_apostrophe == "'s":
            return "be"
        return _CLITICS.get(word, _CLITICS.get(with_apostrophe))
    return _CLITICS.get(word) if "'" in word else None


def _of_apostrophe(word: str, straight: str, tag: str | None) -> str:
    """Of "Ann's": that of "Ann"; contractions stay."""
    noun, _, ending = straight.rpartition("'")
    if noun and ending.lower() == "s" and noun.lower() not in _WITH_IS:
        return lemma(word[: len(noun)], tag)
    return word


def _of_auxiliary(word: str) -> str:
    for listed in _tables().getAllLemmas(word.lower(), upos="AUX").get("AUX", ()):
        if listed in _AUXILIARIES:
            return str(listed)
    return word


def _of_commonest(word: str) -> str:
    """By simplemma; where that gives what is no word ("growe" of "growing"), by LemmInflect."""
    common = _of_simplemma(word, "en")
    if common == word:
        return word
    tables = _tables().getAllLemmas(word.lower())
    listed = [each for lemmas in tables.values() for each in lemmas]
    if not listed or common.lower() in listed:
        return common
    if word.lower() in listed and _tables().getAllLemmas(common.lower()):
        return common
    return str(tables.get("VERB", listed)[0])


def _of_table(word: str, tag: str) -> str:
    """By LemmInflect's table of one part of speech."""
    tables = _tables().getAllLemmas(word.lower())
    listed = tables.get(tag, ())
    common = _of_simplemma(word, "en")
    if listed:
        return common if common.lower() in listed else str(listed[0])
    if tables:  # it is a word, but not of this part of speech: "movies" is no verb
        return word
    return word if tag == "VERB" else common


def _of_simplemma(word: str, language: str) -> str:
    found = str(_simplemma().lemmatize(word, lang=language))
    return found.lower() if word.islower() else found


@cache
def _simplemma() -> Any:
    return load_extra("simplemma", "preprocessing", "lemmatize")


@cache
def _simplemma_languages() -> tuple[str, ...]:
    _simplemma()
    strategies = load_extra("simplemma.strategies.dictionaries", "preprocessing", "lemmatize")
    return tuple(sorted(strategies.dictionary_factory.SUPPORTED_LANGUAGES))


@cache
def _tables() -> Any:
    return load_extra("lemminflect", "preprocessing", "lemmatize")
