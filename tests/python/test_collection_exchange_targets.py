"""Files for Pinecone's bulk import and of Weaviate's batch objects, judged by their clients."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from stored_documents import contents
from unitvec import Collection, FormatError
from unitvec.collection import Record
from unitvec.collection.exchange.layouts import Options
from unitvec.collection.exchange.pinecone import PineconeLayout
from unitvec.collection.exchange.weaviate import WeaviateLayout, class_of, object_id

parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")

VECTORS = np.array([[1, -0.0, 1e-38, 0.1], [0.5, 2, 3, 4], [9, 8, 7, 6]], np.float32)
UUID = "0b6a1b5e-7a9c-4a52-9a7e-3c6f0a3f8d11"

#: Metadata that both can hold.
HELD = {"year": 2020, "score": 0.1, "draft": False, "lang": "dé", "tags": ["a", "b"], "none": []}

#: What only our own layout can hold: a value, and what Pinecone and Weaviate call it, if they do.
UNHELD: list[tuple[str, Any, str | None, str | None]] = [
    ("k", None, "null", "null"),
    ("k", {"a": 1}, "a nested object", None),
    ("k", {}, "a nested object", "an object without keys"),
    ("k", {"a b": 1}, "a nested object", "an object with a key that is no property's name"),
    ("k", {"vector": 1}, "a nested object", "an object with a key that is no property's name"),
    ("k", {"a": [{"b": None}]}, "a nested object", "null in an object"),
    ("k", [1, 2], "a list of other things than texts", None),
    ("k", [1, 2.5], "a list of other things than texts", None),
    ("k", [{"a": 1}], "a list of other things than texts", None),
    ("k", ["a", None], "a list of other things than texts", "a list of several types, of lists or"),
    ("k", [1, True], "a list of other things than texts", "a list of several types, of lists or"),
    ("k", [[1]], "a list of other things than texts", "a list of several types, of lists or"),
    ("k", 2**53 + 1, "an integer beyond 2^53", "an integer beyond 2^53"),
    ("k", [2**53 + 1], "a list of other things than texts", "an integer beyond 2^53"),
    ("$k", 1, "a key that begins with $", "a key that is no GraphQL name"),
    ("a b", 1, None, "a key that is no GraphQL name"),
    ("", 1, None, "a key that is no GraphQL name"),
    ("é", 1, None, "a key that is no GraphQL name"),
    ("id", 1, None, "a reserved name"),
    ("_id", 1, None, "a reserved name"),
    ("_additional", 1, None, "a reserved name"),
    ("vector", 1, None, "a reserved name"),
]


@pytest.fixture
def db(tmp_path: Path) -> Any:
    with Collection(tmp_path / "my notes.uv", dim=4, metric="dot") as collection:
        collection.add(["the cat", ""], ["a/1", UUID], [HELD, {}], VECTORS[:2])
        collection.add(ids="c", embeddings=VECTORS[2])
        yield collection


def copied(tmp_path: Path, file: Path, layout: str, **options: Any) -> list[tuple[Any, ...]]:
    with Collection(tmp_path / "copy.uv", dim=4, metric="dot") as copy:
        copy.import_from(file, layout=layout, **options)
        return contents(copy)


def objects(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def pinecone_vector(row: dict[str, Any]) -> Any:
    """A row as Pinecone's client takes it to upsert, with the checks of the client."""
    checks = pytest.importorskip("pinecone._internal.vector_factory", reason="no pinecone client")
    validation = pytest.importorskip("pinecone._internal.validation", reason="no pinecone client")
    validation.require_valid_vector_id("id", row["id"])
    return checks.VectorFactory.build({k: v for k, v in row.items() if v is not None})


def weaviate_object(row: dict[str, Any]) -> Any:
    """An object as Weaviate's client sends it, through the types and checks of the client."""
    batch = pytest.importorskip("weaviate.collections.classes.batch", reason="no weaviate client")
    grpc = pytest.importorskip("weaviate.collections.batch.grpc_batch", reason="no weaviate client")
    util = pytest.importorskip("weaviate.util", reason="no weaviate client")
    made = batch.BatchObject(
        collection=row["class"],
        uuid=row["id"],
        properties=row["properties"],
        vector=row.get("vector"),
        index=0,
    )
    version = util._ServerVersion(1, 30, 0)
    return made, grpc._BatchGRPC(version, None, None).grpc_object(made._to_internal())


def test_pinecone_takes_what_is_exported(db: Collection, tmp_path: Path) -> None:
    report = db.export(tmp_path / "import", layout="pinecone")
    assert report.files == [tmp_path / "import" / "__default__" / "000000.parquet"]
    table = parquet.read_table(report.files[0])
    assert [str(field.type) for field in table.schema] == [
        "string",
        "list<element: float>",
        "string",
    ]
    assert table.column_names == ["id", "values", "metadata"]
    rows = table.to_pylist()
    assert rows[2]["metadata"] is None  # nothing is null, not "{}", as the documentation asks
    made = [
        pinecone_vector({**row, "metadata": row["metadata"] and json.loads(row["metadata"])})
        for row in rows
    ]
    assert [vector.id for vector in made] == ["a/1", UUID, "c"]
    assert_array_equal(np.array([vector.values for vector in made], np.float32), VECTORS)
    assert made[0].metadata == {**HELD, "text": "the cat"}
    assert made[1].metadata == {"text": ""}


def test_pinecone_jsonl_are_its_upserts(db: Collection, tmp_path: Path) -> None:
    db.export(tmp_path / "n.jsonl", layout="pinecone")
    made = [pinecone_vector(row) for row in objects(tmp_path / "n.jsonl")]
    assert [vector.metadata for vector in made] == [{**HELD, "text": "the cat"}, {"text": ""}, None]
    assert copied(tmp_path, tmp_path / "n.jsonl", "pinecone") == contents(db)


@pytest.mark.parametrize("target", ["import", "n.parquet", "folder.of.files"])
def test_pinecone_round_trip(db: Collection, tmp_path: Path, target: str) -> None:
    db.export(tmp_path / target, layout="pinecone", text_key="chunk", name="my namespace")
    expected = contents(db)
    assert copied(tmp_path, tmp_path / target, "pinecone", text_key="chunk") == expected


def test_pinecone_namespaces(db: Collection, tmp_path: Path) -> None:
    """A folder of namespaces, one of them, and its files."""
    for name, where in (("one", {"year": 2020}), ("two", {"year": {"$exists": False}})):
        db.export(tmp_path / name, layout="pinecone", name=name, where=where)
    home = tmp_path / "all"
    home.mkdir()
    for name in ("one", "two"):
        (tmp_path / name / name).rename(home / name)
    expected = contents(db)
    with Collection(tmp_path / "copy.uv", dim=4, metric="dot") as copy:
        with pytest.raises(ValueError, match=r"expected name= to be one of \['one', 'two'\]"):
            copy.import_from(home, layout="pinecone")
        with pytest.raises(FileNotFoundError, match="three"):
            copy.import_from(home, layout="pinecone", name="three")
        assert copy.import_from(home, layout="pinecone", name="one").documents == 1
        assert copy.import_from(home / "two", layout="pinecone").documents == 2
        assert contents(copy) == expected
    with pytest.raises(FileExistsError, match="got the folder"):
        db.export(home, layout="pinecone")


def test_a_large_export_for_pinecone_is_several_files(
    db: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unitvec.collection.exchange.exporting._FILE_BYTES", 1)
    monkeypatch.setattr("unitvec.collection.exchange.parquet._GROUP_ROWS", 2)
    report = db.export(tmp_path / "import", layout="pinecone")
    assert [file.name for file in report.files] == ["000000.parquet", "000001.parquet"]
    assert report.bytes == sum(file.stat().st_size for file in report.files)
    assert copied(tmp_path, tmp_path / "import", "pinecone") == contents(db)


@pytest.mark.parametrize("name", ["../x", "a/b", "..", ".", "", "é", "a\0", "x" * 256])
def test_bad_namespaces(db: Collection, tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="expected a namespace"):
        db.export(tmp_path / "import", layout="pinecone", name=name)
    assert not (tmp_path / "import").exists()
    with pytest.raises(ValueError, match="expected a namespace"):
        db.import_from(tmp_path, layout="pinecone", name=name)


def test_weaviate_takes_what_is_exported(db: Collection, tmp_path: Path) -> None:
    db.export(tmp_path / "n.jsonl", layout="weaviate")
    made = [weaviate_object(row) for row in objects(tmp_path / "n.jsonl")]
    assert {given.collection for given, _ in made} == {"MyNotes"}
    assert [str(given.uuid) for given, _ in made] == [object_id("a/1"), UUID, object_id("c")]
    for (_, sent), vector in zip(made, VECTORS, strict=True):
        assert np.frombuffer(sent.vector_bytes, "<f4").tobytes() == vector.tobytes()
    sent = made[0][1].properties
    assert dict(sent.non_ref_properties) == {
        "year": 2020, "score": 0.1, "draft": False, "lang": "dé", "text": "the cat",
        "unitvec_id": "a/1",
    }  # fmt: skip
    assert [(p.prop_name, list(p.values)) for p in sent.text_array_properties] == [
        ("tags", ["a", "b"])
    ]
    assert dict(made[1][1].properties.non_ref_properties) == {"text": ""}
    assert copied(tmp_path, tmp_path / "n.jsonl", "weaviate") == contents(db)


def test_weaviate_objects_go_through_data_objects(db: Collection, tmp_path: Path) -> None:
    """`collection.data.insert_many` takes these."""
    data = pytest.importorskip("weaviate.classes.data", reason="no weaviate client")
    db.export(tmp_path / "n.jsonl", layout="weaviate", name="articles", text_key="body")
    for row in objects(tmp_path / "n.jsonl"):
        assert row["class"] == "Articles"  # as Weaviate itself writes it
        made = data.DataObject(row["properties"], uuid.UUID(row["id"]), row["vector"])
        assert made.properties.get("body") in ("the cat", "", None)


def test_an_id_gives_the_uuid_that_weaviates_client_gives() -> None:
    util = pytest.importorskip("weaviate.util", reason="no weaviate client")
    for identity in ("a", "é/1", "x" * 1000, UUID.upper(), UUID.replace("-", "")):
        assert object_id(identity) == util.generate_uuid5(identity)
    assert object_id(UUID) == UUID


def test_weaviate_without_vectors(db: Collection, tmp_path: Path) -> None:
    """Weaviate's own vectorizer then makes them; Pinecone has none to make."""
    db.export(tmp_path / "n.jsonl", layout="weaviate", embeddings=False)
    assert all("vector" not in row for row in objects(tmp_path / "n.jsonl"))
    with pytest.raises(ValueError, match="expected vectors for Pinecone"):
        db.export(tmp_path / "import", layout="pinecone", embeddings=False)


def test_what_weaviate_gives_out_is_read(tmp_path: Path) -> None:
    """Named vectors, its bookkeeping, objects of several collections."""
    rows = [
        {"class": "A", "id": UUID, "properties": {"text": "x", "n": 1}, "vectors": {"d": [1, 2]},
         "creationTimeUnix": 1, "lastUpdateTimeUnix": "2"},
        {"class": "B", "id": str(uuid.uuid4()), "properties": None, "vector": [3, 4]},
        {"class": "A", "id": str(uuid.uuid4()), "properties": {"text": 7}, "vector": [5, 6]},
    ]  # fmt: skip
    (tmp_path / "n.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with Collection(tmp_path / "n.uv", dim=2) as db:
        with pytest.raises(FormatError, match=r"line 2: .*one collection, got 'A' and 'B'; name="):
            db.import_from(tmp_path / "n.jsonl", layout="weaviate")
        report = db.import_from(tmp_path / "n.jsonl", layout="weaviate", name="a")
        assert (report.documents, report.skipped) == (2, 1)
        records = db.get(include=["embeddings"])
        assert records["documents"] == ["x", None]
        assert records["metadatas"] == [{"n": 1}, {"text": 7}]  # no text: stays as it is
        assert records["embeddings"][0].tolist() == [1, 2]
        rows[0]["vectors"]["e"] = [1, 2]
        (tmp_path / "n.jsonl").write_text(json.dumps(rows[0]))
        with pytest.raises(FormatError, match="line 1: expected one vector an object"):
            db.import_from(tmp_path / "n.jsonl", layout="weaviate")


@pytest.mark.parametrize(
    ("layout", "row", "message"),
    [
        ("pinecone", {"id": "a", "values": [1, 2], "sparse_values": {}}, "sparse_values"),
        ("pinecone", {"id": "a", "values": [1, 2], "metadata": [1]}, "metadata: expected a dict"),
        ("pinecone", {"id": "a", "metadata": {"k": 1}}, "expected a vector, or a text"),
        ("weaviate", {"class": "A", "id": UUID, "vector": [1, 2], "tenant": "t"}, r"\['tenant'\]"),
        ("weaviate", {"class": "A", "id": UUID, "vector": [1, 2], "properties": 1}, "metadata"),
        ("weaviate", {"class": "A", "vector": [1, 2]}, "id: expected str"),
    ],
)  # fmt: skip
def test_rows_that_a_collection_cannot_hold(
    tmp_path: Path, layout: str, row: dict[str, Any], message: str
) -> None:
    (tmp_path / "n.jsonl").write_text(json.dumps(row))
    with Collection(tmp_path / "n.uv", dim=2) as db:
        with pytest.raises(FormatError, match=f"line 1: .*{message}"):
            db.import_from(tmp_path / "n.jsonl", layout=layout)
        assert db.count() == 0


@pytest.mark.parametrize(("key", "value", "pinecone", "weaviate"), UNHELD)
@pytest.mark.parametrize("layout", ["pinecone", "weaviate"])
def test_metadata_that_a_target_cannot_hold(
    tmp_path: Path, layout: str, key: str, value: Any, pinecone: str | None, weaviate: str | None
) -> None:
    problem = {"pinecone": pinecone, "weaviate": weaviate}[layout]
    path = tmp_path / "n.jsonl"
    fields = {"pinecone": "metadata", "weaviate": "properties"}[layout]
    check = {"pinecone": pinecone_vector, "weaviate": weaviate_object}[layout]
    with Collection(tmp_path / "n.uv", dim=2) as db:
        db.add(["x"], ids=["doc"], metadatas=[{"before": 1, key: value}], embeddings=[[1, 2]])
        if problem is None:
            assert db.export(path, layout=layout).changes == {}
            assert objects(path)[0][fields][key] == value
            check(objects(path)[0])
            return
        with pytest.raises(ValueError, match=r"id 'doc': .*got ") as caught:
            db.export(path, layout=layout)
        assert problem in str(caught.value)
        assert repr(key) in str(caught.value)
        assert not path.exists()
        report = db.export(path, layout=layout, on_unsupported="drop")
        assert [(k.startswith(problem), n) for k, n in report.changes.items()] == [(True, 1)]
        assert all(change.endswith(": left out") for change in report.changes)
        assert key not in objects(path)[0][fields]
        check(objects(path)[0])
        if key != "k":  # a name cannot become JSON text
            assert "'json'" not in str(caught.value)
            with pytest.raises(ValueError, match="on_unsupported='drop'"):
                db.export(path, layout=layout, on_unsupported="json", overwrite=True)
            return
        report = db.export(path, layout=layout, on_unsupported="json", overwrite=True)
        assert all(change.endswith(": written as JSON text") for change in report.changes)
        assert json.loads(objects(path)[0][fields]["k"]) == value
        check(objects(path)[0])


@pytest.mark.parametrize(
    ("layout", "arguments", "message"),
    [
        ("pinecone", {"ids": "é"}, "id 'é': expected at most 512 ASCII"),
        ("pinecone", {"ids": "x" * 513}, "expected at most 512 ASCII"),
        ("pinecone", {"embeddings": [[0.0, 0.0]]}, "not all zeros"),
        ("pinecone", {"documents": ["x" * 40_960]}, "at most 40960 bytes"),
        ("pinecone", {"metadatas": [{"text": 1}]}, "no metadata key 'text'.*text_key="),
        ("weaviate", {"metadatas": [{"text": 1}]}, "no metadata key 'text'.*text_key="),
        ("weaviate", {"metadatas": [{"unitvec_id": 1}]}, "no metadata key 'unitvec_id'"),
    ],
)
@pytest.mark.parametrize("policy", ["error", "json", "drop"])
def test_documents_that_a_target_cannot_hold(
    tmp_path: Path, layout: str, arguments: dict[str, Any], message: str, policy: str
) -> None:
    """No policy changes ids, texts and vectors, or leaves a document out."""
    with Collection(tmp_path / "n.uv", dim=2, metric="dot") as db:
        db.add(**{"embeddings": [[1.0, 2.0]], **arguments})
        with pytest.raises(ValueError, match=message):
            db.export(tmp_path / "n.jsonl", layout=layout, on_unsupported=policy)
    assert not (tmp_path / "n.jsonl").exists()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda db, p: db.export(p / "n.parquet", layout="weaviate"), r"a format of \('jsonl',\)"),
        (lambda db, p: db.export(p / "n.jsonl", layout="weaviate", name="1a"), "collection's name"),
        (lambda db, p: db.export(p / "n.jsonl", layout="weaviate", name=""), "collection's name"),
        (lambda db, p: db.export(p / "n", layout="pinecone", on_unsupported="x"), "on_unsupported"),
    ],
)
def test_wrong_arguments(
    db: Collection, tmp_path: Path, call: Callable[..., Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        call(db, tmp_path)


def test_dimensions_beyond_pinecones(tmp_path: Path) -> None:
    layout = PineconeLayout(Options())
    with pytest.raises(ValueError, match="expected dim up to 20000"):
        layout.to_row(Record("a", None, {}, np.ones(20_001, np.float32)))


@pytest.mark.parametrize(
    ("stem", "name"),
    [("notes", "Notes"), ("my notes-2", "MyNotes2"), ("2024", "Documents2024"), ("é", "Documents"),
     ("x" * 300, "X" + "x" * 254)],
)  # fmt: skip
def test_a_collections_name_from_its_folder(stem: str, name: str) -> None:
    assert class_of(stem) == name


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(["a", "b", "c_1"]), json_values))
def test_any_metadata_becomes_what_the_clients_accept(metadata: dict[str, Any]) -> None:
    """Under "json" every key stays, and each client takes the outcome."""
    record = Record("a", "x", metadata, np.ones(2, np.float32))
    options = Options(name="Notes", policy="json")
    row = PineconeLayout(options).to_row(record)
    assert set(row["metadata"]) == {*metadata, "text"}
    pinecone_vector({**row, "values": [1.0, 1.0]})
    made = WeaviateLayout(options).to_row(record)
    assert set(made["properties"]) == {*metadata, "text", "unitvec_id"}
    weaviate_object({**made, "vector": [1.0, 1.0]})
