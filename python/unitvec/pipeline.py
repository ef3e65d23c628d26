"""Texts through a model, some at a time: tokens, token vectors, text vectors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from unitvec import _core
from unitvec.chunks import Windows, windows_of
from unitvec.encode_plan import EncodePlan
from unitvec.outputs import everything
from unitvec.overflow import OverflowCount
from unitvec.progress import Bar
from unitvec.runs import bar_for, runs
from unitvec.sentence_head import SentenceHead
from unitvec.text_module import TextModuleHead
from unitvec.tokenizer import Tokenizer

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Pipeline:
    """What one call of `Encoder.encode` sends its texts through.

    Attributes:
        tokenizer: makes ids of texts.
        core: gives every token a vector, or a text where it is a module that pools by itself.
        head: makes text vectors of these.
        max_seq_length: tokens read of one text.
        threads: 0: all that the process may use.
    """

    tokenizer: Tokenizer
    core: Any  # whoever has a text module has its head too, so both fit each other
    head: SentenceHead | TextModuleHead
    max_seq_length: int
    threads: int

    def parts(
        self,
        sentences: str | Iterable[str],
        plan: EncodePlan,
        show_progress_bar: bool | None,
        stacklevel: int,
    ) -> Iterator[Any]:
        """What the texts give, some texts at a time and in their order.

        Args:
            sentences: a text, or texts.
            plan: what to do with them.
            show_progress_bar: as of `encode`.
            stacklevel: of the warning of texts that were too long, as of `warnings.warn`.
        """
        overflow = OverflowCount(plan.on_overflow, self.max_seq_length)
        with bar_for(sentences, show_progress_bar) as bar:
            for texts in runs(sentences, plan.prompt):
                sequences = self.tokenize(texts)
                overflow.check(sequences.full_lengths)
                if plan.on_overflow == "chunk":
                    windows = windows_of(
                        self.tokenizer, texts, plan.prompt, self.max_seq_length, sequences
                    )
                    yield plan.finished(self._encode_windows(windows, plan))
                    bar.update(len(texts))
                else:
                    yield self._encode_sequences(sequences, plan, bar)
        overflow.warn(stacklevel=stacklevel)

    def tokenize(self, texts: list[str]) -> _core.TokenSequences:
        """Ids of texts, each cut to `max_seq_length`."""
        return self.tokenizer._sequences(texts, self.max_seq_length, self.threads)

    def _encode_sequences(self, sequences: _core.TokenSequences, plan: EncodePlan, bar: Bar) -> Any:
        done = 0

        def advance(texts: int) -> None:
            nonlocal done
            bar.update(texts - done)
            done = texts

        threads = self.threads
        if plan.output_value == "sentence_embedding":
            return plan.finished(
                self.head.embed(
                    self.core,
                    sequences,
                    normalize=plan.normalize,
                    threads=threads,
                    skipped=plan.skipped,
                    progress=advance,
                )
            )
        tokens = _core.embed_tokens(self.core, sequences, threads, advance)
        vectors = np.split(tokens, sequences.offsets[1:-1])
        if plan.output_value == "token_embeddings":
            return vectors
        assert isinstance(self.head, SentenceHead)
        pooled = self.head.pool(
            tokens,
            sequences.offsets,
            normalize=plan.normalize,
            threads=threads,
            skipped=plan.skipped,
        )
        return everything(sequences, vectors, pooled)

    def _encode_windows(self, windows: Windows, plan: EncodePlan) -> FloatArray:
        return self.head.embed(
            self.core,
            windows.sequences,
            normalize=plan.normalize,
            threads=self.threads,
            skipped=plan.skipped,
            progress=lambda _: None,
            windows=windows,
        )
