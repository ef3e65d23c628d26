"""Classic preprocessing: words, punctuation, stop words, lemmas, and a pipeline of chosen steps.

A BERT encoder reads plain text best; docs/preprocessing.md has measured what cleaning changes.
"""

from unitvec.preprocessing.explanation import Explanation, Step
from unitvec.preprocessing.lemmas import lemmatize
from unitvec.preprocessing.pipeline import Pipeline
from unitvec.preprocessing.steps import (
    lowercase,
    normalize_unicode,
    remove_digits,
    remove_numbers,
    remove_punctuation,
    remove_stopwords,
    strip_html,
    strip_urls,
)
from unitvec.preprocessing.stop_lists import stopword_lists, stopwords
from unitvec.preprocessing.tokens import Token, tokenize

__all__ = [
    "Explanation",
    "Pipeline",
    "Step",
    "Token",
    "lemmatize",
    "lowercase",
    "normalize_unicode",
    "remove_digits",
    "remove_numbers",
    "remove_punctuation",
    "remove_stopwords",
    "stopword_lists",
    "stopwords",
    "strip_html",
    "strip_urls",
    "tokenize",
]
