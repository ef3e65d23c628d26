"""From a user's text to an FTS5 query: its tokens, joined by OR, and never FTS5's own syntax."""

from __future__ import annotations

from typing import Any

import apsw

#: The tokenizers offered, as FTS5 spells them.
TOKENIZERS = {
    "unicode61": ("unicode61", "remove_diacritics", "2"),
    "porter": ("porter", "unicode61", "remove_diacritics", "2"),
    "trigram": ("trigram",),
}

_JOINED_AT_ONCE = 16


def match_expression(connection: apsw.Connection, tokenizer: str, text: str) -> str | None:
    """The FTS5 query that finds documents with any of the text's tokens; None for no token.

    What is quoted is the stretch of text behind each token, not the token: FTS5 cuts it again, and
    a stem may have a stem of its own. A token that comes twice counts twice, as in BM25.
    """
    name, *arguments = TOKENIZERS[tokenizer]
    cut = connection.fts5_tokenizer(name, arguments)
    encoded = text.encode(errors="replace")  # no document holds a lone surrogate either
    tokens: Any = cut(encoded, apsw.FTS5_TOKENIZE_QUERY, None, include_colocated=False)
    quoted = [_quoted(encoded[start:end].decode()) for start, end, _ in tokens]
    return _any_of(quoted) if quoted else None


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _any_of(parts: list[str]) -> str:
    """A shallow tree: FTS5 takes time quadratic in the length of one flat chain of OR."""
    while len(parts) > 1:
        groups = range(0, len(parts), _JOINED_AT_ONCE)
        parts = [f"({' OR '.join(parts[i : i + _JOINED_AT_ONCE])})" for i in groups]
    return parts[0]
