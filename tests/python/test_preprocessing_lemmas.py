"""Lemmas: exact cases, parts of speech, and what stays as it is."""

from __future__ import annotations

import pytest

from unitvec.preprocessing import lemmatize

pytest.importorskip("simplemma", reason="the extra `preprocessing` is not installed")
pytest.importorskip("lemminflect", reason="the extra `preprocessing` is not installed")


def test_the_cases_of_the_guide() -> None:
    assert lemmatize(["running", "runs", "ran", "restaurant"]) == [
        "run",
        "run",
        "run",
        "restaurant",
    ]
    assert lemmatize("amazing") == "amazing"
    assert [lemmatize(w, pos="verb") for w in ("amazing", "exciting", "had", "recommended")] == [
        *("amaze", "excite", "have", "recommend")
    ]


@pytest.mark.parametrize(
    ("word", "pos", "expected"),
    [
        ("better", "adj", "good"),
        ("mice", "noun", "mouse"),
        ("meeting", "noun", "meeting"),
        ("meeting", "verb", "meet"),
        ("movies", "verb", "movies"),  # no form of a verb
        ("saw", "VERB", "see"),
        ("saw", "n", "saw"),
        ("was", "AUX", "be"),
        ("would", "AUX", "would"),
        ("'s", "AUX", "be"),
        ("n't", "PART", "not"),
        ("Paris", "PROPN", "Paris"),
        ("States", "PROPN", "States"),
        ("5,000", "NUM", "5,000"),
        ("worst", "a", "bad"),
        ("quickly", "adverb", "quickly"),
    ],
)
def test_a_part_of_speech_decides(word: str, pos: str, expected: str) -> None:
    assert lemmatize(word, pos) == expected


def test_broken_entries_of_the_dictionary_are_mended() -> None:
    assert lemmatize(["growing", "thinking", "mixed", "cancelled", "masses"]) == [
        *("grow", "think", "mix", "cancel", "mass")
    ]


def test_contractions_stay_and_possessives_lose_their_ending() -> None:
    words = ["don't", "won’t", "it's", "they'll", "Ann's", "dog’s", "James'"]
    assert lemmatize(words) == ["don't", "won’t", "it's", "they'll", "Ann", "dog", "James'"]


def test_small_letters_stay_small() -> None:
    assert lemmatize(["i", "I", "Dogs", "dogs"]) == ["i", "I", "dog", "dog"]


def test_what_is_no_word_stays() -> None:
    things = ["5", "http://a.b", "#tags", "@users", "!", "zzyzx", "😀"]
    assert lemmatize(things) == things


def test_other_languages() -> None:
    assert lemmatize("Häuser", language="de") == "Haus"
    with pytest.raises(ValueError, match="expected pos only with language 'en', got 'de'"):
        lemmatize("Häuser", "noun", language="de")
    with pytest.raises(ValueError, match=r"expected language to be one of .*en.* got 'xx'"):
        lemmatize("word", language="xx")


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match=r"'adj', 'adv' or a universal tag .* got 'vb'"):
        lemmatize("word", "vb")
    with pytest.raises(ValueError, match="expected a word, got ''"):
        lemmatize("")
    with pytest.raises(ValueError, match="expected a word, got ' '"):
        lemmatize([" "])
    for wrong in (None, 5, b"word"):
        with pytest.raises(TypeError, match=r"\[lemmatize\] expected word to be a str, got "):
            lemmatize(wrong)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="got int 5"):
        lemmatize(["word", 5])  # type: ignore[list-item]
    assert lemmatize([]) == []


def test_without_the_packages_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from unitvec.preprocessing import lemmas

    monkeypatch.setitem(__import__("sys").modules, "simplemma", None)
    lemmas._simplemma.cache_clear()
    lemmas._simplemma_languages.cache_clear()
    with pytest.raises(ImportError, match=r"simplemma: pip install 'unitvec\[preprocessing\]'"):
        lemmatize("words")
