"""Texts of one length in tokens, cut from SciFact's abstracts at the ends of words."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import unitvec
from benchmarks.workloads import abstracts

#: Abstracts that are joined before cutting: even 512 tokens are then found in few of them.
JOINED = 8


def texts_of_length(model: Path, length: int, count: int) -> list[str]:
    """`count` different texts of exactly `length` tokens each, special ones counted in.

    Raises:
        ValueError: if the abstracts do not have so many.
    """
    tokenizer = unitvec.Tokenizer.from_pretrained(model)
    texts = [f"{title} {text}" for title, text in abstracts()]
    joined = (" ".join(texts[i : i + JOINED]) for i in range(0, len(texts), JOINED))
    pieces = (piece for text in joined for piece in _pieces(tokenizer, text, length))
    found = list(itertools.islice(pieces, count))
    if len(found) < count:
        raise ValueError(
            f"[texts_of_length] expected {count} texts of {length} tokens, got {len(found)}"
        )
    return found


def _pieces(tokenizer: unitvec.Tokenizer, text: str, length: int) -> Iterator[str]:
    """Neighbouring parts of `text` without overlap.

    A part can have other tokens than it had in the whole, so that each is tokenised once more.
    """
    encoding = tokenizer.encode(text)
    own = [i for i, special in enumerate(encoding.special_tokens_mask) if not special]
    wanted = length - (len(encoding) - len(own))
    if wanted < 1:
        raise ValueError(f"[texts_of_length] expected room for a word, got {length} tokens")
    words, offsets = encoding.word_ids, encoding.offsets
    begin = 0
    while begin + wanted <= len(own):
        first, last = own[begin], own[begin + wanted - 1]
        piece = text[offsets[first][0] : offsets[last][1]]
        whole = words[first] != words[first - 1] and words[last] != words[last + 1]
        if whole and len(tokenizer.encode(piece)) == length:
            yield piece
            begin += wanted
        else:
            begin += 1
