"""From pictures to what an image model reads, as its preprocessor_config.json says.

The steps and their order are those of transformers' image processors on Pillow: RGB, resize, centre
crop, rescale, normalise.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from unitvec._core import FormatError
from unitvec.model_files import read_json, shown

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

FloatArray = npt.NDArray[np.float32]
ImageInput: TypeAlias = "str | os.PathLike[str] | Picture | npt.NDArray[np.uint8]"

BILINEAR, BICUBIC = 2, 3  # Pillow's numbers
CLIP_STATISTICS = {
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
}
STANDARD_STATISTICS = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
_CLIP = {
    "size": {"shortest_edge": 224},
    "resample": BICUBIC,
    "do_center_crop": True,
    "crop_size": 224,
} | CLIP_STATISTICS
_SQUARE = {"size": {"height": 224, "width": 224}, "resample": BILINEAR} | STANDARD_STATISTICS

#: What a file leaves out, by the kind of processor; transformers' own defaults.
KINDS: dict[str, dict[str, Any]] = {
    "CLIP": _CLIP,
    "Bit": _CLIP,
    "ViT": _SQUARE,
    "Siglip": _SQUARE | {"resample": BICUBIC},
    "DeiT": _SQUARE | {"size": 256, "resample": BICUBIC, "do_center_crop": True, "crop_size": 224},
    "ConvNext": {"size": {"shortest_edge": 384}, "resample": BICUBIC, "crop_pct": 224 / 256}
    | STANDARD_STATISTICS,
}
#: Kinds in which a size that is one number means the shorter edge.
BY_SHORTEST_EDGE = ("CLIP", "Bit", "ConvNext")

#: Most pixels of a resized picture: as many as Pillow opens without an error.
PIXELS_MAX = 178_956_970
UNREADABLE = "expected a picture that Pillow can read"
#: A Pillow image reads its file when it is first used, and may be given to several threads.
_SHARED = threading.Lock()

READ = {
    *("image_processor_type", "feature_extractor_type", "size", "resample", "do_resize"),
    *("do_center_crop", "crop_size", "do_rescale", "rescale_factor", "do_normalize"),
    *("image_mean", "image_std", "crop_pct"),
}
#: Say nothing about the pixels: pictures become RGB and channels come first in any case.
WITHOUT_EFFECT = {
    *("processor_class", "do_convert_rgb", "data_format", "default_to_square"),
    *("_valid_processor_keys", "valid_processor_keys", "auto_map", "_name_or_path"),
}


@dataclass(frozen=True)
class ImageProcessor:
    """How pictures are prepared; sizes are (height, width) in pixels.

    Attributes:
        file: where this was read.
        resize: the size to resize to, or the length of the shorter edge; None: not resized.
        resample: Pillow's number of the filter.
        crop: cut this much out of the middle, with black around where there is less.
        scale: what pixels are multiplied with; None: they are not.
        mean: what is subtracted from each channel before it is divided by `std`; None: nothing.
        std: see `mean`.
    """

    file: Path
    resize: tuple[int, int] | int | None
    resample: int
    crop: tuple[int, int] | None
    scale: float | None
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None

    @classmethod
    def from_directory(cls, directory: Path) -> ImageProcessor:
        """Reads preprocessor_config.json, else the image processor in processor_config.json.

        Raises:
            FormatError: no such file, or a field that would change pixels is wrong or not
                supported: named, never ignored.
        """
        file, config = _read(directory)
        return _Reader(file, config).processor()

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of what comes out."""
        size = self.crop or self.resize
        assert isinstance(size, tuple)  # the reader saw to it
        return size

    def __call__(self, image: ImageInput) -> FloatArray:
        """Pixel values of one picture, shape (3, height, width).

        A path is opened; EXIF's orientation is obeyed; transparency is dropped. Safe from many
        threads.

        Raises:
            TypeError: neither a path, a Pillow image nor an array (height, width, 3) of uint8.
            ValueError: the picture cannot be read, or has more than 8 bits a channel.
            FileNotFoundError: there is no such file.
        """
        picture = _rgb(image)
        if self.resize is not None:
            height, width = self._resized(picture.height, picture.width)
            picture = picture.resize((width, height), resample=self.resample)
        pixels: npt.NDArray[Any] = np.asarray(picture)  # (height, width, 3)
        if self.crop is not None:
            pixels = _center_crop(pixels, *self.crop)
        if self.scale is not None:
            pixels = pixels.astype(np.float64) * self.scale
        values: FloatArray = pixels.astype(np.float32)
        if self.mean is not None:
            values -= np.array(self.mean, np.float32)
            values /= np.array(self.std, np.float32)
        return np.ascontiguousarray(values.transpose(2, 0, 1))

    def _resized(self, height: int, width: int) -> tuple[int, int]:
        if isinstance(self.resize, tuple):
            return self.resize
        assert self.resize is not None
        short, long = sorted((height, width))
        longer = int(self.resize * long / short)
        if longer * self.resize > PIXELS_MAX:
            raise ValueError(
                f"expected a picture less long and thin, got {height} x {width} pixels"
            )
        return (longer, self.resize) if width <= height else (self.resize, longer)


class _Reader:
    """Checks the fields of one file, with its kind's defaults for those left out."""

    def __init__(self, file: Path, config: dict[str, Any]) -> None:
        self.file = file
        self.kind = self._kind(config)
        self.config = KINDS[self.kind] | {k: v for k, v in config.items() if v is not None}
        for name, value in config.items():
            if name not in READ | WITHOUT_EFFECT and value not in (None, False, [], {}):
                self.fail(name, "no such field, since it may change pixels", value)

    def processor(self) -> ImageProcessor:
        resize = self._size("size") if self._switch("do_resize") else None
        crop = self._size("crop_size") if self._switch("do_center_crop", False) else None
        if isinstance(crop, int):
            crop = (crop, crop)
        if self.kind == "ConvNext" and resize is not None:
            resize, crop = self._convnext(resize, crop)
        if crop is None and not isinstance(resize, tuple):
            self.fail(
                "do_center_crop",
                "true unless size has height and width, since images that are run together have "
                "one size",
                self.config.get("do_center_crop", False),
            )
        scaled, normalized = self._switch("do_rescale"), self._switch("do_normalize")
        return ImageProcessor(
            file=self.file,
            resize=resize,
            resample=self._number("resample", range(6)),
            crop=crop,
            scale=self._float("rescale_factor", 1 / 255) if scaled else None,
            mean=self._channels("image_mean") if normalized else None,
            std=self._channels("image_std") if normalized else None,
        )

    def fail(self, name: str, expected: str, got: object) -> None:
        raise FormatError(f"{self.file}: {name}: expected {expected}, got {got!r}")

    def _kind(self, config: dict[str, Any]) -> str:
        stated = config.get("image_processor_type") or config.get("feature_extractor_type")
        name = stated if isinstance(stated, str) else ""
        for end in (
            "ImageProcessorFast",
            "ImageProcessorPil",
            "ImageProcessor",
            "FeatureExtractor",
        ):
            if name.removesuffix(end) in KINDS:
                return name.removesuffix(end)
        known = ", ".join(f"{kind}ImageProcessor" for kind in KINDS)
        raise FormatError(
            f"{self.file}: image_processor_type: expected one of {known}, got {stated!r}"
        )

    def _switch(self, name: str, default: bool = True) -> bool:
        value = self.config.get(name, default)
        if not isinstance(value, bool):
            self.fail(name, "true or false", value)
        return bool(value)

    def _number(self, name: str, allowed: range) -> int:
        value = self.config.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value not in allowed:
            self.fail(name, f"an integer from {allowed[0]} to {allowed[-1]}", value)
        return int(value or 0)

    def _float(self, name: str, default: float) -> float:
        value = self.config.get(name, default)
        if not _is_number(value) or value <= 0:
            self.fail(name, "a number above 0", value)
        return float(value)

    def _channels(self, name: str) -> tuple[float, ...]:
        value = self.config[name]
        numbers = value if isinstance(value, list) else [value] * 3
        if len(numbers) != 3 or any(not _is_number(x) for x in numbers):
            self.fail(name, "three numbers", value)
        if name == "image_std" and any(x <= 0 for x in numbers):
            self.fail(name, "numbers above 0", value)
        return tuple(float(x) for x in numbers)

    def _size(self, name: str) -> tuple[int, int] | int:
        value = self.config[name]
        if isinstance(value, int) and not isinstance(value, bool):
            edge = name == "size" and self.kind in BY_SHORTEST_EDGE
            value = {"shortest_edge": value} if edge else {"height": value, "width": value}
        stated = (
            {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else {}
        )
        whole = all(isinstance(v, int) and 0 < v <= 1 << 15 for v in stated.values())
        if whole and stated.keys() == {"height", "width"}:
            return stated["height"], stated["width"]
        if whole and stated.keys() == {"shortest_edge"} and name == "size":
            return int(stated["shortest_edge"])
        also = ", or shortest_edge" if name == "size" else ""
        raise FormatError(f"{self.file}: {name}: expected height and width{also}, got {value!r}")

    def _convnext(
        self, resize: tuple[int, int] | int, crop: tuple[int, int] | None
    ) -> tuple[tuple[int, int] | int, tuple[int, int] | None]:
        """ConvNeXT: below 384, resized to more and cropped; from there on, warped to a square."""
        if isinstance(resize, tuple):
            self.fail("size", "shortest_edge", self.config["size"])
        if crop is not None:
            self.fail("do_center_crop", "false for ConvNeXT, which crops by crop_pct", True)
        edge = int(resize) if isinstance(resize, int) else 0
        if edge >= 384:
            return (edge, edge), None
        return int(edge / self._float("crop_pct", 224 / 256)), (edge, edge)


def _read(directory: Path) -> tuple[Path, dict[str, Any]]:
    for name, field in (
        ("preprocessor_config.json", None),
        ("processor_config.json", "image_processor"),
    ):
        file = directory / name
        config = read_json(file, dict)
        if config is None:
            continue
        settings = config if field is None else config.get(field)
        if not isinstance(settings, dict):
            raise FormatError(
                f"{file}: {field}: expected an image processor's settings, got {shown(settings)}"
            )
        return file, settings
    raise FormatError(
        f"{directory}: expected preprocessor_config.json, which says how pictures are prepared, "
        "got no such file"
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _rgb(image: Any) -> Picture:
    """A picture the right way up, with 8 bits for each of red, green and blue."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("images are read by Pillow: pip install unitvec[images]") from error
    if isinstance(image, np.ndarray):
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
            raise TypeError(
                "expected an array of shape (height, width, 3) and dtype uint8, got "
                f"{image.shape} of {image.dtype}"
            )
        return Image.fromarray(np.ascontiguousarray(image))
    if isinstance(image, (str, os.PathLike)):
        with _opened(image) as picture:
            return _converted(picture)
    if not isinstance(image, Image.Image):
        raise TypeError(
            f"expected a path, a Pillow image or a NumPy array, got {type(image).__name__}"
        )
    with _SHARED:
        return _converted(image)


def _opened(path: str | os.PathLike[str]) -> Picture:
    from PIL import Image

    try:
        return Image.open(path)
    except MemoryError:
        raise
    except Exception as error:  # damaged pictures make Pillow raise almost anything
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the file, not what is in it
        raise ValueError(f"{UNREADABLE}, got: {error}") from error


def _converted(image: Picture) -> Picture:
    from PIL import ImageOps

    if image.mode.startswith(("I", "F")):
        raise ValueError(f"expected at most 8 bits a channel, got Pillow's mode {image.mode!r}")
    try:
        upright = ImageOps.exif_transpose(image)  # the pixels are read only now
        return upright if upright.mode == "RGB" else upright.convert("RGB")
    except MemoryError:
        raise
    except Exception as error:
        raise ValueError(f"{UNREADABLE}, got: {error}") from error


def _center_crop(pixels: npt.NDArray[Any], height: int, width: int) -> npt.NDArray[Any]:
    """The middle of a picture; where it is smaller, black is put around it first."""
    padding = [max(size - n, 0) for size, n in zip((height, width), pixels.shape[:2], strict=True)]
    if any(padding):
        around: Sequence[tuple[int, int]] = [((p + 1) // 2, p // 2) for p in padding]
        pixels = np.pad(pixels, [*around, (0, 0)])
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return pixels[top : top + height, left : left + width]
