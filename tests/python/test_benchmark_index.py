"""The questions about vector indexes, asked of systems that answer from NumPy; nothing is timed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import (
    index,
    index_exact,
    index_growth,
    index_peers,
    index_table,
    index_worker,
    neighbours,
)
from benchmarks.index_peers import EXACT, GRAPH, SYSTEMS
from benchmarks.index_tuning import tuned
from benchmarks.index_vectors import grown
from benchmarks.neighbours import exact_neighbours, recall_at_k
from benchmarks.peers import is_ours
from benchmarks.process import PeerError
from benchmarks.settings import Settings

import fake_indexes

QUICK = Settings(repeats=2, threads=2, latency_calls=3)


@pytest.fixture
def data(monkeypatch, tmp_path):
    return fake_indexes.install(monkeypatch, tmp_path)


def _vectors(count, dim=24, seed=0):
    rows = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


# ---- recall -------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", [1, 4 * 300, 2**25])
def test_exact_neighbours_are_those_of_a_full_sort(monkeypatch, block):
    monkeypatch.setattr(neighbours, "BLOCK", block)
    vectors, queries = _vectors(300), _vectors(10, seed=1)
    scores = queries.astype(np.float64) @ vectors.T.astype(np.float64)
    expected = np.argsort(-scores, axis=1)[:, :7]
    np.testing.assert_array_equal(exact_neighbours(queries, vectors, 7), expected)
    np.testing.assert_array_equal(exact_neighbours(queries, vectors[:7], 7).shape, (10, 7))


def test_recall_by_hand():
    expected = np.array([[4, 7, 1, 0], [2, 3, 5, 6]])
    assert recall_at_k(expected[:, ::-1], expected) == 1.0
    # Two of four, and one of four: what is missing or found twice counts once at most.
    assert recall_at_k(np.array([[7, 4, 8, 9], [2, 2, -1, -1]]), expected) == 3 / 8


def _tuned(name, data, expected=None):
    process = fake_indexes.Process(fake_indexes.SYSTEMS[name], threads=1)
    process.load()
    process.build(data.vectors)
    return tuned(process, data.queries, _expected(data) if expected is None else expected)


def _expected(data):
    vectors, queries = data.load()
    return exact_neighbours(queries, vectors, 10)


def test_the_first_setting_is_chosen_that_reaches_the_recall(data, monkeypatch):
    monkeypatch.setattr("benchmarks.index_tuning.TARGET", 0.8)
    result = _tuned("unitvec hnsw 32/40", data)
    assert (result["parameter"], result["value"], result["reached"]) == ("ef", 90, True)
    # It looks at 90 of a hundred, and so finds about as many of the neighbours.
    assert 0.85 < result["recall"] < 0.95
    assert 0.85 < result["recall_in_tuning"] < 0.95
    assert result["recall"] != result["recall_in_tuning"]  # of other queries


def test_recall_is_chosen_by_on_one_half_and_reported_of_the_other(data):
    expected = _expected(data)
    expected[1::2] = -2
    result = _tuned("unitvec flat", data, expected)
    assert (result["recall_in_tuning"], result["recall"], result["reached"]) == (1.0, 0.0, True)


def test_an_index_that_never_reaches_the_recall_is_searched_at_its_most(data):
    result = _tuned("usearch bf16 32/40", data)
    assert (result["value"], result["reached"]) == (100, False)
    assert 0.7 < result["recall"] < 0.9


def test_exact_search_has_no_parameter(data):
    result = _tuned("faiss Flat", data)
    assert (result["parameter"], result["value"], result["recall"]) == (None, None, 1.0)


# ---- index --------------------------------------------------------------------------------------


def test_every_system_with_one_thread_and_with_all(data):
    result = index.run(QUICK)
    json.dumps(result)  # a record is JSON
    assert [budget["threads"] for budget in result["budgets"]] == [1, 2]
    ran = [name for name in fake_indexes.SYSTEMS if name not in ("absent 32/40", "unitvec ivf")]
    assert [list(budget["systems"]) for budget in result["budgets"]] == [ran, ran]
    reasons = result["left_out"]
    assert reasons["unitvec ivf"] == "[unitvec ivf] expected kind flat or hnsw, got ivf"
    assert "no_such_package to be installed" in reasons["absent 32/40"]
    own = result["budgets"][1]["systems"]["unitvec hnsw 32/40"]
    assert own["value"] == 100
    assert len(own["build_seconds"]) == len(own["batch_seconds"]) == len(own["latency_us"]) == 2
    assert own["stated_bytes"] == 2000 * 16 * 4

    table = index.table(result)
    assert "| 1 thread | search | recall@10 | queries/s |" in table
    assert "| 2 threads | search |" in table
    assert "| unitvec flat | exact | 1.000 |" in table
    assert "| unitvec hnsw 32/40 | ef 100 | 1.000 |" in table
    assert table.count("not reached |") == 2
    assert table.count("unitvec hnsw 32/40 to the best peer: queries/s ") == 2
    assert "2,000 vectors of 16 numbers; 100 queries" in table
    assert "Absent: unitvec ivf: [unitvec ivf] expected kind flat or hnsw, got ivf." in table


def test_only_the_systems_that_were_asked_for(data):
    settings = Settings(repeats=1, threads=1, latency_calls=1, peers=("unitvec flat",))
    result = index.run(settings)
    assert list(result["systems"]) == ["unitvec flat"]
    assert len(result["budgets"]) == 1
    assert "to the best peer" not in index.table(result)
    with pytest.raises(PeerError, match="expected a system that can be run"):
        index.run(Settings(peers=("absent 32/40",)))


def _measured(batch, latency, build, reached=True):
    return {
        "batch_seconds": batch,
        "latency_us": [{"p50": each, "p99": 9.0} for each in latency],
        "build_seconds": build,
        "reached": reached,
    }


def test_ours_is_set_beside_the_best_of_its_family_in_each_measure():
    systems = {
        "hnswlib 32/40": _measured([4, 4, 4], [10, 10, 10], [3, 3, 3]),
        "hnswlib 32/80": _measured([2, 2, 4], [20, 20, 20], [8, 8, 8]),
        "faiss HNSW 32/40": _measured([1, 1, 1], [1, 1, 1], [1, 1, 1], reached=False),
        "faiss Flat": _measured([1, 1, 1], [1, 1, 1], [1, 1, 1]),
        "unitvec hnsw 32/40": _measured([1, 2, 2], [5, 5, 20], [4, 6, 4]),
    }
    assert index_table._beside_best_peers(systems) == [
        "unitvec hnsw 32/40 to the best peer: queries/s 2.00 × (1.00 - 2.00) hnswlib 32/80, "
        "one query 0.50 × (0.50 - 2.00) hnswlib 32/40, build 1.33 × (1.33 - 2.00) hnswlib 32/40, "
        "build 0.50 × (0.50 - 0.75) hnswlib 32/80."
    ]
    systems["unitvec hnsw 32/40"]["reached"] = False
    assert index_table._beside_best_peers(systems) == []


# ---- limits and growth --------------------------------------------------------------------------


def test_exact_search_is_a_share_of_what_the_machine_can_do():
    # 1,000 vectors of 500 numbers are 2 MB; in 1 ms 2 GB/s. 100 queries take 1e8 operations.
    runs = [{"one": 1e-3, "batch": 0.01}, {"one": 2e-3, "batch": 0.02}, {"one": 1e-3, "batch": 0.1}]
    machine = [{"gigabytes_per_second": 4.0, "gigaflops": 20.0}] * 3
    budget = {"threads": 2, "machine": machine, "systems": {"unitvec flat": runs}}
    result = {"vectors": 1000, "dim": 500, "queries": 100, "budgets": [budget], "left_out": {}}
    table = index_exact.table(result)
    assert (
        "| 2, unitvec flat | 1,000 (1,000 - 2,000) | 2.0 | 50% | 5,000 (1,000 - 10,000) | 5 | 25% |"
    ) in table
    assert "The machine with 2 threads: reads 4.0 (4.0 - 4.0) GB/s" in table


def test_the_limits_are_measured_in_turn_with_exact_search(data, monkeypatch):
    asked = []

    def printed(worker, threads, *arguments):
        asked.append((worker, threads, *arguments))
        return {"gigabytes_per_second": 4.0, "gigaflops": 20.0}

    monkeypatch.setattr(index_exact, "printed", printed)
    result = index_exact.run(QUICK)
    json.dumps(result)
    assert asked == [("index_limits_worker", t, t, 0, 100, 16) for t in (1, 1, 2, 2)]
    assert list(result["budgets"][1]["systems"]) == ["faiss Flat", "unitvec flat"]
    assert "| 2, faiss Flat |" in index_exact.table(result)


def test_growth_from_a_tenth_to_ten_times(data):
    result = index_growth.run(QUICK)
    json.dumps(result)
    assert [point["vectors"] for point in result["points"]] == [200, 2000, 20_000]
    assert list(result["systems"]) == list(index_growth.NAMES)
    for point in result["points"]:
        assert {system["recall"] for system in point["systems"].values()} == {1.0}
    table = index_growth.table(result)
    assert "| 20,000, unitvec flat | exact | 1.000 |" in table
    assert "Beyond 2,000 vectors: the real ones" in table
    figure = index_growth.figure(result)
    assert len(figure.panels) == 3
    assert [x for x, _ in figure.panels[0].lines["unitvec flat"]] == list(figure.x_ticks)


def test_more_vectors_are_the_real_ones_and_noisy_copies_of_them(tmp_path):
    real = _vectors(40, dim=384)
    for count in (30, 110):
        grown(real, count, tmp_path / f"{count}.npy")
    few, many = (np.load(tmp_path / f"{count}.npy") for count in (30, 110))
    np.testing.assert_array_equal(few, real[:30])
    np.testing.assert_array_equal(many[:40], real)
    np.testing.assert_allclose(np.linalg.norm(many, axis=1), 1, atol=1e-6)
    copies = many[40:]
    cosines = copies @ real.T
    np.testing.assert_array_equal(cosines.argmax(axis=1), np.arange(70) % 40)
    assert np.abs(cosines.max(axis=1) - 1 / np.sqrt(1 + 0.3**2)).max() < 0.02
    assert len(np.unique(copies, axis=0)) == 70
    grown(real, 110, tmp_path / "again.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "again.npy"), many)


# ---- worker and libraries -----------------------------------------------------------------------


def test_the_worker_builds_anew_and_searches(data, tmp_path):
    worker = index_worker.IndexWorker("shares")
    queries, path = str(data.queries), tmp_path / "ids.npy"
    with pytest.raises(RuntimeError, match="expected a build request first"):
        worker.answer({"do": "search", "queries": queries, "k": 3, "value": 1})
    with pytest.raises(ValueError, match="got 'encode'"):
        worker.answer({"do": "encode"})
    worker.answer({"do": "load", "threads": 1, "options": {"most": 50}})
    first = worker.answer({"do": "build", "vectors": str(data.vectors)})
    assert first["stated_bytes"] == 2000 * 16 * 4
    assert worker.answer({"do": "build", "vectors": str(data.vectors)})["seconds"] > 0
    worker.answer({"do": "find", "queries": queries, "k": 3, "value": 60, "save": str(path)})
    found = np.load(path)
    assert found.shape == (100, 3)
    assert (found % 100).max() == 49  # what `most` allows of the 60
    once = worker.answer({"do": "search", "queries": queries, "k": 3, "value": 1})
    assert min(once["seconds"], once["cpu_seconds"]) > 0
    each = worker.answer({"do": "search_each", "queries": queries, "k": 3, "value": 1, "calls": 7})
    assert len(each["seconds"]) == 7


def test_memory_grows_by_what_is_held():
    before = index_worker.anonymous_bytes()
    if before == 0:
        pytest.skip("this system has no /proc/self/status")
    held = np.ones(20_000_000, np.float32)
    assert held.nbytes * 0.9 < index_worker.anonymous_bytes() - before < held.nbytes * 1.5


def test_systems_are_told_apart_and_have_modules():
    folder = Path(index_peers.__file__).parent
    for system in SYSTEMS.values():
        assert (folder / f"{system.module}.py").is_file()
        assert (system.tuning is None) == (system.family == EXACT)
        assert is_ours(system.name) == (system.module == "unitvec")
        if system.tuning:
            assert list(system.tuning.values) == sorted(set(system.tuning.values))
    assert set(index_growth.NAMES) <= set(SYSTEMS)


@pytest.mark.parametrize("name", SYSTEMS)
def test_each_library_finds_neighbours_and_more_with_a_wider_search(name, tmp_path):
    system = SYSTEMS[name]
    if system.module != "unitvec":
        pytest.importorskip(system.environment.imports[0])
    vectors, queries = _vectors(2000, dim=96), _vectors(50, dim=96, seed=1)
    worker = index_worker.IndexWorker(system.module)
    try:
        answer = worker.answer({"do": "load", "threads": 2, "options": system.options})
    except (TypeError, ValueError) as error:  # a kind that the installed version does not have
        assert system.module == "unitvec"
        pytest.skip(str(error))
    assert answer["versions"]
    np.save(tmp_path / "vectors.npy", vectors)
    np.save(tmp_path / "queries.npy", queries)
    worker.answer({"do": "build", "vectors": str(tmp_path / "vectors.npy")})
    recalls = []
    values = system.tuning.values if system.tuning else (None,)
    for value in (values[0], values[-1]):
        path = tmp_path / "ids.npy"
        request = {"do": "find", "queries": str(tmp_path / "queries.npy"), "k": 10}
        worker.answer({**request, "value": value, "save": str(path)})
        recalls.append(recall_at_k(np.load(path), exact_neighbours(queries, vectors, 10)))
    assert recalls[-1] > (0.9 if system.tuning else 0.999)
    if system.tuning:
        assert recalls[0] < recalls[-1]
    if system.family == GRAPH and "bf16" not in name:
        assert recalls[-1] > 0.99
