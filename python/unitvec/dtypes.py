"""What a model's weights may be kept in."""

from __future__ import annotations

DTYPES = ("float32", "bfloat16", "int8", "auto")


def core_dtype(dtype: str) -> str:
    """What the core calls it; "auto" is "float32" in this version.

    Raises:
        ValueError: it is not one of `DTYPES`.
    """
    if dtype not in DTYPES:
        raise ValueError(f"[dtype] expected dtype to be one of {DTYPES}, got {dtype!r}")
    return "float32" if dtype == "auto" else dtype
