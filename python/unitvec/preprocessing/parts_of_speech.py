"""Names of parts of speech: everyday ones, WordNet's letters, and the universal tags."""

from __future__ import annotations

#: The universal part-of-speech tags (https://universaldependencies.org/u/pos/).
UNIVERSAL = [
    "ADJ",
    "ADP",
    "ADV",
    "AUX",
    "CCONJ",
    "DET",
    "INTJ",
    "NOUN",
    "NUM",
    "PART",
    "PRON",
    "PROPN",
    "PUNCT",
    "SCONJ",
    "SYM",
    "VERB",
    "X",
]

_EVERYDAY = {
    "verb": "VERB",
    "noun": "NOUN",
    "adj": "ADJ",
    "adjective": "ADJ",
    "adv": "ADV",
    "adverb": "ADV",
    "v": "VERB",
    "n": "NOUN",
    "a": "ADJ",
    "s": "ADJ",  # WordNet's satellite adjectives
    "r": "ADV",
}


def universal(function: str, pos: str | None) -> str | None:
    """The universal tag that `pos` names; None stays None.

    Raises:
        ValueError: it names none.
    """
    if pos is None:
        return None
    if isinstance(pos, str):
        if pos in UNIVERSAL:
            return pos
        if pos.lower() in _EVERYDAY:
            return _EVERYDAY[pos.lower()]
        if pos.upper() in UNIVERSAL:
            return pos.upper()
    raise ValueError(
        f"[{function}] expected pos to be None, 'verb', 'noun', 'adj', 'adv' or a universal tag "
        f"({', '.join(UNIVERSAL)}), got {pos!r}"
    )
