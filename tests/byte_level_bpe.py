"""Byte-level BPE tokenizers for tests, trained on the spot and set up as RoBERTa's are."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")


def train(texts: Iterable[str], path: Path, add_prefix_space: bool = False, size: int = 600):
    """Trains a tokenizer, saves it as path/tokenizer.json and returns it."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
    from tokenizers.trainers import BpeTrainer

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = [AddedToken(token, normalized=True, special=True) for token in SPECIAL]
    trainer = BpeTrainer(
        vocab_size=size, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=False)])
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=add_prefix_space
    )
    path.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(path / "tokenizer.json"))
    return tokenizer
