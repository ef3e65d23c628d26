"""C3: records a workload and checks what a power loss at many of its moments would leave."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import io_trace
import io_workload
from io_checks import ViolationError, check
from io_jobs import COLLECTION, Outcome, Runner, acknowledged, require_finished
from io_trace import Operation
from power_loss import Disk


def lose_power(
    runner: Runner,
    seed: int,
    durability: str,
    images: int,
    settings: dict[str, str | int] | None = None,
    from_call: int = 0,
    **control: bool,
) -> None:
    """Records one run of the workload and checks a number of images.

    Args:
        runner: of the workload.
        seed: of the workload and of the images.
        durability: of the collection.
        images: how many, on both kinds of disk together.
        settings: of the recorder.
        from_call: the power fails after this call has begun.
        control: see `Runner.run`.

    Raises:
        ViolationError: naming the seed, the cut and the kind of disk.
    """
    outcome = runner.run(seed, durability=durability, settings=settings, **control)
    require_finished(outcome)
    states = io_workload.states(seed, outcome.length)
    for journaled in (True, False):
        rng = random.Random(f"images {seed} {journaled}")
        moments = cuts(outcome.trace, rng, images // 2, from_call)
        for cut, image in _images(outcome, journaled, rng, moments, runner.folder / "image"):
            done, begun = acknowledged(outcome.trace[:cut])
            kept = done if durability == "full" else 0
            try:
                # With durability="normal" the pointer to an index file may be lost after the file
                # before it was removed: the index is built anew.
                check(
                    image,
                    states[kept : begun + 1],
                    must_exist=kept > 0,
                    index_may_be_lost=durability == "normal",
                )
            except ViolationError as error:
                kind = "journaled" if journaled else "strict"
                raise ViolationError(
                    f"seed {seed}, durability {durability}, cut {cut} of {len(outcome.trace)}, "
                    f"{kind} disk: {error}"
                ) from error
    shutil.rmtree(outcome.root)


def cuts(trace: list[Operation], rng: random.Random, count: int, from_call: int = 0) -> list[int]:
    """How many operations were done when the power failed, in ascending order.

    A quarter just after an acknowledgement, a quarter just before a sync, the others anywhere.
    """
    first = [operation.path for operation in trace].index(f"begin {from_call}")
    anywhere = range(first, len(trace) + 1)
    answered = [i for i in anywhere[1:] if trace[i - 1].path.startswith("done ")]
    syncs = [i for i in anywhere[:-1] if trace[i].kind == io_trace.SYNC] or answered
    places = (answered, syncs, anywhere, anywhere)
    return sorted(rng.choice(places[i % 4]) for i in range(count))


def _images(
    outcome: Outcome, journaled: bool, rng: random.Random, moments: list[int], target: Path
) -> Iterator[tuple[int, Path]]:
    """The collection of one image after the other, each in place of the last."""
    disk = Disk(outcome.root, journaled)
    at = 0
    for cut in moments:
        for operation in outcome.trace[at:cut]:
            disk.apply(operation)
        at = cut
        shutil.rmtree(target, ignore_errors=True)  # the one before
        disk.write_after_power_loss(rng, target)
        yield cut, target / COLLECTION
