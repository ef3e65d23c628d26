"""The JSON of metadata: what was stored is read, and nothing else is taken for it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitvec.collection.rows import decode_metadata, encode_metadata

_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text('ab:"\\', max_size=3), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text('ab:"\\ü', max_size=3), _VALUES))
def test_what_is_written_is_read(metadata: dict[str, Any]) -> None:
    assert decode_metadata(encode_metadata(metadata)) == metadata


@given(st.lists(st.tuples(st.sampled_from(['"a"', '"b"', '"a:"']), st.integers(0, 9)), max_size=4))
def test_a_key_that_is_there_twice_is_found(pairs: list[tuple[str, int]]) -> None:
    text = "{" + ",".join(f"{key} : {value}" for key, value in pairs) + "}"
    if len({key for key, _ in pairs}) == len(pairs):
        assert decode_metadata(text) == json.loads(text)
    else:
        with pytest.raises(ValueError, match="same key twice"):
            decode_metadata(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Expecting value"),
        (" {}", "Expecting value"),
        ("{} ", "expected a JSON object"),
        ("{},{}", "expected a JSON object"),
        ("[]", "expected a JSON object"),
        ("1", "expected a JSON object"),
        ('"a"', "expected a JSON object"),
        ("{", "Expecting property name"),
        ('{"a":}', "Expecting value"),
        ('{"a":NaN}', "NaN is no JSON"),
        ('{"a":1e999}', "1e999 is no finite number"),
        ('{"a":"12:30","a":"12:30"}', "the same key twice"),
        ('{"a":{"b":1,"b":2}}', "the same key twice"),
        ('{"a":[{"b":1,"b":2}]}', "the same key twice"),
        ('{"a":1,"\\u0061":2}', "the same key twice"),
        ('{"a\\u0000":1}', "a key with NUL"),
        ('{"a":"\\ud800"}', "surrogates not allowed"),
        ("[" * 100_000, "too many levels"),
        ('{"a":' * 100_000, "too many levels"),
    ],
)
def test_what_is_never_written_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        decode_metadata(text)
