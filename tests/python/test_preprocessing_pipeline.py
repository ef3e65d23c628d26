"""The pipeline: the exact cases, and step by step what it does at once."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitvec.preprocessing import Pipeline

pytest.importorskip("simplemma", reason="the extra `preprocessing` is not installed")
pytest.importorskip("lemminflect", reason="the extra `preprocessing` is not installed")

RESTAURANT = "The restaurant had delicious food!"
MOVIE = (
    "This movie is absolutely amazing! It had exciting action, beautiful cinematography, and an "
    "incredible cast. Highly recommended!!!"
)
JOB = (
    "Senior Python Developer. Develop and maintain Python applications. Requirements: 5+ years "
    "Python, SQL knowledge, REST API development."
)


def test_the_restaurant() -> None:
    plain = Pipeline(lowercase=False, remove_punctuation=False)
    assert plain.tokens(RESTAURANT) == ["The", "restaurant", "had", "delicious", "food", "!"]
    words = Pipeline(lowercase=False)
    assert words.tokens(RESTAURANT) == ["The", "restaurant", "had", "delicious", "food"]
    minimal = Pipeline(stopwords="minimal")
    assert minimal.tokens(RESTAURANT) == ["restaurant", "had", "delicious", "food"]


def test_the_movie() -> None:
    plain = Pipeline(lowercase=False, remove_punctuation=False)
    assert plain.tokens(MOVIE)[-4:] == ["recommended", "!", "!", "!"]
    minimal = Pipeline(lowercase=False, stopwords="minimal")
    assert minimal.tokens(MOVIE) == (
        "movie absolutely amazing had exciting action beautiful cinematography incredible cast "
        "Highly recommended".split()
    )
    verbs = Pipeline(stopwords="minimal", lemmatize="verb")
    assert verbs.tokens(MOVIE) == (
        "movie absolutely amaze have excite action beautiful cinematography incredible cast "
        "highly recommend".split()
    )


@pytest.mark.parametrize("stopwords", ["minimal", "english"])
def test_the_service(stopwords: str) -> None:
    clean = Pipeline(stopwords=stopwords)
    text = "The customer service was excellent and helpful"
    assert clean(text) == "customer service excellent helpful"


def test_the_job_and_the_query() -> None:
    clean = Pipeline(remove_digits=True, stopwords="english", lemmatize=None)
    assert clean(JOB) == (
        "senior python developer develop maintain python applications requirements years python "
        "sql knowledge rest api development"
    )
    query = "I want to work with data analysis and Python programming"
    assert Pipeline(stopwords="search")(query) == "work data analysis python programming"


def lengthened(tokens: list[str]) -> list[str]:
    return [f"{token}!" for token in tokens]


def nouns(tokens: list[str]) -> list[str]:
    return ["NOUN"] * len(tokens)


def spaces(text: str) -> list[str]:
    return text.split(" ")


OPTIONS: list[dict[str, Any]] = [
    {},
    {"lowercase": False, "remove_punctuation": False},
    {"stopwords": "english", "lemmatize": "all", "min_length": 3},
    {"stopwords": "search", "lemmatize": "verb", "remove_digits": True, "strip_urls": True},
    {"marks_inside_words": True, "remove_numbers": True, "strip_emails": True, "keep": "#!"},
    {"contractions": "split", "hyphens": "split", "categories": "P", "keep_emoji": True},
    {"normalize": "NFKC", "strip_html": True, "stopwords": ["don't", "a"], "lemmatize": "noun"},
    {"tokenizer": spaces, "stopwords": "minimal", "steps": [lengthened]},
    {"tagger": nouns, "lemmatize": "all", "min_length": 2},
]

text_with_all_kinds = st.lists(
    st.sampled_from(
        "The cats’ don't well-known 5+ -3 1st Python3 #tag @you http://a.b/c. x@y.co 😀 :) ! ... "
        "U.S. C++ ½ é e\u0301 中文 あア ﬁ <br/> &amp; $5 50% Σ ΟΔΟΣ _ __ \u200b a".split(" ")
    )
    | st.text(max_size=6)
).map(" ".join)


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: ",".join(options) or "none")
@given(text=text_with_all_kinds)
def test_all_at_once_is_one_step_after_the_other(options: dict[str, Any], text: str) -> None:
    pipeline = Pipeline(**options)
    tokens = pipeline.tokens(text)
    assert tokens == pipeline.explain(text).tokens
    assert pipeline(text) == " ".join(tokens)
    assert pipeline([text, "", text]) == [" ".join(tokens), "", " ".join(tokens)]


def test_an_explanation_shows_what_every_step_did() -> None:
    explained = Pipeline(strip_html=True, stopwords="minimal", lemmatize="all").explain(
        "<b>The cats</b> sat & ran!"
    )
    assert [step.name for step in explained] == [
        *("text", "strip_html", "tokenize", "remove_punctuation", "lowercase", "stopwords"),
        "lemmatize",
    ]
    by_name = {step.name: step for step in explained}
    assert by_name["strip_html"].result == "The cats sat & ran!"
    assert by_name["remove_punctuation"].removed == ["&", "!"]
    assert by_name["lowercase"].changed == [("The", "the")]
    assert by_name["stopwords"].removed == ["the"]
    assert by_name["lemmatize"].changed == [("cats", "cat"), ("sat", "sit"), ("ran", "run")]
    assert explained.tokens == ["cat", "sit", "run"]
    printed = str(explained)
    assert re.search(r"^lemmatize +cat · sit · run$", printed, re.M)
    assert "cats → cat" in printed
    html = explained._repr_html_()
    assert "&lt;b&gt;The cats&lt;/b&gt;" in html
    assert "<b>The" not in html
    assert "&amp;</del> <del" in html


def test_an_explanation_of_nothing() -> None:
    assert Pipeline(lemmatize="all").explain("").tokens == []


def test_texts_come_from_anywhere() -> None:
    def generated() -> Iterator[str]:
        for i in range(5000):
            yield f"The text, number {i}!"

    clean = Pipeline(stopwords="english")
    expected = [f"text number {i}" for i in range(5000)]
    assert clean(generated()) == expected
    assert clean.map(generated(), threads=1) == expected
    assert list(clean.stream(generated(), show_progress_bar=True)) == expected
    assert clean([]) == []
    assert clean(np.array(["The cat!", "Birds"])) == ["cat", "birds"]


def test_a_stream_takes_only_what_it_needs() -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield "Text!"

    stream = Pipeline().stream(endless())
    assert next(stream) == "text"
    assert taken < 10_000


def test_tokens_are_an_output() -> None:
    clean = Pipeline(output="tokens")
    assert clean("A b!") == ["a", "b"]
    assert clean(["A b!", ""]) == [["a", "b"], []]
    assert Pipeline().tokens("A b!") == ["a", "b"]


def test_processes_give_the_same() -> None:
    texts = [f"The cats, number {i}, ran!" for i in range(1500)]
    clean = Pipeline(stopwords="english", lemmatize="all", steps=[lengthened])
    assert clean.map(texts, processes=2) == clean.map(texts)
    assert clean.map([], processes=2) == []
    with pytest.raises(TypeError, match="got NoneType None at position 700"):
        clean.map([*texts[:700], None], processes=2)  # type: ignore[list-item]


def test_a_tagger_reads_the_whole_sentence() -> None:
    seen = []

    def tagger(tokens: list[str]) -> list[str]:
        seen.append(list(tokens))
        return ["VERB" if before == "to" else "NOUN" for before in ["", *tokens[:-1]]]

    clean = Pipeline(stopwords="minimal", lemmatize="all", tagger=tagger)
    assert clean("Saw, to saw?") == "saw see"
    assert seen == [["Saw", ",", "to", "saw", "?"]]


def test_spacy_tags_where_it_is_installed() -> None:
    spacy = pytest.importorskip("spacy", reason="spaCy is not installed")
    model = "en_core_web_sm"
    if not spacy.util.is_package(model):
        pytest.skip(f"the spaCy model {model} is not installed")
    clean = Pipeline(stopwords="minimal", lemmatize="all", tagger=model)
    assert clean("I saw her saw the wood") == "see saw wood"


def test_a_pipeline_pickles_and_looks_as_it_was_made() -> None:
    clean = Pipeline(stopwords="minimal", lemmatize="verb", keep="!")
    clean("used")
    again = pickle.loads(pickle.dumps(clean))
    assert again(MOVIE) == clean(MOVIE)
    assert repr(again) == "Pipeline(keep='!', stopwords='minimal', lemmatize='verb')"
    assert repr(Pipeline()) == "Pipeline()"


def test_scikit_learn_takes_it_as_a_transformer() -> None:
    sklearn = pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline

    clean = Pipeline(stopwords=["cats"])
    cloned = sklearn.base.clone(clean)
    assert cloned.get_params() == clean.get_params()
    assert cloned is not clean
    texts = ["good cats", "bad cats", "good dogs", "bad dogs"] * 5
    labels = [1, 0, 1, 0] * 5
    model = make_pipeline(Pipeline(), TfidfVectorizer(), LogisticRegression())
    search = GridSearchCV(model, {"pipeline__stopwords": [None, ["good", "bad"]]}, cv=2)
    search.fit(texts, labels)
    assert search.best_params_ == {"pipeline__stopwords": None}
    assert search.predict(["a good bird"]).tolist() == [1]
    counts = CountVectorizer(analyzer=clean.tokens).fit(texts)
    assert sorted(counts.vocabulary_) == ["bad", "dogs", "good"]


def test_options_change_together_or_not_at_all() -> None:
    clean = Pipeline()
    assert clean("The cats") == "the cats"
    assert clean.set_params(stopwords="minimal")("The cats") == "cats"
    with pytest.raises(ValueError, match="lemmatize to be one of"):
        clean.set_params(stopwords=None, lemmatize="everything")
    assert clean("The cats") == "cats"
    with pytest.raises(ValueError, match=r"expected options among normalize, .* got stopword"):
        clean.set_params(stopword="minimal")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"stopwords": "klingon"}, ValueError, r"\[stopwords\] expected one of english"),
        ({"stopwords": [5]}, TypeError, "every stop word to be a str, got int 5"),
        ({"lemmatize": True}, ValueError, "lemmatize to be one of None, 'all', .* got True"),
        ({"lowercase": "yes"}, TypeError, "lowercase to be True or False, got 'yes'"),
        ({"categories": "Z"}, ValueError, "categories to be one of"),
        ({"keep": 5}, TypeError, "keep to be a str, got int 5"),
        ({"normalize": "utf8"}, ValueError, "normalize to be one of None, 'NFC'"),
        ({"output": "list"}, ValueError, "output to be one of 'text', 'tokens', got 'list'"),
        ({"min_length": -1}, ValueError, "min_length to be at least 0, got -1"),
        ({"min_length": 1.5}, TypeError, "min_length to be a whole number, got 1.5"),
        ({"tokenizer": "jieba"}, TypeError, "tokenizer to be None or callable, got 'jieba'"),
        ({"steps": [None]}, TypeError, "every step to be callable, got None"),
        ({"steps": "lower"}, TypeError, "steps to be functions, got 'lower'"),
        ({"tagger": nouns}, ValueError, "a tagger only with lemmatize='all', got None"),
        ({"tagger": 5, "lemmatize": "all"}, TypeError, "tagger to be None, callable or the name"),
        ({"lemmatize": "verb", "language": "de"}, ValueError, "where language is not 'en'"),
        ({"lemmatize": "all", "language": "xx"}, ValueError, "language to be one of"),
        ({"stopword": "english"}, TypeError, "unexpected keyword argument 'stopword'"),
    ],
)
def test_mistakes_are_named(options: dict[str, Any], error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        Pipeline(**options)


def test_other_than_texts_is_refused() -> None:
    clean = Pipeline()
    for wrong in (None, 5, b"bytes", {"a": "dict"}):
        with pytest.raises(TypeError, match=r"\[Pipeline\] expected a str or an iterable of str"):
            clean(wrong)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="every text to be a str, got float nan at position 3000"):
        clean(["text"] * 3000 + [float("nan")])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="expected text to be a str, got list"):
        clean.tokens(["a"])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="expected text to be a str, got NoneType"):
        clean.explain(None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="threads to be None or at least 1, got 0"):
        clean.map(["a"], threads=0)
    with pytest.raises(ValueError, match="processes to be None or at least 1, got 0"):
        clean.map(["a"], processes=0)


def test_functions_of_the_caller_are_checked() -> None:
    with pytest.raises(ValueError, match="tagger to give 2 tags, one a token, got 1"):
        Pipeline(lemmatize="all", tagger=lambda tokens: ["NOUN"])("two words")
    with pytest.raises(ValueError, match=r"\[tagger\] expected pos to be .* got 'NNS'"):
        Pipeline(lemmatize="all", tagger=lambda tokens: ["NNS"] * len(tokens))("two words")
    with pytest.raises(TypeError, match=r"\[tokenizer\] expected every text to be a str, got int"):
        Pipeline(tokenizer=lambda text: [5])("text")
    with pytest.raises(TypeError, match=r"\[steps\] expected every text to be a str"):
        Pipeline(steps=[lambda tokens: [None]])("text")


def test_a_text_of_nothing_but_removed_tokens_is_empty() -> None:
    clean = Pipeline(stopwords="english", remove_digits=True)
    assert clean("") == clean("!!!") == clean("The 5 of the...") == ""
    assert clean.tokens(" \n") == []
