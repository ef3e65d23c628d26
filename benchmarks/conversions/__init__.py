"""A model in the formats that peers read, made once and kept in build/bench-models.

One module per format, with one function, run in an environment of its own:

convert(model, source, target)    from a model directory, and the folder of the conversion that this
                                  one starts from if there is one, into an empty folder
"""

from __future__ import annotations

import functools
import hashlib
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.environment import Environment, UnavailableError, interpreter

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "build" / "bench-models"


@dataclass(frozen=True)
class Conversion:
    """A format, and what it is made from."""

    module: str  # benchmarks.conversions.<module>
    environment: Environment
    source: str | None = None  # the name of the conversion it starts from


ONNX = Environment(
    "conversions-onnx",
    ("onnx", "onnxruntime", "torch", "transformers"),
    ("onnx==1.23.2", "onnxruntime==1.31.1", "torch==2.13.0", "transformers==5.23.0"),
)
CTRANSLATE2 = Environment(
    "conversions-ctranslate2",
    ("ctranslate2", "torch", "transformers"),
    ("ctranslate2==4.8.5", "torch==2.13.0", "transformers==5.23.0"),
)
NNCF = Environment(
    "conversions-nncf",
    ("nncf", "openvino", "tokenizers"),
    ("nncf==3.4.0", "openvino==2026.4.1", "tokenizers==0.23.3"),
)

CONVERSIONS = {
    "onnx": Conversion("onnx_export", ONNX),
    "onnx-optimized": Conversion("onnx_optimized", ONNX, "onnx"),
    "onnx-int8": Conversion("onnx_int8", ONNX, "onnx-optimized"),
    "openvino-int8": Conversion("openvino_int8", NNCF, "onnx"),
    "ctranslate2": Conversion("ctranslate2_encoder", CTRANSLATE2),
}

#: What could not be made, with the reason, so that each peer need not try for itself.
_failed: dict[Path, str] = {}


def converted(name: str, model: Path, folder: Path = MODELS) -> Path:
    """The folder with a model in a format; the first time this converts it, which takes minutes.

    Raises:
        UnavailableError: if the environment cannot be made, or the model not be converted.
    """
    conversion = CONVERSIONS[name]
    target = folder / f"{name}-{_key(conversion, model)}"
    if target in _failed:
        raise UnavailableError(_failed[target])
    if target.is_dir():
        return target
    source = converted(conversion.source, model, folder) if conversion.source else None
    print(f"converting {model.name} to {name}", file=sys.stderr, flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as unfinished:
        made = Path(unfinished) / "made"
        made.mkdir()
        try:
            _convert(conversion, model, source, made)
        except UnavailableError as error:
            _failed[target] = str(error)
            raise
        os.replace(made, target)
    return target


def _convert(conversion: Conversion, model: Path, source: Path | None, target: Path) -> None:
    python = interpreter(conversion.environment)
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    arguments = [conversion.module, str(model), str(source or ""), str(target)]
    done = subprocess.run(
        [str(python), "-m", "benchmarks.conversions", *arguments],
        capture_output=True,
        text=True,
        env=variables,
        check=False,
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise UnavailableError(
            f"[benchmarks] {conversion.module} cannot convert {model.name}: {lines[-1]}"
        )


def _key(conversion: Conversion, model: Path) -> str:
    """Changes with the model, the packages that convert, and how they are called."""
    digest = hashlib.sha256(model_digest(model).encode())
    step: Conversion | None = conversion
    while step is not None:
        digest.update("\n".join(step.environment.requirements).encode())
        digest.update((Path(__file__).parent / f"{step.module}.py").read_bytes())
        step = CONVERSIONS[step.source] if step.source else None
    return digest.hexdigest()[:16]


@functools.cache
def model_digest(model: Path) -> str:
    """SHA-256 over the names and contents of the files at the top of a model directory."""
    digest = hashlib.sha256()
    for path in sorted(path for path in model.iterdir() if path.is_file()):
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
