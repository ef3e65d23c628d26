"""What passes between layouts and file formats: rows, where they stood, what the file says."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, Protocol

from unitvec.collection.vector_rows import Space

JSONL_SUFFIXES = (".jsonl", ".ndjson")
COMPRESSED_SUFFIXES = (".gz", ".zst")
PARQUET_SUFFIXES = (".parquet", ".pq")


class PlacedRow(NamedTuple):
    """A row as read.

    Attributes:
        file: where from.
        place: such as "line 3" (from 1, as editors count) or "row 2" (from 0, as data frames do).
        size: characters, roughly; for batches of bounded size.
        values: column -> value; vectors as arrays or lists.
    """

    file: Path
    place: str
    size: int
    values: dict[str, Any]


class Facts(NamedTuple):
    """What an export of our own says about the collection; None where a file says nothing.

    Attributes:
        dim, metric, model, fingerprint: of its own vectors.
        vectors: the same of its named ones.
    """

    dim: int | None = None
    metric: str | None = None
    model: str | None = None
    fingerprint: str | None = None
    vectors: dict[str, Facts] | None = None

    @classmethod
    def of(cls, space: Space) -> Facts:
        """Of one kind of vectors."""
        return cls(space.dim, space.metric, space.model, space.fingerprint)

    def dims(self) -> dict[str, int]:
        """The lengths of vectors by name, "" for the own ones, as far as they are known."""
        kinds = {"": self, **(self.vectors or {})}
        return {name: kind.dim for name, kind in kinds.items() if kind.dim is not None}

    def to_json(self) -> dict[str, Any]:
        """What is not about named vectors only where there are such."""
        facts = {name: value for name, value in self._asdict().items() if name != "vectors"}
        if self.vectors is not None:
            facts["vectors"] = {name: kind.to_json() for name, kind in self.vectors.items()}
        return facts

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Facts:
        """The opposite; raises TypeError or AttributeError for anything else."""
        vectors = facts.pop("vectors", None)
        if vectors is not None:
            vectors = {name: cls.from_json(kind) for name, kind in vectors.items()}
        return cls(**facts, vectors=vectors)


class RowWriter(Protocol):
    """A file that rows are written to."""

    def write(self, row: dict[str, Any]) -> None:
        """Adds a row; some may wait in memory."""

    def finish(self) -> None:
        """Writes what waits and the file's end."""

    def abandon(self) -> None:
        """Lets go of the file, whatever is in it."""


def format_by_name(path: Path) -> str | None:
    """The format that the end of a file's name says, if any."""
    suffix = path.suffix.lower()
    if suffix in PARQUET_SUFFIXES:
        return "parquet"
    if suffix in COMPRESSED_SUFFIXES:
        suffix = Path(path.stem).suffix.lower()
    return "jsonl" if suffix in JSONL_SUFFIXES else None


def format_of(path: Path, given: str | None, known: tuple[str, ...], function: str) -> str:
    """The format: as given, else as the file's name ends.

    Raises:
        ValueError: the layout has no such format, or nothing says which it is.
    """
    chosen = given or format_by_name(path)
    if chosen is None:
        raise ValueError(
            f"[{function}] expected a path that ends in .parquet, .jsonl, .jsonl.gz or .jsonl.zst, "
            f"or format=, got {path.name!r}"
        )
    if chosen not in known:
        raise ValueError(f"[{function}] expected a format of {known}, got {chosen!r}")
    return chosen
