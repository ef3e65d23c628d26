"""C6: a million documents, killed with ten thousand of them in no index file yet."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from gates import before_a_release, record
from large import add_a_tail, build, first_answer
from zygote import Zygote

#: Documents; fewer to try the test itself.
_COUNT = int(os.environ.get("UNITVEC_RELIABILITY_DOCUMENTS", "1000000"))
_TAIL = 10_000


@before_a_release
def test_a_large_collection_answers_soon_after_a_kill(zygote: Zygote, tmp_path: Path) -> None:
    path, report = tmp_path / "c.uv", tmp_path / "report"
    zygote.run(build, path, _COUNT)
    assert zygote.wait(zygote.start(add_a_tail, path, _COUNT, _TAIL)) == -signal.SIGKILL
    seconds = []
    for name in (_COUNT + _TAIL - 1, 0, _COUNT // 2):  # of the tail, and of the index file
        assert zygote.wait(zygote.start(first_answer, path, report, name)) == -signal.SIGKILL
        took, is_right = json.loads(report.read_text(encoding="utf-8"))
        assert is_right, f"document {name} does not find itself"
        seconds.append(round(took, 2))
    record("C6", documents=_COUNT + _TAIL, tail=_TAIL, wrong=0, seconds_max=max(seconds))
