"""The recording of a forward pass's steps, which the benchmarks use."""

from __future__ import annotations

import time

import numpy as np

import unitvec
from unitvec import _core

STEPS = {
    "embeddings",
    "qkv",
    "attention",
    "attention_output",
    "layer_norms",
    "intermediate",
    "dense",
    "pooling",
}


def test_every_step_is_recorded_and_none_twice(model_directory):
    encoder = unitvec.Encoder(model_directory, threads=1)
    texts = ["one short text", "and another one, a little longer"] * 50
    _core.start_step_times()
    start = time.perf_counter()
    encoder.encode(texts)
    passed = time.perf_counter() - start
    seconds = _core.stop_step_times()
    assert set(seconds) == STEPS
    assert all(value > 0 for value in seconds.values())
    assert sum(seconds.values()) <= passed  # one thread: the steps cannot overlap


def test_recording_starts_at_nothing_and_ends(encoder):
    _core.start_step_times()
    encoder.encode("recorded")
    _core.start_step_times()
    assert set(_core.stop_step_times().values()) == {0.0}
    encoder.encode("not recorded")
    assert set(_core.stop_step_times().values()) == {0.0}


def test_recording_does_not_change_the_vectors(encoder):
    texts = ["the same bits", "with and without a clock"]
    expected = encoder.encode(texts)
    _core.start_step_times()
    recorded = encoder.encode(texts)
    _core.stop_step_times()
    np.testing.assert_array_equal(recorded, expected)
