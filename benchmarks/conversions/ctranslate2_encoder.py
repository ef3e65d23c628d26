"""CTranslate2's format, in fp32; it quantises by itself as it loads."""

from __future__ import annotations

from pathlib import Path

from ctranslate2.converters import TransformersConverter


def convert(model: Path, source: None, target: Path) -> None:
    TransformersConverter(str(model)).convert(str(target), force=True)
