"""What one run of the benchmarks is asked for; every question receives it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import unitvec.hub


@dataclass(frozen=True)
class Settings:
    """How much is measured, and with what."""

    model: str = "all-MiniLM-L6-v2"
    threads: int = 2
    repeats: int = 5
    scale: float = 1.0  # share of the texts that is used
    latency_calls: int = 100  # per repeat
    peers: tuple[str, ...] = ()  # () means all

    def quick(self) -> Settings:
        """The same at a size that shows only that everything works."""
        return Settings(self.model, self.threads, 2, 0.01, 5, self.peers)

    def model_directory(self) -> Path:
        return unitvec.hub.resolve(self.model, local_files_only=True)

    def say(self, what: str, values: dict[str, float], unit: str) -> None:
        """One line of progress."""
        figures = ", ".join(f"{name} {value:.4g}" for name, value in values.items())
        print(f"{what}: {figures} ({unit})", file=sys.stderr, flush=True)
