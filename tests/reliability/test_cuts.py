"""F5: a file that was cut short, or whose end is zeros, never gives a wrong answer silently."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

import damage
from gates import SEED, record, tries

_SMALL = 4096  # bytes up to which a file is cut at every one

_CHANGES: dict[str, Callable[[bytes, int], bytes]] = {
    "cut": lambda content, length: content[:length],
    "zeroed": lambda content, length: content[:length].ljust(len(content), b"\0"),
}


@pytest.mark.parametrize("change", _CHANGES)
@pytest.mark.parametrize(("left", "pattern"), damage.CASES)
def test_a_cut_or_zeroed_end_gives_no_silent_wrong_answer(
    left: str, pattern: str, change: str, images: damage.Images, memory_path: Path
) -> None:
    contents = images[left]
    name = images.file(left, pattern)
    rng = random.Random(f"F5 {left} {name} {change} {SEED}")
    counts: Counter[str] = Counter()
    wrong = []
    for turn, length in enumerate(_lengths(rng, len(contents[name]))):
        content = _CHANGES[change](contents[name], length)
        damage.lay_out({**contents, name: content}, memory_path / "c.uv")
        outcome = damage.examine(memory_path / "c.uv", images.truth, read_only=turn % 2 == 0)
        counts[outcome.kind] += 1
        if outcome.wrong:
            wrong.append((length, outcome.wrong))
    record("F5", files=counts.total(), **{kind: counts[kind] for kind in damage.KINDS})
    assert not wrong, f"{len(wrong)} of {counts.total()}, as (length, questions): {wrong[:10]}"


def _lengths(rng: random.Random, size: int) -> list[int]:
    """Where to cut: at every byte of a small file; else at random, at pages and beside them."""
    if size <= _SMALL:
        return list(range(size))
    edges = [page + d for page in range(0, size, damage.PAGE) for d in (-1, 0, 1, damage.PAGE // 2)]
    edges = [length for length in edges if 0 <= length < size]
    wanted = [rng.randrange(size) for _ in range(tries(12, 1000))]
    return wanted + (rng.sample(edges, min(len(edges), tries(12, len(edges)))))
