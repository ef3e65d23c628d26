"""`Pipeline`: chosen steps of preprocessing, in one order that suits them all."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from itertools import islice
from typing import Any, overload

from unitvec import _core
from unitvec.preprocessing import options as _options
from unitvec.preprocessing.arguments import require_iterable, require_text, require_texts
from unitvec.preprocessing.explanation import Explanation
from unitvec.preprocessing.lemmas import lemma, require_language
from unitvec.preprocessing.parts_of_speech import universal
from unitvec.preprocessing.processes import in_processes
from unitvec.preprocessing.steps import normalize_unicode, strip_html
from unitvec.preprocessing.tagging import Tagger, tags_of
from unitvec.preprocessing.tracing import trace
from unitvec.progress import progress_bar
from unitvec.threads import require_threads

#: Texts that go through the core together: some megabytes, so that memory stays small.
_BATCH = 2048

#: The next batch a worker process takes: smaller, since it is sent to it and back.
_PROCESS_BATCH = 256


class Pipeline:
    """Cleans texts for keyword search, topic words or classification.

    The order of steps is always this one; each is there where its option asks for it:

    1. `normalize`, then `strip_html`, on the text
    2. the cut into tokens (`tokenizer`, or `tokenize` with `contractions` and `hyphens`)
    3. parts of speech from context, for the lemmas (`tagger`), while the sentence is whole
    4. `strip_urls` and `strip_emails`, `remove_punctuation`, `remove_numbers`, `remove_digits`
    5. `lowercase`, then stop words (`stopwords`), in capitals or not
    6. lemmas (`lemmatize`)
    7. `min_length`, then `steps` of your own

    A pipeline is called with a text or an iterable of texts. It pickles, is a scikit-learn
    transformer, and its `tokens` is an `analyzer` for scikit-learn's vectorizers. Safe from many
    threads.

    Args:
        normalize: a Unicode form: "NFC", "NFD", "NFKC" or "NFKD".
        strip_html: leave the text that a browser would show.
        strip_urls: web addresses go.
        strip_emails: e-mail addresses go.
        lowercase: lower case.
        remove_punctuation: tokens that are marks, symbols or pictures go; "5+" and "#python" lose
            their marks, words keep theirs ("don't", "C++").
        categories: which marks: "PS" (Unicode's general categories P and S), "P" or "S".
        keep: marks that stay, such as "!?".
        keep_emoji: pictures and emoticons stay.
        marks_inside_words: take marks out of words too: "dont", "well known".
        remove_digits: numbers go ("5+"), and digits in words ("Python3" becomes "Python").
        remove_numbers: numbers go; words with digits stay as they are.
        stopwords: the name of a list ("english", "minimal", "search", "german", ...), words of your
            own, or None.
        lemmatize: "all" (each word in its commonest reading, or as `tagger` reads it), "verb",
            "noun", "adj" or "adv" (each as that part of speech; others stay), or None.
        tagger: the name of an installed spaCy model, or a function from the tokens of a text to
            their universal tags; only with `lemmatize="all"`.
        language: of the lemmas, as in `lemmatize`.
        min_length: shorter tokens go, in code points.
        contractions: "keep" or "split", as in `tokenize`.
        hyphens: "keep" or "split", as in `tokenize`.
        tokenizer: a function from a text to its tokens, for example jieba's `lcut`.
        steps: functions from a list of tokens to a list of tokens, applied at the end.
        output: what `map`, `transform` and a call return: "text" (tokens joined by single spaces)
            or "tokens".

    Raises:
        ValueError: an option that there is not.
        TypeError: an option of another type.
        ImportError: lemmas or another language's stop words without the extra "preprocessing".

    Example:
        >>> clean = Pipeline(stopwords="minimal")
        >>> clean("The customer service was excellent and helpful")
        'customer service excellent helpful'
    """

    def __init__(
        self,
        *,
        normalize: str | None = None,
        strip_html: bool = False,
        strip_urls: bool = False,
        strip_emails: bool = False,
        lowercase: bool = True,
        remove_punctuation: bool = True,
        categories: str = "PS",
        keep: str = "",
        keep_emoji: bool = False,
        marks_inside_words: bool = False,
        remove_digits: bool = False,
        remove_numbers: bool = False,
        stopwords: str | Iterable[str] | None = None,
        lemmatize: str | None = None,
        tagger: str | Tagger | None = None,
        language: str = "en",
        min_length: int = 0,
        contractions: str = "keep",
        hyphens: str = "keep",
        tokenizer: Callable[[str], Sequence[str]] | None = None,
        steps: Sequence[Callable[[list[str]], list[str]]] = (),
        output: str = "text",
    ) -> None:
        self.normalize = normalize
        self.strip_html = strip_html
        self.strip_urls = strip_urls
        self.strip_emails = strip_emails
        self.lowercase = lowercase
        self.remove_punctuation = remove_punctuation
        self.categories = categories
        self.keep = keep
        self.keep_emoji = keep_emoji
        self.marks_inside_words = marks_inside_words
        self.remove_digits = remove_digits
        self.remove_numbers = remove_numbers
        self.stopwords = stopwords
        self.lemmatize = lemmatize
        self.tagger = tagger
        self.language = language
        self.min_length = min_length
        self.contractions = contractions
        self.hyphens = hyphens
        self.tokenizer = tokenizer
        self.steps = steps
        self.output = output
        self._check()

    # What it does

    @overload
    def __call__(self, texts: str) -> Any: ...
    @overload
    def __call__(self, texts: Iterable[str]) -> list[Any]: ...
    def __call__(self, texts: str | Iterable[str]) -> Any:
        """The cleaned text, or a list of them for an iterable of texts.

        Raises:
            TypeError: something that is no str, with its position.
        """
        return self._batch([texts])[0] if isinstance(texts, str) else self.map(texts)

    def tokens(self, text: str) -> list[str]:
        """The tokens of a cleaned text, whatever `output` says."""
        require_text("Pipeline", text)
        (tokens,) = self._batch([text], as_lists=True)
        return list(tokens)

    def map(
        self,
        texts: Iterable[str],
        *,
        threads: int | None = None,
        processes: int | None = None,
        show_progress_bar: bool | None = None,
    ) -> list[Any]:
        """All texts cleaned, in their order: a list of str, or of lists of str.

        Args:
            texts: any number, also from a generator.
            threads: of the core; None: as many as there are processors.
            processes: spread the work over that many new processes. Worth it only where your own
                functions or a tagger take the time; they, and the pipeline, must pickle.
            show_progress_bar: True or False; None: on a terminal, after a second.

        Raises:
            TypeError: something that is no str, with its position.
            ValueError: no processes or no threads.
        """
        stream = self.stream(
            texts, threads=threads, processes=processes, show_progress_bar=show_progress_bar
        )
        return list(stream)

    def stream(
        self,
        texts: Iterable[str],
        *,
        threads: int | None = None,
        processes: int | None = None,
        show_progress_bar: bool | None = None,
    ) -> Iterator[Any]:
        """As `map`, one after the other, so that millions of texts need little memory."""
        require_iterable("Pipeline", texts)
        require_threads("Pipeline", threads)
        if processes is not None and (not isinstance(processes, int) or processes < 1):
            raise ValueError(
                f"[Pipeline] expected processes to be None or at least 1, got {processes!r}"
            )
        return self._streamed(texts, threads, processes, show_progress_bar)

    def explain(self, text: str) -> Explanation:
        """What every step does to a text; a table in a notebook and in `print`."""
        require_text("Pipeline", text)
        return trace(self, text)

    # scikit-learn's transformers

    def fit(self, texts: object = None, y: object = None) -> Pipeline:
        """Learns nothing; for scikit-learn."""
        return self

    def transform(self, texts: Iterable[str]) -> list[Any]:
        """As `map`; for scikit-learn."""
        return self.map(texts)

    def fit_transform(self, texts: Iterable[str], y: object = None) -> list[Any]:
        """As `map`; for scikit-learn."""
        return self.map(texts)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """All options as they were given; for scikit-learn."""
        return {name: getattr(self, name) for name in _NAMES}

    def set_params(self, **options: Any) -> Pipeline:
        """Changes options; for scikit-learn's searches.

        Raises:
            ValueError: an option that there is not, or cannot be; none is changed then.
        """
        unknown = sorted(set(options) - set(_NAMES))
        if unknown:
            raise ValueError(
                f"[Pipeline] expected options among {', '.join(_NAMES)}, got {', '.join(unknown)}"
            )
        type(self)(**{**self.get_params(), **options})  # raises where they cannot be
        self.__dict__.update(options)
        self.__dict__.pop("_made", None)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        return Tags(
            estimator_type="transformer",
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(preserves_dtype=[]),
            input_tags=InputTags(string=True, two_d_array=False),
            no_validation=True,
            requires_fit=False,
        )

    def __repr__(self) -> str:
        given = [
            f"{name}={getattr(self, name)!r}"
            for name in _NAMES
            if getattr(self, name) != _DEFAULTS[name]
        ]
        return f"Pipeline({', '.join(given)})"

    def __getstate__(self) -> dict[str, Any]:
        return self.get_params()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]  # so that an old pickle is checked

    # How

    def _check(self) -> None:
        options = self.get_params()
        _options.check(options)
        if self.lemmatize is not None:
            require_language(self.language)
            if self.language != "en" and (self.lemmatize != "all" or self.tagger is not None):
                raise ValueError(
                    "[Pipeline] expected lemmatize='all' without a tagger where language is not "
                    f"'en', got {self.lemmatize!r} and {self.language!r}"
                )
            lemma("words", self._tag, self.language)  # loads the libraries, or says what to install

    @property
    def _tag(self) -> str | None:
        return None if self.lemmatize in (None, "all") else universal("Pipeline", self.lemmatize)

    @property
    def _cleaner(self) -> _core.WordCleaner:
        """Made when it is first needed: options are all that pickles and clones."""
        made: _core.WordCleaner | None = self.__dict__.get("_made")
        if made is None:
            made = self.__dict__["_made"] = _options.cleaner_of(self.get_params())
        return made

    def _prepared(self, text: str) -> str:
        if self.normalize is not None:
            text = normalize_unicode(text, self.normalize)
        return strip_html(text) if self.strip_html else text

    def _lemmas_of(self, words: list[str]) -> list[str]:
        tag = self._tag
        return [lemma(word, tag, self.language) for word in words]

    def _batch(
        self, texts: list[str], threads: int | None = None, as_lists: bool | None = None
    ) -> list[Any]:
        if as_lists is None:
            as_lists = self.output == "tokens"
        if self.normalize is not None or self.strip_html:
            texts = [self._prepared(text) for text in texts]
        if self.tokenizer is not None or self.tagger is not None or len(self.steps):
            lists = [self._by_token(text) for text in texts]
            return lists if as_lists else [" ".join(tokens) for tokens in lists]
        lemmas_of = None if self.lemmatize is None else self._lemmas_of
        cleaned: list[Any] = self._cleaner.clean(
            texts, lemmas_of=lemmas_of, as_lists=as_lists, threads=threads or 0
        )
        return cleaned

    def _cut(self, text: str) -> list[str]:
        """The tokens of a text before anything is removed."""
        if self.tokenizer is None:
            (tokens,) = _core.split_texts(
                [text],
                split_contractions=self.contractions == "split",
                split_hyphens=self.hyphens == "split",
            )
            return list(tokens)
        tokens = list(self.tokenizer(text))
        require_texts("tokenizer", tokens)
        return [token for token in tokens if token and not token.isspace()]

    def _by_token(self, text: str) -> list[str]:
        """One text where Python has a say in every token."""
        tokens = self._cut(text)
        tags = [self._tag] * len(tokens) if self.tagger is None else tags_of(self.tagger, tokens)
        cleaned = self._cleaner.clean_tokens(tokens)
        words = [(word, tag) for left, tag in zip(cleaned, tags, strict=True) for word in left]
        if self.lemmatize is not None:
            words = [(lemma(word, tag, self.language), tag) for word, tag in words]
        left = [word for word, _ in words if len(word) >= max(1, self.min_length)]
        for step in self.steps:
            left = list(step(left))
            require_texts("steps", left)
        return left

    def _streamed(
        self,
        texts: Iterable[str],
        threads: int | None,
        processes: int | None,
        show_progress_bar: bool | None,
    ) -> Iterator[Any]:
        size = _BATCH if processes is None else _PROCESS_BATCH
        batches = _batches(texts, size)
        done: Iterator[list[Any]] = (
            (self._batch(batch, threads) for batch in batches)
            if processes is None
            else in_processes(self._batch, batches, processes)
        )
        total = len(texts) if isinstance(texts, Sized) else None
        with progress_bar(total, "Cleaning", "texts", show_progress_bar) as bar:
            for cleaned in done:
                yield from cleaned
                bar.update(len(cleaned))


def _batches(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    iterator = iter(texts)
    first = 0
    while batch := list(islice(iterator, size)):
        require_texts("Pipeline", batch, first)
        first += len(batch)
        yield batch


_DEFAULTS: dict[str, Any] = {
    name: parameter.default
    for name, parameter in inspect.signature(Pipeline.__init__).parameters.items()
    if name != "self"
}
_NAMES = tuple(_DEFAULTS)
