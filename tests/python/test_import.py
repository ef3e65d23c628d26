"""`import unitvec` is quick and brings nothing; names come when they are used."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import unitvec


def modules_after(statement: str) -> set[str]:
    """The modules loaded by a statement in a new process."""
    code = f"{statement}\nimport json, sys; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_import_loads_no_library() -> None:
    loaded = modules_after("import unitvec")
    assert not loaded & {"numpy", "torch", "sklearn", "apsw", "tqdm", "unitvec._core"}


def test_the_core_does_not_import_torch() -> None:
    loaded = modules_after("import unitvec; unitvec.FormatError; unitvec.Collection")
    assert "unitvec._core" in loaded
    assert not loaded & {"torch", "sklearn", "pandas", "huggingface_hub"}


@pytest.mark.parametrize("name", [n for n in unitvec.__all__ if n != "__version__"])
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(unitvec, name) is getattr(unitvec, name)
    assert name in dir(unitvec)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        unitvec.nothing  # noqa: B018
