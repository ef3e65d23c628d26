"""Odd texts for an encoder: the rows of docs/inputs.md, each under its name."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from memory_of_inputs import used
from odd_inputs import row
from unitvec import Encoder
from unitvec.collection.inputs import DOCUMENT_BYTES_MAX


@row("no texts")
def test_encode_nothing(encoder: Encoder) -> None:
    for none in ([], (), iter([])):
        assert encoder.encode(none).shape == (0, 384)


@row("empty text, white space")
def test_encode_empty_text(encoder: Encoder) -> None:
    assert encoder.tokenizer.encode("").tokens == ["[CLS]", "[SEP]"]
    empty = encoder.encode("")
    assert np.linalg.norm(empty) == pytest.approx(1, abs=1e-5)
    for text in (" ", "\n\t", "\u3000"):
        assert_array_equal(encoder.encode(text), empty)


@row("lone surrogates")
@row("NUL")
@pytest.mark.parametrize("odd", ["\0", "\ud800"])
def test_encode_what_utf8_or_bert_do_not_know(encoder: Encoder, odd: str) -> None:
    assert_array_equal(encoder.encode(f"a {odd}cat"), encoder.encode("a cat"))


@row("bytes, numbers, None")
@pytest.mark.parametrize("bad", [b"x", 7, None, math.nan, ["a"]])
def test_encode_what_is_no_text(encoder: Encoder, bad: Any) -> None:
    with pytest.raises(TypeError, match=r"\[encode\] expected"):
        encoder.encode(["fine", bad])


@row("64 MiB of words, one word of 64 MiB")
@pytest.mark.parametrize("kind", ["x", "é", "word ", "日", ". "])
def test_encode_64_mib(encoder: Encoder, kind: str) -> None:
    del encoder  # only to be skipped where the model is absent
    assert used("encode", kind, DOCUMENT_BYTES_MAX).memory <= 3 * DOCUMENT_BYTES_MAX
