"""The stores that are measured: documents with text, fields and vectors, in a folder on disk.

One module per library, which imports it at the top, with two functions:

load(path, dim, **options) -> store   opens the store at a path, or makes one there
    add(documents)                    acknowledged and found by searches when it returns
    finish()                          returns when the index is built and all is written
    search(vector, k, where) -> hits  (id, text, fields) each, best first, by cosine; where: a
                                      `collection_documents.Filter`, or None
    upsert(documents), delete(ids), count(), close()
versions() -> {"package": "1.2.3"}

Each is used as its documentation advises, in batches of the size that it takes, with its defaults
where a row's name does not say more. Ids are numbers as text; a library that wants numbers gets
them. Usage statistics that a library would send are switched off.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from benchmarks.environment import Environment


@dataclass(frozen=True)
class StoreSystem:
    """A store in one setting, as a row of a table."""

    name: str  # in tables and results
    module: str  # benchmarks.collection_peers.<module>
    environment: Environment
    statement: str  # what imports all that the module needs
    options: dict[str, Any] = field(default_factory=dict)  # further arguments of load
    most: int | None = None  # documents that it is meant for; None: any number


UNITVEC = Environment("unitvec", ("unitvec", "apsw"))
CHROMA = Environment("chroma", ("chromadb",), ("chromadb==1.5.9",))
TXTAI = Environment("txtai", ("txtai",), ("torch==2.13.0", "txtai==9.14.0"))
LANCEDB = Environment("lancedb", ("lancedb",), ("lancedb==0.40.0", "pyarrow==26.0.1"))
MILVUS = Environment(
    "milvus", ("milvus_lite", "pymilvus"), ("milvus-lite==3.2.2", "pymilvus==3.0.2")
)
QDRANT = Environment("qdrant", ("qdrant_client",), ("qdrant-client==1.20.0",))
SQLITE_VEC = Environment(
    "sqlite-vec", ("sqlite_vec", "apsw"), ("sqlite-vec==0.1.9", "apsw==3.54.1.0", "numpy")
)

#: unitvec's core is loaded when it is first needed; here it is part of the import.
SYSTEMS = {
    system.name: system
    for system in (
        StoreSystem("Chroma", "chroma", CHROMA, "import chromadb"),
        StoreSystem("txtai", "txtai", TXTAI, "import txtai"),
        StoreSystem("LanceDB", "lancedb", LANCEDB, "import lancedb"),
        StoreSystem("LanceDB tuned", "lancedb", LANCEDB, "import lancedb", {"is_tuned": True}),
        StoreSystem("Milvus Lite", "milvus", MILVUS, "import pymilvus, milvus_lite"),
        StoreSystem("Qdrant local", "qdrant", QDRANT, "import qdrant_client", most=20_000),
        StoreSystem("sqlite-vec", "sqlite_vec", SQLITE_VEC, "import apsw, sqlite_vec"),
        StoreSystem(
            "unitvec collection",
            "unitvec",
            UNITVEC,
            "import unitvec, unitvec._core; unitvec.Collection",
        ),
    )
}
