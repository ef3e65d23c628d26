"""unitvec: text to unit vectors, and answers from them.

Every public name is loaded when it is first used, so `import unitvec` itself costs milliseconds
and brings in neither NumPy nor the C++ core.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unitvec import hub as hub
    from unitvec import preprocessing as preprocessing
    from unitvec._core import FormatError as FormatError
    from unitvec.collection import Collection as Collection
    from unitvec.cross_encoder import CrossEncoder as CrossEncoder
    from unitvec.distance import angle as angle
    from unitvec.distance import cosine as cosine
    from unitvec.distance import dot as dot
    from unitvec.distance import euclidean as euclidean
    from unitvec.distance import l2_normalize as l2_normalize
    from unitvec.distance import manhattan as manhattan
    from unitvec.encoder import Encoder as Encoder
    from unitvec.errors import FingerprintError as FingerprintError
    from unitvec.errors import ModelNotFoundError as ModelNotFoundError
    from unitvec.errors import StoreLockedError as StoreLockedError
    from unitvec.heads.classifier import Classifier as Classifier
    from unitvec.heads.fill_mask import FillMask as FillMask
    from unitvec.heads.next_sentence import NextSentence as NextSentence
    from unitvec.image_encoder import ImageEncoder as ImageEncoder
    from unitvec.index import Index as Index
    from unitvec.k_means import kmeans as kmeans
    from unitvec.quantize import quantize_embeddings as quantize_embeddings
    from unitvec.tokenizer import Tokenizer as Tokenizer

    __version__: str

# Where each public name lives: name -> module. Sub-modules map to themselves.
_HOME: dict[str, str] = {
    "Classifier": "unitvec.heads.classifier",
    "Collection": "unitvec.collection",
    "CrossEncoder": "unitvec.cross_encoder",
    "Encoder": "unitvec.encoder",
    "FillMask": "unitvec.heads.fill_mask",
    "FingerprintError": "unitvec.errors",
    "FormatError": "unitvec._core",
    "ImageEncoder": "unitvec.image_encoder",
    "Index": "unitvec.index",
    "ModelNotFoundError": "unitvec.errors",
    "NextSentence": "unitvec.heads.next_sentence",
    "StoreLockedError": "unitvec.errors",
    "Tokenizer": "unitvec.tokenizer",
    "angle": "unitvec.distance",
    "cosine": "unitvec.distance",
    "dot": "unitvec.distance",
    "euclidean": "unitvec.distance",
    "hub": "unitvec.hub",
    "kmeans": "unitvec.k_means",
    "l2_normalize": "unitvec.distance",
    "manhattan": "unitvec.distance",
    "preprocessing": "unitvec.preprocessing",
    "quantize_embeddings": "unitvec.quantize",
}

__all__ = [
    "Classifier",
    "Collection",
    "CrossEncoder",
    "Encoder",
    "FillMask",
    "FingerprintError",
    "FormatError",
    "ImageEncoder",
    "Index",
    "ModelNotFoundError",
    "NextSentence",
    "StoreLockedError",
    "Tokenizer",
    "__version__",
    "angle",
    "cosine",
    "dot",
    "euclidean",
    "hub",
    "kmeans",
    "l2_normalize",
    "manhattan",
    "preprocessing",
    "quantize_embeddings",
]


def __getattr__(name: str) -> Any:
    """Loads a public name on its first use (PEP 562) and keeps it."""
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
    """The names that exist already and those that would be loaded."""
    return sorted(set(__all__) | set(globals()))
