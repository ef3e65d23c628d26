"""python/unitvec/_core.pyi says what the built extension module holds."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "stubs.py"


@pytest.fixture(scope="module")
def stubs():
    spec = importlib.util.spec_from_file_location("stubs", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_stubs_are_those_of_the_built_module(stubs):
    pytest.importorskip("pybind11_stubgen", reason="pybind11-stubgen generates the stubs")
    committed = stubs.STUBS.read_text(encoding="utf-8")
    if stubs.versions() not in committed.splitlines()[0]:
        pytest.skip(f"written by other versions than {stubs.versions()}, which word them otherwise")
    shown = stubs.difference(committed, stubs.generate())
    assert not shown, f"run `make stubs`:\n{shown}"


def test_a_difference_names_the_lines(stubs):
    assert stubs.difference("def f(): ...\n", "def f(): ...\n") == ""
    assert "+def g(): ...\n" in stubs.difference("def f(): ...\n", "def g(): ...\n")
