"""Every odd input has one rule, in docs/inputs.md, and every rule a test: test_inputs_*.py."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

_HERE = Path(__file__).parent


def _rows_of(file: Path) -> Iterator[str]:
    """What the tests of a file say by @row("...")."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name):
                    assert mark.func.id == "row", mark.func.id
                    yield ast.literal_eval(mark.args[0])


def test_every_row_of_the_documentation_has_its_test() -> None:
    page = _HERE.parents[1] / "docs" / "inputs.md"
    cells = re.findall(r"^\| (.*?) \|", page.read_text(encoding="utf-8"), re.M)
    documented = {cell for cell in cells if cell not in ("input", "---")}
    tested = {name for file in _HERE.glob("test_inputs_*.py") for name in _rows_of(file)}
    assert tested == documented
