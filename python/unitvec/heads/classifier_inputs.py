"""What a classifier may be given: texts or vectors, and their labels."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


def are_texts(x: Any) -> bool:
    """Whether `x` is texts rather than vectors, going by its first element."""
    if isinstance(x, (str, bytes)):
        raise TypeError(f"[Classifier] expected texts or vectors, got one {type(x).__name__} {x!r}")
    if hasattr(x, "dtype") and getattr(x.dtype, "kind", "") in "fiub":
        return False
    return len(x) > 0 and isinstance(next(iter(x)), str)


def as_vectors(x: Any) -> FloatArray:
    """Vectors as float32, shape (n, dim).

    Raises:
        ValueError: another shape, NaN or infinities, complex or sparse numbers, none at all.
    """
    if hasattr(x, "tocsr"):
        raise TypeError(
            "[Classifier] expected dense vectors, got a sparse container; Sparse data is not "
            "supported, use `.toarray()`"
        )
    array = np.asarray(x)
    if np.iscomplexobj(array):
        raise ValueError("[Classifier] Complex data not supported: expected real numbers")
    try:
        vectors = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise type(error)(
            "[Classifier] expected texts (str) or vectors of numbers; argument must be a string or "
            f"a real number: {error}"
        ) from error
    if vectors.ndim != 2:
        raise ValueError(
            f"[Classifier] expected vectors of shape (n, dim), got {vectors.ndim}-D of shape "
            f"{vectors.shape}. Reshape your data: one vector is x.reshape(1, -1)"
        )
    if vectors.shape[1] == 0:
        raise ValueError(
            f"[Classifier] 0 feature(s) (shape={vectors.shape}) while a minimum of 1 is required."
        )
    if vectors.shape[0] == 0:
        raise ValueError("[Classifier] expected at least one example, got 0 samples")
    if np.isnan(vectors).any():
        raise ValueError("[Classifier] Input X contains NaN: expected finite numbers")
    narrow = vectors.astype(np.float32)
    if not np.isfinite(narrow).all():
        raise ValueError("[Classifier] Input X contains infinity or a value too large for float32")
    return narrow


def as_labels(y: Any, count: int) -> npt.NDArray[Any]:
    """Labels, shape (n,).

    Raises:
        ValueError: another number of labels than examples, none, or labels that are no classes.
    """
    if y is None:
        raise ValueError("[Classifier] requires y to be passed, but the target y is None")
    labels = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] == 1:
        warnings.warn(_column_warning(), stacklevel=4)
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise ValueError(
            f"[Classifier] expected labels of shape (n,), got bad input shape {labels.shape}"
        )
    if len(labels) != count:
        raise ValueError(
            f"[Classifier] expected a label for each of {count} examples, got {len(labels)}: "
            "inconsistent numbers of samples"
        )
    if labels.dtype.kind == "f":
        if not np.isfinite(labels).all():
            raise ValueError("[Classifier] Input y contains NaN or infinity")
        if not (labels == np.floor(labels)).all():
            raise ValueError(
                "[Classifier] Unknown label type: continuous; expected classes, got fractions"
            )
    if labels.dtype.kind == "O" and any(label is None for label in labels):
        raise ValueError("[Classifier] expected a label for every example, got None")
    return labels


def _column_warning() -> Warning:
    message = "A column-vector y was passed when a 1d array was expected."
    try:
        from sklearn.exceptions import DataConversionWarning
    except ImportError:
        return UserWarning(message)
    warning: Warning = DataConversionWarning(message)
    return warning


def class_weights(
    class_weight: Any, classes: npt.NDArray[Any], numbers: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """What an example of each class counts, shape (classes,).

    "balanced": n / (classes * examples of the class), as scikit-learn has it.
    """
    if class_weight is None:
        return np.ones(len(classes))
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise ValueError(
                "[Classifier] expected class_weight to be None, 'balanced' or a dict, got "
                f"{class_weight!r}"
            )
        counts = np.bincount(numbers, minlength=len(classes))
        return np.asarray(len(numbers) / (len(classes) * np.maximum(counts, 1)), np.float64)
    if not isinstance(class_weight, Mapping):
        raise ValueError(
            "[Classifier] expected class_weight to be None, 'balanced' or a dict, got "
            f"{type(class_weight).__name__}"
        )
    known = classes.tolist()
    unknown = [label for label in class_weight if label not in known]
    if unknown:
        raise ValueError(
            f"[Classifier] expected class_weight of classes among {known}, got {unknown}"
        )
    return np.array([float(class_weight.get(label, 1.0)) for label in known])
