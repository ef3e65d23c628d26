"""Parts of speech from context: a spaCy model, or a function of the caller's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from unitvec.extras import load_extra
from unitvec.preprocessing.parts_of_speech import universal

Tagger = Callable[[Sequence[str]], Sequence[str]]


def tags_of(tagger: str | Tagger, tokens: Sequence[str]) -> list[str | None]:
    """The universal tag of every token of one text.

    Raises:
        ValueError: the tagger gave another number of tags, or something that is no tag.
    """
    if not tokens:
        return []
    tags = list(_spacy(tagger, tokens) if isinstance(tagger, str) else tagger(tokens))
    if len(tags) != len(tokens):
        raise ValueError(
            f"[Pipeline] expected tagger to give {len(tokens)} tags, one a token, got {len(tags)}"
        )
    return [universal("tagger", tag) for tag in tags]


def _spacy(model: str, tokens: Sequence[str]) -> list[str]:
    pipeline, document = _loaded(model)
    tagged = pipeline(document(pipeline.vocab, words=list(tokens)))
    return [token.pos_ or "X" for token in tagged]


@lru_cache(maxsize=4)
def _loaded(model: str) -> tuple[Any, Any]:
    spacy = load_extra("spacy", "spacy", "Pipeline")
    try:
        pipeline = spacy.load(model, exclude=["ner", "lemmatizer", "parser"])
    except OSError as error:
        raise ValueError(
            f"[Pipeline] expected tagger to be an installed spaCy model, got {model!r}; "
            f"`python -m spacy download {model}` installs those of spaCy"
        ) from error
    return pipeline, load_extra("spacy.tokens", "spacy", "Pipeline").Doc
