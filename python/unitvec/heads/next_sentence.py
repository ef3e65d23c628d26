"""`NextSentence`: whether one text follows another, as BERT was trained to tell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from unitvec import _core
from unitvec.heads.head_model import FloatArray, HeadModel, softmax

#: The class of the head's two that means "B is the text that follows A", in BERT's checkpoints.
IS_NEXT = 0

#: Pairs that go through the model together.
_BATCH = 512


class NextSentence(HeadModel):
    """The probability that a text follows another one.

    Reads "ForNextSentencePrediction" and "ForPreTraining" checkpoints of BERT. Of the head's two
    classes **0 means "is next"** and 1 "is some other text": easily taken the wrong way round. What
    is returned here is always the probability of "is next".

    Example:
        >>> follows = NextSentence("bert-base-uncased")
        >>> follows("She opened the fridge.", "There was no milk left.")
        0.99

    Source: Devlin et al. 2018, section 3.1, https://arxiv.org/abs/1810.04805.
    """

    def _load_head(self, folder: str) -> None:
        self._head = _core.NextSentenceHead.load(folder)

    def __call__(
        self, a: str | Iterable[str], b: str | Iterable[str]
    ) -> float | npt.NDArray[np.float64]:
        """The probability that `b` follows `a`.

        Args:
            a: the first text, or texts.
            b: the second text, or as many texts; one text beside several is paired with each.

        Returns:
            A number in [0, 1], or shape (pairs,) where one side has several texts.

        Raises:
            ValueError: sides of different lengths, or a pair longer than the model reads.
            TypeError: something that is no str.
        """
        if isinstance(a, str) and isinstance(b, str):
            return float(self._probabilities([a], [b])[0])
        firsts = None if isinstance(a, str) else list(a)
        seconds = None if isinstance(b, str) else list(b)
        count = len(firsts if firsts is not None else seconds or [])
        firsts = [str(a)] * count if firsts is None else firsts
        seconds = [str(b)] * count if seconds is None else seconds
        if len(firsts) != len(seconds):
            raise ValueError(
                f"[NextSentence] expected as many texts b as a, got {len(firsts)} and "
                f"{len(seconds)}"
            )
        return self._probabilities(firsts, seconds)

    def logits(self, a: str, b: str) -> FloatArray:
        """What the head says of a pair, shape (2,); class 0 means "is next"."""
        logits: FloatArray = self._logits([a], [b])[0]
        return logits

    def continuations(
        self, a: str, candidates: Iterable[str], *, top_k: int | None = None
    ) -> list[dict[str, Any]]:
        """Candidates by the probability that they follow `a`, best first.

        Args:
            a: a text.
            candidates: texts that may follow it.
            top_k: how many to return; None: all.

        Returns:
            Dicts of "corpus_id" (a candidate's position), "score" and "text"; equal ones in the
            order in which they came.

        Raises:
            ValueError: a negative `top_k`, or a pair longer than the model reads.
            TypeError: something that is no str.
        """
        if top_k is not None and top_k < 0:
            raise ValueError(
                f"[continuations] expected top_k to be None or at least 0, got {top_k}"
            )
        if not isinstance(a, str) or isinstance(candidates, (str, bytes)):
            raise TypeError(
                "[continuations] expected a text (str) and several candidates, got "
                f"{type(a).__name__} and {type(candidates).__name__}"
            )
        texts = list(candidates)
        scores = self._probabilities([a] * len(texts), texts)
        best = np.argsort(-scores, kind="stable")[:top_k].tolist()
        return [{"corpus_id": i, "score": float(scores[i]), "text": texts[i]} for i in best]

    def _probabilities(self, firsts: list[str], seconds: list[str]) -> npt.NDArray[np.float64]:
        return softmax(self._logits(firsts, seconds))[:, IS_NEXT]

    def _logits(self, firsts: list[str], seconds: list[str]) -> FloatArray:
        for side, texts in (("a", firsts), ("b", seconds)):
            for position, text in enumerate(texts):
                if not isinstance(text, str):
                    raise TypeError(
                        f"[NextSentence] expected every text of {side} to be a str, got "
                        f"{type(text).__name__} at position {position}"
                    )
        parts = [
            self._logits_of(firsts[first : first + _BATCH], seconds[first : first + _BATCH])
            for first in range(0, len(firsts), _BATCH)
        ]
        return np.concatenate([np.empty((0, 2), np.float32), *parts])

    def _logits_of(self, firsts: list[str], seconds: list[str]) -> FloatArray:
        threads = self.threads or 0
        sequences = self.tokenizer._pair_sequences(firsts, seconds, self.max_length, threads)
        for length in sequences.full_lengths:
            self._require_short("NextSentence", int(length), "pair")
        plan = _core.PoolingPlan(["cls"])
        first = _core.embed(self._core, sequences, plan, False, threads, lambda _: None)
        return self._head(self._core.pooler_output(first, threads), threads)
