"""Named vectors go out to files and come in again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hashed_words import HashedWords
from unitvec import Collection, FingerprintError, FormatError

FILES = ["n.parquet", "n.jsonl", "n.jsonl.gz"]
TITLE = HashedWords(8, "title-model")
ODD = np.array([-0.0, 1e-45, 0.1], np.float32)


@pytest.fixture(params=[False, True], ids=["names alone", "own kind too"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    own = {"dim": 2, "metric": "dot"} if request.param else {}
    vectors = {"title": TITLE, "image": {"dim": 3, "metric": "dot"}}
    with Collection(tmp_path / "n.uv", vectors=vectors, **own) as db:
        owns = {"": [[1, 2], [3, 4], [5, 6]]} if own else {}
        db.add(["a cat", "a dog", "no title"], ids=["a", "b", "c"],
               metadatas=[{"n": 1}, None, None],
               embeddings={"image": [ODD, None, None],
                           "title": [*TITLE.encode(["a cat", "a dog"]), None], **owns})  # fmt: skip
        owns = {"": [[7, 8]]} if own else {}
        db.add(ids="d", embeddings={"image": [[1, 2, 3]], **owns})
        yield db


def contents(db: Collection) -> list[Any]:
    return [
        (r.id, r.document, r.metadata, {name: v.tobytes() for name, v in r.vector.items()})
        for r in db.scan(include=["documents", "metadatas", "embeddings"])
    ]


@pytest.mark.parametrize("file", FILES)
def test_every_bit_comes_back(db: Collection, tmp_path: Path, file: str) -> None:
    assert db.export(tmp_path / file).documents == 4
    kinds = {"title": TITLE, "image": {"dim": 3, "metric": "dot"}}
    with Collection.from_file(
        tmp_path / "copy.uv", tmp_path / file, metric="dot" if "" in db._spaces else None,
        vectors=None if file == "n.parquet" else kinds,
    ) as copy:  # fmt: skip
        assert contents(copy) == contents(db)
        assert copy._spaces.keys() == db._spaces.keys()
        for name, space in db._spaces.items():
            assert copy._spaces[name][2:6] == space[2:6]
        report = copy.import_from(tmp_path / file, mode="upsert")
        assert (report.documents, report.encoded) == (4, 0)
        assert contents(copy) == contents(db)
        assert copy.verify().ok


def test_the_columns(db: Collection, tmp_path: Path) -> None:
    import pyarrow.parquet as parquet

    db.export(tmp_path / "n.parquet")
    table = parquet.read_table(tmp_path / "n.parquet")
    has_own = ["vector"] if "" in db._spaces else []
    assert table.column_names == ["id", "document", "metadata", *has_own, "vectors"]
    rows = table["vectors"].to_pylist()
    assert rows[3] == {"title": None, "image": [1, 2, 3]}
    db.export(tmp_path / "n.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "n.jsonl").read_text().splitlines()]
    assert [set(line["vectors"]) for line in lines] == [{"title", "image"}, {"title"}, set(),
                                                        {"image"}]  # fmt: skip
    db.export(tmp_path / "bare.parquet", embeddings=False)
    names = parquet.read_table(tmp_path / "bare.parquet").column_names
    assert names == ["id", "document", "metadata"]


@pytest.mark.parametrize("file", FILES)
def test_one_kind_goes_out_as_vectors_without_a_name(
    db: Collection, tmp_path: Path, file: str
) -> None:
    db.delete(["c", "d"])
    db.export(tmp_path / file, using="title")
    with Collection(tmp_path / "one.uv", encoder=TITLE) as one:
        assert one.import_from(tmp_path / file).encoded == 0
        assert one.search("a dog")[0].id == "b"
    with Collection(tmp_path / "two.uv", vectors={"title": TITLE, "other": 5}) as two:
        with pytest.raises(ValueError, match=r"\[import_from\] expected using= to be one of"):
            two.import_from(tmp_path / file)
        assert two.import_from(tmp_path / file, using="title").documents == 2
        assert two.search("a dog", using="title")[0].id == "b"
    with Collection.from_file(tmp_path / "three.uv", tmp_path / file, using="title") as three:
        assert list(three.vectors) == ["title"]
    with pytest.raises(ValueError, match=r"\[export\] expected using= to be one of .* got 'x'"):
        db.export(tmp_path / "x.parquet", using="x")


@pytest.mark.parametrize("file", ["n.parquet", "n.jsonl"])
def test_a_kind_that_documents_lack_goes_out(db: Collection, tmp_path: Path, file: str) -> None:
    """Rows without a vector stand beside those with one."""
    db.export(tmp_path / file, using="image")
    vectors = {"image": {"dim": 3, "metric": "dot"}}
    with Collection(tmp_path / "c.uv", vectors=vectors) as copy:
        with pytest.raises(FormatError, match="expected vectors, as no vectors here have an enco"):
            copy.import_from(tmp_path / file)
        assert copy.count() == 0
    with Collection(tmp_path / "e.uv", vectors={**vectors, "title": TITLE}) as copy:
        copy.import_from(tmp_path / file, using="image")
        images = [r.vector.get("image") for r in copy.get(include=["embeddings"])]
        assert [None if i is None else i.tolist() for i in images] == [
            ODD.tolist(), None, None, [1, 2, 3],
        ]  # fmt: skip


@pytest.mark.parametrize("file", FILES)
def test_texts_are_encoded_where_the_file_has_no_vectors(
    db: Collection, tmp_path: Path, file: str
) -> None:
    db.delete("d")
    db.export(tmp_path / file, embeddings=False)
    kinds: dict[str, Any] = {"title": TITLE, "image": 3}
    with Collection(tmp_path / "c.uv", vectors=kinds) as copy:
        assert copy.import_from(tmp_path / file).encoded == 3
        assert [set(r.vector) for r in copy.get(include=["embeddings"])] == [{"title"}] * 3
    db.export(tmp_path / f"all-{file}")
    with Collection(tmp_path / "all.uv", vectors=kinds) as copy:
        report = copy.import_from(tmp_path / f"all-{file}", encode_texts=True)
        assert (report.documents, report.encoded) == (3, 3)
        assert copy.search("no title", using="title")[0].id == "c"


def test_what_does_not_fit_is_refused(db: Collection, tmp_path: Path) -> None:
    db.export(tmp_path / "n.parquet")
    kinds: dict[str, Any] = {"title": 8, "image": {"dim": 3, "metric": "dot"}}
    own = {"dim": 2, "metric": "dot"} if "" in db._spaces else {}
    cases: list[tuple[Any, type[Exception], str]] = [
        ({"title": HashedWords(8, "new")}, FingerprintError, "its vectors 'title' were made by"),
        ({"title": 7}, ValueError, "expected vectors 'title' of dim 7, got dim 8"),
    ]
    for i, (change, error, message) in enumerate(cases):
        with Collection(tmp_path / f"{i}.uv", vectors={**kinds, **change}, **own) as other:
            with pytest.raises(error, match=message):
                other.import_from(tmp_path / "n.parquet")
            assert other.count() == 0
    message = r"row 0: vectors: expected names .* got 'image'"
    with (
        Collection(tmp_path / "few.uv", vectors={"title": 8}, **own) as other,
        pytest.raises(FormatError, match=message),
    ):
        other.import_from(tmp_path / "n.parquet")


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ([1, 2, 3], "vectors: expected an object of names and vectors"),
        ({"image": [1, 2]}, "vector 'image': expected vectors of dim 3, got dim 2"),
        ({"image": [1, 2, True]}, "vector 'image': expected a list of numbers"),
        ({"image": {"x": 1}}, "vector 'image': expected real numbers"),
        ({"picture": [1, 2, 3]}, r"vectors: expected names of \['image', 'b'\], got 'picture'"),
        ({"": [1, 2, 3]}, "vectors: expected an object of names and vectors"),
        ({}, "expected a vector, or a text to encode"),
        (None, "expected a vector, or a text to encode"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, vectors: Any, message: str) -> None:
    lines = [{"id": "a", "vectors": {"image": [1, 2, 3]}}, {"id": "b", "vectors": vectors}]
    (tmp_path / "n.jsonl").write_text("\n".join(map(json.dumps, lines)))
    with Collection(tmp_path / "c.uv", vectors={"image": 3, "b": 2}) as db:
        with pytest.raises(FormatError, match=f"line 2: {message}"):
            db.import_from(tmp_path / "n.jsonl")
        assert db.count() == 0


@pytest.mark.parametrize("kind", ["list", "struct of texts", "struct of float64"])
def test_columns_of_other_programs(tmp_path: Path, kind: str) -> None:
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    import pyarrow.parquet as parquet

    columns = {
        "list": [[1.0, 2.0]],
        "struct of texts": [{"image": "x"}],
        "struct of float64": [{"image": [1.0, 2.0]}, None, {"image": None}],
    }
    table = {"id": list("abc")[: len(columns[kind])], "vectors": columns[kind]}
    if kind == "struct of float64":
        table["document"] = ["x", "y", "z"]
    parquet.write_table(arrow.table(table), tmp_path / "n.parquet")
    with Collection(tmp_path / "c.uv", vectors={"image": 2, "title": TITLE}) as db:
        if kind != "struct of float64":
            with pytest.raises(FormatError, match="column 'vectors': expected structs of lists of"):
                db.import_from(tmp_path / "n.parquet")
            return
        db.import_from(tmp_path / "n.parquet")
        records = db.get(include=["embeddings"])
        assert [set(r.vector) for r in records] == [{"image"}, {"title"}, set()]


def test_pinecone_has_one_vector(db: Collection, tmp_path: Path) -> None:
    db.delete(["c", "d"])
    if "" not in db._spaces:
        with pytest.raises(ValueError, match=r"\[export\] expected using= to be one of"):
            db.export(tmp_path / "p.jsonl", layout="pinecone")
    db.export(tmp_path / "p.jsonl", layout="pinecone", using="title")
    (line, _) = (tmp_path / "p.jsonl").read_text().splitlines()
    np.testing.assert_array_equal(
        np.array(json.loads(line)["values"], np.float32), TITLE.encode("a cat")
    )
    with pytest.raises(ValueError, match="id 'b': expected vectors for Pinecone"):
        db.export(tmp_path / "i.jsonl", layout="pinecone", using="image")


def test_weaviate_has_named_vectors(db: Collection, tmp_path: Path) -> None:
    db.export(tmp_path / "w.jsonl", layout="weaviate", name="A")
    lines = [json.loads(line) for line in (tmp_path / "w.jsonl").read_text().splitlines()]
    assert [set(line.get("vectors", ())) for line in lines] == [
        {"title", "image"}, {"title"}, set(), {"image"},
    ]  # fmt: skip
    assert all(("vector" in line) == ("" in db._spaces) for line in lines)
    kinds: dict[str, Any] = {"title": 8, "image": {"dim": 3, "metric": "dot"}}
    own = {"dim": 2, "metric": "dot"} if "" in db._spaces else {}
    db.delete("c")
    db.export(tmp_path / "w.jsonl", layout="weaviate", name="A", overwrite=True)
    with Collection(tmp_path / "c.uv", vectors=kinds, **own) as copy:
        copy.import_from(tmp_path / "w.jsonl", layout="weaviate")
        assert contents(copy) == contents(db)
    with Collection(tmp_path / "odd.uv", vectors={"a b": 2}) as odd:
        odd.add(ids="x", embeddings={"a b": [1, 2]})
        with pytest.raises(ValueError, match="GraphQL names for Weaviate, got 'a b'"):
            odd.export(tmp_path / "odd.jsonl", layout="weaviate")
