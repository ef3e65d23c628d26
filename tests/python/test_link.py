"""How the extension is linked: whose sgemm_, how many OpenMP runtimes, and in what company."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from unitvec import _core

if sys.platform != "linux":
    pytest.skip("reads /proc and the Linux loader's messages", allow_module_level=True)

# Prints which files of each library are mapped, and which modules are imported.
REPORT = """
import json, sys
mapped = {line.split(None, 5)[5].strip() for line in open("/proc/self/maps") if "/" in line}
def files(name):
    return sorted(f for f in mapped if f.rsplit("/", 1)[-1].startswith(name))
print(json.dumps({
    "openmp": files("libgomp") + files("libiomp") + files("libomp"),
    "faiss": files("libfaiss"),
    "modules": sorted(m for m in sys.modules if m in ("torch", "faiss", "onnxruntime")),
}))
"""
WORK = """
import numpy as np
from unitvec.index import Index
x = np.random.default_rng(0).standard_normal((2000, 32)).astype(np.float32)
index = Index(32)
index.add(x)
assert (index.search(x[:100], 1).ids[:, 0] == np.arange(100)).mean() > 0.95
assert (index.search(x[:100], 1, exact=True).ids[:, 0] == np.arange(100)).all()
"""


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )


def report(code):
    return json.loads(run(code + REPORT).stdout.splitlines()[-1])


def has(module):
    return importlib.util.find_spec(module) is not None


def test_sgemm_is_served_by_libtorch():
    """The loader itself says to which library it bound the extension's sgemm_."""
    log = run(WORK, LD_DEBUG="bindings", LD_BIND_NOW="1").stderr
    extension = Path(_core.__file__).name
    bound = [line for line in log.splitlines() if "symbol `sgemm_'" in line and extension in line]
    assert bound, "the extension does not import sgemm_"
    for line in bound:
        served_by = line.split(" to ", 1)[1]
        assert "libtorch_cpu.so" in served_by, line


def test_the_core_loads_without_pythons_torch_and_with_one_openmp_runtime():
    found = report("import unitvec._core" + WORK)
    assert found["modules"] == []
    assert len(found["openmp"]) == 1, found["openmp"]
    assert "/torch/lib/" in found["openmp"][0]
    assert found["faiss"] == []  # ours is inside the extension


@pytest.mark.parametrize("other", ["torch", "faiss", "onnxruntime"])
@pytest.mark.parametrize("order", ["before", "after"])
def test_the_core_works_beside_other_libraries(other, order):
    if not has(other):
        pytest.skip(f"{other} is not installed")
    load = f"import {other}\n"
    code = load + WORK if order == "before" else "import unitvec._core\n" + load + WORK
    assert other in report(code)["modules"]


def test_the_other_faiss_in_the_process_keeps_its_own_functions():
    if not has("faiss"):
        pytest.skip("faiss is not installed")
    theirs = """
import faiss
index = faiss.IndexHNSWFlat(32, 16)
index.add(x)
assert (index.search(x[:100], 1)[1][:, 0] == np.arange(100)).mean() > 0.95
"""
    run(WORK + theirs + WORK)
    run("import faiss" + WORK + theirs)


def test_faiss_symbols_are_private():
    """Nothing of FAISS is exported, so that no other library can be bound to ours."""
    out = subprocess.run(
        ["nm", "--dynamic", "--defined-only", "--demangle", _core.__file__],
        capture_output=True,
        text=True,
        check=False,
    )
    if out.returncode != 0:
        pytest.skip("nm cannot read the extension")
    exported = [line for line in out.stdout.splitlines() if "faiss::" in line]
    assert exported == []
