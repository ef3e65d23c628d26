"""The systems that are measured. One module each, with two functions:

load(model, threads, **options) -> encode      encode(list of n texts) -> (n, dim) float32
                                               options may name max_seq_length, in place of the
                                               model's own limit of tokens (fastembed has none)
versions() -> {"package": "1.2.3"}             what the result depends on

`load` raises where the model or the processor is not one that the system handles; the runner then
leaves the system out and says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from benchmarks.environment import Environment


@dataclass(frozen=True)
class Peer:
    """A system in one setting, as a row of a table."""

    name: str  # in tables and results; ends with the precision
    module: str  # benchmarks.peers.<module>
    environment: Environment
    options: dict[str, Any] = field(default_factory=dict)  # further arguments of load
    conversion: str | None = None  # in benchmarks.conversions; load gets its path as `converted`


UNITVEC = Environment("unitvec", ("unitvec",))
SENTENCE_TRANSFORMERS = Environment(
    "sentence_transformers",
    ("sentence_transformers",),
    ("torch==2.13.0", "sentence-transformers==6.2.0"),
)
ONNXRUNTIME = Environment(
    "onnxruntime",
    ("onnxruntime", "tokenizers"),
    ("onnxruntime==1.31.1", "tokenizers==0.23.3"),
)
OPENVINO = Environment(
    "openvino", ("openvino", "tokenizers"), ("openvino==2026.4.1", "tokenizers==0.23.3")
)
CTRANSLATE2 = Environment(
    "ctranslate2", ("ctranslate2", "tokenizers"), ("ctranslate2==4.8.5", "tokenizers==0.23.3")
)
FASTEMBED = Environment(
    "fastembed", ("fastembed",), ("fastembed==0.9.1", "onnxruntime==1.31.1", "tokenizers==0.23.3")
)

#: The one whose vectors are the reference for quality, and whose speed is 1 in ratios.
BASELINE = "sentence-transformers fp32"

PEERS = {
    peer.name: peer
    for peer in (
        Peer(BASELINE, "sentence_transformers", SENTENCE_TRANSFORMERS),
        Peer("fastembed fp32", "fastembed", FASTEMBED, conversion="onnx-optimized"),
        Peer("onnxruntime fp32", "onnxruntime", ONNXRUNTIME, conversion="onnx-optimized"),
        Peer(
            "CTranslate2 fp32",
            "ctranslate2",
            CTRANSLATE2,
            {"precision": "float32"},
            "ctranslate2",
        ),
        Peer("OpenVINO fp32", "openvino", OPENVINO, {"precision": "f32"}, "onnx"),
        Peer("unitvec fp32", "unitvec", UNITVEC, {"dtype": "float32"}),
        Peer("OpenVINO bf16", "openvino", OPENVINO, {"precision": "bf16"}, "onnx"),
        Peer("unitvec bf16", "unitvec", UNITVEC, {"dtype": "bfloat16"}),
        Peer("onnxruntime int8", "onnxruntime", ONNXRUNTIME, conversion="onnx-int8"),
        Peer(
            "OpenVINO int8",
            "openvino",
            OPENVINO,
            {"precision": "f32", "file": "model.xml"},  # f32: what is not int8
            "openvino-int8",
        ),
        Peer("CTranslate2 int8", "ctranslate2", CTRANSLATE2, {"precision": "int8"}, "ctranslate2"),
        Peer("unitvec int8", "unitvec", UNITVEC, {"dtype": "int8"}),
    )
}

#: Those that are set beside the best of the others.
OURS = tuple(name for name, peer in PEERS.items() if peer.module == "unitvec")

#: Beside ours where a question has many settings: the baseline, and the fastest in fp32.
FASTEST = (BASELINE, "onnxruntime fp32", "CTranslate2 fp32", "OpenVINO fp32")


def is_ours(name: str) -> bool:
    """Whether a system, be it an encoder or an index, is unitvec's."""
    return name.startswith("unitvec ")


def precision(name: str) -> str:
    """ "fp32", "bf16" or "int8"."""
    return name.rpartition(" ")[2]
