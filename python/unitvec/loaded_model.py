"""What an encoder is made of, and what it says of itself."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unitvec import _core
from unitvec.chunks import special_tokens
from unitvec.dtypes import processor_facts
from unitvec.fingerprint import file_digest, fingerprint
from unitvec.model_directory import NORMALIZE, SentenceSettings, stated_licence
from unitvec.model_facts import model_facts
from unitvec.sentence_head import SentenceHead
from unitvec.text_module import TextModuleHead
from unitvec.threads import require_threads
from unitvec.tokenizer import Tokenizer

FloatArray = npt.NDArray[np.float32]


class LoadedModel:
    """A model with its tokenizer and settings; `Encoder` adds how texts go through it."""

    name: str
    """As it was asked for."""

    max_seq_length: int
    """Tokens read of one text, [CLS] and [SEP] counted; may be set lower."""

    _directory: Path
    _files: dict[str, Path]

    def _start(
        self,
        core: _core.Encoder | _core.TorchScriptTextEncoder,
        tokenizer: Tokenizer,
        settings: SentenceSettings,
        threads: int | None,
    ) -> None:
        require_threads("Encoder", threads)
        # Whoever has a text module has its head too, so both fit each other.
        self._core: Any = core
        self._settings = settings
        self._head: SentenceHead | TextModuleHead
        if isinstance(core, _core.TorchScriptTextEncoder):
            self._head = TextModuleHead(core)
        else:
            self._head = SentenceHead(core.dim, settings, special_tokens(tokenizer))
        self.tokenizer = tokenizer
        self.threads = threads
        limits = [n for n in (settings.max_seq_length, core.max_positions) if n]
        self.max_seq_length = min(limits, default=512)
        self.prompts = dict(settings.prompts)
        self.default_prompt_name = settings.default_prompt_name
        self.similarity_fn_name = settings.similarity_fn_name

    @property
    def pooling(self) -> str | tuple[str, ...]:
        """How token vectors become a text's: "cls", "mean", ...; several are joined."""
        modes = self._settings.pooling
        return modes[0] if len(modes) == 1 else modes

    @property
    def normalize_embeddings(self) -> bool:
        """Whether vectors are scaled to length 1 unless `encode` is told otherwise."""
        return self._settings.normalize

    @property
    def dtype(self) -> str:
        """What the layers' weights are kept in."""
        core = self._core
        return core.dtype if isinstance(core, _core.TransformerEncoder) else "float32"

    def get_embedding_dimension(self) -> int:
        """Length of a vector."""
        return self._head.dim

    get_sentence_embedding_dimension = get_embedding_dimension

    @property
    def fingerprint(self) -> str:
        """SHA-256 over weights, tokenizer and settings, as hex: the same one, the same vectors."""
        settings: dict[str, Any] = {
            "pooling": self.pooling,
            "normalize": self.normalize_embeddings,
            "max_seq_length": self.max_seq_length,
            "prompts": self.prompts,
            "default_prompt_name": self.default_prompt_name,
            "dtype": self.dtype,
        }
        # Only where a model has them: what is new here must not make collections out of date.
        if not self._settings.include_prompt:
            settings["include_prompt"] = False
        steps = [module == NORMALIZE for module in self._settings.modules]
        if not all(steps):
            settings["modules"] = steps
        if self.tokenizer.truncation_side != "right":
            settings["truncation_side"] = self.tokenizer.truncation_side
        if self._settings.pad_to is not None:
            settings["pad_to"] = self._settings.pad_to
        return fingerprint(self._file_digests, settings)

    @cached_property
    def _file_digests(self) -> dict[str, str]:
        return {name: file_digest(path) for name, path in self._files.items()}

    @property
    def _weights_digest(self) -> str:
        """SHA-256 over the digests of the weight files, by name."""
        weights = {n: d for n, d in self._file_digests.items() if not n.endswith((".json", ".txt"))}
        return fingerprint(weights, {})

    def info(self) -> dict[str, Any]:
        """What this model is: architecture, sizes, settings, fingerprint, licence if stated.

        "dtype" is the one in use, chosen where "auto" was asked for; "products" says how the
        "instruction_set" in use multiplies numbers of each dtype, "auto_dtype" what "auto" means
        here.
        """
        return model_facts(self.name, self._directory, self._core) | {
            "dim": self.get_embedding_dimension(),
            "max_seq_length": self.max_seq_length,
            "vocab_size": self.tokenizer.vocab_size,
            "pooling": self.pooling,
            "normalize": self.normalize_embeddings,
            "similarity": self.similarity_fn_name,
            "prompts": self.prompts,
            "dtype": self.dtype,
            **processor_facts(),
            "fingerprint": self.fingerprint,
            "licence": stated_licence(self._directory),
        }

    def __repr__(self) -> str:
        return (
            f"Encoder({self.name!r}, dim={self.get_embedding_dimension()}, "
            f"pooling={self.pooling!r}, max_seq_length={self.max_seq_length}, dtype={self.dtype!r})"
        )

    def similarity(self, a: npt.ArrayLike, b: npt.ArrayLike) -> FloatArray:
        """How alike vectors are by the model's own measure, shape (n, m); larger is nearer.

        For "euclidean" and "manhattan" the negative distance, as sentence-transformers has it.
        """
        from unitvec import distance

        compare = getattr(distance, self.similarity_fn_name)
        sign = -1.0 if self.similarity_fn_name in ("euclidean", "manhattan") else 1.0
        result: FloatArray = np.float32(sign) * compare(a, b)
        return result

    def similarity_pairwise(self, a: npt.ArrayLike, b: npt.ArrayLike) -> FloatArray:
        """The same for each row of `a` with the row of `b` beside it, shape (n,)."""
        x, y = np.atleast_2d(np.asarray(a)), np.atleast_2d(np.asarray(b))
        if x.shape != y.shape:
            raise ValueError(
                f"[similarity_pairwise] expected two arrays of one shape, got {x.shape}, {y.shape}"
            )
        pairs = [self.similarity(p, q)[0, 0] for p, q in zip(x, y, strict=True)]
        return np.array(pairs, dtype=np.float32)
