"""What every kind of model says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unitvec import _core


def model_facts(name: str, directory: Path, core: Any) -> dict[str, Any]:
    """Which model it is, its architecture and, of a transformer, its sizes.

    Args:
        name: as it was asked for.
        directory: where it was found.
        core: what gives tokens or texts their vectors.
    """
    facts: dict[str, Any] = {"model": name, "path": str(directory)}
    if not isinstance(core, _core.TransformerEncoder):
        return facts | {"architecture": "torchscript"}
    return facts | {
        "architecture": core.model_type,
        "layers": core.layers,
        "heads": core.heads,
        "parameters": core.parameters,
    }
