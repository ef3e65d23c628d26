"""What `Collection(lexical=...)` asks for, and whether it is what the collection has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Union

from unitvec.collection.lexical import LexicalSettings, Preprocess
from unitvec.collection.lexical_query import TOKENIZERS
from unitvec.errors import FingerprintError

#: True, False or None, or {"tokenizer": "porter", "preprocess": a function of a text}.
Lexical = Union[bool, Mapping[str, Any], None]  # noqa: UP007 - evaluated under Python 3.10 too


@dataclass(frozen=True)
class LexicalOptions:
    """The argument, checked.

    Attributes:
        wanted: True: make an index now; False: remove it; None: when it is first searched.
        tokenizer: None: the stored one, or "unicode61".
        preprocess: applied to documents and queries.
    """

    wanted: bool | None = None
    tokenizer: str | None = None
    preprocess: Preprocess | None = None

    def settings(self) -> LexicalSettings:
        """Those of a new index."""
        return LexicalSettings(self.tokenizer or "unicode61", name_of(self.preprocess))


def lexical_options(lexical: Lexical) -> LexicalOptions:
    """Checks the argument.

    Raises:
        TypeError, ValueError: saying what was expected.
    """
    if lexical is None or isinstance(lexical, bool):
        return LexicalOptions(wanted=lexical)
    if not isinstance(lexical, Mapping):
        raise TypeError(
            f"[Collection] expected lexical True, False or a dictionary, got {lexical!r}"
        )
    unknown = set(lexical) - {"tokenizer", "preprocess"}
    if unknown:
        raise ValueError(
            f"[Collection] expected lexical with 'tokenizer' or 'preprocess', got {unknown}"
        )
    tokenizer, preprocess = lexical.get("tokenizer"), lexical.get("preprocess")
    if tokenizer is not None and tokenizer not in TOKENIZERS:
        raise ValueError(
            f"[Collection] expected a tokenizer of {tuple(TOKENIZERS)}, got {tokenizer!r}"
        )
    if preprocess is not None and not callable(preprocess):
        raise TypeError(f"[Collection] expected preprocess to be a function, got {preprocess!r}")
    name_of(preprocess)
    return LexicalOptions(True, tokenizer, preprocess)


def name_of(preprocess: Preprocess | None) -> str | None:
    """By what a preprocessing function is known again: its `fingerprint`, else its full name.

    Raises:
        ValueError: it has neither, such as a lambda.
    """
    if preprocess is None:
        return None
    fingerprint = getattr(preprocess, "fingerprint", None)
    if isinstance(fingerprint, str) and fingerprint:
        return fingerprint
    name = getattr(preprocess, "__qualname__", None)
    if not isinstance(name, str) or "<lambda>" in name:
        raise ValueError(
            "[Collection] expected preprocess to be a named function, or an object with a "
            f"`fingerprint`, so that it is known again, got {preprocess!r}"
        )
    return f"{getattr(preprocess, '__module__', None) or 'builtins'}.{name}"


def require_same_lexical(stored: LexicalSettings, options: LexicalOptions) -> None:
    """Checks that the stored index is made as asked for; nothing asked is always right.

    Raises:
        FingerprintError: over texts that another function preprocessed.
        ValueError: with another tokenizer.
    """
    way_out = "; Collection(path, lexical=False) removes it, and the next one can be made otherwise"
    if options.tokenizer not in (None, stored.tokenizer):
        raise ValueError(
            f"[Collection] the lexical index is made with the tokenizer {stored.tokenizer!r}, not "
            f"{options.tokenizer!r}{way_out}"
        )
    given = name_of(options.preprocess)
    if given is not None and given != stored.preprocess:
        made = f"preprocessed by {stored.preprocess!r}" if stored.preprocess else "as they are"
        raise FingerprintError(
            f"[Collection] the lexical index is made over texts {made}, not preprocessed by "
            f"{given!r}{way_out}"
        )
