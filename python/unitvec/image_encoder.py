"""`ImageEncoder`: from pictures to vectors with a TorchScript module."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sized
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unitvec import _core
from unitvec.fingerprint import file_digest, fingerprint
from unitvec.image_processor import ImageInput, ImageProcessor
from unitvec.progress import NoBar, progress_bar
from unitvec.threads import require_threads

__all__ = ["ImageEncoder"]

FloatArray = npt.NDArray[np.float32]


class ImageEncoder:
    """Turns pictures into vectors. Needs Pillow (extra `images`); many threads may share one.

    Example:
        >>> images = ImageEncoder.from_torchscript("clip/image.pt", processor="clip")
        >>> images.encode(["cat.jpg", "dog.jpg"]).shape
        (2, 512)
    """

    similarity_fn_name = "cosine"

    @classmethod
    def from_torchscript(
        cls,
        path: str | os.PathLike[str],
        *,
        processor: str | os.PathLike[str] | None = None,
        normalize: bool = True,
        threads: int | None = None,
    ) -> ImageEncoder:
        """An encoder from a TorchScript module that gives image vectors.

        **A TorchScript file is a program: loading it runs what its author wrote.** Load only files
        that you trust.

        Args:
            path: a file of `torch.jit.save`; its forward takes pixel_values (n, 3, height, width)
                float32 and returns image vectors (n, dim) or (n, dim, 1, 1): a tensor,
                "image_embeds" or "pooler_output" of a dict or named tuple, or the first of a tuple
                or list.
            processor: the directory of preprocessor_config.json, which says how pictures are
                prepared (CLIP, SigLIP, ViT, DeiT, BiT and ConvNeXT processors); None: the module's
                own.
            normalize: scale vectors to length 1.
            threads: processor threads for one call; None: all that the process may use
                (`OMP_NUM_THREADS`, CPU affinity and control-group quotas are honoured).

        Raises:
            FormatError: not a TorchScript file, its forward is not as above, or the processor's
                file has a field that is not supported.
        """
        require_threads("ImageEncoder", threads)
        encoder = cls.__new__(cls)
        encoder._path = Path(path)
        folder = encoder._path.parent if processor is None else Path(processor)
        encoder.processor = ImageProcessor.from_directory(folder)
        encoder._core = _core.TorchScriptImageEncoder.load(str(path), *encoder.processor.size)
        encoder.normalize_embeddings = normalize
        encoder.threads = threads
        encoder.name = str(path)
        return encoder

    _path: Path
    _core: _core.TorchScriptImageEncoder
    processor: ImageProcessor
    """How pictures are prepared."""
    normalize_embeddings: bool
    """Whether vectors are scaled to length 1 unless `encode` is told otherwise."""
    threads: int | None
    name: str

    def get_embedding_dimension(self) -> int:
        """Length of a vector."""
        return self._core.dim

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over module and settings, as hex: the same one, the same vectors."""
        files = {"module": self._path, "processor": self.processor.file}
        digests = {name: file_digest(file) for name, file in files.items()}
        return fingerprint(digests, {"normalize": self.normalize_embeddings})

    def encode(
        self,
        images: ImageInput | Iterable[ImageInput],
        *,
        normalize_embeddings: bool | None = None,
        batch_size: int = 32,
        show_progress_bar: bool | None = None,
    ) -> FloatArray:
        """Encodes one picture or many.

        Args:
            images: a picture, or any iterable of them, of which no more than a batch is in memory
                at a time. A picture is a path, a Pillow image, or an array (height, width, 3) of
                uint8 in RGB. EXIF's orientation is obeyed, transparency dropped.
            normalize_embeddings: scale to length 1; None: as `normalize` said.
            batch_size: pictures run together.
            show_progress_bar: True, False, or None: on a terminal, once a second has passed.

        Returns:
            For one picture an array (dim,), for many (n, dim).

        Raises:
            TypeError: something is not a picture; the message says which, as all of these do.
            ValueError: a picture cannot be read, or has more than 8 bits a channel.
            FileNotFoundError: there is no such file.
        """
        if batch_size < 1:
            raise ValueError(f"[encode] expected batch_size of at least 1, got {batch_size}")
        single = _is_one(images)
        items: Iterable[Any] = [images] if single else images  # type: ignore[assignment]
        total = len(items) if isinstance(items, Sized) else None
        show = False if single and show_progress_bar is None else show_progress_bar
        parts = [np.empty((0, self.get_embedding_dimension()), np.float32)]
        bar_of = NoBar() if show is False else progress_bar(total, "Encoding", "images", show)
        with bar_of as bar, ThreadPoolExecutor(self.threads or _core.default_threads()) as pool:
            for pixels in self._batches(iter(items), batch_size, pool):
                parts.append(self._core.embed(pixels, self.threads or 0))
                bar.update(len(pixels))
        vectors = np.concatenate(parts)
        if self.normalize_embeddings if normalize_embeddings is None else normalize_embeddings:
            vectors = _core.l2_normalize(vectors)
        return vectors[0] if single else vectors

    def similarity(self, a: npt.ArrayLike, b: npt.ArrayLike) -> FloatArray:
        """Cosines of vectors, of pictures or of texts, shape (n, m); larger is nearer."""
        from unitvec import distance

        return distance.cosine(a, b)

    def _batches(
        self, items: Iterator[Any], batch_size: int, pool: ThreadPoolExecutor
    ) -> Iterator[FloatArray]:
        """Pixel values, shape (at most batch_size, 3, height, width); Pillow works in threads."""
        begin = 0
        while batch := list(islice(items, batch_size)):
            numbered = enumerate(batch, begin)
            yield np.stack(list(pool.map(_named(self.processor), numbered)))
            begin += len(batch)

    def __repr__(self) -> str:
        return f"ImageEncoder({self.name!r}, dim={self.get_embedding_dimension()})"


def _is_one(images: Any) -> bool:
    if isinstance(images, (bytes, bytearray)):
        raise TypeError("[encode] expected a path or a picture, got bytes; open them with Pillow")
    if isinstance(images, np.ndarray):
        return images.ndim < 4  # four dimensions are many pictures of one size
    return not isinstance(images, Iterable) or isinstance(images, (str, os.PathLike))


def _named(processor: ImageProcessor) -> Callable[[tuple[int, Any]], FloatArray]:
    """The processor, with the picture's number and path in what it raises."""

    def process(numbered: tuple[int, Any]) -> FloatArray:
        number, image = numbered
        try:
            return processor(image)
        except (TypeError, ValueError, OSError) as error:
            path = f" ({os.fspath(image)})" if isinstance(image, (str, os.PathLike)) else ""
            message = f"[encode] image {number}{path}: {error}"
            if isinstance(error, OSError):
                kind = type(error)
                raise kind(
                    error.errno, f"[encode] image {number}: {error.strerror}", image
                ) from error
            raise (TypeError if isinstance(error, TypeError) else ValueError)(message) from error

    return process
