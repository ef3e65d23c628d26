"""What a new collection made of a file is made with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from unitvec.collection.exchange.exporting import layout_of
from unitvec.collection.exchange.importing import Source
from unitvec.collection.exchange.layouts import Options
from unitvec.collection.exchange.rows import Facts
from unitvec.collection.model import TextEncoder
from unitvec.collection.named_vectors import VectorSpec


class NamedModel:
    """A model known by name and fingerprint alone: enough to make a collection, not to encode.

    The collection loads the model itself, by that name, when a text is to be encoded, and then
    compares fingerprints.
    """

    def __init__(self, facts: Facts) -> None:
        self.name = facts.model
        self.fingerprint = facts.fingerprint or ""
        self.similarity_fn_name = facts.metric or "cosine"
        self._dim = facts.dim or 0

    def get_embedding_dimension(self) -> int:
        """Length of a vector."""
        return self._dim

    def encode_document(self, sentences: list[str], *, show_progress_bar: bool) -> NoReturn:
        """Not without the model."""
        raise NotImplementedError(self.name)

    encode_query = encode_document


def founding_arguments(
    file: Path,
    options: Mapping[str, Any],
    encoder: TextEncoder | str | None,
    metric: str | None,
    vectors: Mapping[str, VectorSpec] | None = None,
) -> dict[str, Any]:
    """The arguments of `Collection` for a new collection of a file's documents.

    Args:
        file: the file or folder.
        options: those of `import_from`.
        encoder: the caller's, if any.
        metric: the caller's, if any.
        vectors: the caller's named ones; those of the file that are not among them are added.

    Raises:
        ValueError: there is neither an encoder nor a vector to tell the length.
    """
    facts = _facts_of(file, options)
    named = {name: _spec(kind) for name, kind in (facts.vectors or {}).items()}
    using = options.get("using")
    if using and facts.dim is not None:
        named[using] = _spec(facts)
        facts = Facts()
    named.update(vectors or {})
    with_names = {"vectors": named} if named else {}
    metric = metric or facts.metric
    if encoder is not None:
        return {"encoder": encoder, "metric": metric, **with_names}
    if facts.dim is None and not named:
        raise ValueError(
            f"[from_file] {file} has no vectors in its first row: expected encoder= to make them"
        )
    if facts.dim is None:
        return {"metric": metric, **with_names}
    if facts.fingerprint is not None:
        return {"encoder": NamedModel(facts), "metric": metric, **with_names}
    return {"dim": facts.dim, "metric": metric, **with_names}


def _spec(facts: Facts) -> VectorSpec:
    """A kind of vectors as `Collection` takes it."""
    if facts.fingerprint is not None:
        return {"encoder": NamedModel(facts), "metric": facts.metric}
    return {"dim": facts.dim, "metric": facts.metric}


def _facts_of(file: Path, options: Mapping[str, Any]) -> Facts:
    name = options.get("name")
    layout = layout_of(options.get("layout", "unitvec"), Options(name), "from_file")
    return Source.of(file, layout, options.get("format"), name).facts()
