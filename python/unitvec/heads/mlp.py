"""A head of linear layers with ReLU between them: trained by torch, applied by NumPy."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

#: How much of the average of weights a step keeps, once there were many steps.
_AVERAGING = 0.995

#: A held-out loss that falls by less than this, in nats, counts as no better.
_WORTH_WAITING_FOR = 1e-3

#: Features that vary less than this share of all are scaled as if they varied so much: a constant
#: one is nothing but rounding errors.
_LEAST_DEVIATION = 0.1


@dataclass(frozen=True)
class Layer:
    """y = x W^T + b, in float64 so that a row's result does not depend on its neighbours.

    Attributes:
        weight: shape (out, in).
        bias: shape (out,).
    """

    weight: Array
    bias: Array


@dataclass(frozen=True)
class TrainingPlan:
    """How a head is trained; see `Classifier` for what each is.

    Attributes:
        hidden: widths of the layers between input and classes.
    """

    hidden: tuple[int, ...]
    dropout: float
    learning_rate: float
    weight_decay: float
    batch_size: int
    max_epochs: int
    patience: int
    seed: int
    threads: int | None


@dataclass(frozen=True)
class Examples:
    """Vectors (n, dim), the numbers of their classes (n,), and what each counts (n,)."""

    vectors: npt.NDArray[np.float32]
    classes: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]


def forward(layers: Sequence[Layer], vectors: npt.ArrayLike) -> Array:
    """Logits, shape (n, classes), of vectors (n, dim)."""
    x = np.asarray(vectors, np.float64)
    for layer in layers[:-1]:
        x = np.maximum(_product(x, layer), 0.0)
    return _product(x, layers[-1])


def _product(x: Array, layer: Layer) -> Array:
    # einsum without BLAS sums each row alike, whatever the number of rows.
    rows: Array = np.einsum("nd,kd->nk", x, layer.weight, optimize=False) + layer.bias
    return rows


def train(
    plan: TrainingPlan,
    examples: Examples,
    held_out: Examples | None,
    count: int,
    report: Callable[[dict[str, float]], None],
) -> list[Layer]:
    """Minimises the weighted cross-entropy by AdamW, and keeps the best epoch on `held_out`.

    Inputs are scaled to mean 0 and variance 1, and the scale is folded into the first layer. What
    is judged and kept is an exponential average of the weights over the steps (Polyak and Juditsky
    1992), which hangs less on the last few batches.

    Args:
        plan: widths, rates and limits.
        examples: what is learned from.
        held_out: what decides when to stop; None: `plan.max_epochs` are made.
        count: number of classes.
        report: told of every epoch: "epoch", "loss", and of held-out examples "validation_loss"
            and "validation_accuracy".
    """
    import torch

    previous = torch.get_num_threads()
    if plan.threads is not None:
        torch.set_num_threads(plan.threads)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(plan.seed)
            return _Training(torch, plan, examples, held_out, count).run(report)
    finally:
        torch.set_num_threads(previous)


class _Training:
    def __init__(
        self, torch: Any, plan: TrainingPlan, examples: Examples, held_out: Any, count: int
    ) -> None:
        self.torch, self.plan = torch, plan
        self.mean = examples.vectors.mean(axis=0, dtype=np.float64)
        deviation = examples.vectors.std(axis=0, dtype=np.float64)
        least = _LEAST_DEVIATION * float(np.sqrt((deviation**2).mean()))
        self.scale = 1.0 / np.maximum(deviation, least if least > 0 else 1.0)
        self.examples = self._tensors(examples)
        self.held_out = None if held_out is None else self._tensors(held_out)
        widths = [examples.vectors.shape[1], *plan.hidden, count]
        modules: list[Any] = []
        for i, (width, next_width) in enumerate(pairwise(widths)):
            if i:
                modules += [torch.nn.ReLU(), torch.nn.Dropout(plan.dropout)]
            modules.append(torch.nn.Linear(width, next_width))
        self.model = torch.nn.Sequential(*modules)
        self.average = copy.deepcopy(self.model)
        self.average.eval()
        self.steps = 0
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay
        )

    def _tensors(self, examples: Examples) -> tuple[Any, Any, Any]:
        scaled = ((examples.vectors - self.mean) * self.scale).astype(np.float32)
        return (
            self.torch.from_numpy(scaled),
            self.torch.from_numpy(examples.classes.astype(np.int64)),
            self.torch.from_numpy(examples.weights.astype(np.float32)),
        )

    def run(self, report: Callable[[dict[str, float]], None]) -> list[Layer]:
        best, best_loss, since = None, np.inf, 0
        for epoch in range(1, self.plan.max_epochs + 1):
            record = {"epoch": float(epoch), "loss": self._epoch()}
            if self.held_out is not None:
                loss, accuracy = self._judge()
                record |= {"validation_loss": loss, "validation_accuracy": accuracy}
                since = 0 if loss < best_loss - _WORTH_WAITING_FOR else since + 1
                if loss < best_loss:
                    best, best_loss = copy.deepcopy(self.average.state_dict()), loss
            report(record)
            if since >= self.plan.patience:
                break
        if best is not None:
            self.average.load_state_dict(best)
        return self._layers()

    def _epoch(self) -> float:
        x, y, w = self.examples
        self.model.train()
        order = self.torch.randperm(len(x))
        total, weight = 0.0, 0.0
        for first in range(0, len(x), self.plan.batch_size):
            some = order[first : first + self.plan.batch_size]
            losses = self.torch.nn.functional.cross_entropy(
                self.model(x[some]), y[some], reduction="none"
            )
            loss = (losses * w[some]).mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self._take_into_average()
            total += float((losses.detach() * w[some]).sum())
            weight += float(w[some].sum())
        return total / max(weight, 1e-12)

    def _take_into_average(self) -> None:
        self.steps += 1
        kept = min(_AVERAGING, (1 + self.steps) / (10 + self.steps))  # the first steps count less
        with self.torch.no_grad():
            for mean, value in zip(self.average.parameters(), self.model.parameters(), strict=True):
                mean.lerp_(value, 1 - kept)

    def _judge(self) -> tuple[float, float]:
        x, y, w = self.held_out or self.examples
        with self.torch.no_grad():
            logits = self.average(x)
            losses = self.torch.nn.functional.cross_entropy(logits, y, reduction="none")
        right = (logits.argmax(1) == y).float().mean()
        return float((losses * w).sum() / w.sum().clamp(min=1e-12)), float(right)

    def _layers(self) -> list[Layer]:
        layers = [
            Layer(
                module.weight.detach().numpy().astype(np.float64),
                module.bias.detach().numpy().astype(np.float64),
            )
            for module in self.average
            if isinstance(module, self.torch.nn.Linear)
        ]
        first = layers[0].weight * self.scale
        return [Layer(first, layers[0].bias - first @ self.mean), *layers[1:]]
