"""The benchmark runner's own arithmetic, its protocol and its tables; nothing here is timed."""

from __future__ import annotations

import io
import json
import random
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks import measure, reliability, report, workloads
from benchmarks.environment import Environment, UnavailableError, interpreter
from benchmarks.peers import Peer
from benchmarks.process import PeerError, PeerProcess
from benchmarks.settings import Settings
from benchmarks.worker import Worker, serve


def test_systems_take_turns():
    order = []
    systems = {name: lambda name=name: order.append(name) or len(order) for name in "AB"}
    assert measure.interleave(systems, 3) == {"A": [1, 3, 5], "B": [2, 4, 6]}
    assert order == list("ABABAB")


def test_a_common_drift_cancels_in_the_pairwise_ratio():
    assert measure.pairwise_ratio([2.0, 4.0, 8.0], [1.0, 2.0, 4.0]) == {
        "median": 2.0,
        "min": 2.0,
        "max": 2.0,
    }


def test_pairwise_ratio_rejects_unequal_numbers_of_repeats():
    with pytest.raises(ValueError, match="shorter"):
        measure.pairwise_ratio([1.0, 2.0], [1.0])


def test_ranks_share_the_mean_where_values_are_equal():
    np.testing.assert_array_equal(measure.ranks(np.array([3.0, 1.0, 3.0, 2.0])), [3.5, 1, 3.5, 2])


def test_spearman_agrees_with_scipy_also_with_ties():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 20, 300).astype(float), rng.normal(size=300)
    assert measure.spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-12)


def test_cosines_are_row_by_row():
    a = np.array([[1, 0], [1, 1]], np.float32)
    b = np.array([[2, 0], [1, 0]], np.float32)
    np.testing.assert_allclose(measure.cosines(a, b), [1, np.sqrt(0.5)])


def test_exact_search_puts_the_earlier_of_equals_first():
    documents = np.array([[1, 0], [0, 1], [1, 1], [1, 0]], np.float32)
    queries = np.array([[1, 0], [1, 2]], np.float32)
    np.testing.assert_array_equal(measure.top_k(queries, documents, 3), [[0, 2, 3], [2, 1, 0]])


def test_ndcg_of_a_case_by_hand():
    # Query 1: relevant at ranks 1 and 3, one beyond k: DCG 2 + 1 / 2, best 2 + 1 / log2(3) + 1 / 2.
    # Query 2: the one relevant document is not found. Query 3: found at rank 2.
    ranked = np.array([[7, 1, 3, 5], [0, 1, 2, 3], [4, 6, 0, 1]])
    relevance = [{7: 2.0, 3: 1.0, 5: 1.0}, {9: 1.0}, {6: 1.0}]
    third = 1 / np.log2(3)
    expected = ((2 + 0.5) / (2 + third + 0.5) + 0 + third) / 3
    assert measure.ndcg_at_k(ranked, relevance, 3) == pytest.approx(expected, abs=1e-12)


def test_ndcg_agrees_with_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(5)
    scores = rng.normal(size=(40, 30))
    relevant = rng.integers(0, 4, (40, 30)) * (rng.random((40, 30)) < 0.2)
    relevant[:, 0] = 1  # scikit-learn counts a query without any relevant document as 0
    found = np.argsort(-scores, axis=1)
    relevance = [{int(d): float(row[d]) for d in np.flatnonzero(row)} for row in relevant]
    expected = metrics.ndcg_score(relevant, scores, k=10)
    assert measure.ndcg_at_k(found, relevance, 10) == pytest.approx(expected, abs=1e-12)


def test_a_piece_is_neighbouring_sentences_in_order():
    text = "One here. Two follow! Three at last?"
    whole = f"Title. {text}"
    pieces = {workloads._piece(random.Random(seed), "Title.", text) for seed in range(200)}
    assert whole in pieces
    assert "Two follow!" in pieces
    assert all(piece in whole for piece in pieces)


def test_a_table_replaces_only_what_stands_between_its_markers():
    text = "a\n<!-- bench:encode -->\nold\n<!-- /bench:encode -->\nb\n"
    expected = "a\n<!-- bench:encode -->\nnew \\1\n<!-- /bench:encode -->\nb\n"
    assert report.insert(text, "encode", "new \\1") == expected
    assert report.insert(expected, "encode", "new \\1") == expected
    assert report.insert(text, "import", "new") == text


def test_documents_without_markers_stay_as_they_are(tmp_path):
    (tmp_path / "README.md").write_text("no markers", encoding="utf-8")
    assert report.update_documents("encode", "table", tmp_path) == []
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == "no markers"


def test_a_record_is_read_as_it_was_written(tmp_path):
    record = {"question": "encode", "result": {"x": [1.5, 2.0]}}
    other = {"question": "import"}
    report.write("import", other, tmp_path)
    report.write("encode", record, tmp_path)
    assert report.records(tmp_path) == [record, other]
    assert report.records(tmp_path / "absent") == []


def test_another_model_than_the_usual_one_has_results_of_its_own():
    folder = Settings(model="/somewhere/all-mpnet-base-v2")
    assert folder.as_record()["model"] == "all-mpnet-base-v2"
    record = {"question": "encode", "settings": folder.as_record()}
    assert report.name_of(record) == "encode-all-mpnet-base-v2"
    usual = Settings(model="sentence-transformers/all-MiniLM-L6-v2")
    assert report.name_of(record | {"settings": usual.as_record()}) == "encode"


class _Lengths:
    """Stands in for a peer's module: a text's vector is its length."""

    @staticmethod
    def load(model, threads, **options):
        return lambda texts: np.array([[len(text)] for text in texts], np.float32)

    @staticmethod
    def versions():
        return {"lengths": "1"}


def _answers(monkeypatch, *requests):
    monkeypatch.setitem(sys.modules, "benchmarks.peers.lengths", _Lengths)
    output = io.StringIO()
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    serve(Worker("lengths"), io.StringIO(lines), output)
    return [json.loads(line) for line in output.getvalue().splitlines()]


LOAD = {"do": "load", "model": "m", "threads": 1, "options": {}}


def test_a_worker_answers_each_request_and_saves_vectors(monkeypatch, tmp_path):
    path = tmp_path / "v.npy"
    loaded, encoded, each, pairs, memory = _answers(
        monkeypatch,
        LOAD,
        {"do": "encode", "texts": ["a", "bcd"], "save": str(path)},
        {"do": "encode_each", "texts": ["a", "b", "c"]},
        {"do": "encode_each", "texts": ["a", "b", "c"], "size": 2},
        {"do": "memory"},
    )
    assert loaded["versions"] == {"lengths": "1"}
    assert encoded["seconds"] >= 0
    assert len(each["seconds"]) == 3
    assert len(pairs["seconds"]) == 2
    assert memory["peak_bytes"] > 2**20
    np.testing.assert_array_equal(np.load(path), [[1], [3]])


def test_a_worker_reports_an_error_and_goes_on(monkeypatch, capsys):
    unloaded, unknown, loaded = _answers(
        monkeypatch, {"do": "encode", "texts": [], "save": None}, {"do": "dance"}, LOAD
    )
    assert "expected a load request first" in unloaded["error"]
    assert "got 'dance'" in unknown["error"]
    assert "versions" in loaded
    assert "Traceback" in capsys.readouterr().err


def test_a_peer_that_dies_is_named_with_what_it_printed():
    absent = Peer("no such peer", "absent_module", Environment("here", ("numpy",)))
    with PeerProcess(absent, threads=1) as process, pytest.raises(PeerError) as caught:
        process.ask(do="memory")
    assert "[no such peer] ended with 1" in str(caught.value)
    assert "ModuleNotFoundError" in str(caught.value)


def test_packages_that_are_not_installed_and_cannot_be_are_named():
    with pytest.raises(UnavailableError, match="no_such_package to be installed; `make setup`"):
        interpreter(Environment("p", ("no_such_package",)))


def test_the_gates_of_reliability_are_one_row_each(tmp_path):
    lines = [
        {"gate": "F4", "seed": 7, "flips": 60, "wrong": 0},
        {"gate": "C1", "seed": 7, "kills": 200, "lost": 0, "in add": 31},
        {"gate": "C5", "seed": 7, "control": "no sync", "found": 1},
        {"gate": "C5", "seed": 7, "control": "no kill", "found": 1},
        {"gate": "C5", "seed": 7, "control": "no sync", "found": 1},
        {"gate": "F4", "seed": 8, "flips": 1040, "wrong": 0, "ms_max": 2.5},
    ]
    path = tmp_path / "report.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    record = reliability.publish(path, tmp_path)
    assert report.records(tmp_path) == [record]
    assert report.name_of(record) == "reliability"
    rendered = report.render(record, reliability.table)
    assert (
        "| C1 | kills at random times while a process writes | kills 200, lost 0 | 7 |" in rendered
    )
    assert "| control no sync; no kill, found 3 | 7 |" in rendered
    assert "| flips 1,100, wrong 0, ms max 2.5 | 7, 8 |" in rendered
    assert rendered.index("| C1 |") < rendered.index("| F4 |")
    assert rendered.endswith(f"Python {record['machine']['python']}.")
