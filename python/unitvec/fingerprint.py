"""A model's fingerprint: two encoders that share it give the same vectors for the same texts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

#: Raised when the same files begin to give other vectors.
SCHEME = "unitvec-fingerprint-1"

#: The files of a model directory that its vectors depend on; `Tokenizer.save_pretrained` writes the
#: tokenizer's again.
MODEL_FILES = ("config.json", "*.safetensors")
TOKENIZER_FILES = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)

BLOCK = 1 << 20  # bytes read at a time


def fingerprint(digests: Mapping[str, str], settings: Mapping[str, Any]) -> str:
    """SHA-256, as hex, over the digests of files by name and the settings that matter."""
    content = json.dumps([SCHEME, dict(digests), dict(settings)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content, as hex."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def files_of(directory: Path, patterns: Iterable[str]) -> list[Path]:
    """The files of a directory that match any of the patterns, sorted."""
    found = {path for pattern in patterns for path in directory.glob(pattern)}
    return sorted(path for path in found if path.is_file())  # a pipe would never end
