"""unitvec: text to unit vectors, and answers from them.

Names are loaded on first use, so that `import unitvec` stays quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unitvec import hub as hub
    from unitvec._core import FormatError as FormatError

# Where each public name lives: name -> module. Sub-modules map to themselves.
_HOME: dict[str, str] = {
    "FormatError": "unitvec._core",
    "hub": "unitvec.hub",
}

__all__ = ["FormatError", "__version__", "hub"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("unitvec")
    elif name in _HOME:
        module = importlib.import_module(_HOME[name])
        value = module if module.__name__ == f"unitvec.{name}" else getattr(module, name)
    else:
        raise AttributeError(f"module 'unitvec' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(__all__) | set(globals()))
