"""What a model's weights may be kept in, and how this processor computes with it."""

from __future__ import annotations

from typing import Any

from unitvec import _core

DTYPES = ("float32", "bfloat16", "int8", "auto")


def core_dtype(dtype: str) -> str:
    """What the core calls it, with "auto" resolved by `auto_dtype`.

    Raises:
        ValueError: it is not one of `DTYPES`.
    """
    if dtype not in DTYPES:
        raise ValueError(f"[dtype] expected dtype to be one of {DTYPES}, got {dtype!r}")
    return auto_dtype() if dtype == "auto" else dtype


def auto_dtype() -> str:
    """The fastest dtype whose stated bound holds on this processor, never a slow emulation.

    "bfloat16" where the processor multiplies such numbers: the pooled cosine to float32's vectors
    is at least 0.9998. Else "float32". Never "int8", whose bound is 0.99: it is asked for by name.
    """
    return "bfloat16" if _core.products()["bfloat16"] == "native" else "float32"


def processor_facts() -> dict[str, Any]:
    """The instruction set in use, how it makes products of each dtype, and what "auto" means."""
    return {
        "instruction_set": _core.active_isa(),
        "products": _core.products(),
        "auto_dtype": auto_dtype(),
    }
