"""Compares our tokeniser's encodings with those of Hugging Face's `tokenizers`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

FIELDS = ("ids", "type_ids", "attention_mask", "special_tokens_mask", "offsets", "word_ids")


def differing_fields(ours, theirs) -> list[str]:
    """The names of the fields in which two encodings, or their overflowing windows, differ."""
    fields = [field for field in FIELDS if getattr(ours, field) != getattr(theirs, field)]
    if len(ours.overflowing) != len(theirs.overflowing):
        return [*fields, "overflowing"]
    windows = zip(ours.overflowing, theirs.overflowing, strict=True)
    return fields + [f"overflowing.{field}" for a, b in windows for field in differing_fields(a, b)]


def differences(ours, theirs, texts: Sequence) -> Iterator[tuple]:
    """Text and field wherever the two tokenizers differ."""
    for text, a, b in zip(texts, ours.encode_batch(texts), theirs.encode_batch(texts), strict=True):
        yield from ((text, field) for field in differing_fields(a, b))
