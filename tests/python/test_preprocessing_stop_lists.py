"""Stop words by the name of a list."""

from __future__ import annotations

import pytest

from unitvec.preprocessing import stopword_lists, stopwords


def test_the_usual_list_has_about_180_words() -> None:
    assert 170 <= len(stopwords("english")) <= 190
    assert {"the", "and", "had", "not", "don't", "very", "was"} <= stopwords()
    assert stopwords("en") == stopwords("english")


def test_the_minimal_list_leaves_verbs_and_negations() -> None:
    minimal = stopwords("minimal")
    assert {"a", "the", "and", "because", "with", "i", "this", "who", "is", "been"} <= minimal
    assert not minimal & {"had", "have", "do", "will", "not", "no", "don't", "very", "more"}


def test_the_search_list_adds_requests() -> None:
    assert stopwords("minimal") < stopwords("search")
    assert {"want", "need", "looking", "find", "please"} <= stopwords("search")
    assert "work" not in stopwords("search")


def test_words_are_added_and_removed() -> None:
    changed = stopwords("minimal", add=["Movie", "they’d"], remove=["THE"])
    assert {"movie", "they'd"} <= changed
    assert "the" not in changed
    assert "the" in stopwords("minimal")


@pytest.mark.parametrize(("name", "word"), [("german", "und"), ("fr", "les"), ("Spanish", "los")])
def test_other_languages_come_from_stopwordsiso(name: str, word: str) -> None:
    pytest.importorskip("stopwordsiso", reason="the extra `preprocessing` is not installed")
    assert word in stopwords(name)


def test_every_language_of_the_package_has_a_name() -> None:
    package = pytest.importorskip("stopwordsiso", reason="the extra is not installed")
    for name in stopword_lists():
        assert stopwords(name)
    named = len(stopword_lists()) - 3
    assert named == len(package.langs() - {"en"})


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from unitvec.preprocessing import stop_lists

    monkeypatch.setitem(__import__("sys").modules, "stopwordsiso", None)
    stop_lists._named.cache_clear()
    with pytest.raises(ImportError, match=r"pip install 'unitvec\[preprocessing\]'"):
        stopwords("german")
    assert "the" in stopwords("english")


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match=r"expected one of english, minimal, .* got 'klingon'"):
        stopwords("klingon")
    with pytest.raises(ValueError, match="got ''"):
        stopwords("")
    with pytest.raises(TypeError, match="name to be a str, got NoneType"):
        stopwords(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="an iterable of words, got one str 'the'"):
        stopwords(add="the")
    with pytest.raises(TypeError, match="every stop word to be a str, got int 5"):
        stopwords(remove=[5])  # type: ignore[list-item]
