"""Damaged and foreign files: refused by name and place, and nothing of them is stored."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stored_documents import contents, notes
from unitvec import Collection, FormatError

pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")

#: As `make reliability` asks for; else as many as `make test` has time for.
FLIPS = min(8000, 10 * int(os.environ.get("UNITVEC_EXAMPLES", 50)))


@pytest.fixture
def db(tmp_path: Path) -> Any:
    with notes(tmp_path / "notes.uv") as collection:
        yield collection


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[1]", "expected a JSON object, got list"),
        ('{"id": "a"', "expected a JSON object"),
        ('{"id": "a", "id": "b", "vector": [1, 2]}', "the key 'id' twice"),
        ('{"id": "a", "vector": [1, NaN]}', "NaN, which JSON does not have"),
        ('{"id": "a", "vector": [1, 1e400]}', "vector: expected finite"),
        ('{"id": "a", "vector": [1, 1e39]}', "vector: expected finite"),
        ('{"id": "a", "vector": [0, 0]}', "vector: expected a vector with a direction"),
        ('{"id": "a", "vector": [1, 2, 3]}', "vector: expected vectors of dim 2, got dim 3"),
        ('{"id": "a", "vector": []}', "vector: expected vectors of dim 2, got dim 0"),
        ('{"id": "a", "vector": [[1, 2]]}', "vector: expected a list of numbers"),
        ('{"id": "a", "vector": [1, "2"]}', "vector: expected a list of numbers"),
        ('{"id": "a", "vector": [1, true]}', "vector: expected a list of numbers"),
        ('{"id": "a", "vector": "AAAA"}', "vector: expected real numbers"),
        ('{"id": "a", "vector": {"x": 1}}', "vector: expected real numbers"),
        ('{"id": 7, "vector": [1, 2]}', "id: expected str, got int"),
        ('{"vector": [1, 2]}', "id: expected str, got NoneType"),
        ('{"id": "", "vector": [1, 2]}', "id: expected 1 to 1024 bytes"),
        ('{"id": "\\ud800", "vector": [1, 2]}', "id: expected text that UTF-8 can hold"),
        ('{"id": "a", "document": 7, "vector": [1, 2]}', "document: expected str, got int"),
        ('{"id": "a", "metadata": [], "vector": [1, 2]}', "metadata: expected a dictionary"),
        ('{"id": "a", "metadata": {"k": 9223372036854775808}, "vector": [1, 2]}', "64 bits"),
        ('{"id": "a", "metadata": {"k": 1' + "0" * 5000 + '}, "vector": [1, 2]}', "JSON object"),
        ('{"id": "a", "metadata": ' + '{"k":' * 70 + "1" + "}" * 71, "64 levels"),
        ('{"id": "a", "metadata": ' + "[" * 10**5 + "]" * 10**5 + "}", "too many levels|64 levels"),
        ('{"id": "a", "text": "x", "vector": [1, 2]}', r"no fields but .*got \['text'\]"),
        ('{"id": "a"}', "expected a vector, or a text to encode"),
        ('{"id": "\xff"}', "bytes that are no UTF-8"),
    ],
)  # fmt: skip
def test_a_bad_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "n.jsonl"
    path.write_bytes(b'{"id": "first", "vector": [1, 2]}\n' + line.encode("latin-1"))
    with Collection(tmp_path / "n.uv", dim=2) as db:
        with pytest.raises(FormatError, match=rf"n\.jsonl line 2: .*({message})"):
            db.import_from(path)
        assert db.count() == 0


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"document": ["x"]}, "expected columns of"),
        ({"id": ["a"], "text": ["x"]}, r"expected columns of .*got \['id', 'text'\]"),
        ({"id": [7]}, "column 'id': expected strings, got int64"),
        ({"id": ["a"], "vector": ["x"]}, "column 'vector': expected lists of floats, got string"),
        ({"id": ["a"], "vector": [["x"]]}, "column 'vector': expected lists of floats"),
        ({"id": ["a"], "vector": [[1.0, None]]}, "row 0: vector: expected finite"),
        ({"id": ["a", None], "vector": [[1.0, 2.0]] * 2}, "row 1: id: expected str, got NoneType"),
        ({"id": ["a", "b"], "vector": [[1.0, 2.0], [1.0]]}, "row 1: vector: expected .* dim 2"),
        ({"id": ["a"], "metadata": ["{"], "vector": [[1.0, 2.0]]}, "row 0, metadata: exp.* JSON"),
        ({"id": ["a"], "metadata": ["[]"], "vector": [[1.0, 2.0]]}, "row 0: metadata: .*dict"),
        ({"id": ["a"]}, "row 0: expected a vector, or a text"),
    ],
)  # fmt: skip
def test_a_bad_column_or_row_of_parquet_is_named(
    tmp_path: Path, columns: dict[str, Any], message: str
) -> None:
    from pyarrow import parquet

    parquet.write_table(pyarrow.table(columns), tmp_path / "n.parquet")
    with Collection(tmp_path / "n.uv", dim=2) as db:
        with pytest.raises(FormatError, match=rf"n\.parquet.* ?{message}"):
            db.import_from(tmp_path / "n.parquet")
        assert db.count() == 0


@pytest.fixture
def copy(tmp_path: Path) -> Any:
    with Collection(tmp_path / "copy.uv", dim=4, metric="dot", durability="normal") as empty:
        yield empty


def is_refused(copy: Collection, path: Path, expected: list[Any]) -> bool:
    """Whether the file was refused; if it was not, every document is as it was."""
    try:
        copy.import_from(path)
    except FormatError as caught:
        refusal = str(caught)
    else:
        refusal = ""
    assert contents(copy) == ([] if refusal else expected)
    assert path.name in refusal or not refusal
    copy.delete(copy.get()["ids"])
    return bool(refusal)


@pytest.mark.parametrize("name", ["n.parquet", "n.jsonl.gz", "n.jsonl.zst"])
def test_any_truncation_is_refused(
    db: Collection, copy: Collection, tmp_path: Path, name: str
) -> None:
    db.export(tmp_path / name)
    whole, expected = (tmp_path / name).read_bytes(), contents(db)
    for length in range(len(whole)):
        (tmp_path / name).write_bytes(whole[:length])
        assert is_refused(copy, tmp_path / name, expected), f"{length} bytes"


def test_a_truncated_line_is_refused(db: Collection, copy: Collection, tmp_path: Path) -> None:
    """A file of plain lines that ends after a line is a whole file: nothing in it can tell."""
    db.export(tmp_path / "n.jsonl")
    whole = (tmp_path / "n.jsonl").read_bytes()
    ends = {i + j for i, byte in enumerate(whole) if byte == ord("\n") for j in (0, 1)} | {0}
    for length in sorted(set(range(len(whole))) - ends):
        (tmp_path / "n.jsonl").write_bytes(whole[:length])
        with pytest.raises(FormatError, match=r"n\.jsonl line \d"):
            copy.import_from(tmp_path / "n.jsonl")


def test_any_flipped_bit_of_parquet_is_refused(
    db: Collection, copy: Collection, tmp_path: Path
) -> None:
    """All but those of the seal's own name: without it the file is as any other program's."""
    path = tmp_path / "n.parquet"
    db.export(path)
    whole, expected = path.read_bytes(), contents(db)
    start = whole.index(b"UVcrc32\0")
    bits = [*range(8 * start, 8 * (start + 12)), *range(8 * len(whole) - 64, 8 * len(whole))]
    bits += np.random.default_rng(0).permutation(8 * len(whole))[:FLIPS].tolist()
    harmless = set()
    for bit in bits:
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        if not is_refused(copy, path, expected):
            harmless.add(bit // 8)
    assert harmless == set(range(start, start + 8))


def test_a_sealed_file_that_another_program_wrote_anew_is_read(
    db: Collection, copy: Collection, tmp_path: Path
) -> None:
    from pyarrow import parquet

    db.export(tmp_path / "n.parquet")
    table = parquet.read_table(tmp_path / "n.parquet")
    parquet.write_table(table.slice(1), tmp_path / "n.parquet")  # keeps what the file says of us
    copy.import_from(tmp_path / "n.parquet")
    assert contents(copy) == contents(db)[1:]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("n.parquet", b"", "expected a Parquet file"),
        ("n.parquet", b"PAR1 no PAR1", "expected a Parquet file"),
        ("n.jsonl.gz", b"no gzip", "cannot be decompressed"),
        ("n.jsonl.zst", b"no zstandard", "cannot be decompressed"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with (
        Collection(tmp_path / "n.uv", dim=4) as db,
        pytest.raises(FormatError, match=rf"{name}.*{message}"),
    ):
        db.import_from(tmp_path / name)
