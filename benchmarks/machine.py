"""What a result depends on beside the systems: processor, memory, kernel, and the commit."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

#: The instruction sets that kernels for text encoders are written for.
FLAGS = ("avx2", "fma", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16")


def machine() -> dict[str, Any]:
    """Processor with its instruction sets, usable cores, memory, kernel, Python, load."""
    info = _fields(Path("/proc/cpuinfo"))
    memory = _fields(Path("/proc/meminfo")).get("MemTotal", "0 kB")
    flags = info.get("flags", "").split()
    return {
        "processor": info.get("model name", platform.processor() or platform.machine()),
        "instruction_sets": [flag for flag in FLAGS if flag in flags],
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(int(memory.split()[0]) / 2**20),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],  # processes that wanted a core in the last minute
    }


def commit() -> dict[str, Any]:
    """The commit measured, and whether the sources differed from it."""
    head = _git("rev-parse", "--short=12", "HEAD")
    changed = bool(_git("status", "--porcelain", "--", "cpp", "python", "benchmarks/*.py"))
    return {"commit": head, "changed_since": changed}


def today() -> str:
    """Today's date in UTC, as YYYY-MM-DD."""
    return datetime.datetime.now(datetime.timezone.utc).date().isoformat()


def _fields(path: Path) -> dict[str, str]:
    """The first value of each `name : value` line; nothing where the file is absent."""
    fields: dict[str, str] = {}
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            fields.setdefault(name.strip(), value.strip())
    return fields


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
