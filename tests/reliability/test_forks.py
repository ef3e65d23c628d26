"""P3: after a fork there is an error or a right answer; other ways to start a process just work."""

from __future__ import annotations

from pathlib import Path

import pytest

from forks import close_while_a_child_reads, fork_after_use, fork_while_in_sqlite, start_otherwise
from gates import record, tries
from zygote import Zygote


# busy: other threads, which search at the moment of the fork
@pytest.mark.parametrize("busy", [0, 2])
def test_a_fork_after_use_gives_an_error_or_a_right_answer(
    busy: int, zygote: Zygote, memory_path: Path
) -> None:
    count = tries(20, 500)
    zygote.run(fork_after_use, memory_path / "c.uv", count, busy)
    record("P3", forks=count, hung=0, wrong=0)


@pytest.mark.parametrize("patient", [True, False])
def test_a_fork_waits_for_short_work_and_the_child_of_another_is_told(
    patient: bool, zygote: Zygote, memory_path: Path
) -> None:
    zygote.run(fork_while_in_sqlite, memory_path / "c.uv", patient)


def test_a_child_reads_on_while_the_parent_closes(zygote: Zygote, memory_path: Path) -> None:
    zygote.run(close_while_a_child_reads, memory_path / "c.uv")


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_other_processes_read_beside_the_writer(
    method: str, zygote: Zygote, memory_path: Path
) -> None:
    count = tries(2, 50)
    zygote.run(start_otherwise, memory_path / "c.uv", method, count)
    record("P3", **{method: count}, hung=0, wrong=0)
