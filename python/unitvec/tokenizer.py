"""Text to token ids: the same ones as Hugging Face's `tokenizers` gives."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from unitvec import _core
from unitvec._core import Encoding
from unitvec.fingerprint import TOKENIZER_FILES
from unitvec.model_files import model_max_length, parse_json, read_bytes, require_links_inside

if TYPE_CHECKING:
    from typing_extensions import Self

    from unitvec.tokenizers_model import TokenizersModel

__all__ = ["Encoding", "Tokenizer"]

TextOrPair: TypeAlias = str | tuple[str, str]
Truncation: TypeAlias = Literal["longest_first", "only_first", "only_second"]
Side: TypeAlias = Literal["left", "right"]
IntArray: TypeAlias = NDArray[np.int64]


class Tokenizer:
    """The tokenizer of one model. Immutable: any number of threads may use one at the same time.

    Offsets count code points of the text as it was given, as Python indexes it, half-open. A lone
    surrogate (half a character, which UTF-8 cannot say) reads as U+FFFD, which BERT's cleaning
    takes away and byte-level BPE keeps. Of the truncation and padding stored in tokenizer.json only
    the side that is cut off is obeyed: the caller says what is wanted.

    Example:
        >>> tokenizer = Tokenizer.from_pretrained("all-MiniLM-L6-v2")
        >>> tokenizer.encode("Hello, world!").tokens
        ['[CLS]', 'hello', ',', 'world', '!', '[SEP]']
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        """Reads tokenizer.json, else vocab.json with merges.txt, else vocab.txt, from a directory.

        WordPiece and byte-level BPE are read by the core; Unigram (XLM-R, multilingual-e5) and
        CLIP's BPE through the package `tokenizers` (extra `unigram`), slower, with that package's
        threads.

        Raises:
            ImportError: if that package is needed and not installed.
            FormatError: if none is there, or one is damaged or of a kind that is not supported.
        """
        self.directory = Path(directory)
        require_links_inside(self.directory, self.directory)
        self._core = _open(self.directory)
        contents = {name: read_bytes(self.directory / name) for name in TOKENIZER_FILES}
        self._files = {name: content for name, content in contents.items() if content is not None}
        path = self.directory / "tokenizer_config.json"
        config = parse_json(path, self._files.get(path.name, b"{}"), dict)
        self.model_max_length = model_max_length(path, config)
        inputs = config.get("model_input_names")
        self._has_types = not isinstance(inputs, list) or "token_type_ids" in inputs

    @classmethod
    def from_pretrained(cls, name_or_path: str | os.PathLike[str]) -> Self:
        """Opens the tokenizer of a model, by name or from its directory.

        Raises:
            ModelNotFoundError: if there is no such model, with the places looked in.
            FormatError: if its tokenizer is damaged or of a kind that is not supported.
        """
        from unitvec.hub import resolve

        return cls(resolve(name_or_path))

    def save_pretrained(self, directory: str | os.PathLike[str]) -> None:
        """Writes the tokenizer's files, byte for byte as they were read."""
        target = Path(directory)
        target.mkdir(parents=True, exist_ok=True)
        for name, content in self._files.items():
            (target / name).write_bytes(content)

    def encode(
        self,
        text: str,
        pair: str | None = None,
        add_special_tokens: bool = True,
        max_length: int | None = None,
        *,
        stride: int = 0,
        truncation: Truncation = "longest_first",
        truncation_side: Side | None = None,
    ) -> Encoding:
        """Tokens of a text, or of a pair of texts, with all that is known about them.

        Args:
            text: the text.
            pair: the second text of a pair.
            add_special_tokens: whether to put [CLS] and [SEP] (or what the model has) around.
            max_length: most tokens, special ones counted; None: no limit.
            stride: tokens that a window in `overflowing` shares with the one before it.
            truncation: which text of a pair is cut.
            truncation_side: which end is cut off; None: `self.truncation_side`.

        Raises:
            ValueError: if `max_length` has no room for the special tokens, or the settings cannot
                be met.
        """
        return self._core.encode(
            text,
            pair,
            add_special_tokens=add_special_tokens,
            max_length=_limit(max_length),
            stride=stride,
            strategy=truncation,
            side=truncation_side,
        )

    def encode_batch(
        self,
        texts: Sequence[TextOrPair],
        add_special_tokens: bool = True,
        max_length: int | None = None,
        *,
        stride: int = 0,
        truncation: Truncation = "longest_first",
        truncation_side: Side | None = None,
        threads: int | None = None,
    ) -> list[Encoding]:
        """`encode` for many texts or pairs, on `threads` threads (None: all there are)."""
        return self._core.encode_batch(
            texts,
            add_special_tokens=add_special_tokens,
            max_length=_limit(max_length),
            stride=stride,
            strategy=truncation,
            side=truncation_side,
            threads=threads or 0,
        )

    def __call__(
        self,
        text: str | Sequence[TextOrPair],
        text_pair: str | Sequence[str] | None = None,
        *,
        add_special_tokens: bool = True,
        padding: bool | Literal["longest", "max_length"] = False,
        truncation: bool | Truncation | Literal["do_not_truncate"] = False,
        max_length: int | None = None,
        stride: int = 0,
        pad_to_multiple_of: int | None = None,
        padding_side: Side = "right",
        truncation_side: Side | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        threads: int | None = None,
    ) -> dict[str, Any]:
        """Arrays for a model, with the arguments and the keys of a `transformers` tokenizer.

        Args:
            text: a text, or a list of texts or of pairs.
            text_pair: the second text, or a list of as many second texts.
            add_special_tokens: whether to put [CLS] and [SEP] around.
            padding: True or "longest": to the longest text; "max_length": to `max_length`.
            truncation: True or "longest_first", "only_first", "only_second"; False: nothing is cut.
            max_length: most tokens; None: the model_max_length of tokenizer_config.json.
            stride: tokens that overflowing windows share.
            pad_to_multiple_of: round the padded length up to a multiple of this.
            padding_side: where padding stands.
            truncation_side: which end is cut off; None: `self.truncation_side`.
            return_overflowing_tokens: add the windows that were cut off as rows of their own, and
                "overflow_to_sample_mapping", which says for every row which text it belongs to.
            return_special_tokens_mask: add "special_tokens_mask" (1 at padding too).
            return_offsets_mapping: add "offset_mapping" of shape (rows, tokens, 2).
            threads: threads to use; None: all there are.

        Returns:
            "input_ids", "token_type_ids" and "attention_mask" (1 = token, 0 = padding), int64: of
            shape (rows, tokens) for a list, (tokens,) for one text, and lists of such where the
            rows differ in length and no padding was asked for.
        """
        single = isinstance(text, str)
        limit = self._truncation_limit(truncation, max_length)
        encodings = self.encode_batch(
            _with_seconds(text, text_pair),
            add_special_tokens,
            limit,
            stride=stride,
            truncation=_strategy(truncation),
            truncation_side=truncation_side,
            threads=threads,
        )
        samples = list(range(len(encodings)))
        if return_overflowing_tokens:
            samples = [i for i, e in enumerate(encodings) for _ in range(1 + len(e.overflowing))]
            encodings = [w for e in encodings for w in (e, *e.overflowing)]
        arrays: dict[str, Any] = self._arrays(
            encodings, padding, max_length, pad_to_multiple_of, padding_side
        )
        wanted = ["input_ids", "token_type_ids", "attention_mask"]
        wanted += ["special_tokens_mask"] * return_special_tokens_mask
        wanted += ["offset_mapping"] * return_offsets_mapping
        alone = single and not return_overflowing_tokens
        out = {name: arrays[name][0] if alone else arrays[name] for name in wanted}
        if return_overflowing_tokens:
            out["overflow_to_sample_mapping"] = np.array(samples, dtype=np.int64)
        return out

    def _arrays(
        self,
        encodings: list[Encoding],
        padding: bool | str,
        max_length: int | None,
        multiple_of: int | None,
        side: Side,
    ) -> dict[str, Any]:
        """Arrays of shape (rows, tokens), or lists of rows where these differ in length."""
        length = self._padded_length(padding, max_length)
        if _pads(padding) or len({len(e) for e in encodings}) <= 1:
            return self._pad(encodings, length, multiple_of if _pads(padding) else 0, side)
        rows = [self._pad([e], 0, 0, side) for e in encodings]
        return {name: [row[name][0] for row in rows] for name in rows[0]}

    def _truncation_limit(self, truncation: bool | str, max_length: int | None) -> int | None:
        if truncation is False or truncation == "do_not_truncate":
            return None
        limit = self.model_max_length if max_length is None else max_length
        if limit is None:
            raise ValueError(
                "[Tokenizer] expected max_length with truncation: this model states none, got None"
            )
        return limit

    def _padded_length(self, padding: bool | str, max_length: int | None) -> int:
        if padding not in (True, False, "longest", "max_length", "do_not_pad"):
            raise ValueError(
                '[Tokenizer] expected padding True, False, "longest" or "max_length", '
                f"got {padding!r}"
            )
        if padding != "max_length":
            return 0
        length = self.model_max_length if max_length is None else max_length
        if length is None:
            raise ValueError(
                '[Tokenizer] expected max_length with padding="max_length": this model states '
                "none, got None"
            )
        return length

    def _pad(
        self, encodings: list[Encoding], length: int, multiple_of: int | None, side: Side
    ) -> dict[str, IntArray]:
        return self._core.pad(
            encodings,
            length=length,
            multiple_of=multiple_of or 0,
            pad_id=self._core.pad_id or 0,
            side=side,
        )

    def decode(
        self,
        ids: Iterable[int],
        skip_special_tokens: bool = True,
        *,
        clean_up: bool | None = None,
    ) -> str:
        """Text of tokens: pieces joined, words separated by a space.

        Args:
            ids: token ids.
            skip_special_tokens: leave out [CLS], [SEP], [PAD] and so on.
            clean_up: drop the spaces before punctuation and in English contractions; None: as the
                file's decoder says.

        Raises:
            IndexError: if an id has no token.
        """
        return self._core.decode(
            [int(i) for i in ids], skip_special_tokens=skip_special_tokens, clean_up=clean_up
        )

    def token_to_id(self, token: str) -> int | None:
        """The id of a token; None where there is no such token."""
        return self._core.token_to_id(token)

    def id_to_token(self, token_id: int) -> str:
        """The token of an id. Raises IndexError where there is none."""
        return self._core.id_to_token(token_id)

    @property
    def truncation_side(self) -> Side:
        """Which end of a text that is too long is cut off: the model's own, or "right".

        As tokenizer_config.json says, else the truncation that tokenizer.json stores.
        """
        return cast(Side, self._core.truncation_side)

    @property
    def vocab_size(self) -> int:
        """How many ids there are, added tokens counted: 0 ... vocab_size - 1."""
        return self._core.vocab_size

    @property
    def vocab(self) -> dict[str, int]:
        """All tokens and their ids."""
        return {self._core.id_to_token(i): i for i in range(self.vocab_size)}

    def count(self, texts: Sequence[str], *, threads: int | None = None) -> IntArray:
        """How many tokens each text has, special ones counted, nothing cut; shape (texts,)."""
        return self._core.count(texts, threads=threads or 0)

    def _sequences(self, texts: list[str], max_length: int, threads: int) -> _core.TokenSequences:
        """Ids of texts with special tokens, cut to max_length, as the encoder takes them."""
        if isinstance(self._core, _core.Tokenizer):
            return _core.tokenize(self._core, texts, max_length, threads)
        return self._core.sequences(texts, max_length)

    def _pair_sequences(
        self, firsts: list[str], seconds: list[str], max_length: int, threads: int
    ) -> _core.TokenSequences:
        """Ids and types of pairs, the longer text of each cut first, as a classifier takes them."""
        if isinstance(self._core, _core.Tokenizer):
            out = _core.tokenize_pairs(self._core, firsts, seconds, max_length, threads)
        else:
            out = self._core.pair_sequences(firsts, seconds, max_length)
        if not self._has_types:
            out.drop_token_types()
        return out

    def _require_ids_below(self, vocab_size: int) -> None:
        """Raises FormatError unless a model with that many ids knows every token."""
        if self.vocab_size > vocab_size:
            raise _core.FormatError(
                f"{self.directory}: expected a tokenizer of at most {vocab_size} tokens, as the "
                f"model's vocab_size says, got {self.vocab_size}"
            )

    def __len__(self) -> int:
        """The same as vocab_size."""
        return self.vocab_size

    def __repr__(self) -> str:
        """Where it comes from and how many tokens it has."""
        return f"Tokenizer({str(self.directory)!r}, vocab_size={self.vocab_size})"


def _open(directory: Path) -> _core.Tokenizer | TokenizersModel:
    try:
        return _core.Tokenizer.from_directory(str(directory))
    except _core.FormatError:
        from unitvec import tokenizers_model  # rare, and it brings in another package

        if not tokenizers_model.reads(directory):
            raise
        return tokenizers_model.TokenizersModel(directory)


def _limit(max_length: int | None) -> int:
    """The core's way to say it: 0 for no limit."""
    if max_length is None:
        return 0
    if max_length < 1:
        raise ValueError(f"[encode] expected max_length of at least 1, got {max_length}")
    return max_length


def _pads(padding: bool | str) -> bool:
    return padding not in (False, "do_not_pad")


def _strategy(truncation: bool | str) -> Truncation:
    """The core's name of it; what it says matters only where something is cut."""
    if truncation in (True, False, "do_not_truncate"):
        return "longest_first"
    return cast(Truncation, truncation)  # the core refuses names that it does not know


def _with_seconds(
    text: str | Sequence[TextOrPair], text_pair: str | Sequence[str] | None
) -> Sequence[TextOrPair]:
    """Texts with their second texts, where there are any."""
    single = isinstance(text, str)
    texts: Sequence[TextOrPair] = [text] if isinstance(text, str) else text
    if text_pair is None:
        return texts
    seconds = [text_pair] if isinstance(text_pair, str) else text_pair
    if single != isinstance(text_pair, str) or len(seconds) != len(texts):
        raise ValueError(
            f"[Tokenizer] expected as many second texts as texts ({len(texts)}), got {len(seconds)}"
        )
    return list(zip(cast(Sequence[str], texts), seconds, strict=True))
