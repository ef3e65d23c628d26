"""What a runtime that computes rectangular batches needs around it: tokens, batches, pooling.

As sentence-transformers does it: the model's own limit of tokens, batches of 32, longest texts
first so that a batch has little padding, the mean over each text's tokens, and length 1.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BATCH_SIZE = 32

Array = np.ndarray[Any, np.dtype[Any]]

#: input_ids and attention_mask, both (batch, seq_len) int64 -> token vectors (batch, seq_len, dim)
TokenVectors = Callable[[Array, Array], Array]


def max_seq_length(model: Path) -> int:
    """The most tokens of a text, special ones counted in, that a model directory declares.

    tokenizer.json can name another limit (128 in all-MiniLM-L6-v2), which is not the model's.
    """
    path = model / "sentence_bert_config.json"
    return int(json.loads(path.read_text(encoding="utf-8"))["max_seq_length"])


def require_mean_and_normalize(model: Path) -> None:
    """Raises ValueError unless text vectors are means over tokens, scaled to length 1."""
    modules = json.loads((model / "modules.json").read_text(encoding="utf-8"))
    names = [module["type"].rpartition(".")[2] for module in modules]
    pooling = json.loads((model / "1_Pooling" / "config.json").read_text(encoding="utf-8"))
    modes = sorted(k for k, on in pooling.items() if k.startswith("pooling_mode_") and on is True)
    if names != ["Transformer", "Pooling", "Normalize"] or modes != ["pooling_mode_mean_tokens"]:
        raise ValueError(
            f"[benchmarks] expected a Transformer, mean Pooling and Normalize, got {names} with "
            f"{modes} in {model}"
        )


def tokenizer(model: Path, limit: int | None = None) -> Tokenizer:
    """The model's tokenizer with a limit, or the model's own; it does not pad."""
    from tokenizers import Tokenizer

    made = Tokenizer.from_file(str(model / "tokenizer.json"))
    made.no_padding()  # batches are padded here, each to its own longest text
    made.enable_truncation(limit or max_seq_length(model))
    return made


class PaddedEncoder:
    """Texts to vectors, around a runtime's function from token ids to token vectors."""

    def __init__(self, model: Path, token_vectors: TokenVectors, limit: int | None = None) -> None:
        require_mean_and_normalize(model)
        self._tokenizer = tokenizer(model, limit)
        self._token_vectors = token_vectors

    def __call__(self, texts: list[str]) -> Array:
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(texts)]
        vectors = None
        for chosen in batches([len(i) for i in ids]):
            input_ids, attention_mask = pad([ids[i] for i in chosen])
            tokens = self._token_vectors(input_ids, attention_mask)
            pooled = mean_and_normalize(tokens, attention_mask)
            if vectors is None:
                vectors = np.empty((len(texts), pooled.shape[1]), np.float32)
            vectors[chosen] = pooled
        return np.empty((0, 0), np.float32) if vectors is None else vectors


def batches(lengths: list[int]) -> Iterator[Array]:
    """Positions of the texts of each batch, longest texts first."""
    order = np.argsort(-np.asarray(lengths, np.int64), kind="stable")
    for start in range(0, len(order), BATCH_SIZE):
        yield order[start : start + BATCH_SIZE]


def pad(ids: list[list[int]]) -> tuple[Array, Array]:
    """input_ids, padded with 0, and attention_mask; both (batch, longest) int64."""
    input_ids = np.zeros((len(ids), max(map(len, ids))), np.int64)
    attention_mask = np.zeros_like(input_ids)
    for row, tokens in enumerate(ids):
        input_ids[row, : len(tokens)] = tokens
        attention_mask[row, : len(tokens)] = 1
    return input_ids, attention_mask


def named(names: Iterable[str], input_ids: Array, attention_mask: Array) -> dict[str, Array]:
    """What a graph with these inputs is given; each text is one, so that its types are all 0."""
    values = {
        "input_ids": input_ids,
        "attention_mask": attention_mask,
        "token_type_ids": np.zeros_like(input_ids),
    }
    return {name: values[name] for name in names}


def mean_and_normalize(token_vectors: Array, attention_mask: Array) -> Array:
    """(batch, seq_len, dim) -> (batch, dim): the mean over unmasked tokens, scaled to length 1.

    The mean's divisor cancels in the scaling, so the sum is enough.
    """
    sums = np.einsum("bld,bl->bd", token_vectors, attention_mask.astype(np.float32))
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(sums / np.maximum(lengths, 1e-12), np.float32)
