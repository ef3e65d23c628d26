"""F4: one flipped bit in any file never gives a wrong answer without a word."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import damage
from gates import SEED, record, tries

_BEGINNING = 4096  # bytes of which every bit is tried


@pytest.mark.parametrize("left", damage.FILES)
@pytest.mark.parametrize("read_only", [True, False])
def test_undamaged_collections_answer_every_question(
    left: str, read_only: bool, images: damage.Images, memory_path: Path
) -> None:
    damage.lay_out(images[left], memory_path / "c.uv")
    outcome = damage.examine(memory_path / "c.uv", images.truth, read_only)
    assert outcome == damage.Outcome()


@pytest.mark.parametrize(("left", "pattern"), damage.CASES)
def test_a_flipped_bit_gives_no_silent_wrong_answer(
    left: str, pattern: str, images: damage.Images, memory_path: Path
) -> None:
    contents = images[left]
    name = images.file(left, pattern)
    rng = random.Random(f"F4 {left} {name} {SEED}")
    counts: Counter[str] = Counter()
    wrong = []
    for turn, bit in enumerate(_bits(rng, 8 * len(contents[name]))):
        content = damage.flipped(contents[name], bit)
        damage.lay_out({**contents, name: content}, memory_path / "c.uv")
        outcome = damage.examine(memory_path / "c.uv", images.truth, read_only=turn % 2 == 0)
        counts[outcome.kind] += 1
        if outcome.wrong:
            wrong.append((bit // 8, bit % 8, outcome.wrong))
    record("F4", flips=counts.total(), **{kind: counts[kind] for kind in damage.KINDS})
    assert not wrong, f"{len(wrong)} of {counts.total()}, as (byte, bit, questions): {wrong[:10]}"


def _bits(rng: random.Random, size: int) -> Iterator[int]:
    """Positions in bits: of the whole file, and of its beginning (in a full run all of them)."""
    for _ in range(tries(60, 10_000)):
        yield rng.randrange(size)
    beginning = range(min(size, 8 * _BEGINNING))
    short = min(40, len(beginning))
    yield from rng.sample(beginning, tries(short, len(beginning)))
