"""Upserts rows for `collection_syncs`, and marks where each call begins and ends.

python -m benchmarks.collection_sync_worker MODULE REQUEST     REQUEST: JSON, see `main`
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from benchmarks.collection_worker import CollectionWorker

#: No such files: asking for them is a system call that a tracer sees.
BEGIN, END = "/collection-benchmark/begin", "/collection-benchmark/end"


def main(module: str, store: dict[str, Any], documents: dict[str, Any]) -> None:
    """Upserts `documents`, a `read` request, a row a call into the store of an `open` request."""
    worker = CollectionWorker(module)
    worker.open(**store)
    for row in range(documents["begin"], documents["end"]):
        worker.read(**documents | {"begin": row, "end": row + 1})
        os.access(BEGIN, os.F_OK)
        worker.replace()
        os.access(END, os.F_OK)
    worker.close()


if __name__ == "__main__":
    main(sys.argv[1], **json.loads(sys.argv[2]))
