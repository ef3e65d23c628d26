"""Tokenizer files that the core does not read (Unigram, CLIP), through the package `tokenizers`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unitvec import _core
from unitvec.model_files import parse_json, read_bytes, read_json, shown

if TYPE_CHECKING:
    from tokenizers import Encoding

SIDES = ("left", "right")
_SURROGATE = re.compile("[\ud800-\udfff]")


def reads(directory: Path) -> bool:
    """Whether tokenizer.json of a directory has a model for this module."""
    file = directory / "tokenizer.json"
    try:
        content = read_bytes(file)
        model = {} if content is None else parse_json(file, content, dict).get("model")
    except _core.FormatError:
        return False  # the core says what is wrong with it
    if not isinstance(model, dict):
        return False
    # CLIP's pieces that end a word are tokens of their own, with "</w>" behind them.
    ends_words = model.get("type") == "BPE" and bool(model.get("end_of_word_suffix"))
    return ends_words or model.get("type") == "Unigram"


def stated_truncation_side(directory: Path) -> str | None:
    """Which end tokenizer_config.json has cut off; None: it does not say.

    Raises:
        FormatError: it says something else.
    """
    file = directory / "tokenizer_config.json"
    side = (read_json(file, dict) or {}).get("truncation_side")
    if side is not None and side not in SIDES:
        raise _core.FormatError(
            f"{file}: truncation_side: expected right or left, got {shown(side)}"
        )
    return side


class TokenizersModel:
    """What `_core.Tokenizer` offers, by a `tokenizers.Tokenizer` that is never changed.

    Truncation is done here on finished encodings, not by settings of the shared object, so that any
    number of threads may use one at the same time.
    """

    def __init__(self, directory: Path) -> None:
        """Reads tokenizer.json.

        Raises:
            ImportError: the package `tokenizers` is not installed.
            FormatError: `tokenizers` cannot read the file.
        """
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise ImportError(
                f"{directory} has a Unigram or CLIP tokenizer, which the package tokenizers reads: "
                "pip install unitvec[unigram]"
            ) from error
        file = directory / "tokenizer.json"
        try:
            self._peer = Tokenizer.from_file(str(file))
        except Exception as error:  # it raises Exception itself
            raise _core.FormatError(f"{file}: {error}") from error
        except BaseException as error:  # what a panic in Rust becomes is no Exception
            if type(error).__name__ != "PanicException":
                raise
            raise _core.FormatError(f"{file}: {error}") from error
        stored = (self._peer.truncation or {}).get("direction", "right")
        self.truncation_side = stated_truncation_side(directory) or stored
        self._peer.no_truncation()
        self._peer.no_padding()
        self._special = {i for i, t in self._peer.get_added_tokens_decoder().items() if t.special}
        self.vocab_size = self._peer.get_vocab_size()
        self.pad_id = self._first_known("<pad>", "[PAD]", "<|endoftext|>")  # the last is CLIP's
        self.mask_id = self._first_known("<mask>", "[MASK]")

    def encode(self, text: str, pair: str | None = None, **options: Any) -> Any:
        """As `_core.Tokenizer.encode`."""
        return self.encode_batch([text if pair is None else (text, pair)], **options)[0]

    def encode_batch(
        self,
        texts: Sequence[str | tuple[str, str]],
        *,
        add_special_tokens: bool = True,
        max_length: int = 0,
        stride: int = 0,
        strategy: str = "longest_first",
        side: str | None = None,
        threads: int = 0,
    ) -> list[Any]:
        """As `_core.Tokenizer.encode_batch`; `tokenizers` chooses the threads itself."""
        _require(strategy, ("longest_first", "only_first", "only_second"), "truncation")
        side = self.truncation_side if side is None else side
        _require(side, SIDES, "truncation_side")
        items = [_item(text) for text in texts]
        if max_length == 0:
            inputs = [first if second is None else (first, second) for first, second in items]
            return self._peer.encode_batch(inputs, add_special_tokens=add_special_tokens)
        flat = [text for item in items for text in item if text is not None]
        parts = iter(self._peer.encode_batch(flat, add_special_tokens=False))
        out = []
        for _, second in items:
            a, b = next(parts), None if second is None else next(parts)
            special = self.special_token_count(b is not None) if add_special_tokens else 0
            if max_length < special:
                raise ValueError(
                    f"[encode] expected a max_length of at least {special}, the number of special "
                    f"tokens, got {max_length}"
                )
            _truncate(a, b, max_length - special, stride, strategy, side)
            joined = self._peer.post_process(a, b, add_special_tokens)
            out.append(joined if b is None else _PairWindow(joined, _types_of_texts(joined)))
        return out

    def count(self, texts: Sequence[str], *, threads: int = 0) -> NDArray[np.int64]:
        """Tokens of each text, special ones counted."""
        _require_list(texts)
        return np.array([len(e) for e in self.encode_batch(texts)], dtype=np.int64)

    def sequences(self, texts: Sequence[str], max_length: int) -> _core.TokenSequences:
        """As `_core.tokenize`."""
        _require_list(texts)
        special = self.special_token_count()
        whole = self.encode_batch(texts, add_special_tokens=False)
        lengths = [len(e) + special for e in whole]
        for e in whole:
            e.truncate(max(max_length - special, 0), direction=self.truncation_side)
        ids = [self._peer.post_process(e).ids for e in whole]
        return _core.TokenSequences.from_ids(ids, lengths)

    def pair_sequences(
        self, firsts: Sequence[str], seconds: Sequence[str], max_length: int
    ) -> _core.TokenSequences:
        """As `_core.tokenize_pairs`."""
        _require_list(firsts)
        _require_list(seconds)
        special = self.special_token_count(pair=True)
        whole = self.encode_batch([*firsts, *seconds], add_special_tokens=False)
        halves = list(zip(whole[: len(firsts)], whole[len(firsts) :], strict=True))
        lengths = [len(a) + len(b) + special for a, b in halves]
        for a, b in halves:
            _truncate(a, b, max_length - special, 0, "longest_first", self.truncation_side)
        joined = [self._peer.post_process(a, b) for a, b in halves]
        return _core.TokenSequences.from_ids(
            [e.ids for e in joined], lengths, [e.type_ids for e in joined]
        )

    def decode(
        self, ids: Sequence[int], *, skip_special_tokens: bool = True, clean_up: bool | None = None
    ) -> str:
        """As `_core.Tokenizer.decode`; the file's decoder alone says what is cleaned up."""
        for i in ids:
            self.id_to_token(i)
        return self._peer.decode(ids, skip_special_tokens=skip_special_tokens)

    def token_to_id(self, token: str) -> int | None:
        """The id of a token."""
        return self._peer.token_to_id(token)

    def id_to_token(self, token_id: int) -> str:
        """The token of an id. Raises IndexError where there is none."""
        token = self._peer.id_to_token(token_id) if token_id >= 0 else None
        if token is None:
            raise IndexError(
                f"[id_to_token] expected an id in [0, {self.vocab_size}), got {token_id}"
            )
        return token

    def is_special(self, token_id: int) -> bool:
        """Whether the file marks the token as special."""
        return token_id in self._special

    def special_token_count(self, pair: bool = False) -> int:
        """Special tokens that are put around one text, or around a pair."""
        return self._peer.num_special_tokens_to_add(pair)

    @staticmethod
    def pad(
        encodings: Sequence[Any],
        *,
        length: int = 0,
        multiple_of: int = 0,
        pad_id: int = 0,
        side: str = "right",
    ) -> dict[str, NDArray[np.int64]]:
        """As `_core.Tokenizer.pad`."""
        step = max(multiple_of, 1)
        columns = -(-max([length, *map(len, encodings)]) // step) * step
        fields = {
            "input_ids": ("ids", pad_id),
            "token_type_ids": ("type_ids", 0),
            "attention_mask": ("attention_mask", 0),
            "special_tokens_mask": ("special_tokens_mask", 1),
        }
        shape = (len(encodings), columns)
        arrays = {name: np.full(shape, fill, np.int64) for name, (_, fill) in fields.items()}
        arrays["offset_mapping"] = np.zeros((*shape, 2), np.int64)
        for row, e in enumerate(encodings):
            place = slice(columns - len(e), columns) if side == "left" else slice(0, len(e))
            for name, (field, _) in fields.items():
                arrays[name][row, place] = getattr(e, field)
            arrays["offset_mapping"][row, place] = np.reshape(e.offsets, (-1, 2))
        return arrays

    def _first_known(self, *tokens: str) -> int | None:
        known = (self._peer.token_to_id(token) for token in tokens)
        return next((i for i in known if i is not None), None)


class _PairWindow:
    """An encoding of a pair whose further windows have the types of the first.

    `tokenizers` leaves there the types from before the template was applied.
    """

    def __init__(self, encoding: Encoding, types: dict[int, int]) -> None:
        self._encoding = encoding
        self._types = types

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoding, name)

    def __len__(self) -> int:
        return len(self._encoding)

    @property
    def type_ids(self) -> list[int]:
        e = self._encoding
        pairs = zip(e.sequence_ids, e.type_ids, strict=True)
        return [raw if text is None else self._types[text] for text, raw in pairs]

    @property
    def overflowing(self) -> list[_PairWindow]:
        return [_PairWindow(window, self._types) for window in self._encoding.overflowing]


def _types_of_texts(encoding: Encoding) -> dict[int, int]:
    """The type of each text's tokens."""
    pairs = zip(encoding.sequence_ids, encoding.type_ids, strict=True)
    return {text: kind for text, kind in pairs if text is not None}


def _require(value: str, choices: tuple[str, ...], name: str) -> None:
    if value not in choices:
        raise ValueError(f"[encode] expected {name} to be one of {choices}, got {value!r}")


def _require_list(texts: Sequence[str]) -> None:
    if isinstance(texts, str):
        raise TypeError("texts must be a list of str, got one str")


def _item(text: Any) -> tuple[str, str | None]:
    """A text or a pair, with U+FFFD for lone surrogates, as the core has it."""
    first, second = text if isinstance(text, tuple) and len(text) == 2 else (text, None)
    for value in (first, second):
        if not isinstance(value, str) and (value is not None or value is first):
            raise TypeError(f"every text must be a str, got {type(value).__name__}")
    clean = _SURROGATE.sub("\ufffd", first)
    return clean, None if second is None else _SURROGATE.sub("\ufffd", second)


def _truncate(
    first: Encoding, second: Encoding | None, room: int, stride: int, strategy: str, side: str
) -> None:
    """Cuts one text or a pair to `room` tokens, with overflowing windows."""
    kept = _kept_lengths(len(first), None if second is None else len(second), room, strategy)
    for encoding, length in zip((first, second), kept, strict=True):
        if encoding is None or len(encoding) <= length:
            continue
        if 0 < length <= stride:
            raise ValueError(
                f"[encode] expected a stride below the {length} tokens of this text that fit into "
                f"a window, got {stride}"
            )
        encoding.truncate(length, stride=stride if length else 0, direction=side)


def _kept_lengths(first: int, second: int | None, room: int, strategy: str) -> tuple[int, int]:
    total = first + (second or 0)
    if total <= room:
        return first, second or 0
    if strategy == "longest_first":
        return (room, 0) if second is None else _longest_first(first, second, room)
    if second is None:
        if strategy == "only_second":
            raise ValueError("[encode] expected a pair, to cut only its second text, got one text")
        return room, 0
    name, cut = ("first", first) if strategy == "only_first" else ("second", second)
    if cut <= total - room:
        raise ValueError(
            f"[encode] expected a {name} text of more than {total - room} tokens to cut that many "
            f"off, got {cut} tokens"
        )
    kept = cut - (total - room)
    return (kept, second) if strategy == "only_first" else (first, kept)


def _longest_first(first: int, second: int, room: int) -> tuple[int, int]:
    """The longer text loses tokens first; where both do, the shorter keeps the smaller half."""
    shorter = min(first, second)
    kept = shorter, max(shorter, room - min(room, shorter))
    if sum(kept) > room:
        kept = room // 2, room - room // 2
    return (kept[1], kept[0]) if first > second else kept
