"""Each question about encoding, asked of systems that only count letters; nothing here is timed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import (
    drawing,
    encode,
    encode_batch,
    encode_length,
    encode_quality,
    encode_table,
    encode_threads,
    workloads,
)
from benchmarks.drawing import Figure, Panel
from benchmarks.exact_lengths import texts_of_length
from benchmarks.peers import BASELINE
from benchmarks.process import PeerError
from benchmarks.settings import Settings

import fake_systems


@pytest.fixture
def fakes(monkeypatch):
    return fake_systems.install(monkeypatch)


@pytest.fixture
def letters(fakes, monkeypatch):
    """Texts with as many letters as they are asked to have tokens."""
    for question in (encode_length, encode_batch):
        monkeypatch.setattr(
            question, "texts_of_length", lambda model, length, count: ["a" * length] * count
        )


# ---- encode -------------------------------------------------------------------------------------


def test_whole_runs_are_kept_and_summed_up(fakes):
    settings = Settings(repeats=2, latency_calls=3, runs=3, workloads=("short",))
    result = encode.run(settings)
    json.dumps(result)  # a record is JSON
    assert len(result["runs"]) == 3
    assert [list(run["workloads"]) for run in result["runs"]] == [["short"]] * 3
    assert "median of 3 runs, each with processes of its own" in encode.table(result)


@pytest.mark.parametrize(("pairs", "said"), [(15, True), (1500, False), (None, False)])
def test_a_table_of_a_sample_says_over_how_many_pairs_its_spearman_is(fakes, pairs, said):
    result = encode.run(Settings(repeats=1, latency_calls=3, workloads=("short",)))
    del result["runs"][0]["sts_b_dev_pairs"]  # as in older records
    if pairs is not None:
        result["runs"][0]["sts_b_dev_pairs"] = pairs
    assert ("Spearman over 15 pairs of 1,500 only." in encode.table(result)) == said


def test_of_several_runs_the_table_has_the_median_of_medians_and_the_extremes():
    summaries = [{"median": m, "min": m - 1, "max": m + 1} for m in (5.0, 9.0, 6.0)]
    assert encode_table.over_runs(summaries) == {"median": 6.0, "min": 5.0, "max": 9.0}
    assert encode_table.over_runs(summaries[:1]) == summaries[0]


def _run(workloads, latency):
    """A run from the seconds of each repeat, and the milliseconds of one query."""
    systems = {
        kind: {
            "systems": {
                name.replace("_", " "): {
                    "seconds": times,
                    "texts_per_second": {"median": 1 / sorted(times)[1]},
                }
                for name, times in seconds.items()
            }
        }
        for kind, seconds in workloads.items()
    }
    milliseconds = {name.replace("_", " "): {"p50": value} for name, value in latency.items()}
    return {"workloads": systems, "latency_ms": milliseconds}


def test_ours_is_set_beside_the_fastest_other_system_of_its_precision():
    mixed = {
        "unitvec_fp32": [1, 2, 2],
        "A_fp32": [4, 4, 2],
        "B_fp32": [9, 9, 9],
        "unitvec_int8": [1, 1, 1],
        "C_int8": [3, 3, 3],
    }
    short = mixed | {"unitvec_fp32": [4, 4, 4], "A_fp32": [9, 9, 9], "B_fp32": [8, 8, 8]}
    run = _run({"mixed": mixed, "short": short}, dict.fromkeys(mixed, 1))
    result = {"systems": run["latency_ms"], "runs": [run]}
    assert encode_table._beside_best_peer(result, "fp32") == [
        "unitvec fp32 to the best fp32 peer of each run: `mixed` 2.00 × (1.00 - 4.00) A fp32, "
        "`short` 2.00 × (2.00 - 2.00) B fp32."
    ]
    assert encode_table._beside_best_peer(result, "int8") == [
        "unitvec int8 to the best int8 peer of each run: `mixed` 3.00 × (3.00 - 3.00) C int8, "
        "`short` 3.00 × (3.00 - 3.00) C int8."
    ]
    assert encode_table._beside_best_peer(result, "bf16") == []


def test_in_every_run_the_fastest_of_that_run_counts():
    seconds = [
        {"unitvec_fp32": [1] * 3, "A_fp32": [a] * 3, "B_fp32": [b] * 3}
        for a, b in ((3, 4), (4, 2), (5, 6))
    ]
    runs = [_run({"mixed": each}, dict.fromkeys(each, 1)) for each in seconds]
    result = {"systems": runs[0]["latency_ms"], "runs": runs}
    assert encode_table._beside_best_peer(result, "fp32") == [
        "unitvec fp32 to the best fp32 peer of each run: `mixed` 3.00 × (2.00 - 5.00) "
        "A fp32 or B fp32."
    ]


def test_the_time_of_one_query_is_a_share_of_the_fastest_fp32_peers():
    latencies = [
        {"A_fp32": 4, "B_fp32": 2, "unitvec_fp32": ours, "unitvec_int8": 1, "C_int8": 0.5}
        for ours in (1, 3, 2)
    ]
    runs = [_run({}, latency) for latency in latencies]
    result = {"systems": runs[0]["latency_ms"], "runs": runs}
    assert encode_table._latency_beside_best_peer(result) == [
        "One query, to the time of the fastest fp32 peer, B fp32: unitvec fp32 1.00 ×, "
        "unitvec int8 0.50 ×."
    ]


# ---- quality ------------------------------------------------------------------------------------


def test_quality_of_ours_and_what_is_absent(fakes):
    result = encode_quality.run(Settings())
    json.dumps(result)
    assert list(result["quality"]) == ["unitvec fp32", "unitvec bf16"]
    own = result["quality"]["unitvec bf16"]
    assert own["to_fp32"] == pytest.approx({"lowest": 1.0, "mean": 1.0})
    assert own["to_baseline"] == pytest.approx({"lowest": 1.0, "mean": 1.0})
    assert own["ndcg"] == pytest.approx(1.0)  # "aa" finds "a", and "cc" the twenty c
    assert "3 documents, 2 queries, 3 pairs of sentences; 2 of these" in encode_quality.table(
        result
    )


def test_scifact_has_for_each_claim_the_documents_that_people_judged(monkeypatch, tmp_path):
    folder = tmp_path / "scifact"
    folder.mkdir()
    corpus = [{"_id": f"d{i}", "title": f"T{i}", "text": "text"} for i in range(40)]
    claims = [{"_id": f"q{i}", "text": f"claim {i}"} for i in range(9)]
    judged = ["query-id\tcorpus-id\tscore", *(f"q{i}\td{3 * i}\t1" for i in range(1, 8))]
    for name, records in (("corpus", corpus), ("queries", claims)):
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, records)))
    (folder / "qrels_train.tsv").write_text("\n".join([*judged, "q2\td1\t2"]))
    monkeypatch.setenv("UNITVEC_DATA", str(tmp_path))

    whole = workloads.scifact_retrieval()
    assert (len(whole.documents), len(whole.queries)) == (40, 7)
    assert whole.documents[3] == "T3 text"
    assert whole.queries[1] == "claim 2"
    assert whole.relevance[1] == {6: 1.0, 1: 2.0}

    few = workloads.scifact_retrieval(0.1)
    assert few.queries == ["claim 1", "claim 2", "claim 3", "claim 4"]
    assert [few.documents[d] for d in few.relevance[1]] == ["T6 text", "T1 text"]
    assert len(few.documents) == 4 + 5  # every tenth, and those that the claims need


# ---- length, batch, threads ---------------------------------------------------------------------


def test_a_system_that_cannot_read_a_length_is_absent_there(letters):
    result = encode_length.run(Settings(repeats=2, scale=0.01))
    json.dumps(result)
    assert [point["texts"] for point in result["points"]] == [10, 5, 4, 4, 4, 4]
    read = {p["length"]: "unitvec bf16" in p["systems"] for p in result["points"]}
    assert read == {16: True, 32: True, 64: True, 128: False, 256: False, 512: False}
    table = encode_length.table(result)
    assert "Absent: unitvec bf16, 128 tokens: [unitvec bf16] expected shorter texts." in table
    figure = encode_length.figure(result)
    assert [x for x, _ in figure.panels[0].lines["unitvec bf16"]] == [16, 32, 64]
    for tokens, texts in zip(*(p.lines[BASELINE] for p in figure.panels), strict=True):
        assert tokens[1] == pytest.approx(texts[1] * texts[0])


def test_no_call_has_fewer_texts_than_its_size(letters):
    result = encode_batch.run(Settings(repeats=2, scale=0.09))
    json.dumps(result)
    assert [(p["size"], p["calls"]) for p in result["points"]] == [
        (1, 92),
        (4, 23),
        (16, 5),
        (64, 1),
    ]
    assert "92, 23, 5, 1 calls in each repeat" in encode_batch.table(result)
    assert encode_batch.figure(result).x_ticks == [1, 4, 16, 64]


def test_threads_and_processes(fakes, monkeypatch):
    monkeypatch.setattr(encode_threads, "workloads", lambda scale: {"mixed": ["a", "b"]})
    result = encode_threads.run(Settings(repeats=2, threads=2))
    json.dumps(result)
    assert set(result["speeds"]) == {BASELINE, "onnxruntime fp32", "unitvec fp32", "unitvec bf16"}
    assert all(len(own) == 2 for own in result["speeds"][BASELINE].values())
    table = encode_threads.table(result)
    assert "| 1 thread | 2 threads | two processes, 1 thread each | two processes, 2 thr" in table


def test_two_processes_are_as_fast_as_the_slower_of_them(monkeypatch):
    seconds = {"quick": 1.0, "slow": 4.0}
    monkeypatch.setattr(encode_threads, "encode", lambda name, _: {"seconds": seconds[name]})
    assert encode_threads._together(["quick", "slow"], ["text"] * 8) == 2 * 8 / 4.0
    assert encode_threads._together(["quick"], ["text"] * 8) == 8.0


def test_threads_need_a_system_that_runs(fakes):
    with pytest.raises(PeerError, match="expected a system that can be run"):
        encode_threads.run(Settings(peers=("other bf16",)))


# ---- texts and pictures -------------------------------------------------------------------------


def test_texts_have_exactly_as_many_tokens_as_asked(model_directory, monkeypatch):
    from benchmarks import exact_lengths
    from tokenizers import Tokenizer

    words = "the uncharacteristically long-winded sentence, of 12 words; ends unfathomably here."
    monkeypatch.setattr(exact_lengths, "abstracts", lambda: [("Title", f"{words} " * 20)] * 16)
    tokenizer = Tokenizer.from_file(str(Path(model_directory) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    for length, count in ((5, 30), (32, 30), (300, 8)):
        texts = texts_of_length(model_directory, length, count)
        assert len(texts) == count
        assert {len(tokenizer.encode(text).ids) for text in texts} == {length}
        assert all(not text.startswith("##") and text == text.strip() for text in texts)
    with pytest.raises(ValueError, match=r"expected 1000 texts of 500 tokens, got \d+"):
        texts_of_length(model_directory, 500, 1000)
    with pytest.raises(ValueError, match="expected room for a word, got 2 tokens"):
        texts_of_length(model_directory, 2, 1)


def _figure():
    lines = {name: [(16, 10.0), (64, 5.0 + i)] for i, name in enumerate(("A fp32", "unitvec fp32"))}
    panels = [Panel("tokens a second", "tokens/s", lines), Panel("texts", "texts/s", lines)]
    return Figure("By length", "length, tokens", [16, 64], panels)


def test_a_picture_is_the_same_file_each_time(tmp_path):
    pytest.importorskip("matplotlib")
    for name in "ab":
        drawing.draw(_figure(), tmp_path / f"{name}.svg")
    picture = (tmp_path / "a.svg").read_bytes()
    assert picture == (tmp_path / "b.svg").read_bytes()
    assert picture.startswith(b"<?xml")


def test_lines_are_told_apart_without_colours():
    styles = drawing._styles(dict.fromkeys(fake_systems.PEERS[i].name for i in (0, 1, 2, 4)))
    looks = {(s["marker"], s.get("markerfacecolor"), s.get("linestyle")) for s in styles.values()}
    assert len(looks) == 4
    assert {s["color"] for name, s in styles.items() if name.startswith("unitvec")} == {"black"}
