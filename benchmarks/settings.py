"""What one run of the benchmarks is asked for; every question receives it."""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import unitvec.hub

DEFAULT_MODEL = "all-MiniLM-L6-v2"

#: On a real disk, as a store is in use: a folder in memory would make every sync free.
STORES = Path(__file__).resolve().parent.parent / "build" / "bench-stores"


@dataclass(frozen=True)
class Settings:
    """How much is measured, and with what."""

    model: str = DEFAULT_MODEL  # a name, or a directory
    threads: int = 2
    repeats: int = 5
    scale: float = 1.0  # share of the texts that is used
    latency_calls: int = 100  # per repeat
    peers: tuple[str, ...] = ()  # () means all
    workloads: tuple[str, ...] = ()  # () means all
    runs: int = 1  # whole runs of `encode`, with fresh processes each
    stores: Path = STORES  # the folder in which `collection` makes its stores

    def quick(self) -> Settings:
        """The same at a size that shows only that everything works."""
        return dataclasses.replace(self, repeats=2, scale=min(self.scale, 0.01), latency_calls=5)

    @property
    def model_name(self) -> str:
        """The model without its organisation or folder."""
        return Path(self.model).name

    def record_name(self, question: str) -> str:
        """Of the file and the markers in documents: another model than the usual one is named."""
        usual = self.model_name == DEFAULT_MODEL
        return question if usual else f"{question}-{self.model_name}"

    def as_record(self) -> dict[str, Any]:
        """For a result: what the model is called, not where things lie on this machine."""
        record = dataclasses.asdict(self) | {"model": self.model_name}
        del record["stores"]
        return record

    def model_directory(self) -> Path:
        return unitvec.hub.resolve(self.model, local_files_only=True)

    def say(self, what: str, values: dict[str, float], unit: str) -> None:
        """One line of progress."""
        figures = ", ".join(f"{name} {value:.4g}" for name, value in values.items())
        print(f"{what}: {figures} ({unit})", file=sys.stderr, flush=True)
