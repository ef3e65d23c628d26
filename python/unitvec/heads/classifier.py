"""`Classifier`: a small head on frozen vectors, trained in seconds."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unitvec._core import FormatError
from unitvec.durable import sync_to_disk
from unitvec.heads import classifier_inputs as inputs
from unitvec.heads.calibration import temperature_of
from unitvec.heads.head_model import softmax
from unitvec.heads.mlp import Examples, Layer, TrainingPlan, forward, train
from unitvec.heads.tensor_file import from_bytes, to_bytes
from unitvec.model_files import read_bytes, read_json
from unitvec.progress import progress_bar

#: Of the files of a saved classifier.
FORMAT_VERSION = 1
SETTINGS_FILE = "classifier.json"
WEIGHTS_FILE = "classifier.safetensors"

#: Held-out examples below which early stopping would follow chance.
_HELD_OUT_MIN = 8

#: Steps of an epoch where the number of examples allows it, and bounds of examples a step.
_STEPS = 32
_BATCHES = (8, 64)

#: Examples that go through the head together, when predicting.
_BATCH = 4096


class Classifier:
    """Classes of texts, or of vectors: dim -> 256 -> ReLU -> classes -> softmax.

    The encoder's vectors are frozen: they are computed once, and only the head is trained, by
    AdamW on the cross-entropy, until held-out examples get no better. A temperature then makes the
    probabilities say how often they are right. Whether [CLS] or the mean is the text's vector is
    the encoder's choice: `Encoder(pooling="cls")`.

    A scikit-learn estimator: `clone`, pipelines, searches and cross-validation take it; without an
    encoder it classifies vectors.

    Args:
        encoder: a `unitvec.Encoder`, or whatever has its `encode`; None: examples are vectors.
        hidden: width of the layer between, or widths of several; () for none.
        dropout: share of the hidden layer left out at random in training.
        learning_rate: AdamW's.
        weight_decay: AdamW's.
        batch_size: examples a step; "auto": so many that an epoch has about 32 steps, from 8 to 64.
        max_epochs: at most so many passes over the examples.
        patience: epochs without a better held-out loss before training stops.
        validation_fraction: share of the examples that is held out, class by class; 0: none, and
            `max_epochs` are made. Classes with one example are never held out.
        class_weight: None, "balanced" (rare classes count more), or class -> weight.
        calibrate: fit a temperature on the held-out examples.
        random_state: seed of weights, order and what is held out: the same one, the same
            classifier.
        threads: of torch while training; None: torch's own number.
        show_progress_bar: True, False, or None: on a terminal, after a second.

    Attributes:
        classes_: the labels, sorted, shape (classes,).
        n_features_in_: length of a vector.
        history_: the learning curve: for every epoch a dict of "epoch", "loss" and, of held-out
            examples, "validation_loss" and "validation_accuracy".
        n_iter_: epochs made.
        temperature_: what logits are divided by before the softmax; 1 without calibration.

    Example:
        >>> classifier = Classifier(encoder).fit(["good", "awful"] * 20, ["pos", "neg"] * 20)
        >>> classifier.predict(["great"])
        array(['pos'], dtype='<U3')
    """

    def __init__(
        self,
        encoder: Any = None,
        *,
        hidden: int | Sequence[int] = 256,
        dropout: float = 0.5,
        learning_rate: float = 1e-3,
        weight_decay: float = 1.0,
        batch_size: int | str = "auto",
        max_epochs: int = 100,
        patience: int = 8,
        validation_fraction: float = 0.1,
        class_weight: Any = None,
        calibrate: bool = True,
        random_state: int = 0,
        threads: int | None = None,
        show_progress_bar: bool | None = None,
    ) -> None:
        self.encoder = encoder
        self.hidden = hidden
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.class_weight = class_weight
        self.calibrate = calibrate
        self.random_state = random_state
        self.threads = threads
        self.show_progress_bar = show_progress_bar

    # ---- learning --------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any) -> Classifier:  # noqa: N803 (scikit-learn's name)
        """Learns from texts, or from vectors (n, dim), and their labels (n,).

        Raises:
            ValueError: no examples, one class, labels that do not match, NaN, an option out of
                range.
            TypeError: examples or labels of another type.
        """
        self._check_options()
        vectors = self._vectors(X)
        labels = inputs.as_labels(y, len(vectors))
        classes, numbers = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(
                f"[Classifier] expected at least two classes, got one class: {classes.tolist()}"
            )
        weights = inputs.class_weights(self.class_weight, classes, numbers)
        held_out = self._held_out(numbers)
        kept = ~held_out
        plan = self._plan(int(kept.sum()))
        history: list[dict[str, float]] = []
        with progress_bar(plan.max_epochs, "Training", "epochs", self.show_progress_bar) as bar:

            def report(record: dict[str, float]) -> None:
                history.append(record)
                bar.update(1)

            layers = train(
                plan,
                _examples(vectors, numbers, weights, kept),
                _examples(vectors, numbers, weights, held_out) if held_out.any() else None,
                len(classes),
                report,
            )
        self.classes_ = classes
        self.n_features_in_ = vectors.shape[1]
        self.history_ = history
        self.n_iter_ = len(history)
        self._layers = layers
        self.temperature_ = 1.0
        if self.calibrate and held_out.any():
            self.temperature_ = temperature_of(
                forward(layers, vectors[held_out]), numbers[held_out]
            )
        return self

    @property
    def _widths(self) -> tuple[int, ...]:
        hidden = (self.hidden,) if isinstance(self.hidden, (int, np.integer)) else self.hidden
        return tuple(int(width) for width in hidden)

    def _check_options(self) -> None:
        positive = all(width >= 1 for width in self._widths)
        _require("hidden", self.hidden, positive, "widths from 1")
        _require("dropout", self.dropout, 0 <= self.dropout < 1, "a number in [0, 1)")
        _require("learning_rate", self.learning_rate, self.learning_rate > 0, "a number above 0")
        _require("weight_decay", self.weight_decay, self.weight_decay >= 0, "0 or more")
        for name in ("max_epochs", "patience"):
            _require(name, getattr(self, name), getattr(self, name) >= 1, "at least 1")
        size = self.batch_size
        fits = size == "auto" or (not isinstance(size, str) and size >= 1)
        _require("batch_size", size, fits, "'auto' or at least 1")
        fraction = self.validation_fraction
        _require("validation_fraction", fraction, 0 <= fraction < 1, "a number in [0, 1)")

    def _plan(self, examples: int) -> TrainingPlan:
        auto = min(max(examples // _STEPS, _BATCHES[0]), _BATCHES[1])
        return TrainingPlan(
            hidden=self._widths,
            dropout=float(self.dropout),
            learning_rate=float(self.learning_rate),
            weight_decay=float(self.weight_decay),
            batch_size=auto if isinstance(self.batch_size, str) else self.batch_size,
            max_epochs=int(self.max_epochs),
            patience=int(self.patience),
            seed=_seed(self.random_state),
            threads=self.threads,
        )

    def _held_out(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which examples decide when to stop: a share of every class, drawn by the seed."""
        rng = np.random.default_rng(_seed(self.random_state))
        held_out = np.zeros(len(numbers), bool)
        for each in np.unique(numbers):
            (rows,) = np.nonzero(numbers == each)
            count = min(round(len(rows) * self.validation_fraction), len(rows) - 1)
            held_out[rng.permutation(rows)[:count]] = True
        return held_out if held_out.sum() >= _HELD_OUT_MIN else np.zeros(len(numbers), bool)

    # ---- answering -------------------------------------------------------------------------------

    def predict(self, X: Any) -> npt.NDArray[Any]:  # noqa: N803
        """The likeliest class of each example, shape (n,).

        Raises:
            ValueError: vectors of another length than those that were learned from.
        """
        numbers = self.decision_logits(X).argmax(axis=1)
        labels: npt.NDArray[Any] = self.classes_[numbers]
        return labels

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:  # noqa: N803
        """The probability of every class, shape (n, classes), in the order of `classes_`."""
        return softmax(self.decision_logits(X) / self.temperature_)

    def decision_logits(self, X: Any) -> npt.NDArray[np.float64]:  # noqa: N803
        """What the head says before temperature and softmax, shape (n, classes)."""
        if not self.__sklearn_is_fitted__():
            raise _not_fitted()
        vectors = self._vectors(X)
        if vectors.shape[1] != self.n_features_in_:
            raise ValueError(
                f"[Classifier] X has {vectors.shape[1]} features, but Classifier is expecting "
                f"{self.n_features_in_} features as input"
            )
        parts = [
            forward(self._layers, vectors[i : i + _BATCH]) for i in range(0, len(vectors), _BATCH)
        ]
        return np.concatenate([np.empty((0, len(self.classes_))), *parts])

    def score(self, X: Any, y: Any) -> float:  # noqa: N803
        """The share of examples whose class is predicted right."""
        predicted = self.predict(X)
        labels = inputs.as_labels(y, len(predicted))
        return float((predicted == labels).mean())

    def _vectors(self, examples: Any) -> npt.NDArray[np.float32]:
        if isinstance(examples, (str, bytes)):
            raise TypeError(
                f"[Classifier] expected texts or vectors, got one {type(examples).__name__}"
            )
        if not hasattr(examples, "__len__") and hasattr(examples, "__array__"):
            examples = np.asarray(examples)
        elif not hasattr(examples, "__len__"):
            if not hasattr(examples, "__iter__"):
                raise TypeError(
                    f"[Classifier] expected texts or vectors, got {type(examples).__name__}"
                )
            examples = list(examples)
        if not inputs.are_texts(examples):
            if self.encoder is not None and hasattr(examples, "__len__") and not len(examples):
                raise ValueError("[Classifier] expected at least one example, got none")
            return inputs.as_vectors(examples)
        if self.encoder is None:
            raise ValueError("[Classifier] expected an encoder for texts: Classifier(encoder)")
        vectors = self.encoder.encode(list(examples), show_progress_bar=self.show_progress_bar)
        return inputs.as_vectors(vectors)

    # ---- files -----------------------------------------------------------------------------------

    def save(self, directory: str | os.PathLike[str]) -> None:
        """Writes classifier.json and classifier.safetensors; the encoder is only named in them.

        Raises:
            ValueError: nothing was learned, or labels that JSON cannot say.
        """
        if not self.__sklearn_is_fitted__():
            raise _not_fitted()
        labels = self.classes_.tolist()
        if not all(isinstance(label, (str, int, float, bool)) for label in labels):
            raise ValueError(
                f"[Classifier] expected labels that are text or numbers, got {labels[:5]}"
            )
        settings = {
            "format": FORMAT_VERSION,
            "classes": labels,
            "temperature": self.temperature_,
            "layers": len(self._layers),
            "options": {name: _plain(getattr(self, name)) for name in _OPTIONS},
            "history": self.history_,
            "encoder": {
                "name": getattr(self.encoder, "name", None),
                "fingerprint": getattr(self.encoder, "fingerprint", None),
            },
        }
        tensors = {}
        for i, layer in enumerate(self._layers):
            tensors[f"{i}.weight"] = layer.weight.astype(np.float32)
            tensors[f"{i}.bias"] = layer.bias.astype(np.float32)
        folder = Path(directory)
        folder.mkdir(parents=True, exist_ok=True)
        _replace(folder / WEIGHTS_FILE, to_bytes(tensors))
        _replace(folder / SETTINGS_FILE, json.dumps(settings, indent=1).encode())

    @classmethod
    def load(cls, directory: str | os.PathLike[str], encoder: Any = None) -> Classifier:
        """A classifier as it was saved, with the precision of float32.

        Args:
            directory: what `save` wrote.
            encoder: the one it was trained with; None: it classifies vectors.

        Raises:
            FormatError: a file is missing, damaged or of a later version.
            FingerprintError: `encoder` gives other vectors than the one it was trained with.
        """
        folder = Path(directory)
        path = folder / SETTINGS_FILE
        settings = read_json(path, dict)
        content = read_bytes(folder / WEIGHTS_FILE)
        if settings is None or content is None:
            missing = SETTINGS_FILE if settings is None else WEIGHTS_FILE
            raise FormatError(
                f"{folder / missing}: expected a file of a saved Classifier, got none"
            )
        if settings.get("format") != FORMAT_VERSION:
            raise FormatError(
                f"{path}: format: expected {FORMAT_VERSION}, got {settings.get('format')!r}"
            )
        tensors = from_bytes(folder / WEIGHTS_FILE, content)
        try:
            options = {k: v for k, v in settings["options"].items() if k in _OPTIONS}
            classifier = cls(encoder, **options)
            classifier.classes_ = np.array(settings["classes"])
            classifier.temperature_ = float(settings["temperature"])
            classifier.history_ = list(settings["history"])
            classifier.n_iter_ = len(classifier.history_)
            classifier._layers = [
                Layer(
                    tensors[f"{i}.weight"].astype(np.float64),
                    tensors[f"{i}.bias"].astype(np.float64),
                )
                for i in range(int(settings["layers"]))
            ]
            classifier._require_shapes()
            stated = settings["encoder"].get("fingerprint")
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise FormatError(
                f"{path}: expected what Classifier.save writes, got {error!r}"
            ) from error
        _require_same_encoder(stated, encoder)
        return classifier

    def _require_shapes(self) -> None:
        width = None
        for layer in self._layers:
            rows, columns = layer.weight.shape
            if layer.bias.shape != (rows,) or (width is not None and columns != width):
                raise ValueError("layers that do not fit each other")
            width = rows
        if width != len(self.classes_) or not 0 < self.temperature_ < np.inf:
            raise ValueError("classes or a temperature that do not fit the layers")
        self.n_features_in_ = self._layers[0].weight.shape[1]

    # ---- scikit-learn ----------------------------------------------------------------------------

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """All options as they were given; for scikit-learn."""
        return {name: getattr(self, name) for name in _NAMES}

    def set_params(self, **options: Any) -> Classifier:
        """Changes options; for scikit-learn's searches.

        Raises:
            ValueError: an option that there is not.
        """
        unknown = sorted(set(options) - set(_NAMES))
        if unknown:
            raise ValueError(
                f"[Classifier] expected options among {', '.join(_NAMES)}, got {', '.join(unknown)}"
            )
        for name, value in options.items():
            setattr(self, name, value)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_layers")

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(string=self.encoder is not None),
        )

    def __repr__(self) -> str:
        given = [
            f"{name}={getattr(self, name)!r}"
            for name in _NAMES
            if getattr(self, name) is not _DEFAULTS[name] and getattr(self, name) != _DEFAULTS[name]
        ]
        return f"Classifier({', '.join(given)})"


_DEFAULTS: dict[str, Any] = {
    name: parameter.default
    for name, parameter in inspect.signature(Classifier.__init__).parameters.items()
    if name != "self"
}
_NAMES = tuple(_DEFAULTS)
#: What a saved classifier keeps; class weights have done their work by then.
_OPTIONS = tuple(n for n in _NAMES if n not in ("encoder", "class_weight", "show_progress_bar"))


def _require(name: str, value: object, holds: bool, expected: str) -> None:
    if not holds:
        raise ValueError(f"[Classifier] expected {name} to be {expected}, got {value!r}")


def _seed(random_state: Any) -> int:
    if isinstance(random_state, (int, np.integer)) and random_state >= 0:
        return int(random_state)
    if hasattr(random_state, "randint"):  # a numpy RandomState, which scikit-learn hands out
        return int(random_state.randint(2**31))
    if random_state is None:
        return 0
    raise ValueError(
        f"[Classifier] expected random_state to be a number from 0, got {random_state!r}"
    )


def _examples(
    vectors: npt.NDArray[np.float32],
    numbers: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
    rows: npt.NDArray[np.bool_],
) -> Examples:
    return Examples(vectors[rows], numbers[rows], weights[numbers[rows]].astype(np.float32))


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    return list(value) if isinstance(value, (tuple, np.ndarray)) else value


def _replace(path: Path, content: bytes) -> None:
    """Writes a file that is there whole or as it was before."""
    new = path.with_name(path.name + ".new")
    new.write_bytes(content)
    sync_to_disk(new)
    new.replace(path)
    sync_to_disk(path.parent)


def _not_fitted() -> Exception:
    message = "[Classifier] expected fit or load to be called first"
    try:
        from sklearn.exceptions import NotFittedError
    except ImportError:
        return ValueError(message)
    error: Exception = NotFittedError(message)
    return error


def _require_same_encoder(stated: object, encoder: Any) -> None:
    from unitvec.errors import FingerprintError

    given = getattr(encoder, "fingerprint", None)
    if stated is not None and given is not None and stated != given:
        raise FingerprintError(
            "[Classifier] expected the encoder that it was trained with, got one whose fingerprint "
            f"is {given[:16]} in place of {str(stated)[:16]}"
        )
