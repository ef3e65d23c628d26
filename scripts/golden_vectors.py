"""Writes python/unitvec/golden_vectors.json with sentence-transformers.

usage: golden_vectors.py MODEL...    a name, or a directory
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from importlib.metadata import version

import unitvec as uv
from unitvec.golden import KNOWN, SENTENCE


def main(models: list[str]) -> None:
    """The golden vectors of the models, in place of those in the file."""
    from sentence_transformers import SentenceTransformer

    entries = []
    for model in models:
        encoder = uv.Encoder(model)
        golden = asdict(encoder.golden_vector())
        theirs = SentenceTransformer(str(encoder.info()["path"])).encode(SENTENCE)
        golden["vector"] = [round(float(x), 7) for x in theirs]
        entries.append({"model": model.rpartition("/")[2], **golden})
    packages = ("sentence-transformers", "transformers", "torch")
    made_with = {name: version(name) for name in packages}
    KNOWN.write_text(json.dumps({"made_with": made_with, "vectors": entries}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
