"""What is installed: the metadata, the extension's search path, and the build's own scripts."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import unitvec
from unitvec import _core

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def requirements():
    """The script that reads pyproject.toml for `make`."""
    path = ROOT / "scripts" / "requirements.py"
    spec = importlib.util.spec_from_file_location("requirements", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*command):
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_extension_finds_libtorch_beside_itself():
    """It may depend on where torch lies in the same environment, and on nothing else."""
    section = run("readelf", "--dynamic", _core.__file__)
    assert re.findall(r"\((?:RUNPATH|RPATH)\).*\[(.*)\]", section) == ["$ORIGIN/../torch/lib"]
    assert {"libtorch_cpu.so", "libc10.so"} <= set(re.findall(r"NEEDED.*\[(.*)\]", section))


def test_the_extension_exports_its_entry_point_and_no_class_of_ours():
    lines = run("nm", "--dynamic", "--defined-only", "--demangle", _core.__file__).splitlines()
    names = [line.split(maxsplit=2)[2] for line in lines]
    assert "PyInit__core" in names
    assert not [name for name in names if name.startswith("unitvec::")]


def test_the_version_is_the_one_of_the_metadata():
    assert unitvec.__version__ == importlib.metadata.version("unitvec")


def test_torch_is_required_at_exactly_the_release_that_is_linked():
    required = importlib.metadata.requires("unitvec")
    assert f"torch=={importlib.metadata.version('torch').partition('+')[0]}" in required


def test_an_extra_that_names_another_brings_its_packages(requirements):
    extras = {"a": ["x", "unitvec[b]"], "b": ["y", "z[q]>=1"]}
    assert requirements.expand("a", extras) == ["x", "y", "z[q]>=1"]


def test_the_demo_needs_no_test_package_and_no_second_torch(requirements):
    demo, test = requirements.requirements("demo"), requirements.requirements("test")
    assert set(demo) < set(test)
    assert [line for line in test if line.startswith("torch")] == ["torch==2.13.0"]
    assert not [line for line in demo if line.startswith(("pytest", "sentence", "transformers"))]
    assert len(set(test)) == len(test)


def test_a_package_that_cannot_be_fetched_is_named_for_every_system(tmp_path):
    if shutil.which("cmake") is None:
        pytest.skip("cmake is not installed")
    script = tmp_path / "fetch.cmake"
    script.write_text(
        f'include("{ROOT.as_posix()}/cmake/Fetch.cmake")\n'
        "unitvec_fetch(faiss https://example.invalid/faiss.git v1 "
        "INSTALL libfaiss-dev faiss-devel faiss faiss-cpu)\n"
    )
    # `false` stands for a git that reaches nothing
    command = ["cmake", f"-DUNITVEC_GIT={shutil.which('false')}", "-P", str(script)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0
    message = " ".join(done.stderr.split())
    for install in (
        "apt-get install libfaiss-dev",
        "dnf install faiss-devel",
        "brew install faiss",
        "conda install -c conda-forge faiss-cpu",
    ):
        assert install in message
