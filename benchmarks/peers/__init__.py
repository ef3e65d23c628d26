"""The systems that are measured. One module each, with two functions:

load(model, threads, **options) -> encode      encode(list of n texts) -> (n, dim) float32
versions() -> {"package": "1.2.3"}             what the result depends on
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Peer:
    """A system in one setting, as a row of a table."""

    name: str  # in tables and results
    module: str  # benchmarks.peers.<module>
    options: dict[str, Any] = field(default_factory=dict)  # further arguments of load
    imports: tuple[str, ...] = ()  # what must be importable to run it in this environment
    requirements: tuple[str, ...] = ()  # what pip installs into an environment of its own otherwise


#: The one whose vectors are the reference for quality, and whose speed is 1 in ratios.
BASELINE = "sentence-transformers fp32"

PEERS = {
    peer.name: peer
    for peer in (
        Peer(
            "sentence-transformers fp32",
            "sentence_transformers",
            imports=("sentence_transformers",),
            requirements=("torch==2.13.0", "sentence-transformers==6.2.0"),
        ),
        Peer("unitvec fp32", "unitvec", {"dtype": "float32"}, imports=("unitvec",)),
    )
}
