"""`FillMask`: the words that BERT expects where a text has [MASK]."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from unitvec import _core
from unitvec.heads.head_model import FloatArray, HeadModel, log_softmax, softmax
from unitvec.progress import progress_bar

#: What a target that the tokenizer cuts into several pieces does.
PIECES = ("error", "score")

#: Copies of a text that `score` sends through the model together.
_COPIES = 64

Hit = dict[str, Any]


class FillMask(HeadModel):
    """Guesses masked words with the head that the model was trained with.

    Reads "ForMaskedLM" and "ForPreTraining" checkpoints of BERT, DistilBERT, RoBERTa, XLM-R,
    CamemBERT, MPNet, ELECTRA's generator and ALBERT as transformers saves them, with a decoder that
    shares the table of words or has its own, and gives their logits.

    Example:
        >>> fill = FillMask("bert-base-uncased")
        >>> fill("The capital of France is [MASK].", top_k=1)
        [{'score': 0.41, 'token': 3000, 'token_str': 'paris', 'sequence': 'the capital of ...'}]

    A guess is the same, bit for bit, alone and in any batch. One object may be used from many
    threads at once.

    Source: Devlin et al. 2018, section 3.1, https://arxiv.org/abs/1810.04805.
    """

    def _load_head(self, folder: str) -> None:
        self._head = _core.MaskedWordHead.load(folder)

    def __init__(self, model_name_or_path: str | os.PathLike[str], **options: Any) -> None:
        """Loads a model; the options are those of `HeadModel`: dtype, threads, revision, ...

        Raises:
            FormatError: the tokenizer has no mask token, or as `HeadModel` says.
        """
        super().__init__(model_name_or_path, **options)
        mask = self.tokenizer._core.mask_id
        if mask is None or mask < 0:
            raise _core.FormatError(f"{self._directory}: expected a tokenizer with a mask token")
        self._mask_id = int(mask)

    @property
    def mask_token(self) -> str:
        """What stands in a text for a word to be guessed: "[MASK]", in RoBERTa "<mask>"."""
        return self.tokenizer.id_to_token(self._mask_id)

    @overload
    def __call__(
        self,
        texts: str,
        *,
        top_k: int = ...,
        targets: str | Sequence[str] | None = ...,
        pieces: str = ...,
    ) -> list[Any]: ...
    @overload
    def __call__(
        self,
        texts: Iterable[str],
        *,
        top_k: int = ...,
        targets: str | Sequence[str] | None = ...,
        pieces: str = ...,
    ) -> list[list[Any]]: ...
    def __call__(
        self,
        texts: str | Iterable[str],
        *,
        top_k: int = 5,
        targets: str | Sequence[str] | None = None,
        pieces: str = "error",
    ) -> list[Any]:
        """The likeliest words for every mask of one text, or of each of several.

        Args:
            texts: with at least one `mask_token` each.
            top_k: how many words to return of each mask; with `targets`, at most as many as these.
            targets: only these words are compared; their probabilities are still those among all
                words of the vocabulary.
            pieces: what a target does that the tokenizer cuts into several pieces: "error", or
                "score": the product of its pieces' probabilities, each guessed with the others
                masked; longer words so have smaller products. Only for texts with one mask.

        Returns:
            For a text with one mask a list of dicts, best first: "score" (a probability), "token"
            (its id; of several pieces a list), "token_str" (the word) and "sequence" (the text
            with the word in its place). With several masks a list of such lists, mask by mask, each
            guessed while the others are masked. For several texts a list of these.

        Raises:
            ValueError: a text without a mask or longer than the model reads, a target of several
                pieces or of none, an option that there is not.
            TypeError: something that is no str.
        """
        if not isinstance(top_k, int) or isinstance(top_k, bool) or top_k < 1:
            raise ValueError(f"[FillMask] expected top_k to be at least 1, got {top_k!r}")
        if pieces not in PIECES:
            raise ValueError(f"[FillMask] expected pieces to be one of {PIECES}, got {pieces!r}")
        if isinstance(texts, str):
            return self._filled([texts], top_k, targets, pieces)[0]
        return self._filled(_texts("FillMask", texts), top_k, targets, pieces)

    def logits(self, text: str) -> FloatArray:
        """What the head says of every word of the vocabulary, shape (masks, vocab_size).

        Raises:
            ValueError: as in a call.
        """
        (ids,) = self._masked_ids(_texts("FillMask", [text]))
        return self._logits_of_masks([ids])

    @overload
    def score(  # type: ignore[overload-overlap]
        self, texts: str, *, show_progress_bar: bool | None = ...
    ) -> float: ...
    @overload
    def score(
        self, texts: Iterable[str], *, show_progress_bar: bool | None = ...
    ) -> npt.NDArray[np.float64]: ...
    def score(
        self, texts: str | Iterable[str], *, show_progress_bar: bool | None = None
    ) -> float | npt.NDArray[np.float64]:
        """The pseudo-log-likelihood of a text, or of each of several: larger is likelier.

          PLL(w) = sum over tokens t of log P(w_t | all others)

        Every token but the special ones is masked once, so a text of n tokens costs n passes.
        `exp(-PLL / n)` is its pseudo-perplexity. An empty text has 0.

        Source: Salazar et al. 2020, https://arxiv.org/abs/1910.14659.

        Raises:
            ValueError: a text longer than the model reads.
            TypeError: something that is no str.
        """
        single = isinstance(texts, str)
        many = _texts("score", [texts] if isinstance(texts, str) else texts)
        with progress_bar(len(many), "Scoring", "texts", show_progress_bar) as bar:
            scores = []
            for text in many:
                scores.append(float(self.token_scores(text).sum()))
                bar.update(1)
        return scores[0] if single else np.array(scores)

    def token_scores(self, text: str) -> npt.NDArray[np.float64]:
        """Logarithm of P(token | all others) of every token but the special ones, shape (tokens,).

        Raises:
            ValueError: a text longer than the model reads.
            TypeError: something that is no str.
        """
        (text,) = _texts("score", [text])
        encoding = self.tokenizer.encode(text)
        self._require_short("score", len(encoding.ids))
        ids = list(encoding.ids)
        places = [i for i, special in enumerate(encoding.special_tokens_mask) if not special]
        logarithms = []
        for first in range(0, len(places), _COPIES):
            some = places[first : first + _COPIES]
            copies = [[*ids[:i], self._mask_id, *ids[i + 1 :]] for i in some]
            rows = np.arange(len(some)) * len(ids) + np.array(some)
            logits = self._head(self._token_vectors(copies)[rows], self.threads or 0)
            chosen = [ids[i] for i in some]
            logarithms.append(log_softmax(logits)[np.arange(len(some)), chosen])
        return np.concatenate([np.empty(0), *logarithms])

    # ---- inside ----------------------------------------------------------------------------------

    def _filled(
        self, texts: list[str], top_k: int, targets: str | Sequence[str] | None, pieces: str
    ) -> list[list[Any]]:
        sequences = self._masked_ids(texts)
        if targets is not None:
            words = _texts("FillMask", [targets] if isinstance(targets, str) else targets)
            return [
                self._compared(text, ids, words, pieces)[:top_k]
                if ids.count(self._mask_id) == 1
                else [hits[:top_k] for hits in self._compared_at_each(text, ids, words)]
                for text, ids in zip(texts, sequences, strict=True)
            ]
        probabilities = softmax(self._logits_of_masks(sequences))
        filled, row = [], 0
        for ids in sequences:
            masks = [i for i, each in enumerate(ids) if each == self._mask_id]
            hits = [
                self._best(ids, place, probabilities[row + i], top_k)
                for i, place in enumerate(masks)
            ]
            row += len(masks)
            filled.append(hits[0] if len(masks) == 1 else hits)
        return filled

    def _masked_ids(self, texts: list[str]) -> list[list[int]]:
        """The ids of texts, special tokens included."""
        sequences = [list(e.ids) for e in self.tokenizer.encode_batch(texts)]
        for text, ids in zip(texts, sequences, strict=True):
            if self._mask_id not in ids:
                raise ValueError(
                    f"[FillMask] expected at least one {self.mask_token} in every text, got "
                    f"{text[:60]!r}"
                )
            self._require_short("FillMask", len(ids))
        return sequences

    def _logits_of_masks(self, sequences: list[list[int]]) -> FloatArray:
        """Shape (masks of all sequences, vocab_size)."""
        at_mask = np.concatenate([np.array(ids) == self._mask_id for ids in sequences or [[]]])
        if not at_mask.size:
            return np.empty((0, self._head.vocab_size), np.float32)
        return self._head(self._token_vectors(sequences)[at_mask], self.threads or 0)

    def _best(
        self, ids: list[int], place: int, probabilities: npt.NDArray[np.float64], top_k: int
    ) -> list[Hit]:
        # Checkpoints may have more rows than there are words, for the sake of round numbers.
        words = probabilities[: self.tokenizer.vocab_size]
        best = np.argsort(-words, kind="stable")[:top_k]
        return [self._hit(ids, place, [int(i)], float(probabilities[i])) for i in best]

    def _hit(self, ids: list[int], place: int, word: list[int], score: float) -> Hit:
        filled = [*ids[:place], *word, *ids[place + 1 :]]
        return {
            "score": score,
            "token": word[0] if len(word) == 1 else word,
            "token_str": self.tokenizer.decode(word, skip_special_tokens=False),
            "sequence": self.tokenizer.decode(filled),
        }

    def _pieces_of(self, text: str, word: str) -> list[int]:
        """A word's ids where the mask stands: behind a space, unless it begins the text."""
        starts = text.lstrip().startswith(self.mask_token)
        for spaced in (word, f" {word}") if starts else (f" {word}", word):
            ids = self.tokenizer.encode(spaced, add_special_tokens=False).ids
            if len(ids) == 1:
                return list(ids)
        ids = list(self.tokenizer.encode(f" {word}", add_special_tokens=False).ids)
        if not ids:
            raise ValueError(f"[FillMask] expected targets to be words, got {word!r}")
        return ids

    def _require_whole(self, word: str, ids: list[int]) -> None:
        if len(ids) > 1:
            names = [self.tokenizer.id_to_token(i) for i in ids]
            raise ValueError(
                f"[FillMask] expected targets of one token each, got {word!r}, which is {names}; "
                'pieces="score" compares such words in a text with one mask'
            )

    def _compared(self, text: str, ids: list[int], words: list[str], pieces: str) -> list[Hit]:
        """The targets at the only mask of a text, best first."""
        place = ids.index(self._mask_id)
        candidates = [self._pieces_of(text, word) for word in words]
        if pieces == "error":
            for word, candidate in zip(words, candidates, strict=True):
                self._require_whole(word, candidate)
        scores: dict[int, npt.NDArray[np.float64]] = {}
        for count in {len(candidate) for candidate in candidates}:
            masked = [*ids[:place], *[self._mask_id] * count, *ids[place + 1 :]]
            self._require_short("FillMask", len(masked))
            scores[count] = log_softmax(self._logits_of_masks([masked]))
        hits = [
            self._hit(
                ids,
                place,
                candidate,
                float(np.exp(scores[len(candidate)][np.arange(len(candidate)), candidate].sum())),
            )
            for candidate in candidates
        ]
        return sorted(hits, key=lambda hit: -hit["score"])

    def _compared_at_each(self, text: str, ids: list[int], words: list[str]) -> list[list[Hit]]:
        """The targets at each of several masks; every target must be one token."""
        candidates = []
        for word in words:
            candidate = self._pieces_of(text, word)
            self._require_whole(word, candidate)
            candidates.append(candidate)
        probabilities = softmax(self._logits_of_masks([ids]))
        places = [i for i, each in enumerate(ids) if each == self._mask_id]
        return [
            sorted(
                (self._hit(ids, place, word, float(row[word[0]])) for word in candidates),
                key=lambda hit: -hit["score"],
            )
            for place, row in zip(places, probabilities, strict=True)
        ]


def _texts(function: str, texts: Iterable[str]) -> list[str]:
    if isinstance(texts, (bytes, dict)) or not isinstance(texts, Iterable):
        raise TypeError(
            f"[{function}] expected a str or an iterable of str, got {type(texts).__name__}"
        )
    listed = list(texts)
    for position, text in enumerate(listed):
        if not isinstance(text, str):
            raise TypeError(
                f"[{function}] expected every text to be a str, got {type(text).__name__} at "
                f"position {position}"
            )
    return listed
