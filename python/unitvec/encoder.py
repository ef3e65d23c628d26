"""`Encoder`: from texts to vectors with a BERT-family model."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from unitvec import _core
from unitvec.dtypes import core_dtype
from unitvec.encode_plan import EncodePlan
from unitvec.fingerprint import MODEL_FILES, TOKENIZER_FILES, files_of
from unitvec.golden import SENTENCE, GoldenVector, difference
from unitvec.hub import resolve
from unitvec.loaded_model import LoadedModel
from unitvec.long_job import run_job
from unitvec.model_directory import NORMALIZE, SentenceSettings, read_settings
from unitvec.outputs import Rows
from unitvec.overflow import Overflow, OverflowCount, TruncationWarning
from unitvec.pipeline import Pipeline
from unitvec.quantize import Precision
from unitvec.runs import count_of, runs
from unitvec.sentence_head import SentenceHead
from unitvec.text_module import NO_POOLING, TextModuleHead
from unitvec.tokenizer import Tokenizer
from unitvec.vector_files import vector_file

__all__ = ["Encoder", "TruncationWarning"]

FloatArray = npt.NDArray[np.float32]
OutputValue = Literal["sentence_embedding", "token_embeddings"]


class Encoder(LoadedModel):
    """Turns texts into vectors.

    Example:
        >>> encoder = Encoder("all-MiniLM-L6-v2")
        >>> encoder.encode(["A cat sits on the mat.", "Ein Hund."]).shape
        (2, 384)

    A text's vector is the same, bit for bit, alone and in any batch, at any number of threads. One
    encoder may be used from many threads at once.
    """

    def __init__(
        self,
        model_name_or_path: str | os.PathLike[str],
        *,
        dtype: str = "float32",
        pooling: str | Sequence[str] | None = None,
        threads: int | None = None,
        revision: str | None = None,
        local_files_only: bool = False,
    ) -> None:
        """Loads a model.

        Args:
            model_name_or_path: a directory, or a name as `unitvec.hub.resolve` finds it.
            dtype: what the layers' weights and the table of word vectors are kept in: "float32";
                "bfloat16" for half the memory at a cosine above 0.9998 to float32's vectors, with
                sums in float32, and for speed where the processor multiplies such numbers; or
                "int8" for a quarter of it in the layers, and more speed, at a cosine above 0.99.
                Layer norms and softmax are float32 with all of them. "auto": "bfloat16" where the
                processor multiplies it, else "float32" (`info` says which); never "int8".
            pooling: how token vectors become a text's, in place of what the model's authors
                declared: "cls", "mean", "mean_words" (without [CLS] and [SEP]), "max",
                "mean_sqrt_len_tokens", "weightedmean" or "lasttoken"; of several the vectors are
                joined.
            threads: processor threads for one call; None: all that the process may use
                (`OMP_NUM_THREADS`, CPU affinity and control-group quotas are honoured).
            revision: branch, tag or commit on the hub.
            local_files_only: never download.

        Raises:
            ModelNotFoundError: no such model; says where it was looked for and what to do.
            FormatError: a file of the model is missing, damaged or of a kind not supported.
        """
        dtype = core_dtype(dtype)
        directory = resolve(model_name_or_path, revision, local_files_only)
        settings = read_settings(directory)
        if pooling is not None:
            settings = replace(settings, pooling=_modes(pooling), declared=True)
        elif not settings.declared:
            warnings.warn(
                f"{directory} has no modules.json, so nothing says how its authors pool: "
                "taking the mean over tokens; pass pooling= to choose",
                stacklevel=2,
            )
        core = _core.TransformerEncoder.load(str(settings.transformer), dtype)
        tokenizer = Tokenizer.from_pretrained(settings.transformer)
        tokenizer._require_ids_below(core.vocab_size)
        self._start(core, tokenizer, settings, threads)
        self._files = _by_name(files_of(settings.transformer, (*MODEL_FILES, *TOKENIZER_FILES)))
        for number, module in enumerate(settings.modules):
            if module != NORMALIZE:
                layer = files_of(Path(module), MODEL_FILES)
                self._files |= {f"module {number}: {path.name}": path for path in layer}
        self._directory = directory
        self.name = str(model_name_or_path)

    @classmethod
    def from_torchscript(
        cls,
        path: str | os.PathLike[str],
        tokenizer: Tokenizer | str | os.PathLike[str],
        *,
        pooling: str | Sequence[str] | None = "mean",
        normalize: bool = True,
        max_seq_length: int = 512,
        pad_to: int | None = None,
        threads: int | None = None,
    ) -> Encoder:
        """An encoder from a TorchScript module that gives token vectors, or text vectors.

        **A TorchScript file is a program: loading it runs what its author wrote.** Load only files
        that you trust.

        Args:
            path: a file of `torch.jit.save`; its forward takes (input_ids, attention_mask[,
                token_type_ids]), each (batch, seq_len) int64, and returns token vectors (batch,
                seq_len, dim): a tensor, "last_hidden_state" of a dict or named tuple, or the first
                of a tuple or list.
            tokenizer: a `Tokenizer`, or the name or directory of one.
            pooling: as in `Encoder`. None (or "none"): the module pools by itself and returns text
                vectors (batch, dim): a tensor, "sentence_embedding", "text_embeds" or
                "pooler_output" of a dict or named tuple, or the first of a tuple or list. The text
                half of CLIP is such a module.
            normalize: scale vectors to length 1.
            max_seq_length: tokens read of one text; the module itself does not say.
            pad_to: pad every text to so many tokens and read no more, for a module that was traced
                at one length (CLIP: 77); None: to the longest of those run together.
            threads: as in `Encoder`.

        Raises:
            FormatError: not a TorchScript file, or its forward is not as above.
            ValueError: an unknown pooling, or a length below 1.
        """
        none = pooling is None or pooling == NO_POOLING
        modes = (NO_POOLING,) if none else _modes(pooling or ())
        for name, length in (("max_seq_length", max_seq_length), ("pad_to", pad_to or 1)):
            if length < 1:
                raise ValueError(f"[from_torchscript] expected {name} of at least 1, got {length}")
        if not isinstance(tokenizer, Tokenizer):
            tokenizer = Tokenizer.from_pretrained(tokenizer)
        file = Path(path)
        encoder = cls.__new__(cls)
        settings = SentenceSettings(
            file.parent,
            pooling=modes,
            modules=(NORMALIZE,) if normalize else (),
            max_seq_length=min(max_seq_length, pad_to or max_seq_length),
            pad_to=pad_to,
        )
        module = _core.TorchScriptTextEncoder if none else _core.TorchScriptEncoder
        core = module.load(
            str(file), settings.max_seq_length or 0, tokenizer._core.pad_id or 0, pad_to or 0
        )
        encoder._start(core, tokenizer, settings, threads)
        encoder._files = _by_name([file, *files_of(tokenizer.directory, TOKENIZER_FILES)])
        encoder._directory = file.parent
        encoder.name = str(path)
        return encoder

    def export_torchscript(self, path: str | os.PathLike[str]) -> None:
        """Writes the model as one TorchScript file, which plain `torch.jit.load` runs.

        Its forward takes (input_ids, attention_mask[, token_type_ids]), each (batch, seq_len) int64
        with texts padded on the right, and returns a dict: "sentence_embedding" (batch, dim), the
        vectors of `encode` within 1e-5, with the model's pooling, dense layers and normalisation;
        and "last_hidden_state" (batch, seq_len, token_dim). The third argument is there for models
        with token types, and may be left out. Tokenizer and prompts stay outside, in the model's
        directory; where pooling leaves out a prompt's tokens, the file counts them.

        `Encoder.from_torchscript(path, tokenizer, pooling=None, normalize=False)` reads the
        finished vectors back, and with a pooling the token vectors.

        Args:
            path: the file; a finished one takes its place in one step. The weights are read from
                the model's directory again, and written in float32; where `dtype` is "bfloat16",
                rounded as this encoder has them.

        Raises:
            ValueError: this encoder is a TorchScript module already, or in int8.
            OSError: the file cannot be written; what was there before is there still.
        """
        if not isinstance(self._core, _core.TransformerEncoder):
            raise ValueError(
                "[export_torchscript] expected the encoder of a model directory, got the "
                f"TorchScript module {self.name}, which is such a file already: copy it"
            )
        if self.dtype == "int8":
            raise ValueError(
                "[export_torchscript] expected dtype 'float32' or 'bfloat16', got 'int8', whose "
                "inputs of 8 bits TorchScript does not know"
            )
        assert isinstance(self._head, SentenceHead)
        self._head.export(self._settings, self.dtype, Path(path))

    # ---- the same everywhere? --------------------------------------------------------------------

    def golden_vector(self) -> GoldenVector:
        """What this model gives for one fixed sentence, to `verify` it by elsewhere."""
        return GoldenVector(
            weights=self._weights_digest,
            pooling=list(self._settings.pooling),
            normalize=self.normalize_embeddings,
            vector=[float(x) for x in self.encode(SENTENCE, prompt="")],
        )

    def verify(self, golden: GoldenVector | None = None) -> float:
        """Checks that this model, on this machine, gives the vector that it must give.

        Args:
            golden: what `golden_vector` gave where all was well. None: the one that comes with
                unitvec, made with sentence-transformers; there are some for all-MiniLM-L6-v2 and
                all-mpnet-base-v2.

        Returns:
            The largest difference of a component, in units of the largest component.

        Raises:
            LookupError: none was given, and none comes with unitvec for these weights and this
                pooling.
            RuntimeError: the model has other weights or settings, or its vector differs by more
                than 5e-5 (3e-2 in bfloat16, 0.15 in int8).
        """
        return difference(self.golden_vector(), golden, self.name, self.dtype)

    # ---- texts to vectors ------------------------------------------------------------------------

    def encode(
        self,
        sentences: str | Iterable[str],
        *,
        prompt_name: str | None = None,
        prompt: str | None = None,
        output_value: OutputValue | None = "sentence_embedding",
        normalize_embeddings: bool | None = None,
        truncate_dim: int | None = None,
        precision: Precision = "float32",
        batch_size: int | None = None,
        show_progress_bar: bool | None = None,
        on_overflow: Overflow = "warn",
    ) -> Any:
        """Encodes one text or many.

        Args:
            sentences: a text, or any iterable of texts. An empty text is a text.
            prompt_name: the name of a prompt of the model to put before every text.
            prompt: a prompt itself; goes before `prompt_name`.
            output_value: "sentence_embedding"; "token_embeddings", the vectors of every token; or
                None, for a dict of everything per text.
            normalize_embeddings: scale to length 1; None: as the model's authors declared.
            truncate_dim: keep that many leading dimensions (scaled to length 1 again where
                `normalize_embeddings` is on), for models trained so.
            precision: "float32", or "int8", "uint8", "binary", "ubinary" as `quantize_embeddings`
                makes them without ranges.
            batch_size: accepted for compatibility; batches are planned by tokens, and the vectors
                do not depend on them.
            show_progress_bar: True, False, or None: on a terminal, once a second has passed.
            on_overflow: what a text longer than `max_seq_length` does: "warn" (once a call, with
                the number of such texts and the longest), "error", "truncate" silently, or "chunk":
                the text is read in windows that overlap by an eighth, each behind the prompt, and
                its vector is their mean, weighted by tokens.

        Returns:
            For one text an array (dim,), for many (n, dim), float32 or as `precision` says. With
            "token_embeddings" an array (tokens, dim), or a list of them. With None a dict, or a
            list of dicts, with "sentence_embedding", "token_embeddings", "input_ids",
            "attention_mask", "token_count" (before truncation) and "truncated".

        Raises:
            TypeError: something is not a string (says which).
            ValueError: an unknown option, or a text too long under "error".
        """
        plan = self._plan(
            prompt_name=prompt_name,
            prompt=prompt,
            output_value=output_value,
            normalize_embeddings=normalize_embeddings,
            truncate_dim=truncate_dim,
            precision=precision,
            on_overflow=on_overflow,
        )
        single = isinstance(sentences, str)
        rows = Rows(self._no_vectors(plan), count_of(sentences))
        items: list[Any] = []
        for part in self._pipeline.parts(sentences, plan, show_progress_bar, stacklevel=3):
            if output_value == "sentence_embedding":
                rows.append(part)
            else:
                items += part
        result = rows.array() if output_value == "sentence_embedding" else items
        return result[0] if single else result

    def encode_to(
        self,
        path: str | os.PathLike[str],
        sentences: Iterable[str],
        *,
        show_progress_bar: bool | None = None,
        overwrite: bool = False,
        **options: Any,
    ) -> int:
        """Encodes texts into a file, in constant memory; a job that broke goes on where it stopped.

        Every 15 seconds what was done is made safe, in the file and in a record beside it, `path` +
        ".resume.json", which is removed at the end. Called again with the same texts, in the same
        order, and the same options, the job goes on from there; the texts that were done are read
        once more, to be sure that they are the same, but not encoded.

        Args:
            path: "x.npy", an array (n, dim) which `numpy.load(path, mmap_mode="r")` reads at any
                time; or "x.parquet", a folder of Parquet files with the columns "index" and
                "embedding" (extra `parquet`).
            sentences: any iterable of texts.
            show_progress_bar: as in `encode`.
            overwrite: begin anew, whatever is at `path`.
            options: `prompt_name`, `prompt`, `normalize_embeddings`, `truncate_dim`, `precision`
                and `on_overflow`, as in `encode`.

        Returns:
            How many vectors the file holds.

        Raises:
            FileExistsError: there is a file that is no unfinished job.
            BlockingIOError: another job is writing there.
            ValueError: an unfinished job had other texts, another model or other options.
            FormatError: the record is damaged.
        """
        if isinstance(sentences, str):
            raise TypeError("[encode_to] expected an iterable of texts, got one str")
        plan = self._plan(**options)
        none = self._no_vectors(plan)
        file = vector_file(Path(path), none.shape[1], none.dtype)
        job = {"model": self.fingerprint, **asdict(plan)}

        def parts(texts: Iterable[str]) -> Iterator[npt.NDArray[Any]]:
            return self._pipeline.parts(texts, plan, show_progress_bar, stacklevel=4)

        return run_job(Path(path), file, job, sentences, parts, overwrite)

    def encode_query(self, sentences: str | Iterable[str], **options: Any) -> Any:
        """`encode` with the model's prompt for queries, where it has one."""
        return self._encode_with(("query",), sentences, options)

    def encode_document(self, sentences: str | Iterable[str], **options: Any) -> Any:
        """`encode` with the model's prompt for documents, where it has one."""
        return self._encode_with(("document", "passage", "corpus"), sentences, options)

    def hidden_states(
        self, sentences: str | Iterable[str] | Iterable[Sequence[int]]
    ) -> list[FloatArray] | list[list[FloatArray]]:
        """The vectors of every token after every layer.

        Args:
            sentences: a text, texts, or lists of token ids (special tokens included).

        Returns:
            Per text a list over layers 0 ... L of arrays (tokens, dim); [0] is the static input
            embedding, [L] the "token_embeddings" of `encode`. For one text that list alone.

        Raises:
            ValueError: a TorchScript encoder, which has no layers to look into; ids outside the
                vocabulary; more ids than the model has positions.
        """
        if not isinstance(self._core, _core.TransformerEncoder):
            raise ValueError("[hidden_states] expected a transformer, got a TorchScript module")
        if isinstance(sentences, str):
            return self._layers(self._pipeline.tokenize([sentences]))
        states = []
        for item in sentences:
            if isinstance(item, str):
                sequences = self._pipeline.tokenize([item])
            else:
                sequences = _core.TokenSequences.from_ids([list(item)])
            states.append(self._layers(sequences))
        return states

    def pooler_output(self, sentences: str | Iterable[str]) -> FloatArray:
        """What BERT's own pooler makes of [CLS]: tanh(W x + b), as transformers' "pooler_output".

        Args:
            sentences: a text, or any iterable of texts; of those that are too long a warning says
                how many.

        Returns:
            Shape (dim,) for one text, (n, dim) for many.

        Raises:
            ValueError: the model has no pooler.
        """
        core = self._core
        if not isinstance(core, _core.TransformerEncoder) or not core.has_pooler:
            raise ValueError(f"[pooler_output] expected a model with a pooler, got {self.name}")
        threads = self.threads or 0
        overflow = OverflowCount("warn", self.max_seq_length)
        parts = [np.empty((0, core.dim), np.float32)]
        for texts in runs(sentences, ""):
            sequences = self._pipeline.tokenize(texts)
            overflow.check(sequences.full_lengths)
            first = _core.embed(core, sequences, _core.PoolingPlan(["cls"]), False, threads)
            parts.append(core.pooler_output(first, threads))
        overflow.warn(stacklevel=2)
        result: FloatArray = np.concatenate(parts)
        return result[0] if isinstance(sentences, str) else result

    # ---- inside ----------------------------------------------------------------------------------

    @property
    def _pipeline(self) -> Pipeline:
        threads = self.threads or 0
        return Pipeline(self.tokenizer, self._core, self._head, self.max_seq_length, threads)

    def _plan(
        self,
        *,
        prompt_name: str | None = None,
        prompt: str | None = None,
        output_value: str | None = "sentence_embedding",
        normalize_embeddings: bool | None = None,
        truncate_dim: int | None = None,
        precision: Precision = "float32",
        on_overflow: Overflow = "warn",
    ) -> EncodePlan:
        before = self._prompt(prompt_name, prompt)
        unset = normalize_embeddings is None
        plan = EncodePlan(
            prompt=before,
            skipped=0 if self._settings.include_prompt else self._prompt_tokens(before),
            output_value=output_value,
            normalize=self.normalize_embeddings if unset else bool(normalize_embeddings),
            truncate_dim=truncate_dim,
            precision=precision,
            on_overflow=on_overflow,
        )
        plan.check(self.get_embedding_dimension())
        if isinstance(self._head, TextModuleHead) and output_value != "sentence_embedding":
            raise ValueError(
                "[encode] expected output_value to be 'sentence_embedding': this module gives text "
                f"vectors alone, got {output_value!r}"
            )
        return plan

    def _no_vectors(self, plan: EncodePlan) -> npt.NDArray[Any]:
        return plan.finished(np.empty((0, self.get_embedding_dimension()), np.float32))

    def _prompt(self, prompt_name: str | None, prompt: str | None) -> str:
        if prompt is not None:
            return prompt
        name = prompt_name if prompt_name is not None else self.default_prompt_name
        if name is None:
            return ""
        if name not in self.prompts:
            raise ValueError(
                f"[encode] expected prompt_name to be one of {sorted(self.prompts)}, got {name!r}"
            )
        return self.prompts[name]

    def _prompt_tokens(self, prompt: str) -> int:
        """Tokens at the start of a text that belong to the prompt: [CLS] and its own."""
        if not prompt:
            return 0
        mask = self.tokenizer.encode(prompt).special_tokens_mask
        return len(mask) - mask[-1]

    def _encode_with(
        self, names: Iterable[str], sentences: str | Iterable[str], options: dict[str, Any]
    ) -> Any:
        if options.get("prompt_name") is None and options.get("prompt") is None:
            options["prompt_name"] = next((n for n in names if n in self.prompts), None)
        return self.encode(sentences, **options)

    def _layers(self, sequences: _core.TokenSequences) -> list[FloatArray]:
        assert isinstance(self._core, _core.TransformerEncoder)
        return self._core.hidden_states(sequences, self.threads or 0)


def _modes(pooling: str | Sequence[str]) -> tuple[str, ...]:
    modes = (pooling,) if isinstance(pooling, str) else tuple(pooling)
    if not modes:
        raise ValueError("[Encoder] expected pooling to be one mode or several, got none")
    for mode in modes:
        _core.require_pooling(mode)
    return modes


def _by_name(files: Iterable[Path]) -> dict[str, Path]:
    return {path.name: path for path in files}
