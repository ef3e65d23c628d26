"""What every part of a collection's interface shares: the open files and the encoders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unitvec.collection.indexing import IndexingSession
from unitvec.collection.model import TextEncoder, load_stored_encoder, require_same
from unitvec.collection.named_vectors import default_space
from unitvec.collection.vector_rows import Space, visible


class OpenCollection:
    """An open session and, once they are needed, the encoders."""

    path: Path
    _session: IndexingSession
    _encoders: dict[str, TextEncoder]

    @property
    def _spaces(self) -> dict[str, Space]:
        """The kinds of vectors by name; the own one has the name ""."""
        return visible(self._session.spaces)

    @property
    def _space(self) -> Space:
        """The kind that is meant where none is named: the own one, or the only one."""
        space = default_space(self._spaces)
        if space is None:
            raise ValueError(
                f"[Collection] expected one kind of vectors, got {list(self._spaces)}, which "
                "`vectors` describes"
            )
        return space

    @property
    def dim(self) -> int:
        """Length of the vectors: the collection's own, or the only ones.

        Raises:
            ValueError: there are several named ones; `vectors` has the dim of each.
        """
        return self._space.dim

    @property
    def metric(self) -> str:
        """The measure: "cosine", "dot", "euclidean" or "manhattan"; of which, and errors: `dim`."""
        return self._space.metric

    @property
    def vectors(self) -> dict[str, dict[str, Any]]:
        """The named vectors: "dim", "metric" and "model" by name; empty where there are none."""
        return {
            name: {"dim": space.dim, "metric": space.metric, "model": space.model}
            for name, space in self._spaces.items()
            if name
        }

    @property
    def encoder(self) -> TextEncoder:
        """The encoder of the own vectors (or the only ones); if none was given, by its stored name.

        It must lie on this machine: opening what somebody else made looks nothing up elsewhere.

        Raises:
            ValueError: they were made without one, or there are several named vectors.
            ModelNotFoundError: the stored name is not found here.
            FingerprintError: what is found under that name is another model.
        """
        return self._encoder_of(self._space)

    def _has_encoder(self, space: Space) -> bool:
        return space.name in self._encoders or space.fingerprint is not None

    def _encoder_of(self, space: Space) -> TextEncoder:
        if space.name not in self._encoders:
            if space.model is None:
                raise ValueError(_without_encoder(space))
            encoder = load_stored_encoder(space.model)
            require_same(space, encoder, None, None)
            self._encoders[space.name] = encoder
        return self._encoders[space.name]


def _without_encoder(space: Space) -> str:
    if not space.name:
        return (
            "[Collection] made without an encoder (or with one that has no name): search "
            "by vector, add with embeddings=, or open it with its encoder="
        )
    return (
        f"[Collection] the vectors {space.name!r} were made without an encoder (or with one that "
        "has no name): search by vector, add with embeddings=, or open it with "
        f"vectors={{{space.name!r}: encoder}}"
    )
