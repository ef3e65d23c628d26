"""Adds to a collection whose log is folded in after each COMMIT; says what the calls raised.

Run with the recorder preloaded and its settings in the environment; argument: the directory.
"""

from __future__ import annotations

import ctypes
import os
import sys

import numpy as np

from unitvec import Collection
from unitvec.collection import schema

schema.CHECKPOINT_PAGES = 1


def main(path: str) -> None:
    """Makes the collection unwatched, opens it watched, adds twice."""
    root = os.environ.pop("IO_WATCH")
    Collection(path, dim=4, durability="normal").close()
    os.environ["IO_ROOT"] = root
    ctypes.CDLL(None).io_start()
    with Collection(path, durability="normal") as db:
        print(outcome(db, "first"))
        print(outcome(db, "second"))


def outcome(db: Collection, name: str) -> str:
    """What an add raises, or "done"."""
    try:
        db.add(ids=name, embeddings=np.ones(4))
    except OSError as error:
        return str(error)
    return "done"


if __name__ == "__main__":
    main(sys.argv[1])
