"""One tokenizer in a process of its own: prints megabytes a second, per case, as JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.workloads import tokenizer_texts

Work = Callable[[list[str]], object]


def unitvec(directory: Path, threads: int) -> Mapping[str, Work]:
    """Our two ways from texts to tokens."""
    import unitvec as uv

    tokenizer = uv.Tokenizer.from_pretrained(directory)
    return {
        "ids": lambda texts: tokenizer._sequences(texts, 0, threads),
        "encodings": lambda texts: tokenizer.encode_batch(texts, threads=threads),
    }


def tokenizers(directory: Path, _: int) -> Mapping[str, Work]:
    """The same two ways; its threads are those of RAYON_NUM_THREADS."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return {
        "ids": lambda texts: [e.ids for e in tokenizer.encode_batch_fast(texts)],
        "encodings": tokenizer.encode_batch,
    }


def speed(work: Work, texts: list[str]) -> float:
    """MB/s of UTF-8; small texts are read again until it takes a quarter of a second."""
    size = sum(len(text.encode()) for text in texts) / 1e6
    work(texts[: max(1, len(texts) // 10)])  # the warm-up
    rounds = 0
    start = time.perf_counter()
    while (seconds := time.perf_counter() - start) < 0.25 or rounds == 0:
        work(texts)
        rounds += 1
    return rounds * size / seconds


def main(system: str, threads: str, directory: str, scale: str) -> None:
    """Measures one system on every kind of text."""
    makers: dict[str, Any] = {"unitvec": unitvec, "tokenizers": tokenizers}
    ways = makers[system](Path(directory), int(threads))
    result = {
        f"{kind}, {product}": speed(work, texts)
        for kind, texts in tokenizer_texts(float(scale)).items()
        for product, work in ways.items()
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
