"""Results as lists, tables of pandas, polars and Arrow, and HTML."""

from __future__ import annotations

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from hashed_words import HashedWords
from unitvec import Collection
from unitvec.collection import Hit, Record, Records, SearchResult

#: One key with several types, keys that others lack, nulls and nesting: no struct holds them all.
METADATAS = [{"k": 1, "n": None}, {"k": "x", "l": [1, "a"]}, {"d": {"é": {}}}]


@pytest.fixture
def db(tmp_path: Path, words: HashedWords) -> Any:
    with Collection(tmp_path / "n.uv", encoder=words) as collection:
        collection.add(["the cat", "a dog", "𝒳 漢字"], ids=["a", "b", "c"], metadatas=METADATAS)
        yield collection


def hits(dim: int = 4) -> SearchResult:
    vector = np.array([1, -0.0, 1e-45, 0.1][:dim], np.float32)
    found = [Hit("a", 0.5, "the cat", {"k": 1}, vector), Hit("b", 0.25, None, {}, 2 * vector)]
    return SearchResult(found, True, 1.0, 0.1)


def test_a_list_is_json_and_has_a_vector_only_where_there_is_one(db: Collection) -> None:
    rows = db.search("cat", k=1).to_list()
    assert [set(row) for row in rows] == [{"id", "score", "document", "metadata"}]
    with_vectors = hits().to_list()
    assert json.loads(json.dumps(with_vectors)) == with_vectors
    assert_array_equal(
        np.array([row["vector"] for row in with_vectors], np.float32),
        np.stack([hit.vector for hit in hits()]),
    )
    assert db.get("a").to_list() == [{"id": "a", "document": "the cat", "metadata": METADATAS[0]}]


def test_to_arrow(db: Collection, words: HashedWords) -> None:
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    table = db.get(include=["embeddings"]).to_arrow()
    assert table.schema == arrow.schema(
        [
            ("id", arrow.string()),
            ("document", arrow.string()),
            ("metadata", arrow.string()),
            ("vector", arrow.list_(arrow.float32(), 64)),
        ]
    )
    assert table["document"].to_pylist() == ["the cat", "a dog", "𝒳 漢字"]
    assert [json.loads(text) for text in table["metadata"].to_pylist()] == METADATAS
    stored = table["vector"].combine_chunks().values.to_numpy().reshape(3, 64)
    assert_array_equal(stored, words.encode(["the cat", "a dog", "𝒳 漢字"]))
    found = hits().to_arrow()
    assert found.schema.field("score").type == arrow.float64()
    assert found["document"].to_pylist() == ["the cat", None]


def test_a_search_without_hits_keeps_its_columns(db: Collection) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    nothing = {"where": {"k": "nowhere"}, "include": ["embeddings"]}
    for grouped in ({}, {"group_by": "k"}):
        result = db.search("cat", **nothing, **grouped)
        assert len(result) == 0
        assert result.to_arrow().schema.field("vector").type.list_size == 64
    assert "vector" not in db.search("cat", where={"k": "nowhere"}).to_arrow().schema.names


def test_to_polars(db: Collection, words: HashedWords) -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed")
    frame = db.get(include=["embeddings"]).to_polars()
    assert frame.schema == {
        "id": polars.String,
        "document": polars.String,
        "metadata": polars.String,
        "vector": polars.Array(polars.Float32, 64),
    }
    assert_array_equal(frame["vector"].to_numpy(), words.encode(["the cat", "a dog", "𝒳 漢字"]))
    assert frame["metadata"].str.json_path_match("$.k").to_list() == ["1", "x", None]
    assert hits().to_polars()["score"].to_list() == [0.5, 0.25]


def test_to_pandas_keeps_metadata_as_dictionaries(db: Collection) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = db.get().to_pandas()
    assert frame.columns.tolist() == ["id", "document", "metadata"]
    assert frame["metadata"].tolist() == METADATAS
    with_vectors = hits().to_pandas()
    assert isinstance(with_vectors, pandas.DataFrame)
    assert with_vectors["vector"][1].dtype == np.float32


@pytest.mark.parametrize("to", ["to_pandas", "to_polars", "to_arrow"])
def test_no_rows_have_the_same_columns(db: Collection, to: str) -> None:
    package = {"to_pandas": "pandas", "to_polars": "polars", "to_arrow": "pyarrow"}[to]
    pytest.importorskip(package, reason=f"{package} is not installed")
    db.delete(["a", "b", "c"])
    empty = getattr(db.get(include=["embeddings"]), to)()
    names = empty.column_names if to == "to_arrow" else list(empty.columns)
    assert names == ["id", "document", "metadata", "vector"]
    assert len(empty) == 0
    plain = getattr(db.search("cat"), to)()
    names = plain.column_names if to == "to_arrow" else list(plain.columns)
    assert names == ["id", "score", "document", "metadata"]
    result = SearchResult([], True, 1.0, 0.1, dim=4)
    if to == "to_arrow":
        assert result.to_arrow().schema == hits().to_arrow().schema
    if to == "to_polars":
        assert result.to_polars().schema == hits().to_polars().schema


@pytest.mark.parametrize(
    ("to", "package", "extra"),
    [
        ("to_pandas", "pandas", "pandas"),
        ("to_polars", "polars", "polars"),
        ("to_arrow", "pyarrow", "parquet"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, to: str, package: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"\[{to}\] needs {package}: .*unitvec\[{extra}\]'"):
        getattr(hits(), to)()


def test_equality_leaves_vectors_out() -> None:
    assert list(hits(4)) == list(hits(3))
    assert Record("a", None, {}, np.ones(2)) == Record("a", None, {}, np.zeros(2))
    assert Record("a", None, {}) != Record("b", None, {})


class _Tags(HTMLParser):
    """Counts elements and keeps the text of cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)
        if tag == "td":
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag  # well formed: every element ends in its turn

    def handle_data(self, data: str) -> None:
        if "td" in self.open:
            self.cells[-1] += data


def test_html_shows_everything_as_text() -> None:
    hostile = "<script>alert('x')</script> & \"quotes\""
    result = SearchResult([Hit(hostile, 0.5, hostile, {hostile: hostile})], True, 1.0, 0.1)
    tags = _Tags(result._repr_html_())
    assert tags.open == []
    assert tags.cells[:3] == [hostile, "0.5000", hostile]
    assert "script" not in re.findall(r"<(\w+)", result._repr_html_())


def test_html_has_no_colour_of_its_own() -> None:
    """Whatever the theme: text inherits, lines are of a grey between light and dark."""
    page = hits()._repr_html_()
    assert set(re.findall(r"(?<![-\w])color:([^;\"]+)", page)) == {"inherit"}
    assert set(re.findall(r"background[-\w]*:([^;\"]+)", page)) == {"none"}
    assert set(re.findall(r"rgba?\([^)]*\)|#[0-9a-f]{3,8}", page)) == {"rgba(128,128,128,.35)"}


def test_html_of_many_rows_shows_the_first_and_counts_them() -> None:
    page = Records([Record(f"id{i}", "x" * 10**6, {}) for i in range(120)])._repr_html_()
    assert "120 documents; the first 50:" in page
    assert page.count("<tr") == 51
    assert len(page) < 50_000
