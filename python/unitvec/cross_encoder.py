"""`CrossEncoder`: scores of pairs of texts that a BERT-family model reads together."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from unitvec import _core
from unitvec.activations import CLASSES, Activation, function_of, scores_of, softmax
from unitvec.classifier_directory import ClassifierSettings, read_classifier_settings
from unitvec.dtypes import core_dtype, processor_facts
from unitvec.fingerprint import MODEL_FILES, TOKENIZER_FILES, file_digest, files_of, fingerprint
from unitvec.hub import resolve
from unitvec.model_directory import stated_licence
from unitvec.model_facts import model_facts
from unitvec.overflow import PairOverflowCount
from unitvec.pairs import Pair, PairsWith, bar_for_pairs, one_or_many, pair_runs
from unitvec.progress import Bar
from unitvec.threads import require_threads
from unitvec.tokenizer import Tokenizer

__all__ = ["CrossEncoder"]

FloatArray = npt.NDArray[np.float32]
PairOverflow = Literal["warn", "error", "truncate"]
MODES = ("warn", "error", "truncate")

#: Tried first for a name without a slash, as sentence-transformers does.
ORGANISATION = "cross-encoder"


class CrossEncoder:
    """Scores pairs of texts: rerankers, textual similarity, natural-language inference.

    Reads what transformers saves of a "ForSequenceClassification" model of the BERT family, and
    what sentence-transformers saves of a CrossEncoder, and gives their scores.

    Example:
        >>> reranker = CrossEncoder("cross-encoder/ms-marco-MiniLM-L6-v2")
        >>> reranker.rank("Who wrote Faust?", ["Goethe wrote it.", "It rains."], top_k=1)
        [{'corpus_id': 0, 'score': 4.1}]

    A pair's score is the same, bit for bit, alone and in any batch, at any number of threads. One
    object may be used from many threads at once.
    """

    def __init__(
        self,
        model_name_or_path: str | os.PathLike[str],
        *,
        dtype: str = "float32",
        threads: int | None = None,
        revision: str | None = None,
        local_files_only: bool = False,
        max_length: int | None = None,
        activation_fn: Activation | None = None,
    ) -> None:
        """Loads a model.

        Args:
            model_name_or_path: a directory, or a name as `unitvec.hub.resolve` finds it; without a
                slash it is tried under "cross-encoder/" first.
            dtype: as in `Encoder`; the classification head stays float32.
            threads: processor threads for one call; None: all that the process may use.
            revision: branch, tag or commit on the hub.
            local_files_only: never download.
            max_length: tokens read of one pair, special ones counted; None: as the model states.
            activation_fn: what `predict` applies to logits unless it is told otherwise; None: as
                the model states, else "sigmoid" for one label and "identity" for several.

        Raises:
            ModelNotFoundError: no such model; says where it was looked for and what to do.
            FormatError: a file of the model is missing, damaged or of a kind not supported; the
                checkpoint has no sequence-classification head.
            ValueError: an argument is out of range.
        """
        require_threads("CrossEncoder", threads)
        self.name = str(model_name_or_path)
        self.threads = threads
        self._directory = resolve(
            model_name_or_path, revision, local_files_only, organisation=ORGANISATION
        )
        self._settings = read_classifier_settings(self._directory)
        folder = str(self._settings.transformer)
        self._head = _core.ClassificationHead.load(folder)
        self._core = _core.TransformerEncoder.load(folder, core_dtype(dtype))
        self.tokenizer = Tokenizer.from_pretrained(folder)
        self.tokenizer._require_ids_below(self._core.vocab_size)
        self._labels = _labels(self._settings, self._head.labels)
        limits = [n for n in (self._settings.max_length, self._core.max_positions) if n]
        self.max_length = min(limits) if max_length is None else max_length
        if activation_fn is None:
            activation_fn = _stated_activation(self._settings, self.num_labels)
        function_of(activation_fn)
        self.activation_fn: Activation = activation_fn

    # ---- what it is ------------------------------------------------------------------------------

    @property
    def num_labels(self) -> int:
        """Numbers that the model gives of one pair: 1 for a score, more for classes."""
        return self._head.labels

    @property
    def labels(self) -> dict[int, str]:
        """The name of each label, as config.json's "id2label" has it."""
        return dict(enumerate(self._labels))

    @property
    def max_length(self) -> int:
        """Tokens read of one pair, special ones counted; may be set lower."""
        return self._max_length

    @max_length.setter
    def max_length(self, value: int) -> None:
        least = self.tokenizer._core.special_token_count(True)
        most = self._core.max_positions
        if not isinstance(value, int) or not least <= value <= most:
            raise ValueError(
                f"[CrossEncoder] expected max_length to be from {least}, the special tokens of a "
                f"pair, to {most}, the model's positions, got {value!r}"
            )
        self._max_length = value

    @property
    def fingerprint(self) -> str:
        """SHA-256 over weights, tokenizer and settings, as hex: the same one, the same scores.

        A function given as `activation_fn` counts by its name.
        """
        settings = {
            "task": "sequence-classification",
            "max_length": self.max_length,
            "activation": _name_of(self.activation_fn),
            "prompt": self._settings.prompt,
            "dtype": self._core.dtype,
        }
        if self.tokenizer.truncation_side != "right":
            settings["truncation_side"] = self.tokenizer.truncation_side
        return fingerprint(self._file_digests, settings)

    @cached_property
    def _file_digests(self) -> dict[str, str]:
        files = files_of(self._settings.transformer, (*MODEL_FILES, *TOKENIZER_FILES))
        return {path.name: file_digest(path) for path in files}

    def info(self) -> dict[str, Any]:
        """What this model is: architecture, sizes, labels, fingerprint, licence if stated."""
        return model_facts(self.name, self._directory, self._core) | {
            "dim": self._core.dim,
            "num_labels": self.num_labels,
            "labels": self.labels,
            "activation": _name_of(self.activation_fn),
            "max_length": self.max_length,
            "vocab_size": self.tokenizer.vocab_size,
            "dtype": self._core.dtype,
            **processor_facts(),
            "fingerprint": self.fingerprint,
            "licence": stated_licence(self._directory),
        }

    def __repr__(self) -> str:
        return (
            f"CrossEncoder({self.name!r}, num_labels={self.num_labels}, "
            f"activation_fn={_name_of(self.activation_fn)!r}, max_length={self.max_length})"
        )

    # ---- pairs to scores -------------------------------------------------------------------------

    def predict(
        self,
        pairs: Pair | Iterable[Pair],
        *,
        activation_fn: Activation | None = None,
        apply_softmax: bool = False,
        batch_size: int | None = None,
        show_progress_bar: bool | None = None,
        on_overflow: PairOverflow = "warn",
    ) -> Any:
        """Scores one pair of texts or many.

        Args:
            pairs: two texts, or any iterable of such pairs, of which some thousand at a time are
                held.
            activation_fn: what turns logits into scores: "sigmoid", "identity", "softmax" (over the
                labels), or a function of an array of shape (n, labels) that works row by row; None:
                `self.activation_fn`.
            apply_softmax: scale the scores of several labels to a sum of 1, behind the activation.
            batch_size: accepted for compatibility; batches are planned by tokens, and the scores do
                not depend on them.
            show_progress_bar: True, False, or None: on a terminal, once a second has passed.
            on_overflow: what a pair longer than `max_length` does: "warn" (once a call, with the
                number of such pairs and the longest), "error", or "truncate" silently. The longer
                of its texts is cut first, as transformers' "longest_first" does.

        Returns:
            For many pairs float32 of shape (n,) with one label, else (n, num_labels); for one pair
            a number, or shape (num_labels,).

        Raises:
            TypeError: something is not a pair of str (says which).
            ValueError: an unknown option, or a pair too long under "error".
        """
        single, many = one_or_many(pairs)
        scores = self._scores(many, activation_fn, apply_softmax, show_progress_bar, on_overflow)
        return scores[0] if single else scores

    def rank(
        self,
        query: str,
        documents: Iterable[str],
        *,
        top_k: int | None = None,
        return_documents: bool = False,
        activation_fn: Activation | None = None,
        batch_size: int | None = None,
        show_progress_bar: bool | None = None,
        on_overflow: PairOverflow = "warn",
    ) -> list[dict[str, Any]]:
        """Documents by their score with a query, best first.

        Args:
            query: a text.
            documents: any iterable of texts.
            top_k: how many to return; None: all.
            return_documents: whether to return the texts too.
            activation_fn: as in `predict`.
            batch_size: as in `predict`.
            show_progress_bar: as in `predict`.
            on_overflow: as in `predict`.

        Returns:
            Dicts of "corpus_id" (a document's position), "score" (float) and, on request, "text";
            documents of one score in the order in which they came.

        Raises:
            TypeError: the query or a document is not a str.
            ValueError: the model has several labels, or an option is unknown.
        """
        if self.num_labels != 1:
            raise ValueError(
                f"[rank] expected a model with one label, got {self.num_labels}; predict gives the "
                "scores of every label"
            )
        if top_k is not None and top_k < 0:
            raise ValueError(f"[rank] expected top_k to be None or at least 0, got {top_k}")
        if not isinstance(query, str) or isinstance(documents, (str, bytes)):
            raise TypeError(
                "[rank] expected query to be a text (str) and documents to be several, got "
                f"{type(query).__name__} and {type(documents).__name__}"
            )
        kept = list(documents) if return_documents else None
        pairs = PairsWith(query, documents if kept is None else kept)
        scores = self._scores(pairs, activation_fn, False, show_progress_bar, on_overflow)
        best = np.argsort(-scores, kind="stable")[:top_k].tolist()
        hits: list[dict[str, Any]] = [{"corpus_id": i, "score": float(scores[i])} for i in best]
        if kept is not None:
            for hit in hits:
                hit["text"] = kept[hit["corpus_id"]]
        return hits

    # ---- inside ----------------------------------------------------------------------------------

    def _scores(
        self,
        pairs: Iterable[Pair],
        activation_fn: Activation | None,
        apply_softmax: bool,
        show: bool | None,
        on_overflow: PairOverflow,
    ) -> FloatArray:
        """Shape (n,) or (n, labels); called by the methods that users call, for its warning."""
        if on_overflow not in MODES:
            raise ValueError(
                f"[predict] expected on_overflow to be one of {MODES}, got {on_overflow!r}"
            )
        activation = self.activation_fn if activation_fn is None else activation_fn
        function_of(activation)
        overflow = PairOverflowCount(on_overflow, self.max_length)
        parts = [np.empty((0, self.num_labels), np.float32)]
        with bar_for_pairs(pairs, show) as bar:
            for firsts, seconds in pair_runs(pairs):
                logits = self._logits(firsts, seconds, overflow, bar)
                parts.append(scores_of(logits, activation))
        overflow.warn(stacklevel=3)
        scores: FloatArray = np.concatenate(parts)
        if self.num_labels == 1:
            return scores[:, 0]
        return softmax(scores) if apply_softmax else scores

    def _logits(
        self, firsts: list[str], seconds: list[str], overflow: PairOverflowCount, bar: Bar
    ) -> FloatArray:
        threads = self.threads or 0
        if self._settings.prompt:
            firsts = [self._settings.prompt + text for text in firsts]
        sequences = self.tokenizer._pair_sequences(firsts, seconds, self.max_length, threads)
        overflow.check(sequences.full_lengths)
        done = 0

        def advance(pairs: int) -> None:
            nonlocal done
            bar.update(pairs - done)
            done = pairs

        plan = _core.PoolingPlan(["cls"])
        first = _core.embed(self._core, sequences, plan, False, threads, advance)
        return self._head(first, threads)


def _labels(settings: ClassifierSettings, count: int) -> tuple[str, ...]:
    """config.json's names, or transformers' where it has none."""
    if settings.labels is None:
        return tuple(f"LABEL_{i}" for i in range(count))
    if len(settings.labels) != count:
        raise _core.FormatError(
            f"{settings.transformer / 'config.json'}: id2label: expected {count} labels, as the "
            f"classifier's weights have, got {len(settings.labels)}"
        )
    return settings.labels


def _stated_activation(settings: ClassifierSettings, num_labels: int) -> Activation:
    """The model's own, by its class name alone: nothing is imported.

    Raises:
        FormatError: a class that is not known.
    """
    if settings.activation is None:
        return "sigmoid" if num_labels == 1 else "identity"
    name = settings.activation.rpartition(".")[2]
    if name not in CLASSES:
        raise _core.FormatError(
            f"{settings.transformer}: expected an activation among {', '.join(CLASSES)}, got "
            f"{settings.activation!r}; pass activation_fn=... to say what it computes"
        )
    return CLASSES[name]


def _name_of(activation: Activation) -> str:
    return activation if isinstance(activation, str) else getattr(activation, "__qualname__", "?")
