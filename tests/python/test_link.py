"""What the extension module is linked to: torch's libraries and the system's, and nothing else."""

from __future__ import annotations

import ctypes
import itertools
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from unitvec import _core

TORCH = "torch/lib/"


class _Symbol(ctypes.Structure):
    """Dl_info of dladdr(3): the file and the symbol that an address belongs to."""

    _fields_ = (
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )


def provider(symbol: str) -> str:
    """The library in which the dynamic loader finds a symbol for the extension."""
    function = getattr(ctypes.CDLL(_core.__file__), symbol)
    found = _Symbol()
    address = ctypes.cast(function, ctypes.c_void_p)
    assert ctypes.CDLL(None).dladdr(address, ctypes.byref(found))
    return str(found.file, "utf-8")


def in_new_process(code: str) -> str:
    """What a fresh Python prints."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def dynamic_section() -> str:
    if shutil.which("readelf") is None:
        pytest.skip("readelf (binutils) is not installed")
    command = ["readelf", "--dynamic", _core.__file__]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("symbol", ["sgemm_", "dgemm_", "sgeqrf_"])
def test_torch_serves_the_matrix_products_of_faiss(symbol):
    assert TORCH in provider(symbol)


def test_the_extension_finds_libtorch_beside_itself():
    section = dynamic_section()
    needed = re.findall(r"NEEDED.*\[(.*)\]", section)
    assert {"libtorch_cpu.so", "libc10.so"} <= set(needed)
    assert not [name for name in needed if re.search("faiss|python|openblas|mkl|iomp", name)]
    assert re.findall(r"(?:RUNPATH|RPATH).*\[(.*)\]", section) == ["$ORIGIN/../torch/lib"]


def test_the_extension_shows_only_its_entry_point():
    if shutil.which("nm") is None:
        pytest.skip("nm (binutils) is not installed")
    command = ["nm", "--dynamic", "--defined-only", "--demangle", _core.__file__]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    names = [line.split(maxsplit=2)[2] for line in lines]
    assert "PyInit__core" in names
    assert not [name for name in names if "faiss::" in name or name.startswith("unitvec::")]


def test_importing_the_core_does_not_import_torch():
    modules = in_new_process("import sys, unitvec._core; print(sorted(sys.modules))")
    assert "'unitvec._core'" in modules
    assert "'torch'" not in modules


SEARCH = """
import unitvec, numpy as np
x = np.eye(64, dtype=np.float32)
index = unitvec.Index(64, kind="flat", metric="dot")
index.add(x)
assert (index.search(x, k=1)[1][:, 0] == np.arange(64)).all()
"""
OPENMP = """
import os
lines = [line.rstrip().split(maxsplit=5) for line in open("/proc/self/maps")]
files = {os.path.realpath(line[5]) for line in lines if len(line) == 6}
print("\\n".join(sorted(f for f in files if "libgomp" in f or "libiomp" in f)))
"""


@pytest.mark.parametrize("order", list(itertools.permutations(["unitvec", "torch"])))
def test_there_is_one_openmp_library_whatever_is_imported_first(order):
    code = "".join(
        {"unitvec": SEARCH, "torch": "import torch; torch.ones(9).sum()\n"}[n] for n in order
    )
    files = in_new_process(code + OPENMP).splitlines()
    assert len(files) == 1
    assert TORCH in Path(files[0]).as_posix()


@pytest.mark.slow
@pytest.mark.parametrize("other", ["faiss", "torch"])
@pytest.mark.parametrize("first", [True, False])
def test_another_runtime_before_or_after_changes_no_answer(other, first):
    if subprocess.run([sys.executable, "-c", f"import {other}"], check=False).returncode != 0:
        pytest.skip(f"{other} is not installed")
    use = {
        "torch": "import torch; assert torch.eye(3).mm(torch.ones(3, 3)).sum() == 9\n",
        "faiss": (
            "import faiss, numpy as np; i = faiss.IndexFlatIP(8); y = np.eye(8, dtype=np.float32)\n"
            "i.add(y); assert (i.search(y, 1)[1][:, 0] == np.arange(8)).all()\n"
        ),
    }[other]
    code = use + SEARCH + use if first else SEARCH + use + SEARCH
    assert in_new_process(code + "print('done')") == "done"
