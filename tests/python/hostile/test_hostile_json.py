"""JSON files that are none, too deep, too large, or written in an odd way."""

from __future__ import annotations

import pytest

from hostile_models import JSON_FILES, refused

NOT_JSON = {
    "empty": b"",
    "text": b"hello",
    "cut": b'{"a": ',
    "list or object": b"[{}]",
    "number": b"7",
    "null": b"null",
    "not UTF-8": b'{"a": "\xff\xfe"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "NaN": b'{"model_max_length": NaN}',
    "Infinity": b"[Infinity]",
    "deep": b"[" * 1_000_000,
    "deep object": b'{"a":' * 100_000,
    "closed": b"[" * 100_000 + b"]" * 100_000,
    "numerous": b"[" + b"0," * 12_000_000 + b"0]",
}


@pytest.mark.parametrize("file", JSON_FILES)
def test_what_is_not_json_is_refused(bert, load, file):
    path = bert / file
    if file == "added_tokens.json":
        (bert / "tokenizer.json").unlink()  # with which nobody reads it
    if file.endswith("index.json"):
        (bert / "model.safetensors").unlink()
    for name, content in NOT_JSON.items():
        path.write_bytes(content)
        outcome = load(bert)
        assert outcome[0] == "FormatError", (name, outcome[:1], str(outcome[1])[:200])
        refused(outcome, path.name)


def test_a_hundred_megabytes_of_brackets_are_refused(bert, load):
    for file in ("config.json", "modules.json", "tokenizer.json"):
        whole = (bert / file).read_bytes()
        (bert / file).write_bytes(b"[" * 100_000_000)
        refused(load(bert), file)
        (bert / file).write_bytes(whole)


def test_a_byte_order_mark_and_a_name_given_twice_are_read_alike(bert, load):
    """The last one counts, in the core as in Python."""
    expected = load(bert)
    for file in JSON_FILES[:-1]:
        path = bert / file
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    path = bert / "config.json"
    path.write_bytes(path.read_bytes().replace(b"{", b'{"vocab_size": "x", ', 1))
    path = bert / "sentence_bert_config.json"
    path.write_bytes(path.read_bytes().replace(b"{", b'{"max_seq_length": "x", ', 1))
    assert load(bert) == expected
