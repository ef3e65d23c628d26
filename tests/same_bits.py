"""A text has the same bits alone and in any batch."""

from __future__ import annotations

from numpy.testing import assert_array_equal

TEXTS = ["the cat sat", "a", "", "dogs " * 40, "cats sat a dog the " * 30]


def require_same_bits(encoder) -> None:
    """Encodes texts alone, in a batch, and in one turned round, at 1 and 2 threads."""
    texts = TEXTS * 5
    together = encoder.encode(texts)
    for threads in (1, 2):
        encoder.threads = threads
        for text, row in zip(TEXTS, together, strict=False):
            assert_array_equal(encoder.encode(text), row)
        assert_array_equal(encoder.encode(texts[::-1])[::-1], together)
