"""What every part of a collection's interface shares: the open files and the encoder."""

from __future__ import annotations

from pathlib import Path

from unitvec.collection.model import TextEncoder, load_stored_encoder, require_same
from unitvec.collection.session import Session
from unitvec.collection.vector_rows import Space


class OpenCollection:
    """An open session and, once it is needed, the encoder."""

    path: Path
    _session: Session
    _encoder: TextEncoder | None

    @property
    def _space(self) -> Space:
        return self._session.spaces[""]

    @property
    def dim(self) -> int:
        """Length of the vectors."""
        return self._space.dim

    @property
    def metric(self) -> str:
        """The measure: "cosine", "dot", "euclidean" or "manhattan"."""
        return self._space.metric

    @property
    def encoder(self) -> TextEncoder:
        """The encoder; loaded from this machine by its stored name if none was given.

        Raises:
            ValueError: the collection was made without one.
            ModelNotFoundError: the stored name is not found here.
            FingerprintError: what is found under that name is another model.
        """
        if self._encoder is None:
            name = self._space.model
            if name is None:
                raise ValueError(
                    "[Collection] made without an encoder (or with one that has no name): search "
                    "by vector, add with embeddings=, or open it with its encoder="
                )
            encoder = load_stored_encoder(name)
            require_same(self._space, encoder, None, None)
            self._encoder = encoder
        return self._encoder
