"""The options of a pipeline: what they may be, and the cleaner in the core that they ask for."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import Any

from unitvec import _core
from unitvec.preprocessing.arguments import require_choice, require_flag, require_text
from unitvec.preprocessing.steps import CATEGORIES, FORMS
from unitvec.preprocessing.stop_lists import as_stop_words, stopwords
from unitvec.preprocessing.tokens import JOINED

MODES = (None, "all", "verb", "noun", "adj", "adv")
OUTPUTS = ("text", "tokens")

_FLAGS = (
    "strip_html",
    "strip_urls",
    "strip_emails",
    "lowercase",
    "remove_punctuation",
    "keep_emoji",
    "marks_inside_words",
    "remove_digits",
    "remove_numbers",
)


def check(options: Mapping[str, Any]) -> None:
    """Raises ValueError or TypeError for an option that cannot be."""
    for name in _FLAGS:
        require_flag("Pipeline", name, options[name])
    require_choice("Pipeline", "normalize", options["normalize"], (None, *FORMS))
    require_choice("Pipeline", "categories", options["categories"], CATEGORIES)
    require_choice("Pipeline", "lemmatize", options["lemmatize"], MODES)
    require_choice("Pipeline", "output", options["output"], OUTPUTS)
    for name in ("contractions", "hyphens"):
        require_choice("Pipeline", name, options[name], JOINED)
    for name in ("keep", "language"):
        require_text("Pipeline", options[name], name)
    _check_length(options["min_length"])
    _check_functions(options)
    stop_words_of(options["stopwords"])


def _check_length(min_length: object) -> None:
    if isinstance(min_length, bool) or not hasattr(min_length, "__index__"):
        raise TypeError(f"[Pipeline] expected min_length to be a whole number, got {min_length!r}")
    if operator.index(min_length) < 0:
        raise ValueError(f"[Pipeline] expected min_length to be at least 0, got {min_length!r}")


def _check_functions(options: Mapping[str, Any]) -> None:
    tokenizer, tagger = options["tokenizer"], options["tagger"]
    if tokenizer is not None and not callable(tokenizer):
        raise TypeError(f"[Pipeline] expected tokenizer to be None or callable, got {tokenizer!r}")
    if tagger is not None and not (callable(tagger) or isinstance(tagger, str)):
        raise TypeError(
            "[Pipeline] expected tagger to be None, callable or the name of a spaCy model, got "
            f"{tagger!r}"
        )
    if tagger is not None and options["lemmatize"] != "all":
        raise ValueError(
            f"[Pipeline] expected a tagger only with lemmatize='all', got {options['lemmatize']!r}"
        )
    steps = options["steps"]
    if isinstance(steps, str) or not isinstance(steps, Iterable):
        raise TypeError(f"[Pipeline] expected steps to be functions, got {steps!r}")
    for step in steps:
        if not callable(step):
            raise TypeError(f"[Pipeline] expected every step to be callable, got {step!r}")


def stop_words_of(words: str | Iterable[str] | None) -> frozenset[str]:
    """The stop words that an option names or lists."""
    if words is None:
        return frozenset()
    return stopwords(words) if isinstance(words, str) else as_stop_words("Pipeline", words)


def cleaner_of(options: Mapping[str, Any]) -> _core.WordCleaner:
    """The cleaner of all options, or of those that are given."""
    get = options.get
    return _core.WordCleaner(
        split_contractions=get("contractions") == "split",
        split_hyphens=get("hyphens") == "split",
        strip_urls=get("strip_urls", False),
        strip_emails=get("strip_emails", False),
        remove_punctuation=get("remove_punctuation", False),
        marks_inside_words=get("marks_inside_words", False),
        categories=get("categories", "PS"),
        keep=get("keep", ""),
        keep_emoji=get("keep_emoji", False),
        remove_numbers=get("remove_numbers", False),
        remove_digits=get("remove_digits", False),
        lowercase=get("lowercase", False),
        stop_words=sorted(stop_words_of(get("stopwords"))),
        min_length=operator.index(get("min_length", 0)),
    )
