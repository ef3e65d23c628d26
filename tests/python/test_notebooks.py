"""Every notebook runs from top to bottom, offline, and shows what its text says."""

from __future__ import annotations

from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


def outputs(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What every code cell shows, after all were run in a fresh kernel."""
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    client = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    client.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    return [
        "".join(
            output.get("text") or output.get("data", {}).get("text/plain", "")
            for output in cell.outputs
        )
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


@pytest.mark.slow
def test_the_job_matcher(
    model_directory: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("simplemma", reason="the extra `preprocessing` is not installed")
    shown = outputs("07-job-matcher.ipynb", monkeypatch, tmp_path)
    (answers,) = [text for text in shown if "Match:" in text]
    assert answers.startswith("Python Developer (Match: 6")
    assert answers.count("(Match: ") == 10
    (words,) = [text for text in shown if "'programming'" in text]
    assert "by word:    []" in words.splitlines()[1]
    assert "Python Developer" in words.splitlines()[2]
    (table,) = [text for text in shown if "first right" in text]
    rows = {line[:34].strip(): int(line[34:].split()[0]) for line in table.splitlines()[1:]}
    assert rows["by meaning, plain text"] > rows["by meaning, cleaned"]
    assert rows["by meaning, plain text"] >= 90 > 50 > rows["by word, plain text"]
    assert "work data analysis python programming" in shown[-3]


def test_every_notebook_has_a_test() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    for notebook in NOTEBOOKS.glob("*.ipynb"):
        assert f'"{notebook.name}"' in source
