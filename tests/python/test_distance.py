"""Distances: against NumPy in float64, their laws, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from unitvec.distance import angle, cosine, dot, euclidean, l2_normalize, manhattan


def reference_cosine(a, b):
    lengths = np.linalg.norm(a, axis=1)[:, None] * np.linalg.norm(b, axis=1)[None, :]
    return np.divide(a @ b.T, lengths, out=np.zeros_like(lengths), where=lengths > 0)


REFERENCES = {
    cosine: reference_cosine,
    dot: lambda a, b: a @ b.T,
    euclidean: lambda a, b: np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1)),
    manhattan: lambda a, b: np.abs(a[:, None] - b[None]).sum(-1),
}
FUNCTIONS = [*REFERENCES, angle]

# Multiples of 1/8 up to 128: exact in float16 and int, so that conversions can be compared by bits.
numbers = st.integers(-1024, 1024).map(lambda i: i / 8)


@st.composite
def two_sets(draw):
    dim = draw(st.integers(1, 40))
    shapes = [(draw(st.integers(0, 12)), dim) for _ in range(2)]
    return [draw(arrays(np.float32, shape, elements=numbers)) for shape in shapes]


@pytest.mark.parametrize("function", REFERENCES)
@given(ab=two_sets())
def test_matrices_match_the_reference(function, ab):
    a, b = ab
    expected = REFERENCES[function](a.astype(np.float64), b.astype(np.float64))
    found = function(a, b)
    assert found.dtype == np.float32
    assert found.shape == (len(a), len(b))
    scale = max(1.0, np.abs(expected).max(initial=0.0)) if function is not cosine else 1.0
    assert_allclose(found, expected, atol=2e-6 * scale * max(1, a.shape[1] ** 0.5))


@given(ab=two_sets())
def test_distances_are_symmetric_and_never_negative(ab):
    a, b = ab
    for function in (euclidean, manhattan):
        assert_array_equal(function(a, b), function(b, a).T)
        assert (function(a, b) >= 0).all()
        assert_array_equal(np.diag(function(a, a)), np.zeros(len(a)))


@given(ab=two_sets())
def test_angle_agrees_with_cosine(ab):
    a, b = ab
    assert_allclose(np.cos(np.radians(angle(a, b).astype(np.float64))), cosine(a, b), atol=1e-6)


def test_angle_keeps_small_angles():
    tiny = np.radians(1e-4)
    assert_allclose(angle([1.0, 0.0], [np.cos(tiny), np.sin(tiny)]), [[1e-4]], rtol=1e-5)


def test_large_matrices_run_through_every_path():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((700, 384)).astype(np.float32)
    b = rng.standard_normal((600, 384)).astype(np.float32)
    for function, reference in REFERENCES.items():
        if function is manhattan:
            expected = np.stack([np.abs(row - b.astype(np.float64)).sum(-1) for row in a])
        elif function is euclidean:
            expected = np.stack([np.sqrt(((row - b.astype(np.float64)) ** 2).sum(-1)) for row in a])
        else:
            expected = reference(a.astype(np.float64), b.astype(np.float64))
        assert_allclose(function(a, b), expected, rtol=2e-6, atol=1e-4)


def test_a_vector_counts_as_one_row():
    v, w = [3.0, 4.0], [[3.0, 4.0], [0.0, 1.0], [0.0, 0.0]]
    for function in FUNCTIONS:
        assert function(v, v).shape == (1, 1)
        assert function(v, w).shape == (1, 3)
        assert function(w, v).shape == (3, 1)


def test_zero_vectors_have_cosine_0_and_angle_90():
    assert_array_equal(cosine([[0.0, 0.0]], [[0.0, 0.0], [1.0, 2.0]]), [[0.0, 0.0]])
    assert_array_equal(angle([[0.0, 0.0]], [[0.0, 0.0], [1.0, 2.0]]), [[90.0, 90.0]])


def memory_map(x, tmp_path):
    file = tmp_path / "x.npy"
    np.save(file, x)
    return np.load(file, mmap_mode="r")


CONVERSIONS = {
    "list": lambda x, _: x.tolist(),
    "float16": lambda x, _: x.astype(np.float16),
    "float64": lambda x, _: x.astype(np.float64),
    "big-endian": lambda x, _: x.astype(">f4"),
    "int64": lambda x, _: x.astype(np.int64),
    "uint8": lambda x, _: x.astype(np.uint8),
    "fortran": lambda x, _: np.asfortranarray(x),
    "strided": lambda x, _: np.repeat(np.repeat(x, 2, axis=0), 3, axis=1)[::2, ::3],
    "negative strides": lambda x, _: np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1],
    "read-only": lambda x, _: np.frombuffer(x.tobytes(), np.float32).reshape(x.shape),
    "memmap": memory_map,
}


@pytest.mark.parametrize("kind", CONVERSIONS)
def test_any_numeric_input_equals_its_float32_copy(kind, tmp_path):
    rng = np.random.default_rng(1)
    x = rng.integers(1, 100, (7, 5)).astype(np.float32)
    converted = CONVERSIONS[kind](x, tmp_path)
    for function in FUNCTIONS:
        assert_array_equal(function(converted, converted), function(x, x))
    assert_array_equal(l2_normalize(converted), l2_normalize(x))


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        (np.array([[True, False]]), TypeError, "dtype bool"),
        (np.array([[1.0, "x"]], object), TypeError, "dtype object"),
        ([["a", "b"]], TypeError, "real numbers"),
        (np.array([[1j, 2]]), TypeError, "dtype complex128"),
        (np.float32(3), ValueError, "got 0-D"),
        (np.zeros((1, 2, 2)), ValueError, "got 3-D"),
        ([[1.0, 2.0], [3.0, np.nan]], ValueError, "nan in row 1, column 1"),
        ([[1.0, -np.inf]], ValueError, "-inf in row 0, column 1"),
        (np.array([[1.0, 2.0], [1e300, 2.0]]), ValueError, "inf in row 1, column 0"),
    ],
)
def test_bad_input_is_refused_by_name(function, bad, error, message):
    good = np.ones((1, 2), np.float32)
    for a, b in ((bad, good), (good, bad)):
        with pytest.raises(error, match=rf"\[{function.__name__}\] expected .*{message}"):
            function(a, b)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_unequal_dimensions_are_refused(function):
    with pytest.raises(ValueError, match=r"expected b of dimension 2, got 3"):
        function(np.ones((1, 2)), np.ones((1, 3)))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_vectors_give_an_empty_matrix(function):
    assert function(np.empty((0, 3)), np.ones((2, 3))).shape == (0, 2)
    assert function(np.ones((2, 3)), np.empty((0, 3))).shape == (2, 0)
    assert function(np.ones((2, 3)), []).shape == (2, 0)


@given(x=arrays(np.float32, st.tuples(st.integers(0, 9), st.integers(1, 40)), elements=numbers))
def test_l2_normalize_gives_length_1_or_0(x):
    lengths = np.linalg.norm(x.astype(np.float64), axis=1)
    unit = l2_normalize(x)
    assert unit.shape == x.shape
    assert_allclose(np.linalg.norm(unit.astype(np.float64), axis=1), lengths > 0, atol=1e-6)
    assert_allclose(unit * lengths[:, None], x, rtol=1e-6, atol=1e-6)


def test_l2_normalize_keeps_the_shape_and_leaves_its_argument_alone():
    x = np.array([3.0, 4.0], np.float32)
    assert_allclose(l2_normalize(x), [0.6, 0.8])
    assert_allclose(l2_normalize([[3.0, 4.0]]), [[0.6, 0.8]])
    assert_array_equal(x, [3.0, 4.0])
