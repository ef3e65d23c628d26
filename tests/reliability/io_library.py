"""The recorder of `io_recorder/`, compiled where the tests run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

SOURCES = Path(__file__).parent / "io_recorder"


def why_not() -> str | None:
    """Why the recorder cannot be used here, or None."""
    if not sys.platform.startswith("linux"):
        return "the recorder of file operations is preloaded, which is written for Linux"
    if shutil.which("cc") is None:
        return "the recorder of file operations is compiled by cc, which is not installed"
    return None


def build(folder: Path) -> Path:
    """Compiles the recorder into a folder; returns the library for LD_PRELOAD."""
    library = folder / "libio_recorder.so"
    flags = ["-O1", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread"]
    sources = sorted(str(path) for path in SOURCES.glob("*.c"))
    subprocess.run(["cc", *flags, "-o", str(library), *sources, "-ldl"], check=True)
    return library
