"""The questions about stores of documents, asked of stores in NumPy; nothing here is timed."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import (
    __main__,
    collection,
    collection_documents,
    collection_growth,
)
from benchmarks.collection_answers import exact_answers, fewest, recall, require_allowed
from benchmarks.collection_documents import SHARES, allowed, columns, filters, read_documents
from benchmarks.process import PeerError
from benchmarks.settings import Settings

import fake_stores


@pytest.fixture
def quick(tmp_path):
    return Settings(repeats=2, latency_calls=20, threads=1, stores=tmp_path / "stores")


@pytest.fixture
def data(monkeypatch, tmp_path):
    return fake_stores.install(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """The answer to `collection`, and what is left of its stores."""
    folder = tmp_path_factory.mktemp("answered")
    settings = Settings(repeats=2, latency_calls=20, threads=1, stores=folder / "stores")
    with pytest.MonkeyPatch.context() as monkeypatch:
        fake_stores.install(monkeypatch, folder)
        return collection.run(settings), list(settings.stores.iterdir())


# ---- documents and filters ----------------------------------------------------------------------


def test_texts_are_sentences_in_order_as_long_as_each_other(tmp_path):
    path = tmp_path / "texts.json"
    collection_documents.write_texts([f"Sentence {i} is here." for i in range(30)], path)
    texts = json.loads(path.read_text())
    assert texts[3].startswith("Sentence 3 is here. Sentence 4 is here. Sentence 5")
    assert texts[29].startswith("Sentence 29 is here. Sentence 0 is here.")
    assert {len(text) for text in texts} <= {199, 200}  # no space at the end
    assert list(tmp_path.iterdir()) == [path]


def test_a_part_of_the_documents_is_the_same_as_of_all(tmp_path):
    corpus = fake_stores.corpus(tmp_path)
    whole, part = (
        read_documents(corpus.texts, corpus.vectors, a, b, 300) for a, b in ((0, 300), (40, 55))
    )
    assert part.ids == [str(i) for i in range(40, 55)]
    assert part.texts == whole.texts[40:55]
    assert part.fields == whole.fields[40:55]
    np.testing.assert_array_equal(part.vectors, whole.vectors[40:55])
    np.testing.assert_array_equal(
        np.concatenate([b.vectors for b in whole.blocks(7)]), whole.vectors
    )
    more = read_documents(corpus.texts, corpus.vectors, 0, 300, 900)  # of three times as many
    assert more.texts == whole.texts
    assert more.fields != whole.fields


@pytest.mark.parametrize("share", SHARES)
def test_a_filter_allows_its_share_of_the_documents(share):
    count = 20_000
    table = columns(count)
    made = filters(share, 200, count)
    shares = [allowed(where, table).mean() for where in made]
    assert np.abs(np.array(shares) / share - 1).max() < 0.12  # a tag and a window are independent
    assert np.mean(shares) == pytest.approx(share, rel=0.02)
    differing = {json.dumps(where) for where in made}
    assert len(differing) > {0.01: 80}.get(share, 150)  # there are 100 categories


def test_filters_mean_the_same_for_numbers_as_for_the_documents(tmp_path):
    corpus = fake_stores.corpus(tmp_path)
    documents = read_documents(corpus.texts, corpus.vectors, 0, 300, 300)
    for share in SHARES:
        for where in filters(share, 20, 300):
            by_fields = [fake_stores.allows(where, fields) for fields in documents.fields]
            np.testing.assert_array_equal(allowed(where, columns(300)), by_fields)
            assert any(by_fields)


# ---- answers ------------------------------------------------------------------------------------


def test_exact_answers_are_the_best_of_those_allowed(monkeypatch):
    monkeypatch.setattr("benchmarks.collection_answers.QUERIES_AT_ONCE", 7)
    vectors, queries = fake_stores.vectors(300), fake_stores.vectors(20, seed=1)
    table = columns(300)
    where = [*filters(0.5, 10, 300), *filters(0.001, 9, 300), []]
    found = exact_answers(queries, vectors, where, table, 10)
    scores = queries.astype(np.float64) @ vectors.T.astype(np.float64)
    for i, rows in enumerate(found):
        order = [row for row in np.argsort(-scores[i]) if allowed(where[i], table)[row]][:10]
        np.testing.assert_array_equal(rows, order + [-1] * (10 - len(order)))
    assert (found[10:19, 0] >= 0).all()
    assert (found[10:19, 1] == -1).all()  # 300 documents have 300 numbers


def test_recall_counts_only_rows_that_exist():
    expected = np.array([[4, 7, 1], [2, -1, -1], [5, 6, -1]])
    assert recall(expected[:, ::-1], expected) == 1.0
    found = np.array([[1, 8, 4], [-1, -1, -1], [6, 5, 3]])
    assert recall(found, expected) == 4 / 6
    assert fewest(found, expected) == {"returned": 0, "exist": 1}
    assert fewest(np.array([[-1, -1, -1], [2, -1, -1]]), expected[:2]) == {
        "returned": 0,
        "exist": 3,
    }
    assert fewest(expected, expected)["returned"] == fewest(expected, expected)["exist"]


def test_rows_that_a_filter_forbids_or_that_come_twice_are_named():
    table = columns(300)
    where = [[("number", "<", 100)]]
    inside, outside = (np.flatnonzero(allowed(where[0], table) == is_in) for is_in in (True, False))
    require_allowed(inside[None, :3], where, table)
    require_allowed(np.array([[inside[0], -1, -1]]), where, table)
    for rows in ([inside[0], outside[0], -1], [inside[0], inside[0], -1]):
        with pytest.raises(ValueError, match=r"expected rows of .*number.* once each"):
            require_allowed(np.array([rows]), where, table)


# ---- the question -------------------------------------------------------------------------------


def test_every_store_is_made_opened_asked_and_changed(answered):
    result, left = answered
    assert left == []
    json.dumps(result)  # a record is JSON
    assert list(result["systems"]) == ["Exact", "Few", "Filters after", "unitvec collection"]
    assert result["documents"] == 1000
    own = result["systems"]["unitvec collection"]
    assert (own["documents"], len(own["rounds"]), own["syncs_per_upsert"]) == (1000, 2, 1.0)
    for each in own["rounds"]:
        assert {kind: found["recall"] for kind, found in each["search"].items()} == {
            str(kind): 1.0 for kind in (1.0, *SHARES)
        }
        assert each["upserts_found"] == 1.0
        assert each["deleted"] == 100
        assert each["ready_seconds"] >= each["acknowledged_seconds"] > 0
        assert each["disk_bytes"] > 1000 * 16
    assert result["systems"]["Few"]["documents"] == 500
    after = result["systems"]["Filters after"]["rounds"][0]["search"]
    assert after["1.0"]["recall"] == 1.0
    assert after["0.01"]["recall"] < 0.5
    assert after["0.01"]["fewest"]["returned"] < after["0.01"]["fewest"]["exist"] == 10


def test_a_store_that_answers_wrongly_is_left_out_with_the_reason(answered):
    reasons = answered[0]["left_out"]
    assert set(reasons) == {"Forbidden", "Loses", "Absent"}
    assert "[Forbidden] [collection] expected rows of" in reasons["Forbidden"]
    assert reasons["Loses"] == "[Loses] expected 1000 documents, got 997"
    assert "no_such_package to be installed" in reasons["Absent"]


def test_the_table_names_missing_rows_fewer_documents_and_absent_stores(answered, data):
    result = copy.deepcopy(answered[0])
    table = collection.table(result)
    after = next(line for line in table.splitlines() if line.startswith("| Filters after |"))
    assert ", as few as " in after.split("|")[5]
    assert "as few as" not in after.split("|")[2]
    assert "| Few, 500 documents |" in table
    assert " for 50 |" in table
    assert "| 100 deletes, s |" in table
    assert "1,000 documents of 200 characters, three fields and a vector of 16 numbers" in table
    assert "Absent: Loses: [Loses] expected 1000 documents, got 997." in table
    assert "Upserted rows" not in table
    own = result["systems"]["unitvec collection"]
    own["rounds"][1]["upserts_found"] = 0.95
    own["syncs_per_upsert"] = None
    table = collection.table(result)
    assert "Upserted rows that a search for their vector finds: unitvec collection 95%." in table
    assert table.count("| not known |") == 1


def test_the_table_of_figures_by_hand():
    each = {
        "import_seconds": 0.5,
        "acknowledged_seconds": 2.0,
        "ready_seconds": 4.0,
        "ingest_bytes": 123_456_789,
        "disk_bytes": 2_500_000,
        "reopen_seconds": 0.1234,
        "search": {
            str(kind): {"p50": 0.00123, "recall": 0.9876, "fewest": {"returned": 9, "exist": 10}}
            for kind in (1.0, *SHARES)
        },
        "answer_bytes": 7e6,
        "answer_mapped_bytes": 2e6,
        "upsert_seconds": 0.0005,
        "upserts_found": 1.0,
        "delete_seconds": 0.25,
        "deleted": 100,
    }
    system = {"documents": 1000, "rounds": [each], "syncs_per_upsert": 0.0}
    result = {
        "systems": {"Chroma": system},
        "left_out": {},
        "documents": 1000,
        "dim": 16,
        "deleted_share": 0.1,
        "disk_sync_seconds": 0.004,
    }
    table = collection.table(result)
    searched = "1.23 (1.23 - 1.23), 0.988, as few as 9 of 10 rows"
    assert f"| Chroma | {' | '.join([searched] * 5)} | 0.123 (0.123 - 0.123) | 0.500" in table
    assert (
        "| Chroma | 250 (250 - 250) | 500 (500 - 500) | 0.500 (0.500 - 0.500) | "
        "0.250 (0.250 - 0.250) | 2,500 | 123 | 7 (2) | none |"
    ) in table
    assert "a write of 4 KB and its sync take 4 ms" in table


def test_only_the_stores_that_were_asked_for(data, tmp_path):
    settings = Settings(repeats=1, latency_calls=5, peers=("Exact",), stores=tmp_path)
    assert list(collection.run(settings)["systems"]) == ["Exact"]
    with pytest.raises(PeerError, match="expected a system that can be run"):
        collection.run(Settings(repeats=1, latency_calls=5, peers=("Loses",), stores=tmp_path))


def test_a_record_does_not_say_where_stores_lay(tmp_path):
    json.dumps(Settings(stores=tmp_path).as_record())
    assert str(tmp_path) not in str(Settings(stores=tmp_path).as_record())
    parsed = __main__._parser().parse_args(["collection", "--stores", "x", "--peers", "Chroma"])
    assert (parsed.stores, parsed.peers) == (Path("x"), ["Chroma"])


# ---- growth -------------------------------------------------------------------------------------


def test_growth_counts_and_finds_after_each_kill(data, quick, monkeypatch):
    monkeypatch.setattr(collection_growth, "BLOCK", 300)
    monkeypatch.setattr(collection_growth, "TIMES", (0.1, 1, 2))
    result = collection_growth.run(quick)
    json.dumps(result)
    assert [point["documents"] for point in result["points"]] == [100, 1000, 2000]
    assert all(point["recall"] == point["found_again"] == 1.0 for point in result["points"])
    table = collection_growth.table(result)
    assert "| 2,000 | 1.000 |" in table
    assert "Beyond 1,000 documents: the real ones" in table
    figure = collection_growth.figure(result)
    assert len(figure.panels) == 3
    assert [x for x, _ in figure.panels[0].lines["unitvec collection"]] == list(figure.x_ticks)


def test_a_store_that_loses_documents_in_a_kill_ends_the_question(data, quick, monkeypatch):
    monkeypatch.setattr(collection_growth, "NAME", "Loses")
    with pytest.raises(PeerError, match="expected 100 documents, got 97"):
        collection_growth.run(quick)
