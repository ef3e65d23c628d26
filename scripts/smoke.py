"""Asks an installed unitvec something, and looks at what it loaded; wheel.sh runs it.

Needs the extra `minilm`. Every check ends the program with a sentence when it fails.
"""

import pathlib
import re
import subprocess
import sys

import numpy as np

import unitvec
from unitvec import _core

#: What the extension may ask of the loader: libtorch's own, and what every Linux system has.
ALLOWED = re.compile(
    r"lib(torch_cpu|c10|torch)\.so|lib(gomp|stdc\+\+|gcc_s|c|m|dl|pthread|rt)\.so\.\d+|ld-linux.*"
)


def check(holds: bool, sentence: str) -> None:
    """Ends the program with the sentence unless the condition holds."""
    if not holds:
        sys.exit(f"smoke test failed: {sentence}")


def needed(library: str) -> list[str]:
    """The libraries that a library names as needed."""
    command = ["readelf", "--dynamic", library]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return re.findall(r"NEEDED.*\[(.*)\]", output)


def loaded() -> set[str]:
    """The shared libraries in this process."""
    maps = pathlib.Path("/proc/self/maps").read_text(encoding="utf-8")
    return {line.split(maxsplit=5)[5] for line in maps.splitlines() if ".so" in line}


strangers = [name for name in needed(_core.__file__) if not ALLOWED.fullmatch(name)]
check(not strangers, f"the extension needs {', '.join(strangers)}")

encoder = unitvec.Encoder("all-MiniLM-L6-v2")
texts = ["A cat sits on the sofa.", "A kitten is resting on the couch.", "Stocks fell on Monday."]
vectors = encoder.encode(texts)
cosine = unitvec.cosine(vectors, vectors)
check(vectors.shape == (3, 384), f"expected vectors of shape (3, 384), got {vectors.shape}")
check(cosine[0, 1] > 0.5 > 0.3 > cosine[0, 2], f"expected cats near cats, got {cosine}")

index = unitvec.Index(384, kind="flat", metric="cosine")
index.add(vectors)
scores, ids = index.search(encoder.encode(["an animal on a seat"]), k=3)
check(ids[0, 2] == 2, f"expected the stocks last, got {ids}")
check(bool(np.all(np.diff(scores[0]) <= 0)), f"expected scores to fall, got {scores}")

check("torch" not in sys.modules, "Python's torch was imported")
openmp = [path for path in loaded() if re.search(r"lib(gomp|iomp5|omp)[-.]", path)]
check(len(openmp) == 1, f"expected one OpenMP run-time library, got {openmp}")

print(f"unitvec {unitvec.__version__}: cosine {cosine[0, 1]:.3f} and {cosine[0, 2]:.3f};", end=" ")
print("needs", ", ".join(needed(_core.__file__)))
