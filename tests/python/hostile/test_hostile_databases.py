"""Databases made by an enemy: schemas, numbers and rows that this library never writes."""

from __future__ import annotations

import contextlib
import zipfile
from pathlib import Path
from typing import Any

import apsw
import numpy as np
import pytest

from hashed_words import HashedWords
from hostile_collections import COUNT, DIM, VECTORS, sql, use
from unitvec import Collection, FormatError
from unitvec.collection import IndexFileWarning, IndexPolicy, repair_collection, schema
from unitvec.collection.field_indexes import index_names
from unitvec.collection.rows import Row, checksum
from unitvec.collection.schema import VECTOR_TABLE
from unitvec.collection.vector_rows import vector_checksum
from unitvec.index import Index

FORMATS = Path(__file__).parents[2] / "formats"

pytestmark = pytest.mark.usefixtures("in_time")

# ---- what a schema may hold --------------------------------------------------------------------

_CHANGE = "UPDATE sqlite_schema SET sql = replace(sql, {}, {})"
SCHEMAS: dict[str, list[str]] = {
    "a view in place of a table": [
        "ALTER TABLE documents RENAME TO real",
        "CREATE VIEW documents AS SELECT key, id, document, metadata, crc FROM real",
    ],
    "a view without end": [
        "ALTER TABLE documents RENAME TO real",
        "CREATE VIEW documents AS WITH RECURSIVE n(key) AS (SELECT 1 UNION ALL SELECT key + 1 "
        "FROM n) SELECT key, 'id' || key AS id, 'x' AS document, '{}' AS metadata, 0 AS crc FROM n",
    ],
    "a trigger on adding": [
        "CREATE TRIGGER t AFTER INSERT ON documents BEGIN DELETE FROM vectors_0; END"
    ],
    "a trigger on deleting": [
        "CREATE TRIGGER t AFTER DELETE ON documents BEGIN DELETE FROM documents; END"
    ],
    "a trigger on the state": [
        "CREATE TRIGGER t AFTER UPDATE ON state BEGIN UPDATE documents SET document = 'x'; END"
    ],
    "a trigger with a bomb": [
        "CREATE TRIGGER t BEFORE INSERT ON documents BEGIN SELECT zeroblob(900000000); END"
    ],
    "a generated column": [
        "ALTER TABLE documents ADD COLUMN more TEXT AS (hex(zeroblob(100000000)))"
    ],
    "a column more": ["ALTER TABLE vectors_0 ADD COLUMN more TEXT"],
    "a table more": ["CREATE TABLE more (x)"],
    "an index on an expression": ["CREATE INDEX i ON documents (hex(zeroblob(1000000)))"],
    "a virtual table": ["CREATE VIRTUAL TABLE more USING fts5(x)"],
    "a virtual table of pages": [
        "DROP TABLE deletions",
        "CREATE VIRTUAL TABLE deletions USING fts5(key, sequence)",
    ],
    "a check that loops": [
        "PRAGMA writable_schema = ON",
        _CHANGE.format("'one = 1'", "'one = 1 AND length(hex(zeroblob(100000000))) > 0'"),
    ],
    "a default that costs": [
        "PRAGMA writable_schema = ON",
        _CHANGE.format(
            "'live INTEGER NOT NULL'", "'live INTEGER NOT NULL DEFAULT (randomblob(9))'"
        ),
    ],
    "a schema that is no SQL": [
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_schema SET sql = 'CREATE TABLE documents (' WHERE name = 'documents'",
    ],
    "a missing table": ["DROP TABLE vectors_0"],
    "no strictness": [
        "ALTER TABLE properties RENAME TO old",
        "CREATE TABLE properties (name, value)",
        "INSERT INTO properties SELECT * FROM old",
        "DROP TABLE old",
    ],
}


@pytest.mark.parametrize("statements", SCHEMAS.values(), ids=SCHEMAS)
def test_a_schema_that_is_not_ours_is_refused(hostile: Path, statements: list[str]) -> None:
    sql(hostile, *statements)
    before = (hostile / "store.sqlite").read_bytes()
    for options in ({"read_only": True}, {"read_only": False}):
        with pytest.raises(FormatError, match=r"store\.sqlite"):
            Collection(hostile, **options)
    assert (hostile / "store.sqlite").read_bytes() == before


@pytest.mark.parametrize(
    ("statements", "named"),
    [
        (["CREATE VIEW v AS SELECT 1"], r"the view 'v' made by 'CREATE VIEW v AS"),
        (["CREATE TABLE more (x)"], "the table 'more'"),
        (["DROP TABLE rewrites"], "table 'rewrites' is missing"),
        (["CREATE INDEX field_6e ON documents (hex(metadata))"], "the index 'field_6e'"),
        (["CREATE INDEX plain ON documents (id)"], "the index 'plain'"),
        (["ANALYZE"], "the table 'sqlite_stat1'"),
        (["CREATE TABLE lexical (document)"], "the table 'lexical'"),
        (["CREATE TABLE lexical_data(id INTEGER PRIMARY KEY, block)"], "the table 'lexical_data'"),
        (["CREATE TABLE vectors_1 (key INTEGER PRIMARY KEY)"], "the table 'vectors_1'"),
        (
            ["CREATE TABLE vectors_7 (key INTEGER PRIMARY KEY, vector BLOB NOT NULL, "
             "crc INTEGER NOT NULL) STRICT"],
            "kinds of vectors are not those it has tables for: 'vectors_7'",
        ),
        (
            ["PRAGMA writable_schema = ON",
             "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = "
             "'rewrites') WHERE name = 'deletions'"],
            "in another's pages",
        ),
        (["INSERT INTO properties VALUES ('field_indexes', '[\"n\"]')"], "field_indexes are not"),
        (["INSERT INTO properties VALUES ('field_indexes', '[[[')"], "field_indexes are not"),
        (["INSERT INTO properties VALUES ('field_indexes', 7)"], "field_indexes are not"),
        (["INSERT OR REPLACE INTO properties VALUES ('last_generation', -1)"], "last_generation"),
        (["INSERT INTO properties VALUES ('last_space', 'x')"], "last_space"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_not_ours_is_named(hostile: Path, statements: list[str], named: str) -> None:
    sql(hostile, *statements)
    for options in ({"read_only": True}, {"read_only": False}):
        with pytest.raises(FormatError, match=named):
            Collection(hostile, **options)


@pytest.mark.parametrize("change", [
    "state SET live = 'x'", "state SET sequence = x'00'", "spaces SET dim = 4.5",
    "spaces SET model = x'ff'", "spaces SET metric = x'07'", "generations SET file = x'07'",
    "generations SET recall = 'x'", "generations SET header = x'00'", "generations SET live = 'x'",
])  # fmt: skip
def test_values_that_a_strict_table_would_not_take(hostile: Path, change: str) -> None:
    """A table that was filled before its statement was exchanged for ours."""
    table = change.split()[0]
    sql(
        hostile,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ')') "
        f"WHERE name = '{table}' AND type = 'table'",
    )
    sql(hostile, f"UPDATE {change}")
    sql(
        hostile,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_schema SET sql = sql || ' STRICT' "
        f"WHERE name = '{table}' AND type = 'table'",
    )
    for options in ({"read_only": True}, {"read_only": False}):
        with pytest.raises(FormatError, match=r"store\.sqlite: .*expected"):
            Collection(hostile, **options)


@pytest.mark.parametrize("durability", ["full", "normal"])
@pytest.mark.parametrize("tokenizer", ["unicode61", "porter", "trigram"])
def test_every_schema_of_ours_is_known(tmp_path: Path, tokenizer: str, durability: str) -> None:
    path = tmp_path / "c.uv"
    fields = ["n", "N", "a.b", "it's", 'a"b', "größer", "a\\b", " ", "\n"]
    options = {"durability": durability, "lexical": {"tokenizer": tokenizer}}
    with Collection(path, encoder=HashedWords(DIM), **options) as db:
        db.add(["a text", "another"], ids=["a", "b"], metadatas=[{"n": 1}, {"a": {"b": 2}}])
        for field in fields:
            db.create_field_index(field)
    with Collection(path, encoder=HashedWords(DIM), durability=durability) as db:
        db.drop_field_index("N")
        db.migrate(HashedWords(2 * DIM))
        db.compact()
        db.snapshot(tmp_path / "copy.uv")
    for each in (path, tmp_path / "copy.uv"):
        for read_only in (True, False):
            with Collection(each, read_only=read_only) as db:
                assert db.verify().ok
                assert db.get(where={"a.b": 2})["ids"] == ["b"]
                assert db.stats()["field_indexes"] == [f for f in fields if f != "N"]


OF_1 = {
    "a trigger": ["CREATE TRIGGER t AFTER UPDATE ON documents BEGIN DELETE FROM vectors; END"],
    "an expression": ["CREATE INDEX i ON documents (hex(zeroblob(1000000)))"],
    "a generated column": ["ALTER TABLE vectors ADD COLUMN more BLOB AS (zeroblob(900000000))"],
    "a table of version 2": [VECTOR_TABLE.format(table="vectors_0")],
    "an absurd length": ["UPDATE properties SET value = -1 WHERE name = 'dim'"],
    "a length in words": ["UPDATE properties SET value = 'long' WHERE name = 'dim'"],
}


@pytest.mark.parametrize("statements", OF_1.values(), ids=OF_1)
def test_a_schema_of_version_1_is_checked_before_it_is_migrated(
    tmp_path: Path, statements: list[str]
) -> None:
    with zipfile.ZipFile(FORMATS / "format-1.zip") as archive:
        archive.extractall(tmp_path)
    path = tmp_path / "closed.uv"
    connection = apsw.Connection(str(path / "store.sqlite"))
    for statement in statements:
        connection.execute(statement)
    rows = connection.execute("SELECT * FROM documents").fetchall()
    connection.close()
    with pytest.raises(FormatError, match=r"store\.sqlite"):
        Collection(path)
    connection = apsw.Connection(str(path / "store.sqlite"))
    assert connection.pragma("user_version") == 1
    assert connection.execute("SELECT * FROM documents").fetchall() == rows
    connection.close()


def test_sqlite_is_told_to_run_nothing_foreign(hostile: Path) -> None:
    with Collection(hostile) as db:
        stores = [db._session._writer, db._session._reader]
        connections = [store.connection for store in stores] + [db._session._reader._mapped]
        for connection in connections:
            for option, value in schema.HARDENED:
                assert connection.config(option, -1) == value
        with pytest.raises(apsw.SQLError, match="may not be modified"):
            connections[0].execute("DELETE FROM sqlite_schema")


# ---- properties of absurd kinds and sizes ------------------------------------------------------

SPACES: list[tuple[str, Any]] = [
    *(("dim", value) for value in (0, -1, 65_537, 2**31, 2**62)),
    *(("metric", value) for value in ("", "hamming", "cosine\0", "COSINE", "x" * 10**6)),
    *(("space", value) for value in (1, -1, 2, 2**62)),
    *(("live", value) for value in (-1, 2**62)),
]


def test_an_unfinished_space_is_not_what_a_collection_has(hostile: Path) -> None:
    sql(hostile, "UPDATE spaces SET name = '~another'")
    for options in ({"read_only": True}, {"read_only": False}):
        with pytest.raises(FormatError, match=r"store\.sqlite"):
            Collection(hostile, **options)


@pytest.mark.parametrize(("name", "value"), SPACES, ids=lambda value: repr(value)[:20])
def test_absurd_spaces_are_refused(hostile: Path, name: str, value: Any) -> None:
    sql(hostile, f"UPDATE spaces SET {name} = ?", bindings=(value,))
    for options in ({"read_only": True}, {"read_only": False}):
        with pytest.raises(FormatError, match=r"store\.sqlite"):
            Collection(hostile, **options)


@pytest.mark.parametrize("value", [None, 7, "", "x" * 10**6, b"x"], ids=lambda v: repr(v)[:20])
def test_an_absurd_uuid_is_refused(hostile: Path, value: Any) -> None:
    sql(hostile, "UPDATE properties SET value = ? WHERE name = 'uuid'", bindings=(value,))
    for options in ({"read_only": True}, {"read_only": False}):
        with pytest.raises(FormatError, match="uuid"):
            Collection(hostile, **options)


@pytest.mark.parametrize("table", ["properties", "spaces", "state"])
def test_an_empty_table_is_refused(hostile: Path, table: str) -> None:
    sql(hostile, f"DELETE FROM {table}")
    for options in ({"read_only": True}, {"read_only": False}):
        with pytest.raises(FormatError, match=r"store\.sqlite"):
            Collection(hostile, **options)


NUMBERS = [
    "generations SET bytes = 9223372036854775807", "generations SET live = -1",
    "generations SET last_key = -5", "generations SET last_key = 9223372036854775807",
    "generations SET sequence = 9223372036854775807", "generations SET sequence = -9",
    "generations SET generation = 9223372036854775807", "generations SET recall = 1e308",
    "generations SET space = 7", "generations SET header = printf('%.*c', 1000000, 'x')",
    "state SET live = -1", "state SET sequence = -1",
    "state SET purged = 9223372036854775807",
    "generations SET error = 1e308", "generations SET error = -1",
    "state SET live = 9223372036854775807", "state SET sequence = 9223372036854775807",
    "state SET next_key = 1", "state SET next_key = 9223372036854775807",
    "state SET next_key = -9",
]  # fmt: skip


@pytest.mark.parametrize("change", NUMBERS)
def test_absurd_numbers_give_no_wrong_answer(hostile: Path, change: str) -> None:
    sql(hostile, f"UPDATE {change}")
    for read_only in (True, False):
        use(hostile, read_only)


@pytest.mark.parametrize("live", [COUNT + 1, 40_000, 2**60])
def test_a_false_number_of_vectors_is_named_and_takes_no_memory(
    hostile: Path, live: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserved = []
    monkeypatch.setattr(Index, "reserve", lambda _, count: reserved.append(count))
    require_named(hostile, live)
    assert 0 < max(reserved) <= (hostile / "store.sqlite").stat().st_size // (4 * DIM)


def test_too_small_a_number_of_vectors_is_named(hostile: Path) -> None:
    require_named(hostile, COUNT // 2)


def require_named(path: Path, live: int) -> None:
    """No index file is built over and over where the database claims that many vectors."""
    pointless = f"UPDATE state SET live = {live}, next_key = {live + COUNT + 1}"
    sql(path, pointless, f"UPDATE spaces SET live = {live}", "DELETE FROM generations")
    policy = IndexPolicy(approximate_from=COUNT // 4, tail_min=1)
    wrong = f"{COUNT + 1} vectors where it says {live + 1}"
    with (
        pytest.warns(IndexFileWarning, match=wrong),
        Collection(path, dim=DIM, index_policy=policy) as db,
    ):
        add_and_be_refused(db, wrong)


def add_and_be_refused(db: Collection, why: str) -> None:
    db.add(embeddings=VECTORS[:1], ids="one more")
    with pytest.raises(FormatError, match=why):
        db.build_index()


# ---- rows with a right checksum and a wrong content --------------------------------------------

METADATAS = {
    "no JSON": "{", "a list": "[1]", "100,000 levels": "[" * 100_000 + "]" * 100_000,
    "NaN": '{"a":NaN}',
    "infinity": '{"a":1e999}', "half a character": '{"a":"\\ud800"}', "more behind": '{"a":1} {}',
    "nothing": "", "a key with NUL": '{"a\\u0000b":1}', "a key twice": '{"a":1,"a":2}',
}  # fmt: skip


@pytest.mark.parametrize("indexed", [False, True], ids=["", "indexed"])
@pytest.mark.parametrize("metadata", METADATAS.values(), ids=METADATAS)
def test_metadata_that_nobody_could_have_stored_is_named(
    hostile: Path, metadata: str, indexed: bool
) -> None:
    row = Row(1, "id0", "text 0", metadata)
    sql(hostile, "UPDATE documents SET metadata = ?, crc = ? WHERE key = 1",
        bindings=(metadata, checksum(row)))  # fmt: skip
    if indexed:  # by an enemy; SQLite makes no index of what is no JSON
        (name,) = index_names(["n"])
        made = f"CREATE INDEX {name} ON documents (json_extract(metadata, '$.\"n\"'))"
        with contextlib.suppress(apsw.SQLError):
            sql(hostile, made, "INSERT INTO properties VALUES ('field_indexes', '[\"n\"]')")
    with Collection.open(hostile, read_only=True) as db:
        for call in (db.get, lambda: db.search(VECTORS[0], k=COUNT), lambda: list(db.scan())):
            with pytest.raises(FormatError, match="id0"):
                call()
        with contextlib.suppress(FormatError):
            assert db.get(where={"n": 3})["ids"] == ["id3"]
            assert db.search(VECTORS[3], k=1, where={"n": 3})[0].id == "id3"
        assert [p for p in db.verify().problems if p.startswith("id 'id0': it could not have")]
        assert db.get("id7")[0].document == "text 7"


BLOBS = {
    "with NaN": np.full(DIM, np.nan, np.float32).tobytes(), "longer": VECTORS[0].tobytes() * 2,
    "shorter": VECTORS[0].tobytes()[:7], "empty": b"", "of zeros": bytes(4 * DIM),
    "of infinities": np.full(DIM, np.inf, np.float32).tobytes(),
}  # fmt: skip


@pytest.mark.parametrize("blob", BLOBS.values(), ids=BLOBS)
def test_a_vector_that_nobody_could_have_stored_is_named(hostile: Path, blob: bytes) -> None:
    sql(hostile, "DELETE FROM generations")  # so that the vector is read
    sql(hostile, "UPDATE vectors_0 SET vector = ?, crc = ? WHERE key = 1",
        bindings=(blob, vector_checksum(1, blob)))  # fmt: skip
    with Collection.open(hostile, read_only=True) as db:
        with pytest.raises(FormatError, match=r"key 1 |id0"):
            db.search(VECTORS[0], k=COUNT)
        with pytest.raises(FormatError, match=r"key 1 |id0"):
            db.get(include=["embeddings"])
        assert not db.verify().ok
        assert db.get("id7")[0].document == "text 7"


def test_text_that_is_no_utf8_is_named(hostile: Path) -> None:
    sql(hostile, "UPDATE documents SET document = CAST(x'ff41' AS TEXT) WHERE key = 1")
    with Collection.open(hostile, read_only=True) as db:
        for call in (db.get, lambda: db.search(VECTORS[0], k=COUNT), lambda: list(db.scan())):
            with pytest.raises(FormatError, match=r"id 'id0' \(key 1\) is damaged: no UTF-8"):
                call()
        assert [p for p in db.verify().problems if p.startswith("id 'id0' (key 1) is damaged")]
        assert db.get("id7")[0].document == "text 7"


def test_an_id_that_nobody_could_have_stored_is_named(hostile: Path) -> None:
    row = Row(1, "i\0d", "text 0", '{"n":0}')
    sql(hostile, "UPDATE documents SET id = ?, crc = ? WHERE key = 1",
        bindings=(row.id, checksum(row)))  # fmt: skip
    with Collection.open(hostile, read_only=True) as db:
        assert "expected no NUL character" in db.verify().problems[0]


def test_a_vector_too_long_to_be_squared_is_named(tmp_path: Path) -> None:
    path, blob = tmp_path / "c.uv", np.full(DIM, 3e38, np.float32).tobytes()
    with Collection(path, dim=DIM, metric="dot") as db:
        db.add(["a", "b"], ids=["id0", "id1"], embeddings=VECTORS[:2])
    sql(path, "UPDATE vectors_0 SET vector = ?, crc = ? WHERE key = 1",
        bindings=(blob, vector_checksum(1, blob)))  # fmt: skip
    with Collection.open(path, read_only=True) as db:
        with pytest.raises(FormatError, match=r"id 'id0' \(key 1\).*a length of at most"):
            db.search(VECTORS[0])
        assert "a length of at most" in db.verify().problems[0]


# ---- what is saved of them ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["documents", "spaces", "state", "vectors_0"])
def test_repair_reads_no_view_in_place_of_a_table(hostile: Path, name: str) -> None:
    sql(hostile, f"ALTER TABLE {name} RENAME TO real", f"CREATE VIEW {name} AS SELECT * FROM real")
    with pytest.raises(FormatError, match=f"the view '{name}'"):
        repair_collection(hostile)
    assert not hostile.with_name("c.repaired.uv").exists()


def test_repair_takes_no_absurd_length(hostile: Path) -> None:
    sql(hostile, "UPDATE spaces SET dim = 4611686018427387904")
    with pytest.raises(FormatError, match=r"nothing can be saved: .*dim"):
        repair_collection(hostile)


def test_repair_saves_no_row_that_nobody_could_have_stored(hostile: Path) -> None:
    row, blob = Row(1, "id0", "text 0", '{"a":NaN}'), np.full(DIM, np.nan, np.float32).tobytes()
    sql(hostile, "UPDATE documents SET metadata = ?, crc = ? WHERE key = 1",
        bindings=(row.metadata, checksum(row)))  # fmt: skip
    sql(hostile, "UPDATE vectors_0 SET vector = ?, crc = ? WHERE key = 2",
        bindings=(blob, vector_checksum(2, blob)))  # fmt: skip
    report = repair_collection(hostile)
    assert (report.saved, report.lost_count) == (COUNT - 2, 2)
    assert report.lost[0].startswith("id 'id0' (key 1): it could not have been stored")
    with Collection.open(report.path, read_only=True) as db:
        assert db.verify().ok
