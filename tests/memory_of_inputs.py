"""What one call with a large text takes, measured in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple


class Used(NamedTuple):
    """Of one call.

    Attributes:
        memory: bytes at the peak beside what the process held before, the text included.
        calls: of Python functions.
        moved: bytes read from files and written to them.
        stored: bytes by which the collection grew.
    """

    memory: int
    calls: int
    moved: int
    stored: int


#: Seconds of processor time: a thousand times what is needed, a millionth of what a quadratic
#: algorithm would take.
_SECONDS_MAX = 300


def used(verb: str, kind: str, size: int) -> Used:
    """What a call takes: "add", "update", "get" of a document, or "encode", of `size` bytes."""
    command = [sys.executable, __file__, verb, kind, str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Used(*json.loads(done.stdout))


def _peak() -> int:
    """Bytes. Not ru_maxrss, which a new process takes over from the one that started it."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def _moved() -> int:
    numbers = [line.split(":") for line in Path("/proc/self/io").read_text().splitlines()]
    return sum(int(value) for name, value in numbers if name in ("rchar", "wchar"))


def _measure(work: Callable[[], Any]) -> tuple[int, int, int]:
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
    held, moved, calls = _peak(), _moved(), 0

    def count(*_: Any) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return _peak() - held, calls, _moved() - moved


def _in_collection(folder: Path, verb: str, text: str) -> Used:
    import numpy as np

    from unitvec import Collection

    with Collection(folder / "c.uv", dim=4) as db:
        db.add(["a", "b"], ids=["a", "b"], embeddings=np.eye(2, 4))
        db.update("a", documents="c", embeddings=np.ones(4))
        db.get("b")
        if verb == "get":
            db.upsert(text, ids="b", embeddings=np.ones(4))
            db.compact()
        before = db.stats()["bytes"]
        work = {
            "add": lambda: db.add(text, ids="new", embeddings=np.ones(4)),
            "update": lambda: db.update("a", documents=text, embeddings=np.ones(4)),
            "get": lambda: db.get("b"),
        }
        figures = _measure(work[verb])
        db.close()
        grown = sum(file.stat().st_size for file in (folder / "c.uv").iterdir()) - before
    return Used(*figures, grown)


def _by_encoder(text: str) -> Used:
    import unitvec

    encoder = unitvec.Encoder("all-MiniLM-L6-v2")
    encoder.encode("word " * 300, on_overflow="truncate")
    return Used(*_measure(lambda: encoder.encode(text, on_overflow="truncate")), 0)


def main() -> None:
    """Measures one call and prints the figures."""
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS_MAX, _SECONDS_MAX))
    verb, kind, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
    text = kind * (size // len(kind.encode()))
    with tempfile.TemporaryDirectory() as folder:
        figures = (
            _by_encoder(text) if verb == "encode" else _in_collection(Path(folder), verb, text)
        )
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
