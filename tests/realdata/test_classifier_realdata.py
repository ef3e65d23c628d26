"""Classes of real texts, beside logistic regression on the same vectors."""

from __future__ import annotations

import csv
import time
from pathlib import Path

import numpy as np
import pytest

import unitvec as uv
from unitvec.heads.calibration import calibration_error

pytest.importorskip("torch")
linear_model = pytest.importorskip("sklearn.linear_model", reason="compares with scikit-learn")

Labelled = tuple[list[str], list[str]]


def lines(path: Path) -> Labelled:
    """Texts and labels of a file with "label text" on each line."""
    rows = [line.partition(" ") for line in path.read_text("latin-1").split("\n") if line]
    return [text for _, _, text in rows], [label for label, _, _ in rows]


def banking(path: Path) -> tuple[Labelled, Labelled]:
    """Four fifths to learn from, and the others."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))[1:]
    order = np.random.default_rng(0).permutation(len(rows))
    cut = len(rows) * 4 // 5
    parts = [[rows[i] for i in order[:cut]], [rows[i] for i in order[cut:]]]
    train, test = (([r[0] for r in part], [r[1] for r in part]) for part in parts)
    return train, test


@pytest.mark.slow
@pytest.mark.parametrize(("task", "least"), [("SST-2", 0.80), ("TREC", 0.90), ("Banking77", 0.88)])
def test_a_task_is_learned_in_seconds(
    encoder: uv.Encoder, data_directory: Path, task: str, least: float
) -> None:
    folder = data_directory / "classification"
    if task == "SST-2":
        train, test = lines(folder / "stsa.binary.train"), lines(folder / "stsa.binary.dev")
    elif task == "TREC":
        train, test = lines(folder / "TREC.train.all"), lines(folder / "TREC.test.all")
    else:
        train, test = banking(folder / "banking77_train.csv")
    learned, asked = (encoder.encode(texts, show_progress_bar=False) for texts, _ in (train, test))
    start = time.perf_counter()
    classifier = uv.Classifier(show_progress_bar=False).fit(learned, train[1])
    print(f"{task}: {time.perf_counter() - start:.1f} s")
    accuracy = classifier.score(asked, test[1])
    peer = linear_model.LogisticRegression(max_iter=1000).fit(learned, train[1])
    assert accuracy >= least
    assert accuracy >= peer.score(asked, test[1]) - 0.005
    numbers = np.searchsorted(classifier.classes_, test[1])
    assert calibration_error(classifier.predict_proba(asked), numbers) < 0.08
    if task == "SST-2":
        review = encoder.encode(["The product is high quality and delivered quickly"])
        assert classifier.predict(review).tolist() == ["1"]
        assert classifier.predict_proba(review)[0, 1] > 0.9
