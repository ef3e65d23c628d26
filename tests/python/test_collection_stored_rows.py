"""Rows checked by the core: it calls a row sound only where the check in Python does, too."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unitvec import _core
from unitvec.collection.rows import Row, checksum, encode_vector, vector_checksum

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def stored(key: int, identity: str, document: str | None, metadata: str) -> tuple[object, ...]:
    row = Row(key, identity, document, metadata)
    return (*row, checksum(row))


@settings(max_examples=300)
@given(st.integers(-(2**63), 2**63 - 1), texts, st.none() | texts, texts)
def test_a_stored_row_is_sound(key: int, identity: str, document: str | None, text: str) -> None:
    row = stored(key, identity, document, text)
    assert _core.are_sound([row])
    assert _core.are_sound([row, row])
    assert _core.are_sound([])


@settings(max_examples=300)
@given(
    st.integers(0, 2**62),
    texts,
    st.none() | texts,
    texts,
    st.integers(0, 4),
    st.sampled_from([0, 1, -1, "", "a", None, b"", 1.0, 2**70, "\ud800", True]),
)
def test_another_value_is_seen(
    key: int, identity: str, document: str | None, text: str, place: int, value: object
) -> None:
    good = stored(key, identity, document, text)
    bad = (*good[:place], value, *good[place + 1 :])
    same = value == good[place] and type(value) is type(good[place])
    assert _core.are_sound([good, bad]) == same
    assert not _core.are_sound([good[:place] + good[place + 1 :]])


def test_a_byte_moved_to_the_next_field_is_seen() -> None:
    good = stored(1, "ab", "cd", "{}")
    assert not _core.are_sound([(1, "abc", "d", "{}", good[4])])
    assert not _core.are_sound([(1, "ab", None, "{}", stored(1, "ab", "", "{}")[4])])


def test_large_texts_are_left_to_others() -> None:
    assert _core.are_sound([stored(1, "a", "é" * 65_536, "{}")])
    assert not _core.are_sound([stored(1, "a", "é" * 65_537, "{}")])
    assert not _core.are_sound([["no", "tuple"]])


def rows_of(vectors: np.ndarray) -> list[tuple[int, bytes, int]]:
    encoded = [encode_vector(vector) for vector in vectors]
    return [(7 * i, row, vector_checksum(7 * i, row)) for i, row in enumerate(encoded)]


@pytest.mark.parametrize("dim", [1, 3, 16, 17, 384])
@pytest.mark.parametrize("count", [0, 1, 5])
def test_sound_vectors_come_as_a_matrix(dim: int, count: int) -> None:
    vectors = np.random.default_rng(dim).standard_normal((count, dim)).astype(np.float32)
    found = _core.stored_vectors(rows_of(vectors), dim, 0.0, 1e30)
    assert found is not None
    keys, matrix = found
    assert keys == [7 * i for i in range(count)]
    assert matrix.dtype == np.float32
    assert np.array_equal(matrix, vectors)


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("value", [0, -1, 3.0, None, b"", b"\0" * 64, "text", 2**64])
def test_a_vector_that_is_not_what_was_written(place: int, value: object) -> None:
    rows = rows_of(np.ones((3, 16), np.float32))
    rows[1] = (*rows[1][:place], value, *rows[1][place + 1 :])  # type: ignore[assignment]
    assert _core.stored_vectors(rows, 16, 0.0, 1e30) is None


@pytest.mark.parametrize("flipped", range(0, 512, 37))
def test_a_flipped_bit_of_a_vector(flipped: int) -> None:
    key, vector, crc = rows_of(np.ones((1, 16), np.float32))[0]
    bad = bytearray(vector)
    bad[flipped // 8] ^= 1 << flipped % 8
    assert _core.stored_vectors([(key, bytes(bad), crc)], 16, 0.0, 1e30) is None


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, 0.0])
def test_vectors_that_are_not_plainly_right(value: float) -> None:
    vectors = np.zeros((2, 4), np.float32)
    vectors[0] = 1.0
    vectors[1, 2] = value
    assert _core.stored_vectors(rows_of(vectors), 4, 0.0, 1e30) is None
    assert not _core.squares_between(vectors, 0.0, 1e30)
    assert _core.squares_between(vectors[:1], 0.0, 1e30)
    assert _core.stored_vectors(rows_of(vectors[:1]), 5, 0.0, 1e30) is None  # another dim
