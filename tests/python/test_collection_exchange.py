"""Export and import in the layout of our own: what comes back, and what damaged files say."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hashed_words import HashedWords
from stored_documents import METADATA, contents, notes
from unitvec import Collection, FingerprintError, FormatError
from unitvec.collection.exchange.exporting import documents
from unitvec.collection.exchange.jsonl import vector_text

pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")

#: As `make reliability` sets it; else as `make test` has time for.
EXAMPLES = int(os.environ.get("UNITVEC_EXAMPLES", 50))

FILES = ["n.parquet", "n.jsonl", "n.jsonl.gz", "n.jsonl.zst"]


@pytest.fixture
def db(tmp_path: Path) -> Any:
    with notes(tmp_path / "notes.uv") as collection:
        yield collection


@pytest.mark.parametrize("name", FILES)
def test_a_round_trip_keeps_every_bit(db: Collection, tmp_path: Path, name: str) -> None:
    report = db.export(tmp_path / name)
    assert (report.documents, report.files, report.changes) == (3, [tmp_path / name], {})
    assert report.bytes == (tmp_path / name).stat().st_size
    with Collection(tmp_path / "copy.uv", dim=4, metric="dot") as copy:
        done = copy.import_from(tmp_path / name)
        assert (done.documents, done.encoded, done.skipped) == (3, 0, 0)
        assert contents(copy) == contents(db)
        assert [r.document for r in copy.get()] == ["", "𝒳\u2028 漢\x85字\0", None]
        assert copy.verify().ok


@pytest.mark.parametrize("name", FILES)
def test_an_empty_collection(tmp_path: Path, name: str) -> None:
    with Collection(tmp_path / "empty.uv", dim=4) as empty:
        assert empty.export(tmp_path / name).documents == 0
        assert empty.import_from(tmp_path / name).documents == 0
        assert empty.count() == 0


keys = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
texts = st.text(st.characters(exclude_categories=["Cs"]))
rows = st.lists(
    st.tuples(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1,
                max_size=200),
        st.none() | texts,
        st.dictionaries(keys, json_values, max_size=4),
        arrays(np.float32, 3, elements=st.floats(-(2.0**56), 2.0**56, width=32)),
    ),
    unique_by=lambda row: row[0],
    max_size=8,
)  # fmt: skip


@settings(max_examples=EXAMPLES)
@given(rows=rows, name=st.sampled_from(FILES))
def test_any_documents_come_back_as_they_were(rows: list[Any], name: str) -> None:
    with tempfile.TemporaryDirectory() as home:
        path = Path(home, name)
        with Collection(Path(home, "a.uv"), dim=3, metric="dot", durability="normal") as db:
            for identity, text, metadata, vector in rows:
                db.add(None if text is None else [text], [identity], [metadata], vector[None])
            expected = contents(db)
            db.export(path)
        with Collection(Path(home, "b.uv"), dim=3, metric="dot") as copy:
            copy.import_from(path)
            assert contents(copy) == expected


@given(arrays(np.uint32, 16))
def test_any_finite_float32_survives_nine_digits(bits: Any) -> None:
    vector = bits.view(np.float32)
    vector = vector[np.isfinite(vector)]
    if not len(vector):
        return
    read = np.array(json.loads(vector_text(vector)), np.float64)
    with np.errstate(over="ignore"):
        assert read.astype(np.float32).tobytes() == vector.tobytes()


def test_other_programs_read_the_files(db: Collection, tmp_path: Path) -> None:
    """Parquet has Arrow's types and Zstandard; JSONL is one object a line for any reader."""
    from pyarrow import parquet

    db.export(tmp_path / "n.parquet")
    table = parquet.read_table(tmp_path / "n.parquet")
    assert table.schema.field("vector").type == pyarrow.list_(pyarrow.float32(), 4)
    assert table["document"].to_pylist() == ["", "𝒳\u2028 漢\x85字\0", None]
    assert json.loads(table["metadata"][0].as_py()) == METADATA
    group = parquet.read_metadata(tmp_path / "n.parquet").row_group(0)
    assert {group.column(i).compression for i in range(4)} == {"ZSTD"}
    db.export(tmp_path / "n.jsonl.gz")
    with gzip.open(tmp_path / "n.jsonl.gz", "rt", encoding="utf-8", newline="") as stream:
        text = stream.read()
    assert len(text.splitlines()) == 3  # also to readers that break lines at U+2028 and U+0085
    assert [json.loads(line)["id"] for line in text.splitlines()] == ["b", "a'\"/ é", "c"]
    db.export(tmp_path / "again.jsonl.gz")
    assert (tmp_path / "again.jsonl.gz").read_bytes() == (tmp_path / "n.jsonl.gz").read_bytes()


def test_what_other_programs_wrote_is_read(tmp_path: Path) -> None:
    """Lists of float64, structs, large strings, columns in another order or left out."""
    from pyarrow import parquet

    table = pyarrow.table(
        {
            "vector": pyarrow.array([[1.0, 2.0], [3.0, 4.0]]),
            "metadata": [{"year": 1, "tags": ["a"]}, None],
            "id": pyarrow.array(["a", "b"], pyarrow.large_string()),
        }
    )
    parquet.write_table(table, tmp_path / "n.parquet")
    with Collection.from_file(tmp_path / "n.uv", tmp_path / "n.parquet", metric="dot") as db:
        records = db.get(include=["embeddings"])
        assert records["metadatas"] == [{"year": 1, "tags": ["a"]}, {}]
        assert records["embeddings"][1].tolist() == [3, 4]
        assert (db.dim, db.metric, db.count()) == (2, "dot", 2)
    (tmp_path / "n.jsonl").write_text('\ufeff{"id": "a", "vector": [1, 2e0]}\n\n \r\n{"id":"b",'
                                      '"vector":[3,4]}', encoding="utf-8")  # fmt: skip
    with Collection.from_file(tmp_path / "m.uv", tmp_path / "n.jsonl") as db:
        assert db.get()["ids"] == ["a", "b"]


def test_a_filter_exports_what_it_lets_through(db: Collection, tmp_path: Path) -> None:
    assert db.export(tmp_path / "n.jsonl", where={"t": True}).documents == 1
    assert json.loads((tmp_path / "n.jsonl").read_text("utf-8"))["id"] == "b"


@pytest.mark.parametrize("name", FILES)
def test_texts_without_vectors_are_encoded(tmp_path: Path, words: HashedWords, name: str) -> None:
    with Collection(tmp_path / "a.uv", encoder=words) as db:
        db.add(["the cat", "a dog"], ids=["a", "b"])
        db.export(tmp_path / name, embeddings=False)
        expected = contents(db)
    for options in ({}, {"encode_texts": True}):
        words.encoded.clear()
        with Collection(tmp_path / f"b{len(options)}.uv", encoder=words) as copy:
            assert copy.import_from(tmp_path / name, **options).encoded == 2
            assert contents(copy) == expected
            assert words.encoded == ["the cat", "a dog"]


def test_vectors_are_given_to_those_rows_that_have_none(tmp_path: Path, words: HashedWords) -> None:
    given = words.encode("another text entirely").tolist()
    (tmp_path / "n.jsonl").write_text(
        json.dumps({"id": "a", "document": "the cat"})
        + "\n"
        + json.dumps({"id": "b", "document": "a dog", "vector": given})
    )
    with Collection(tmp_path / "a.uv", encoder=words) as db:
        assert db.import_from(tmp_path / "n.jsonl").encoded == 1
        assert db.search("the cat", k=1)[0].id == "a"
        assert db.search("another text entirely", k=1)[0].id == "b"


def test_vectors_of_another_model_are_refused(tmp_path: Path) -> None:
    with Collection(tmp_path / "a.uv", encoder=HashedWords(8)) as db:
        db.add("the cat", ids="a")
        db.export(tmp_path / "n.parquet")
    with Collection(tmp_path / "b.uv", encoder=HashedWords(8, name="another")) as other:
        with pytest.raises(FingerprintError, match=r"'hashed-words', those here by 'another'"):
            other.import_from(tmp_path / "n.parquet")
        assert other.count() == 0
        assert other.import_from(tmp_path / "n.parquet", encode_texts=True).encoded == 1
    with (
        Collection(tmp_path / "c.uv", dim=4) as other,
        pytest.raises(ValueError, match="expected vectors of dim 4, got dim 8"),
    ):
        other.import_from(tmp_path / "n.parquet")


def test_a_new_collection_knows_the_model_of_the_file(tmp_path: Path) -> None:
    words = HashedWords(8)
    with Collection(tmp_path / "a.uv", encoder=words) as db:
        db.add(["the cat", "a dog"], ids=["a", "b"])
        db.export(tmp_path / "n.parquet")
        db.export(tmp_path / "n.jsonl", embeddings=False)
    with Collection.from_file(tmp_path / "b.uv", tmp_path / "n.parquet") as copy:
        assert copy.stats()["model"] == "hashed-words"
        assert copy.stats()["fingerprint"] == words.fingerprint
        with pytest.raises(FileNotFoundError, match="hashed-words"):
            copy.search("the cat")  # now the model is wanted, and no such one is installed
    with Collection(tmp_path / "b.uv", encoder=words) as copy:
        assert copy.search("the cat", k=1)[0].id == "a"
    with pytest.raises(FileExistsError, match="import_from adds to it"):
        Collection.from_file(tmp_path / "b.uv", tmp_path / "n.parquet")
    with pytest.raises(ValueError, match="expected encoder="):
        Collection.from_file(tmp_path / "c.uv", tmp_path / "n.jsonl")
    with Collection.from_file(tmp_path / "c.uv", tmp_path / "n.jsonl", words) as copy:
        assert copy.search("a dog", k=1)[0].id == "b"


def test_a_failed_file_leaves_no_new_collection(tmp_path: Path) -> None:
    lines = [json.dumps({"id": str(i), "vector": [1, i]}) for i in range(1500)]
    (tmp_path / "n.jsonl").write_text("\n".join([*lines, "{"]))
    with pytest.raises(FormatError, match="line 1501"):
        Collection.from_file(tmp_path / "n.uv", tmp_path / "n.jsonl")
    assert not (tmp_path / "n.uv").exists()
    (tmp_path / "n.uv").mkdir()
    with pytest.raises(FormatError, match="line 1501"):
        Collection.from_file(tmp_path / "n.uv", tmp_path / "n.jsonl")
    assert list((tmp_path / "n.uv").iterdir()) == []
    with pytest.raises(FormatError, match="line 1501"):
        Collection.from_file(tmp_path / "n.uv", tmp_path / "n.jsonl", atomic=False)
    with Collection.open(tmp_path / "n.uv") as db:
        assert db.count() == 1024


def test_known_ids(db: Collection, tmp_path: Path) -> None:
    db.export(tmp_path / "n.jsonl")
    before = contents(db)
    with pytest.raises(ValueError, match=r"n\.jsonl line 1: expected a new id, but 'b'.*upsert"):
        db.import_from(tmp_path / "n.jsonl")
    db.update("b", metadatas={"changed": True})
    db.delete("c")
    assert db.import_from(tmp_path / "n.jsonl", mode="upsert").documents == 3
    assert contents(db) == before
    twice = '{"id": "d", "vector": [1, 2, 3, 4]}\n{"id": "d", "vector": [5, 6, 7, 8]}\n'
    (tmp_path / "twice.jsonl").write_text(twice)
    with pytest.raises(ValueError, match=r"line 2: .*'d' is in the collection, or stands earlier"):
        db.import_from(tmp_path / "twice.jsonl")
    assert contents(db) == before
    db.import_from(tmp_path / "twice.jsonl", mode="upsert")
    assert db.get("d", include=["embeddings"])[0].vector.tolist() == [5, 6, 7, 8]


def test_an_error_late_in_a_file_leaves_nothing_of_it(tmp_path: Path) -> None:
    lines = [json.dumps({"id": str(i), "vector": [1, i]}) for i in range(1500)]
    (tmp_path / "n.jsonl").write_text("\n".join([*lines, '{"id": "x", "vector": [1]}']))
    with Collection(tmp_path / "n.uv", dim=2) as db:
        with pytest.raises(FormatError, match=r"line 1501: vector: expected vectors of dim 2"):
            db.import_from(tmp_path / "n.jsonl")
        assert db.count() == 0
        with pytest.raises(FormatError, match="line 1501"):
            db.import_from(tmp_path / "n.jsonl", atomic=False)
        assert db.get()["ids"] == [str(i) for i in range(1024)]  # two batches of 512


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda db, p: db.export(p / "n.csv"), ValueError, "path that ends in"),
        (lambda db, p: db.export(p / "n"), ValueError, "path that ends in"),
        (lambda db, p: db.export(p / "n", format="csv"), ValueError, "expected a format of"),
        (lambda db, p: db.export(p / "n.jsonl", layout="chroma"), ValueError, "a layout of"),
        (lambda db, p: db.export(p / "n.jsonl", name="x"), ValueError, "expected no name="),
        (lambda db, p: db.export(p / "n.jsonl", where=[]), TypeError, "where"),
        (lambda db, p: db.export(p, layout="pinecone"), FileExistsError, "folder"),
        (lambda db, p: db.import_from(p / "none.jsonl"), FileNotFoundError, "no file at"),
        (lambda db, p: db.import_from(p), IsADirectoryError, "got the folder"),
        (lambda db, p: db.import_from(p / "none.jsonl", mode="x"), ValueError, "mode 'add' or"),
    ],
)  # fmt: skip
def test_wrong_arguments(
    db: Collection, tmp_path: Path, call: Callable[..., Any], error: Any, message: str
) -> None:
    before = sorted(tmp_path.iterdir())
    with pytest.raises(error, match=message):
        call(db, tmp_path)
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_is_replaced_only_when_told_and_only_by_a_whole_one(
    db: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "n.jsonl"
    path.write_text("precious")
    with pytest.raises(FileExistsError, match="overwrite=True replaces it"):
        db.export(path)
    names = sorted(tmp_path.iterdir())
    for broken in ("n.jsonl", "n.parquet", "n.jsonl.gz", "n.jsonl.zst"):
        monkeypatch.setattr(
            "unitvec.collection.exchange_verbs.documents", lambda *a: _broken_off(documents(*a))
        )
        with pytest.raises(OSError, match="the disk is full"):
            db.export(tmp_path / broken, overwrite=True)
        assert sorted(tmp_path.iterdir()) == names
    assert path.read_text() == "precious"
    monkeypatch.undo()
    db.export(path, overwrite=True)
    assert len(path.read_text("utf-8").split("\n")) == 4


def _broken_off(records: Any) -> Any:
    yield next(records)
    raise OSError(28, "the disk is full")


def test_the_file_is_synced_before_it_has_its_name_and_the_folder_after(
    db: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    home = "unitvec.collection.publishing.sync_to_disk"
    monkeypatch.setattr(home, lambda path: events.append(f"sync {Path(path).suffix}"))
    replace = Path.replace
    monkeypatch.setattr(Path, "replace", lambda a, b: (events.append("rename"), replace(a, b))[1])
    db.export(tmp_path / "n.parquet")
    assert events == ["sync .tmp", "rename", "sync "]


def test_an_export_is_of_one_moment(db: Collection, tmp_path: Path) -> None:
    """What is written while an export runs is not in it, and does not wait for it."""
    expected = contents(db)
    with db._session.extra_reader() as store, store.reading():
        records = documents(store, None, db._space)
        seen = [next(records)]
        db.add(ids="new", embeddings=[[1, 2, 3, 4]])
        db.delete("c")
        seen += list(records)
    assert [record.id for record in seen] == [row[0] for row in expected]


def test_read_only_it_exports_and_does_not_import(db: Collection, tmp_path: Path) -> None:
    with Collection.open(db.path, read_only=True) as reader:
        reader.export(tmp_path / "n.jsonl")
        with pytest.raises(PermissionError, match="read-only"):
            reader.import_from(tmp_path / "n.jsonl", mode="upsert")
    db.close()
    for call in (db.export, db.import_from):
        with pytest.raises(RuntimeError, match="is closed"):
            call(tmp_path / "m.jsonl")


def test_a_progress_bar_counts_documents(
    db: Collection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db.export(tmp_path / "n.parquet", show_progress_bar=True)
    assert "3/3" in capsys.readouterr().err
    db.import_from(tmp_path / "n.parquet", mode="upsert", show_progress_bar=True)
    assert "3/3" in capsys.readouterr().err
    db.export(tmp_path / "m.parquet")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["n.parquet", "n.jsonl.zst"])
def test_a_missing_pyarrow_is_named_with_its_extra(
    db: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    db.export(tmp_path / name)
    for module in [m for m in sys.modules if m.partition(".")[0] == "pyarrow"]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r"\[export\] needs pyarrow: .*unitvec\[parquet\]"):
        db.export(tmp_path / f"m{name}")
    with pytest.raises(ImportError, match=r"\[import_from\] needs pyarrow"):
        db.import_from(tmp_path / name)
    assert not (tmp_path / f"m{name}").exists()
    db.export(tmp_path / "n.jsonl.gz")


MEMORY = """
import resource, sys
import numpy as np
from unitvec import Collection
from unitvec.collection import IndexPolicy

home, name, megabytes = sys.argv[1], sys.argv[2], int(sys.argv[3])
rows, text, dim = 64 * megabytes, "x" * 16000, 32  # 16 KB a row: 1 MB in 64
policy = IndexPolicy(approximate_from=10**9)
with Collection(home + "/a.uv", dim=dim, index_policy=policy) as db:
    rng = np.random.default_rng(0)
    for start in range(0, rows, 256):
        db.add([text] * 256, [str(start + i) for i in range(256)],
               embeddings=rng.standard_normal((256, dim), np.float32))
    db.export(home + "/" + name)
with Collection(home + "/b.uv", dim=dim, index_policy=policy) as copy:
    assert copy.import_from(home + "/" + name).documents == rows
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["n.parquet", "n.jsonl"])
def test_memory_does_not_grow_with_the_collection(tmp_path: Path, name: str) -> None:
    peaks = []
    for megabytes in (64, 192):
        home = tmp_path / str(megabytes)
        home.mkdir()
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, str(home), name, str(megabytes)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] < 48  # of the 128 MB more
