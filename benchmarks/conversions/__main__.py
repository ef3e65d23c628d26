"""One conversion, in its own process: python -m benchmarks.conversions MODULE MODEL SOURCE TARGET.

SOURCE is empty where a conversion starts from the model directory itself.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

name, model, source, target = sys.argv[1:]
module = importlib.import_module(f"benchmarks.conversions.{name}")
module.convert(Path(model), Path(source) if source else None, Path(target))
