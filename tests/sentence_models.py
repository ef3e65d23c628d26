"""Small sentence-transformers directories around a random transformer."""

from __future__ import annotations

from pathlib import Path

MODES = ["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]


def modules():
    """The classes that sentence-transformers puts models together from."""
    try:
        from sentence_transformers.sentence_transformer import modules as models
    except ImportError:  # before release 6
        from sentence_transformers import models
    return models


def save_sentence_model(
    plain: Path, folder: Path, build, max_seq_length: int = 24, **settings
) -> Path:
    """A model of a transformer and whatever `build(modules, width)` puts behind it."""
    import sentence_transformers

    transformer = modules().Transformer(str(plain), max_seq_length=max_seq_length)
    model = sentence_transformers.SentenceTransformer(
        modules=[transformer, *build(modules(), 48)], device="cpu", **settings
    )
    model.save(str(folder))
    return folder
