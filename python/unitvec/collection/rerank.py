"""A second look at the best candidates, by something slower that reads query and text together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, Union, runtime_checkable

import numpy as np

#: Scores of texts for a query, one each; larger is better.
ScoreTexts = Callable[[str, list[str]], Any]


@runtime_checkable
class PairScorer(Protocol):
    """What scores pairs of texts; `unitvec.CrossEncoder` and that of sentence-transformers do."""

    def predict(self, pairs: Any, /) -> Any:
        """One score for each pair of texts."""


Reranker = Union[PairScorer, ScoreTexts]  # noqa: UP007 - evaluated when read, under Python 3.10 too


def check_reranker(reranker: Any) -> None:
    """Raises TypeError or ValueError unless it can give one score a text."""
    if not isinstance(reranker, PairScorer) and not callable(reranker):
        raise TypeError(
            "[search] expected rerank to be a CrossEncoder or a function of a query and a list of "
            f"texts, got {type(reranker).__name__}"
        )
    labels = getattr(reranker, "num_labels", 1)
    if isinstance(reranker, PairScorer) and isinstance(labels, int) and labels != 1:
        raise ValueError(f"[search] expected a rerank model with one label, got {labels}")


def rerank_scores(reranker: Reranker, query: str, texts: Sequence[str]) -> list[float]:
    """The reranker's score of each text for the query.

    Raises:
        ValueError: it gave another number of scores, or one that is not finite.
    """
    if not texts:
        return []
    if isinstance(reranker, PairScorer):
        given = reranker.predict([(query, text) for text in texts])
    else:
        given = reranker(query, list(texts))
    try:
        scores = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        raise TypeError(
            f"[rerank] expected {len(texts)} numbers, one a text, got {type(given).__name__} of "
            "something else"
        ) from None
    if scores.shape != (len(texts),):
        raise ValueError(
            f"[rerank] expected {len(texts)} scores, one a text, got shape {scores.shape}"
        )
    if not np.isfinite(scores).all():
        raise ValueError(f"[rerank] expected finite scores, got {scores[~np.isfinite(scores)][0]}")
    result: list[float] = scores.tolist()
    return result
