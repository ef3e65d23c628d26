"""The indexes that are measured. One module per library, with two functions:

load(threads, **options) -> index     build(vectors (n, dim) float32): takes ids 0 to n - 1
                                      set(value): the search parameter, where there is one
                                      search(queries (nq, dim), k) -> ids (nq, k), by dot product
                                      stated_bytes() -> what the library says that it holds, or None
versions() -> {"package": "1.2.3"}

Vectors have length 1, so that the largest dot product is the largest cosine. `load` raises where
the library does not know the kind; the runner then leaves the index out and says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.environment import Environment


@dataclass(frozen=True)
class Tuning:
    """What trades recall for time in a search, and the values that are tried, in that order."""

    name: str
    values: tuple[int, ...]


@dataclass(frozen=True)
class IndexSystem:
    """An index as it is built, as a row of a table."""

    name: str  # in tables and results
    module: str  # benchmarks.index_peers.<module>
    environment: Environment
    family: str  # those of one family are set beside each other
    options: dict[str, Any] = field(default_factory=dict)  # further arguments of load
    tuning: Tuning | None = None  # None: exact


FAISS = Environment("faiss", ("faiss",), ("faiss-cpu==1.15.1",))
HNSWLIB = Environment("hnswlib", ("hnswlib",), ("hnswlib==0.8.0",))
USEARCH = Environment("usearch", ("usearch",), ("usearch==2.26.0",))
UNITVEC = Environment("unitvec", ("unitvec",))

_EF = (*range(12, 64, 4), *range(64, 128, 8), *range(128, 256, 16), *range(256, 513, 32))
EF = Tuning("ef", _EF)
_NPROBE = (1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128)
NPROBE = Tuning("nprobe", (*_NPROBE, 160, 192, 224, 256, 320, 384, 448, 512))

EXACT, GRAPH, LISTS, CODES = "exact", "graph", "inverted lists", "inverted lists of codes"


def _graphs(
    name: str,
    module: str,
    environment: Environment,
    builds: Iterable[tuple[int, int]],
    **options: Any,
) -> list[IndexSystem]:
    """One graph per build: links of a vector (M), and candidates looked at (ef_construction)."""
    return [
        IndexSystem(
            f"{name} {m}/{ef_construction}",
            module,
            environment,
            GRAPH,
            {"m": m, "ef_construction": ef_construction, **options},
            EF,
        )
        for m, ef_construction in builds
    ]


SEVERAL = ((32, 40), (32, 80), (32, 128), (16, 128))

#: In factory strings of FAISS {lists} is 4 times the root of n, of its advice of 4 to 16 times;
#: "np" leaves out the training of polysemous codes, which takes minutes and is not used.
SYSTEMS = {
    system.name: system
    for system in (
        IndexSystem("faiss Flat", "faiss", FAISS, EXACT, {"factory": "Flat"}),
        IndexSystem("unitvec flat", "unitvec", UNITVEC, EXACT, {"kind": "flat"}),
        *_graphs("faiss HNSW", "faiss", FAISS, ((32, 40),)),
        *_graphs("hnswlib", "hnswlib", HNSWLIB, SEVERAL),
        *_graphs("usearch f32", "usearch", USEARCH, SEVERAL[:3], dtype="f32"),
        *_graphs("usearch bf16", "usearch", USEARCH, SEVERAL[:3], dtype="bf16"),
        *_graphs("unitvec hnsw", "unitvec", UNITVEC, ((32, 40),), kind="hnsw"),
        *_graphs(
            "unitvec hnsw float16", "unitvec", UNITVEC, ((32, 40),), kind="hnsw", dtype="float16"
        ),
        *_graphs("unitvec hnsw_sq", "unitvec", UNITVEC, ((32, 40),), kind="hnsw_sq"),
        IndexSystem(
            "faiss IVF-Flat", "faiss", FAISS, LISTS, {"factory": "IVF{lists},Flat"}, NPROBE
        ),
        IndexSystem("unitvec ivf", "unitvec", UNITVEC, LISTS, {"kind": "ivf"}, NPROBE),
        IndexSystem(
            "faiss IVF-PQ refined",
            "faiss",
            FAISS,
            CODES,
            {"factory": "IVF{lists},PQ96np,RFlat", "candidates": 16},
            NPROBE,
        ),
        IndexSystem("unitvec ivfpq", "unitvec", UNITVEC, CODES, {"kind": "ivfpq"}, NPROBE),
    )
}
