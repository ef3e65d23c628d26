"""What turns a classifier's logits into scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Function: TypeAlias = Callable[[FloatArray], FloatArray]
Activation: TypeAlias = Literal["sigmoid", "identity", "softmax"] | Function


def identity(logits: FloatArray) -> FloatArray:
    """The logits themselves."""
    return logits


def sigmoid(logits: FloatArray) -> FloatArray:
    """1 / (1 + exp(-x)) of every number."""
    with np.errstate(over="ignore"):  # far below zero the quotient is 0, as it should be
        result: FloatArray = np.reciprocal(np.float32(1) + np.exp(-logits))
    return result


def softmax(logits: FloatArray) -> FloatArray:
    """exp(x) / sum(exp(x)) over the labels of each row; shape (n, labels)."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: FloatArray = powers / powers.sum(axis=1, keepdims=True)
    return result


NAMED: dict[str, Function] = {"sigmoid": sigmoid, "identity": identity, "softmax": softmax}

#: The names that model directories use: the last component of a class name of PyTorch's.
CLASSES: dict[str, Literal["sigmoid", "identity", "softmax"]] = {
    "Sigmoid": "sigmoid",
    "Identity": "identity",
    "Softmax": "softmax",
}


def function_of(activation: Activation) -> Function:
    """The function of a name, or the function itself.

    Raises:
        ValueError: there is no activation of that name.
    """
    if callable(activation):
        return activation
    if activation not in NAMED:
        raise ValueError(
            f"[CrossEncoder] expected activation_fn to be one of {sorted(NAMED)} or a function of "
            f"an array, got {activation!r}"
        )
    return NAMED[activation]


def scores_of(logits: FloatArray, activation: Activation) -> FloatArray:
    """The activation of logits, shape (n, labels), checked and as float32.

    Raises:
        ValueError: the caller's function gives an array of another shape.
    """
    scores = np.asarray(function_of(activation)(logits), np.float32)
    if scores.shape != logits.shape:
        raise ValueError(
            f"[CrossEncoder] expected activation_fn to give shape {logits.shape}, as it was given, "
            f"got {scores.shape}"
        )
    return scores
