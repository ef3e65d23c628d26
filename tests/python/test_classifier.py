"""The small head on frozen vectors: learning, answering, files, scikit-learn."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import unitvec as uv
from hashed_words import HashedWords
from unitvec.heads.calibration import calibration_error, temperature_of
from unitvec.heads.mlp import Layer, forward

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.usefixtures("one_torch_thread")


def clouds(n: int = 300, dim: int = 12, classes: int = 3, seed: int = 0, spread: float = 0.5):
    """Vectors around one centre a class, and their labels."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).standard_normal((classes, dim))
    numbers = rng.integers(classes, size=n)
    vectors = centres[numbers] + spread * rng.standard_normal((n, dim))
    return vectors.astype(np.float32), np.array(["red", "green", "blue", "grey"])[numbers]


@pytest.fixture(scope="module")
def trained() -> uv.Classifier:
    return uv.Classifier(hidden=32, show_progress_bar=False).fit(*clouds())


def test_it_learns_what_can_be_learned(trained: uv.Classifier) -> None:
    vectors, labels = clouds(seed=1)
    assert trained.score(vectors, labels) >= 0.95
    assert set(trained.predict(vectors)) == {"red", "green", "blue"}
    probabilities = trained.predict_proba(vectors)
    assert probabilities.shape == (300, 3)
    assert_allclose(probabilities.sum(axis=1), 1)
    assert_array_equal(trained.classes_[probabilities.argmax(axis=1)], trained.predict(vectors))
    assert trained.classes_.tolist() == ["blue", "green", "red"]


def test_the_head_is_its_formula(trained: uv.Classifier) -> None:
    """softmax(W_2 relu(W_1 x + b_1) + b_2), divided by the temperature."""
    vectors, _ = clouds(n=7, seed=2)
    first, second = trained._layers
    hidden = np.maximum(vectors.astype(np.float64) @ first.weight.T + first.bias, 0)
    logits = (hidden @ second.weight.T + second.bias) / trained.temperature_
    powers = np.exp(logits - logits.max(1, keepdims=True))
    expected = powers / powers.sum(1, keepdims=True)
    assert_allclose(trained.predict_proba(vectors), expected, atol=1e-12)
    assert first.weight.shape == (32, 12)


def test_the_scale_of_the_inputs_is_folded_in() -> None:
    vectors, labels = clouds()
    odd = vectors * 1e-3 + 5
    odd[:, 0] = 5  # constant: nothing but rounding errors, which must not be blown up
    odd[:, 1] = 5 + 1e-9 * np.random.default_rng(0).standard_normal(300)
    classifier = uv.Classifier(hidden=16, show_progress_bar=False).fit(odd, labels)
    assert classifier.score(odd, labels) >= 0.95
    assert max(np.abs(layer.weight).max() for layer in classifier._layers) < 1e5


def test_the_learning_curve_is_kept_and_training_stops(trained: uv.Classifier) -> None:
    assert trained.n_iter_ == len(trained.history_) < 100
    assert trained.history_[0].keys() == {
        *("epoch", "loss", "validation_loss", "validation_accuracy")
    }
    losses = [record["validation_loss"] for record in trained.history_]
    before = min(losses[: -trained.patience])
    assert min(losses[-trained.patience :]) >= before - 0.01  # nothing worth waiting for
    assert trained.history_[-1]["loss"] < trained.history_[0]["loss"]


def test_without_held_out_examples_every_epoch_is_made() -> None:
    vectors, labels = clouds(n=60)
    classifier = uv.Classifier(hidden=8, validation_fraction=0, max_epochs=5)
    classifier.fit(vectors, labels)
    assert classifier.n_iter_ == 5
    assert classifier.temperature_ == 1
    assert "validation_loss" not in classifier.history_[0]
    few = uv.Classifier(hidden=8, max_epochs=4).fit(vectors[:9], labels[:9])
    assert few.n_iter_ == 4  # one held out of each would follow chance


def test_a_seed_repeats_and_leaves_torchs_own_alone() -> None:
    vectors, labels = clouds()
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    once = uv.Classifier(hidden=8, max_epochs=3, random_state=7).fit(vectors, labels)
    assert torch.equal(torch.random.get_rng_state(), before)
    again = uv.Classifier(hidden=8, max_epochs=3, random_state=7).fit(vectors, labels)
    other = uv.Classifier(hidden=8, max_epochs=3, random_state=8).fit(vectors, labels)
    assert_array_equal(once.predict_proba(vectors), again.predict_proba(vectors))
    assert not np.array_equal(once.predict_proba(vectors), other.predict_proba(vectors))


def test_an_example_has_one_answer_alone_and_among_others(trained: uv.Classifier) -> None:
    vectors, _ = clouds(n=50, seed=3)
    together = trained.predict_proba(vectors)
    alone = np.vstack([trained.predict_proba(vector[None]) for vector in vectors])
    assert_array_equal(together, alone)


@pytest.mark.parametrize("hidden", [(), (16,), (24, 12)])
def test_layers_may_be_none_or_several(hidden: tuple[int, ...]) -> None:
    vectors, labels = clouds()
    classifier = uv.Classifier(hidden=hidden).fit(vectors, labels)
    assert len(classifier._layers) == len(hidden) + 1
    assert classifier.score(vectors, labels) >= 0.95


def test_class_weights_move_the_border() -> None:
    rng = np.random.default_rng(0)
    vectors = np.r_[rng.normal(0, 1, (380, 2)), rng.normal(1, 1, (20, 2))]
    labels = np.array(["often"] * 380 + ["rare"] * 20)

    def found(class_weight) -> float:
        classifier = uv.Classifier(hidden=8, class_weight=class_weight).fit(vectors, labels)
        return float((classifier.predict(vectors) == "rare").mean())

    assert found(None) < 0.1 < found("balanced")
    assert found({"rare": 19.0}) > 0.1
    assert found({"often": 0.0}) == 1.0


def test_calibration_brings_confidence_and_accuracy_together() -> None:
    rng = np.random.default_rng(0)
    numbers = rng.integers(4, size=4000)
    honest = 2.0 * rng.standard_normal((4000, 4))
    honest[np.arange(4000), numbers] += 2.0
    temperature = temperature_of(honest * 5, numbers)
    assert temperature == pytest.approx(5 * temperature_of(honest, numbers), rel=1e-3)

    def error(logits: np.ndarray) -> float:
        powers = np.exp(logits - logits.max(1, keepdims=True))
        return calibration_error(powers / powers.sum(1, keepdims=True), numbers)

    assert error(honest * 5 / temperature) < 0.05 < error(honest * 5)


def test_calibration_error_of_a_known_case() -> None:
    probabilities = np.array([[0.9, 0.1]] * 10)
    assert calibration_error(probabilities, np.array([0] * 9 + [1])) == pytest.approx(0)
    assert calibration_error(probabilities, np.array([1] * 10)) == pytest.approx(0.9)


def test_forward_without_rows() -> None:
    assert forward([Layer(np.ones((2, 3)), np.zeros(2))], np.empty((0, 3))).shape == (0, 2)


# ---- texts ---------------------------------------------------------------------------------------


def test_texts_go_through_the_encoder(encoder) -> None:
    texts = ["what a lovely film", "a dull and awful mess", "great fun", "boring"] * 10
    labels = ["pos", "neg", "pos", "neg"] * 10
    classifier = uv.Classifier(encoder, show_progress_bar=False).fit(texts, labels)
    text = "The product is high quality and delivered quickly"
    assert classifier.predict([text]).tolist() == ["pos"]
    vectors = encoder.encode([text])
    assert_array_equal(classifier.predict_proba([text]), classifier.predict_proba(vectors))


def test_any_encoder_will_do(words: HashedWords) -> None:
    class Plain:
        def encode(self, texts, show_progress_bar=None):
            return words.encode_document(texts)

    texts = [f"{color} number {i}" for i in range(60) for color in ("red", "blue")]
    labels = [text.split()[0] for text in texts]
    classifier = uv.Classifier(Plain(), hidden=16).fit(texts, labels)
    assert classifier.score(texts, labels) >= 0.9
    assert classifier.score(iter(texts), labels) >= 0.9


# ---- files ---------------------------------------------------------------------------------------


def test_a_saved_classifier_answers_alike(trained: uv.Classifier, tmp_path: Path) -> None:
    trained.save(tmp_path / "head")
    again = uv.Classifier.load(tmp_path / "head")
    vectors, labels = clouds(seed=4)
    assert_allclose(again.predict_proba(vectors), trained.predict_proba(vectors), atol=1e-5)
    assert_array_equal(again.predict(vectors), trained.predict(vectors))
    assert again.history_ == trained.history_
    assert again.hidden == 32
    assert again.score(vectors, labels) == trained.score(vectors, labels)
    assert sorted(path.name for path in (tmp_path / "head").iterdir()) == [
        *("classifier.json", "classifier.safetensors")
    ]
    safetensors = pytest.importorskip("safetensors.numpy")
    tensors = safetensors.load_file(tmp_path / "head" / "classifier.safetensors")
    assert tensors["0.weight"].shape == (32, 12)
    again.save(tmp_path / "again")
    for name in ("classifier.json", "classifier.safetensors"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "head" / name).read_bytes()


def test_numbers_as_labels_stay_numbers(tmp_path: Path) -> None:
    vectors, labels = clouds(n=60)
    numbers = np.unique(labels, return_inverse=True)[1] * 10
    uv.Classifier(hidden=4, max_epochs=2).fit(vectors, numbers).save(tmp_path)
    assert uv.Classifier.load(tmp_path).classes_.tolist() == [0, 10, 20]


def test_another_encoder_is_refused(trained: uv.Classifier, tmp_path: Path) -> None:
    class Named:
        def __init__(self, fingerprint: str) -> None:
            self.fingerprint = fingerprint
            self.name = "named"

    trained.encoder = Named("a" * 64)
    try:
        trained.save(tmp_path)
    finally:
        trained.encoder = None
    assert uv.Classifier.load(tmp_path, Named("a" * 64)).classes_.size == 3
    with pytest.raises(uv.FingerprintError, match="the encoder that it was trained with"):
        uv.Classifier.load(tmp_path, Named("b" * 64))


def test_damaged_files_are_refused(trained: uv.Classifier, tmp_path: Path) -> None:
    trained.save(tmp_path)
    weights, settings = tmp_path / "classifier.safetensors", tmp_path / "classifier.json"
    good, fields = weights.read_bytes(), json.loads(settings.read_text())
    for size in range(0, len(good), 97):
        weights.write_bytes(good[:size])
        with pytest.raises(uv.FormatError):
            uv.Classifier.load(tmp_path)
    weights.write_bytes(good[:-4] + b"\x00\x00\xc0\x7f")
    with pytest.raises(uv.FormatError, match="finite numbers, got NaN"):
        uv.Classifier.load(tmp_path)
    weights.write_bytes(good)
    for change in (
        {"format": 2},
        {"classes": ["a"]},
        {"temperature": -1},
        {"temperature": "hot"},
        {"layers": 9},
        {"options": None},
        {"options": {"hidden": "wide"}, "layers": 1},
        {"history": None},
        {"encoder": None},
    ):
        settings.write_text(json.dumps(fields | change))
        with pytest.raises(uv.FormatError, match=r"classifier\.json"):
            uv.Classifier.load(tmp_path)
    settings.write_text("{")
    with pytest.raises(uv.FormatError):
        uv.Classifier.load(tmp_path)
    settings.unlink()
    with pytest.raises(uv.FormatError, match=r"classifier\.json: expected a file of a saved"):
        uv.Classifier.load(tmp_path)


# ---- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vectors", "labels", "message"),
    [
        (np.empty((0, 3)), [], "at least one example, got 0 samples"),
        ([], [], "shape"),
        (np.ones((3, 2)), ["a", "a", "a"], r"at least two classes, got one class: \['a'\]"),
        (np.ones((3, 2)), ["a", "b"], "a label for each of 3 examples, got 2"),
        (np.ones((2, 2)), [[1, 2], [3, 4]], r"labels of shape \(n,\), got bad input shape"),
        (np.ones((2, 2)), [0.5, 1.5], "Unknown label type"),
        (np.ones((2, 2)), None, "requires y to be passed"),
        (np.ones((2, 2)), ["a", None], "a label for every example, got None"),
        (np.ones(3), [0, 1, 0], r"vectors of shape \(n, dim\), got 1-D"),
        ([[np.nan], [1.0]], [0, 1], "Input X contains NaN"),
        ([[np.inf], [1.0]], [0, 1], "infinity or a value too large"),
        (["a", "b"], [0, 1], r"expected an encoder for texts: Classifier\(encoder\)"),
    ],
)
def test_examples_that_cannot_be_learned_from(vectors, labels, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        uv.Classifier().fit(vectors, labels)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden": 0}, "hidden to be widths from 1, got 0"),
        ({"dropout": 1.0}, r"dropout to be a number in \[0, 1\), got 1.0"),
        ({"learning_rate": 0}, "learning_rate to be a number above 0"),
        ({"weight_decay": -1}, "weight_decay to be 0 or more"),
        ({"batch_size": 0}, "batch_size to be 'auto' or at least 1, got 0"),
        ({"max_epochs": 0}, "max_epochs to be at least 1"),
        ({"patience": 0}, "patience to be at least 1"),
        ({"validation_fraction": 1}, "validation_fraction to be a number in"),
        ({"class_weight": "heavy"}, "class_weight to be None, 'balanced' or a dict, got 'heavy'"),
        ({"class_weight": {"purple": 2}}, r"class_weight of classes among .* got \['purple'\]"),
        ({"random_state": -1}, "random_state to be a number from 0, got -1"),
    ],
)
def test_options_that_cannot_be(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        uv.Classifier(**options).fit(*clouds(n=40))


def test_answers_need_learning_and_vectors_of_the_same_length(trained: uv.Classifier) -> None:
    with pytest.raises(ValueError, match="expected fit or load to be called first"):
        uv.Classifier().predict(np.ones((1, 12)))
    with pytest.raises(ValueError, match="expected fit or load to be called first"):
        uv.Classifier().save("nowhere")
    with pytest.raises(ValueError, match="X has 3 features, but Classifier is expecting 12"):
        trained.predict(np.ones((1, 3)))
    for wrong in ("one text", b"bytes", 5, None):
        with pytest.raises(TypeError, match="expected texts or vectors, got"):
            trained.predict(wrong)


# ---- scikit-learn --------------------------------------------------------------------------------


def _passes(check, estimator) -> bool:
    """Whether a check passes; one that scikit-learn itself skips does not count."""
    try:
        check(estimator)
    except BaseException as error:
        if type(error).__name__ in ("SkipTest", "Skipped"):
            return False
        raise
    return True


@pytest.mark.slow
def test_scikit_learns_checks_of_estimators_pass() -> None:
    checks = pytest.importorskip("sklearn.utils.estimator_checks", reason="no scikit-learn")
    passed = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the checks' own: about deprecations and inheritance
        for estimator, check in checks.estimator_checks_generator(uv.Classifier(max_epochs=60)):
            passed += _passes(check, estimator)
    assert passed >= 50


def test_pipelines_and_searches_take_it() -> None:
    sklearn = pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    vectors, labels = clouds(n=120)
    assert sklearn.base.is_classifier(uv.Classifier())
    cloned = sklearn.base.clone(uv.Classifier(hidden=5, class_weight="balanced"))
    assert repr(cloned) == "Classifier(hidden=5, class_weight='balanced')"
    model = make_pipeline(StandardScaler(), uv.Classifier(hidden=8, max_epochs=10))
    search = GridSearchCV(model, {"classifier__hidden": [4, 8]}, cv=2).fit(vectors, labels)
    assert search.best_score_ > 0.8
    with pytest.raises(ValueError, match=r"expected options among encoder, .* got width"):
        uv.Classifier().set_params(width=3)
