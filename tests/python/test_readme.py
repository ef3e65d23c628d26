"""The README's examples run as pasted, and what it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import unitvec

README = Path(__file__).resolve().parents[2] / "README.md"


def python_blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.M | re.S)


def test_there_is_an_example_of_about_ten_lines():
    (block,) = python_blocks()
    assert len([line for line in block.splitlines() if line.strip()]) <= 16


def test_the_examples_run_as_pasted(model_directory, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for block in python_blocks():
        exec(compile(block, str(README), "exec"), {"__name__": "__main__"})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "(2, 384)"
    assert re.fullmatch(r"finance 0\.\d+ Markets lost three per cent\.", lines[1])


@pytest.mark.parametrize("name", sorted(set(re.findall(r"\buv\.(\w+)", README.read_text("utf-8")))))
def test_every_public_name_in_the_readme_exists(name):
    assert getattr(unitvec, name) is not None
