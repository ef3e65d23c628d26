"""What `CrossEncoder` is given, and what it says of it."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import unitvec as uv
from random_classifiers import PAIRS
from random_models import MODEL_TYPES
from unitvec import runs
from unitvec.overflow import TruncationWarning

torch = pytest.importorskip("torch")


# ---- one pair or many ----------------------------------------------------------------------------


@pytest.mark.parametrize("labels", [1, 3])
@pytest.mark.parametrize("name", MODEL_TYPES)
def test_a_pair_has_the_same_bits_alone_and_in_any_batch(name, labels, classifiers):
    encoder = uv.CrossEncoder(classifiers(name, labels))
    pairs = PAIRS[:6] * 4
    activation = "sigmoid" if labels == 1 else "softmax"
    together = encoder.predict(pairs, activation_fn=activation)
    for threads in (1, 2):
        encoder.threads = threads
        for pair, row in zip(PAIRS[:6], together, strict=False):
            assert_array_equal(encoder.predict(pair, activation_fn=activation), row)
        backwards = encoder.predict(pairs[::-1], activation_fn=activation)
        assert_array_equal(backwards[::-1], together)


def test_activations_have_the_same_bits_in_any_array():
    from unitvec.activations import sigmoid, softmax

    logits = (np.random.default_rng(1).normal(size=(999, 3)) * 20).astype(np.float32)
    for function in (sigmoid, softmax):
        together = function(logits)
        assert together.dtype == np.float32
        for n in (1, 2, 3, 7, 8, 9, 17, 500):
            assert_array_equal(function(logits[n : 2 * n]), together[n : 2 * n])
    assert_allclose(softmax(logits), torch.softmax(torch.tensor(logits), 1).numpy(), rtol=1e-5)
    extreme = np.array([[-200.0, -20.0, 0.0, 20.0, 200.0]], np.float32)
    expected = torch.sigmoid(torch.tensor(extreme)).numpy()
    assert_allclose(sigmoid(extreme), expected, rtol=1e-5, atol=1e-30)


def test_one_pair_and_none(classifiers):
    for labels in (1, 3):
        encoder = uv.CrossEncoder(classifiers("bert", labels))
        shape = () if labels == 1 else (3,)
        for one in (("a", "the"), ["a", "the"], np.array(["a", "the"])):
            assert np.shape(encoder.predict(one)) == shape
            assert_array_equal(encoder.predict(one), encoder.predict([one])[0])
        assert_array_equal(
            encoder.predict(np.array([["a", "the"], ["the", "a"]])),
            encoder.predict([("a", "the"), ["the", "a"]]),
        )
        none = encoder.predict([])
        assert none.shape == (0, *shape)
        assert none.dtype == np.float32


def test_a_generator_is_read_a_run_at_a_time(classifiers, monkeypatch):
    monkeypatch.setattr(runs, "TEXTS_AT_ONCE", 5)
    encoder = uv.CrossEncoder(classifiers("bert", 1))
    core, scored = encoder._head, []
    monkeypatch.setattr(encoder, "_head", Counted(core, scored))
    read = []

    def texts():
        for i in range(23):
            read.append(i)
            assert sum(scored) >= len(read) - 5  # never more than a run ahead
            yield "the cat", "a dog " * (i % 4)

    streamed = encoder.predict(texts())
    assert scored == [5, 5, 5, 5, 3]
    assert_array_equal(streamed, encoder.predict([("the cat", "a dog " * (i % 4)) for i in read]))


def test_long_pairs_make_shorter_runs(classifiers, monkeypatch):
    """The characters of both texts count, so that few long pairs are held at a time."""
    monkeypatch.setattr(runs, "CHARACTERS_AT_ONCE", 40)
    encoder = uv.CrossEncoder(classifiers("bert", 1))
    scored = []
    monkeypatch.setattr(encoder, "_head", Counted(encoder._head, scored))
    lengths = [(3, 12), (3, 12), (3, 12), (50, 3), (3, 50), (1, 1), (20, 19), (1, 1)]
    pairs = [(("a " * n)[:n], ("a " * m)[:m]) for n, m in lengths]
    scores = encoder.predict(iter(pairs))
    assert scored == [3, 1, 1, 2, 1]
    assert_array_equal(scores, [encoder.predict(pair) for pair in pairs])


class Counted:
    """A head that notes how many pairs it was given."""

    def __init__(self, head, scored: list[int]) -> None:
        self.head, self.scored, self.labels = head, scored, head.labels

    def __call__(self, first, threads):
        self.scored.append(len(first))
        return self.head(first, threads)


def test_many_threads_share_one_object(classifiers):
    encoder = uv.CrossEncoder(classifiers("bert", 3))
    expected = encoder.predict(PAIRS[:6])
    results = []

    def work() -> None:
        results.extend(encoder.predict(PAIRS[:6]) for _ in range(5))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(results) == 20
    for result in results:
        assert_array_equal(result, expected)


def test_a_progress_bar_counts_pairs(classifiers, capsys):
    encoder = uv.CrossEncoder(classifiers("bert", 1))
    encoder.predict(PAIRS[:4], show_progress_bar=True)
    assert "4/4" in capsys.readouterr().err
    encoder.rank("a", ["the"] * 7, show_progress_bar=True)
    assert "7/7" in capsys.readouterr().err
    encoder.predict(PAIRS[0], show_progress_bar=False)
    assert capsys.readouterr().err == ""


# ---- activations ---------------------------------------------------------------------------------


def test_an_activation_of_the_callers(classifiers):
    encoder = uv.CrossEncoder(classifiers("bert", 3))
    logits = encoder.predict(PAIRS[:5], activation_fn="identity")
    assert_array_equal(encoder.predict(PAIRS[:5], activation_fn=np.tanh), np.tanh(logits))
    both = encoder.predict(PAIRS[:5], activation_fn=np.tanh, apply_softmax=True)
    expected = torch.softmax(torch.tanh(torch.tensor(logits)), 1).numpy()
    assert_allclose(both, expected, atol=1e-6)
    assert_allclose(encoder.predict(PAIRS[:5], activation_fn="softmax").sum(axis=1), 1, atol=1e-6)
    always = uv.CrossEncoder(classifiers("bert", 3), activation_fn=np.tanh)
    assert_array_equal(always.predict(PAIRS[:5]), np.tanh(logits))


def test_wrong_activations_are_refused(classifiers):
    encoder = uv.CrossEncoder(classifiers("bert", 3))
    with pytest.raises(ValueError, match=r"activation_fn to be one of .*'softmax'.* got 'relu'"):
        encoder.predict([], activation_fn="relu")
    with pytest.raises(ValueError, match=r"to give shape \(2, 3\), as it was given, got \(2,\)"):
        encoder.predict(PAIRS[:2], activation_fn=lambda x: x.max(axis=1))
    with pytest.raises(ValueError, match="got 'gelu'"):
        uv.CrossEncoder(classifiers("bert", 3), activation_fn="gelu")


# ---- too long ------------------------------------------------------------------------------------


def test_overflow_is_counted_and_said_once(classifiers):
    encoder = uv.CrossEncoder(classifiers("bert", 1))
    with pytest.warns(TruncationWarning) as caught:
        warned = encoder.predict(PAIRS)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert "3 of 9 pairs are longer than the 512 tokens" in str(caught[0].message)
    assert "the longest: 963" in str(caught[0].message)
    assert_array_equal(encoder.predict(PAIRS, on_overflow="truncate"), warned)
    with pytest.raises(ValueError, match=r"pairs of at most 512 tokens, got 963 in pair 6"):
        encoder.predict(PAIRS, on_overflow="error")
    with pytest.warns(TruncationWarning, match="1 of 2 pairs") as caught:
        encoder.rank("the", ["a", "a dog " * 300])
    assert caught[0].filename == __file__
    with pytest.raises(ValueError, match=r"on_overflow to be one of .* got 'chunk'"):
        encoder.predict(PAIRS, on_overflow="chunk")


def test_a_shorter_limit_may_be_set(classifiers):
    encoder = uv.CrossEncoder(classifiers("bert", 1))
    encoder.max_length = 10
    with pytest.warns(TruncationWarning, match="longer than the 10 tokens"):
        encoder.predict([("the cat sat a dog", "the cat sat a dog")])
    for wrong in (2, 513, 10.0, None):
        with pytest.raises(ValueError, match=r"max_length to be from 3.* to 512"):
            encoder.max_length = wrong
    with pytest.raises(ValueError, match="got 600"):
        uv.CrossEncoder(classifiers("bert", 1), max_length=600)


# ---- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ("a text", "expected a pair of texts or an iterable of pairs, got str"),
        (b"ab", "got bytes"),
        (7, "got int"),
        (["one", "two", "three"], "got 3 values at position 0"),
        (("one", None), "got str and NoneType at position 0"),
        ([("a", "b"), "ab"], "got str at position 1"),
        ([("a", "b"), ("a",)], "got 1 values at position 1"),
        ([("a", "b"), ("a", b"b")], "got str and bytes at position 1"),
        (((str(i), i) for i in range(3)), "got str and int at position 0"),
    ],
)
def test_what_is_not_a_pair_is_named(pairs, message, classifiers):
    with pytest.raises(TypeError, match=message):
        uv.CrossEncoder(classifiers("bert", 1)).predict(pairs)


def test_rank_refuses_what_it_cannot_rank(classifiers):
    with pytest.raises(ValueError, match=r"\[rank\] expected a model with one label, got 3"):
        uv.CrossEncoder(classifiers("bert", 3)).rank("a", ["the"])
    encoder = uv.CrossEncoder(classifiers("bert", 1))
    with pytest.raises(TypeError, match="documents to be several, got str and str"):
        encoder.rank("a", "the")
    with pytest.raises(TypeError, match="got list and list"):
        encoder.rank(["a"], ["the"])
    with pytest.raises(TypeError, match="got str and int at position 1"):
        encoder.rank("a", ["the", 3])
    with pytest.raises(ValueError, match="top_k to be None or at least 0, got -1"):
        encoder.rank("a", ["the"], top_k=-1)


# ---- what the core is handed ---------------------------------------------------------------------


def test_types_of_ids_must_fit_the_ids(classifiers):
    from unitvec import _core

    encoder = uv.CrossEncoder(classifiers("bert", 1))
    ids, types = [[2, 5, 3, 6, 3], [2, 3]], [[0, 0, 0, 1, 1], [0, 0]]
    sequences = _core.TokenSequences.from_ids(ids, None, types)
    assert sequences.token_type_ids.tolist() == [0, 0, 0, 1, 1, 0, 0]
    by_hand = encoder._core.hidden_states(sequences, 1)[-1][[0, 5]]
    made = encoder.tokenizer._pair_sequences(["the"], ["cat"], 512, 1)
    assert made.token_type_ids.tolist() == types[0]
    assert_array_equal(encoder._core.hidden_states(made, 1)[-1][0], by_hand[0])
    for wrong in ([[0, 0, 0, 1, 1]], [[0, 0, 0, 1], [0, 0, 0]]):
        with pytest.raises(ValueError, match="token_type_ids of the texts' lengths"):
            _core.TokenSequences.from_ids(ids, None, wrong)
    with pytest.raises(ValueError, match=r"token types in \[0, 2\), got 2"):
        encoder._core.hidden_states(_core.TokenSequences.from_ids([[2, 3]], None, [[0, 2]]), 1)
    with pytest.raises(ValueError, match="expected 2 second texts, got 1"):
        _core.tokenize_pairs(encoder.tokenizer._core, ["a", "b"], ["c"], 10, 1)
