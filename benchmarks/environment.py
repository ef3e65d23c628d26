"""Which Python runs a peer: this one where the peer's packages are here, else one made for it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.peers import Peer

ENVIRONMENTS = Path(__file__).resolve().parent.parent / "build" / "bench-venvs"


def interpreter(peer: Peer) -> Path:
    """The Python for a peer; the first time this may install its packages, which takes minutes."""
    if all(importlib.util.find_spec(name) for name in peer.imports):
        return Path(sys.executable)
    if not peer.requirements:
        raise ModuleNotFoundError(
            f"[benchmarks] expected {', '.join(peer.imports)} to be installed for {peer.name}; "
            "`make setup` installs what the benchmarks need"
        )
    return _own_interpreter(peer)


def _own_interpreter(peer: Peer) -> Path:
    directory = ENVIRONMENTS / peer.module
    python = directory / "bin" / "python"
    wanted = "\n".join(peer.requirements)
    stamp = directory / "installed.txt"
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        print(f"installing {', '.join(peer.requirements)} for {peer.name}", file=sys.stderr)
        venv.create(directory, clear=True, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-qq", *peer.requirements], check=True)
        stamp.write_text(wanted, encoding="utf-8")
    return python
