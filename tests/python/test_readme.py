"""The examples of the README and the guide run as pasted, and what they name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import unitvec

README = Path(__file__).resolve().parents[2] / "README.md"
PAGES = [README, *sorted((README.parent / "docs").glob("*.md"))]


def python_blocks(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


#: test_image_encoder.py runs photos.md, on a random CLIP in place of the real one.
GUIDE = [page for page in PAGES[1:] if python_blocks(page) and page.stem != "photos"]


def test_there_is_an_example_of_about_ten_lines():
    (block,) = python_blocks(README)
    assert len([line for line in block.splitlines() if line.strip()]) <= 16


def test_the_examples_run_as_pasted(model_directory, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for block in python_blocks(README):
        exec(compile(block, str(README), "exec"), {"__name__": "__main__"})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "(2, 384)"
    assert re.fullmatch(r"finance 0\.\d+ Markets lost three per cent\.", lines[1])


@pytest.mark.parametrize("page", GUIDE, ids=[page.stem for page in GUIDE])
def test_a_page_of_the_guide_runs_from_top_to_bottom(page, model_directory, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    for block in python_blocks(page):
        exec(compile(block, str(page), "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_every_public_name_on_a_page_exists(page):
    for name in set(re.findall(r"\buv\.(\w+)", page.read_text("utf-8"))):
        assert getattr(unitvec, name) is not None
