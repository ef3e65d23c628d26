"""One text through a pipeline, step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from unitvec.preprocessing import options as _options
from unitvec.preprocessing.explanation import Explanation, Step
from unitvec.preprocessing.lemmas import lemma
from unitvec.preprocessing.steps import normalize_unicode, strip_html
from unitvec.preprocessing.tagging import tags_of

if TYPE_CHECKING:
    from unitvec.preprocessing.pipeline import Pipeline

#: Steps of the core, in its order, with the options that belong to each.
_CORE_STEPS: dict[str, tuple[str, ...]] = {
    "strip_urls": (),
    "strip_emails": (),
    "remove_punctuation": ("categories", "keep", "keep_emoji", "marks_inside_words"),
    "remove_numbers": (),
    "remove_digits": (),
    "lowercase": (),
    "stopwords": (),
}

#: A token and its tag, if it has one.
_Tagged = tuple[str, "str | None"]


def trace(pipeline: Pipeline, text: str) -> Explanation:
    """Every step that the pipeline has, one after the other."""
    steps = [Step("text", text, [], [])]
    if pipeline.normalize is not None:
        text = normalize_unicode(text, pipeline.normalize)
        steps.append(Step("normalize", text, [], []))
    if pipeline.strip_html:
        text = strip_html(text)
        steps.append(Step("strip_html", text, [], []))
    cut = pipeline._cut(text)
    steps.append(Step("tokenize", cut, [], []))
    tokens = _tagged(pipeline, cut)
    for name, function in _functions(pipeline).items():
        tokens = _applied(name, function, tokens, steps)
    left = [token for token, _ in tokens]
    for step in pipeline.steps:
        before, left = left, list(step(left))
        removed = [token for token in before if token not in left]
        steps.append(Step(getattr(step, "__name__", repr(step)), left, removed, []))
    return Explanation(steps)


def _tagged(pipeline: Pipeline, tokens: list[str]) -> list[_Tagged]:
    if pipeline.tagger is None:
        return [(token, pipeline._tag) for token in tokens]
    return list(zip(tokens, tags_of(pipeline.tagger, tokens), strict=True))


def _functions(pipeline: Pipeline) -> dict[str, Callable[[_Tagged], list[str]]]:
    """What each step makes of one token, by the step's name."""
    options = pipeline.get_params()
    functions: dict[str, Callable[[_Tagged], list[str]]] = {}
    for name, further in _CORE_STEPS.items():
        if options[name] is not None and options[name] is not False:
            cleaner = _options.cleaner_of({each: options[each] for each in (name, *further)})
            functions[name] = lambda each, cleaner=cleaner: cleaner.clean_tokens([each[0]])[0]  # type: ignore[misc]
    if pipeline.lemmatize is not None:
        functions["lemmatize"] = lambda each: [lemma(each[0], each[1], pipeline.language)]
    if pipeline.min_length > 1:
        functions["min_length"] = lambda each: [each[0]] * (len(each[0]) >= pipeline.min_length)
    return functions


def _applied(
    name: str, function: Callable[[_Tagged], list[str]], tokens: list[_Tagged], steps: list[Step]
) -> list[_Tagged]:
    left: list[_Tagged] = []
    removed, changed = [], []
    for token, tag in tokens:
        words = function((token, tag))
        left += [(word, tag) for word in words]
        if not words:
            removed.append(token)
        elif words != [token]:
            changed.append((token, " ".join(words)))
    steps.append(Step(name, [token for token, _ in left], removed, changed))
    return left
