"""The question of where the time goes: its arithmetic by hand, and its tables; nothing is timed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks import encode_profile, profile_worker, roofline_worker
from benchmarks import encode_profile_table as tables
from benchmarks.process import PeerError, printed
from benchmarks.settings import Settings

import unitvec

MINILM = {"dim": 384, "intermediate": 1536, "layers": 6}


def _profile(seconds, lengths):
    """A call whose steps take 1, 2, ... ms and whose tokenising takes 9 ms."""
    core = [step for step in tables.STEPS if step != "tokenise"]
    steps = {step: 1e-3 * (i + 1) for i, step in enumerate(core)}
    return {"seconds": seconds, "steps": {"tokenise": 9e-3, **steps}, "lengths": lengths}


MACHINE = {
    "gigabytes_per_second": {"read": 20.0, "copy": 15.0},
    "gigaflops": {"10 x 30": {"NumPy": 5.0, "torch": 6.0}, "10 x 10": {"NumPy": 2.0, "torch": 1.0}},
}


def test_operations_of_minilm():
    assert tables.linear_flops(MINILM) == 21_233_664
    # Two matrix products a layer, each 2 * length * length * dim.
    assert tables.attention_flops(MINILM, [3, 1]) == 6 * 2 * 2 * (9 + 1) * 384


def test_attainable_speed_is_all_work_over_the_best_time_of_each_product():
    # 300 and 100 multiplications at 6 and 2: as long each.
    assert tables.attainable(MACHINE["gigaflops"]) == pytest.approx(400 / (300 / 6 + 100 / 2))


def test_the_steps_of_threads_with_batches_of_their_own_are_shared_out():
    profile = _profile(0.040, [5])
    steps = tables.seconds_of_steps(profile, 2)
    assert steps["tokenise"] == 9e-3  # waits for all its threads
    assert steps["qkv"] == pytest.approx(1e-3)
    assert steps[tables.REST] == pytest.approx(0.040 - 0.009 - 0.018)
    assert sum(steps.values()) == pytest.approx(0.040)


def test_what_the_times_come_to():
    profile = {"query": _profile(0.05, [8]), "long": _profile(0.1, [100, 50])}
    own = tables.Measured("unitvec bf16", profile, MACHINE, MINILM, 2)
    in_linear = 1e-3 * (2 + 4 + 6 + 7)  # qkv, attention_output, intermediate, dense
    assert own.weight_bytes == 2 * 10_616_832
    assert own.reading == pytest.approx(own.weight_bytes / in_linear / 1e9)
    assert own.reading_share == pytest.approx(own.reading / 20)
    assert own.linear_speed == pytest.approx(21_233_664 * 150 / (in_linear / 2) / 1e9)
    assert own.call_speed == pytest.approx(
        (21_233_664 * 150 + 6 * 4 * 384 * (100**2 + 50**2)) / 0.1 / 1e9
    )
    assert own.call_share is None  # what is attainable was measured in fp32
    fp32 = tables.Measured("unitvec fp32", profile, MACHINE, MINILM, 2)
    assert fp32.call_share == pytest.approx(own.call_speed / 4)


def test_the_question_with_workers_that_answer_and_one_that_fails(monkeypatch, tmp_path):
    names = {
        "dim": "hidden_size",
        "intermediate": "intermediate_size",
        "layers": "num_hidden_layers",
    }
    config = {theirs: MINILM[ours] for ours, theirs in names.items()}
    (tmp_path / "config.json").write_text(json.dumps(config))

    def printed(worker, threads, *arguments):
        if worker == "roofline_worker":
            return dict(MACHINE)
        if arguments[0] == "bfloat16":
            raise PeerError("[profile_worker] ValueError: no bf16")
        long = _profile(0.1, [100, 50])
        return {"query": _profile(0.05, [8]), "long": long, "versions": {"unitvec": "1"}}

    monkeypatch.setattr(encode_profile, "printed", printed)
    monkeypatch.setattr(Settings, "model_directory", lambda self: tmp_path)
    settings = Settings(repeats=2, peers=("unitvec fp32", "unitvec bf16"))
    result = encode_profile.run(settings)
    json.dumps(result)
    assert result["systems"] == {"unitvec fp32": {"versions": {"unitvec": "1"}}}
    assert len(result["machine"]) == len(result["profiles"]["unitvec fp32"]) == 2

    table = encode_profile.table(result)
    assert "| tokenise | 9,000 | 18.0% |" in table
    assert "| tokenise | 4,500 | 9.0% |" in table  # of two texts
    assert "Attainable in fp32: 4 GFLOP/s" in table
    assert "Absent: unitvec bf16: [profile_worker] ValueError: no bf16." in table


def test_a_worker_that_fails_is_quoted():
    with pytest.raises(PeerError, match=r"\[profile_worker\] .*expected dtype to be one of"):
        printed("profile_worker", 1, "float3", "absent", 1, 0.01, 1)


def test_one_call_is_profiled(model_directory):
    encoder = unitvec.Encoder(model_directory, threads=1)
    texts = ["a text", "word " * 600]
    profile = profile_worker.profile(encoder, texts, 2)
    assert profile["lengths"] == [4, 256]
    assert set(profile["steps"]) == set(tables.STEPS)
    assert min(tables.seconds_of_steps(profile, 1).values()) > 0
    assert "_sequences" not in vars(encoder.tokenizer)


def test_the_limits_of_the_machine(monkeypatch):
    command = [sys.executable, "-m", "benchmarks.roofline_worker", *map(str, (1, 1, 4, 8, 16))]
    root = Path(roofline_worker.__file__).parents[1]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=root)
    found = json.loads(done.stdout)
    assert list(found["gigaflops"]) == ["8 x 24", "8 x 8", "8 x 16", "16 x 8"]
    speeds = [speed for shape in found["gigaflops"].values() for speed in shape.values()]
    assert len(speeds) == 8
    assert min(*speeds, *found["gigabytes_per_second"].values()) > 0
