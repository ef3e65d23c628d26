"""The model is part of the collection: which one made the vectors, and is this the same?"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from unitvec.collection.vector_rows import Space
from unitvec.errors import FingerprintError, ModelNotFoundError

METRICS = ("cosine", "dot", "euclidean", "manhattan")


class TextEncoder(Protocol):
    """What a collection needs of an encoder; `unitvec.Encoder` is one."""

    @property
    def fingerprint(self) -> str:
        """Who shares it gives the same vectors."""

    @property
    def similarity_fn_name(self) -> str:
        """The measure its vectors are made for."""

    def get_embedding_dimension(self) -> int:
        """Length of a vector."""

    def encode_document(self, sentences: list[str], *, show_progress_bar: bool) -> Any:
        """Vectors of texts to be stored, shape (n, dim)."""

    def encode_query(self, sentences: list[str], *, show_progress_bar: bool) -> Any:
        """Vectors of questions, shape (n, dim)."""


#: Of `TextEncoder`; that its protocol can be checked, all of them would be computed.
_NEEDED = ("fingerprint", "get_embedding_dimension", "encode_document", "encode_query")


def as_encoder(given: Any) -> TextEncoder:
    """An encoder that a caller gives, or names.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(given, str):
        return load_encoder(given)
    if not all(hasattr(type(given), name) or hasattr(given, name) for name in _NEEDED):
        raise TypeError(
            "[Collection] expected encoder as an Encoder or a model's name, got "
            f"{type(given).__name__}"
        )
    encoder: TextEncoder = given
    return encoder


def load_encoder(name: str) -> TextEncoder:
    """The encoder that a caller names."""
    from unitvec.encoder import Encoder  # only now: a collection of vectors alone needs no model

    encoder: TextEncoder = Encoder(name)
    return encoder


def load_stored_encoder(name: str) -> TextEncoder:
    """The encoder that a collection names, if it is on this machine.

    Collections come from elsewhere: what one names is not asked for on the network.

    Raises:
        ModelNotFoundError: it is not.
    """
    from unitvec.encoder import Encoder

    try:
        encoder: TextEncoder = Encoder(name, local_files_only=True)
    except ModelNotFoundError as error:
        raise ModelNotFoundError(
            f"{error}\n[Collection] a name that is stored is not downloaded: to do so, open the "
            "collection with that name as encoder="
        ) from None
    return encoder


def describe(
    encoder: TextEncoder | None,
    dim: int | None,
    metric: str | None,
    number: int = 0,
    name: str = "",
) -> Space:
    """The vectors that a new collection will have.

    Raises:
        ValueError: if neither encoder nor dim is given, they disagree, or the metric is unknown.
    """
    own_dim = encoder.get_embedding_dimension() if encoder is not None else dim
    if own_dim is None and name:
        raise ValueError(
            f"[Collection] expected a dim or an encoder of the vectors {name!r} to make a new "
            "collection"
        )
    if own_dim is None:
        raise ValueError("[Collection] expected encoder= or dim= to make a new collection")
    if dim is not None and dim != own_dim:
        raise ValueError(f"[Collection] expected dim {own_dim} as the encoder has, got {dim}")
    if metric is None:
        metric = encoder.similarity_fn_name if encoder is not None else "cosine"
    if metric not in METRICS:
        raise ValueError(f"[Collection] expected a metric of {METRICS}, got {metric!r}")
    return Space(
        space=number,
        name=name,
        dim=own_dim,
        metric=metric,
        model=model_name(encoder) if encoder is not None else None,
        fingerprint=encoder.fingerprint if encoder is not None else None,
        live=0,
    )


def model_name(encoder: TextEncoder) -> str | None:
    """The name or absolute path under which the encoder can be loaded again, if it has one."""
    name = getattr(encoder, "name", None)
    if not isinstance(name, str):
        return None
    return str(Path(name).absolute()) if Path(name).exists() else name


def require_same(
    space: Space, encoder: TextEncoder | None, dim: int | None, metric: str | None
) -> None:
    """Checks that what the caller asks for is what the collection was made with.

    Raises:
        FingerprintError: if another model made the vectors of this kind, or none is known.
        ValueError: if dim or metric differ.
    """
    of_kind = f" of the vectors{space.called}" if space.name else ""
    for name, stored, given in (("dim", space.dim, dim), ("metric", space.metric, metric)):
        if given is not None and given != stored:
            raise ValueError(
                f"[Collection] expected {name}{of_kind} {stored!r} as stored, got {given!r}"
            )
    if encoder is None or encoder.fingerprint == space.fingerprint:
        return
    if space.fingerprint is None and space.name:
        raise FingerprintError(
            f"[Collection] the vectors {space.name!r} were made without an encoder, so nothing "
            "says which model they come from: leave out their encoder and search by vector"
        )
    if space.fingerprint is None:
        raise FingerprintError(
            "[Collection] this collection was made without an encoder, so nothing says which "
            "model its vectors come from: open it without encoder= and search by vector"
        )
    raise FingerprintError(
        f"[Collection] the vectors{space.called} were made by the model "
        f"{space.model or 'unnamed'!r} (fingerprint {space.fingerprint[:12]}…), not by "
        f"{model_name(encoder) or 'the one given'!r} ({encoder.fingerprint[:12]}…): their scores "
        "would mean nothing. The same model in another dtype, or with another pooling, is another. "
        "Open it with the first, or bring its documents to the other by migrate(encoder)"
    )
