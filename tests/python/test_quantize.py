"""Vectors in bytes and bits, beside sentence-transformers and by their formulas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import unitvec as uv


def unit_vectors(n: int, dim: int, seed: int = 0):
    vectors = np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


BYTES = ["int8", "uint8"]
ALL = [*BYTES, "binary", "ubinary"]


@pytest.mark.parametrize("precision", ["binary", "ubinary"])
def test_bits_equal_sentence_transformers(precision):
    quantization = pytest.importorskip("sentence_transformers.quantization")
    vectors = unit_vectors(50, 64)
    vectors[3, :10] = 0.0
    expected = quantization.quantize_embeddings(vectors, precision)
    mine = uv.quantize_embeddings(vectors, precision)
    assert mine.dtype == expected.dtype
    assert_array_equal(mine, expected)


@pytest.mark.parametrize("precision", BYTES)
def test_bytes_with_calibration_are_sentence_transformers_rounded(precision):
    quantization = pytest.importorskip("sentence_transformers.quantization")
    calibration = unit_vectors(1000, 32, seed=1)
    vectors = calibration[:200]  # inside the ranges: outside of them theirs wrap around
    expected = quantization.quantize_embeddings(
        vectors, precision, calibration_embeddings=calibration
    )
    mine = uv.quantize_embeddings(vectors, precision, calibration_embeddings=calibration)
    assert mine.dtype == expected.dtype
    assert np.abs(mine.astype(int) - expected.astype(int)).max() <= 1
    ranges = np.stack([calibration.min(0), calibration.max(0)])
    assert_array_equal(uv.quantize_embeddings(vectors, precision, ranges=ranges), mine)


@pytest.mark.parametrize("precision", ALL)
def test_a_single_vector_is_quantised_as_among_thousands(precision):
    vectors = unit_vectors(2000, 48)
    together = uv.quantize_embeddings(vectors, precision)
    alone = uv.quantize_embeddings(vectors[7], precision)
    assert_array_equal(alone, together[7])
    assert_array_equal(uv.quantize_embeddings(vectors[7:8], precision)[0], together[7])
    assert len(np.unique(alone)) > 1  # not all the same, as ranges of one vector would make it


@pytest.mark.parametrize("dim", [16, 384, 1024])
def test_cosines_of_bytes_are_those_of_the_vectors(dim):
    vectors = unit_vectors(300, dim)
    exact = vectors @ vectors.T
    signed = uv.quantize_embeddings(vectors, "int8")
    assert_allclose(uv.cosine(signed, signed), exact, atol=0.02)
    unsigned = uv.quantize_embeddings(vectors, "uint8")
    assert_array_equal(unsigned.astype(int) - 128, signed)
    assert np.diag(uv.cosine(signed, vectors)).min() > 0.9997


def test_ranges_are_cut_at_their_ends_and_never_wrap():
    ranges = [[-1.0, 0.0], [1.0, 2.0]]
    levels = uv.quantize_embeddings([[-5.0, 5.0], [0.0, 1.0], [1.0, 0.0]], "uint8", ranges)
    assert_array_equal(levels, [[0, 255], [128, 128], [255, 0]])
    assert_array_equal(
        uv.quantize_embeddings([[-5.0, 5.0]], "int8", ranges), np.array([[-128, 127]], np.int8)
    )


def test_a_dimension_that_never_varied_does_not_become_nothing():
    calibration = unit_vectors(10, 4)
    calibration[:, 2] = 0.25
    levels = uv.quantize_embeddings(
        unit_vectors(5, 4, 3), "int8", calibration_embeddings=calibration
    )
    assert len(np.unique(levels[:, 2])) > 1


@given(
    st.lists(
        st.lists(st.floats(-0.5, 0.5, width=32), min_size=3, max_size=3), min_size=1, max_size=5
    )
)
def test_bytes_are_within_half_a_step(rows):
    vectors = np.array(rows, np.float32)
    ranges = np.array([[-0.5] * 3, [0.5] * 3])
    levels = uv.quantize_embeddings(vectors, "uint8", ranges).astype(float)
    assert_allclose(levels / 255 - 0.5, vectors, atol=0.5 / 255 + 1e-6)


def test_float32_gives_the_vectors():
    vectors = unit_vectors(2, 8) * 5
    assert_array_equal(uv.quantize_embeddings(vectors, "float32"), vectors)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"precision": "int4"}, "one of .*'ubinary'"),
        ({"embeddings": [[2.0, 0.0]]}, "a vector of length 2"),
        ({"embeddings": [[float("nan"), 0.0]]}, "finite embeddings"),
        ({"embeddings": 1.0}, r"shape \(n, dim\)"),
        ({"ranges": [[0.0], [1.0]]}, r"shape \(2, 2\), got \(2, 1\)"),
        ({"ranges": [[0.0, 1.0], [1.0, 1.0]]}, "low below its high"),
        ({"calibration_embeddings": [[0.0]]}, r"shape \(m, 2\), got \(1, 1\)"),
        ({"calibration_embeddings": np.empty((0, 2))}, r"got \(0, 2\)"),
        ({"calibration_embeddings": [[np.inf, 0.0]]}, "finite calibration_embeddings"),
    ],
)
def test_bad_arguments_say_what_was_expected(arguments, message):
    with pytest.raises(ValueError, match=message):
        uv.quantize_embeddings(**{"embeddings": [[0.6, 0.8]], **arguments})
