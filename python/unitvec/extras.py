"""Packages that only some uses need: loaded when used, and named with their extra when absent."""

from __future__ import annotations

import importlib
from typing import Any


def load_extra(module: str, extra: str, function: str) -> Any:
    """The module of an optional package.

    Args:
        module: its name, for example "pyarrow.parquet".
        extra: what brings it, as in `pip install 'unitvec[extra]'`.
        function: what needs it, for the message.

    Raises:
        ImportError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise ImportError(
            f"[{function}] needs {package}: pip install 'unitvec[{extra}]'", name=package
        ) from error
