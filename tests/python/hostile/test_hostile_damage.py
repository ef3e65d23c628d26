"""Any damage at all: what the fuzzers found, and random edits of every file."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostile_models import JSON_FILES
from random_models import MODEL_TYPES
from tricky_text import examples

REFUSALS = ("FormatError", "ModelNotFoundError", "ValueError")
CORPORA = {
    "config": "config.json",
    "safetensors": "model.safetensors",
    "tokenizer_json": "tokenizer.json",
}


@pytest.mark.parametrize("corpus", CORPORA)
def test_the_corpora_of_the_fuzzers_are_harmless(bert, load, corpus):
    files = sorted((Path(__file__).parents[2] / "fuzz" / "corpus" / corpus).iterdir())
    assert len(files) >= 9
    for file in files:
        shutil.copy(file, bert / CORPORA[corpus])
        kind, message = load(bert)
        assert kind == "loaded" or kind in REFUSALS, (file.name, kind, message)


EDITS = st.lists(
    st.tuples(
        st.floats(0, 1),  # where in the file
        st.sampled_from(["flip", "delete", "insert", "number", "repeat", "cut"]),
        st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=4,
)
NUMBERS = [b"0", b"-1", b"9223372036854775808", b"1e308", b"null", b"[]", b"{}", b'"x"', b"true"]


def edited(content: bytes, edits: list[tuple[float, str, bytes]]) -> bytes:
    data = bytearray(content)
    for share, kind, extra in edits:
        at = min(int(share * len(data)), max(len(data) - 1, 0))
        if kind == "cut":
            del data[at:]
        elif kind == "delete":
            del data[at : at + len(extra)]
        elif kind == "insert":
            data[at:at] = extra
        elif kind == "number":
            data[at : at + 1] = NUMBERS[extra[0] % len(NUMBERS)]
        elif kind == "repeat":
            data[at:at] = data[at : at + 16 * len(extra)]
        elif data:
            data[at] ^= 1 << extra[0] % 8
    return bytes(data)


@given(
    model=st.sampled_from(MODEL_TYPES),
    file=st.sampled_from([*JSON_FILES[:-1], "vocab.txt", "model.safetensors"]),
    header=st.booleans(),
    edits=EDITS,
)
@settings(
    max_examples=max(150, examples(0) // 40),  # each loads a model
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_damage_is_harmless(sound, load, tmp_path_factory, model, file, header, edits):
    folder = tmp_path_factory.getbasetemp() / f"damaged-{model}"
    if not folder.exists():
        shutil.copytree(sound[model], folder)
    content = (sound[model] / file).read_bytes()
    end = len(content)
    if file.endswith(".safetensors") and header:  # where there is more to get wrong
        end = 8 + struct.unpack("<Q", content[:8])[0]
    (folder / file).write_bytes(edited(content[:end], edits) + content[end:])
    kind, message = load(folder)
    shutil.copy(sound[model] / file, folder / file)
    assert kind == "loaded" or kind in REFUSALS, (kind, message)
