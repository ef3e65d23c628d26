"""ImageEncoder against transformers: pixels exactly, vectors of random CLIP and ResNet towers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import unitvec as uv
from random_vision import EDGE, make_clip, make_resnet, picture, save_clip_tokenizer, trace
from unitvec import image_encoder
from unitvec.image_processor import ImageProcessor

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
Image = pytest.importorskip("PIL.Image")
pytest.importorskip("tokenizers")

MEAN, STD = [0.48, 0.46, 0.41], [0.27, 0.26, 0.28]
SMALL_CLIP = {"size": {"shortest_edge": EDGE}, "crop_size": {"height": EDGE, "width": EDGE}}
SIZES = [(40, 56), (56, 40), (32, 32), (20, 90), (33, 31), (400, 300), (1, 1)]


def slow_processor(kind: str, **settings):
    """transformers' processor on Pillow."""
    try:
        module = __import__(
            f"transformers.models.{kind.lower()}.image_processing_pil_{kind.lower()}",
            fromlist=["x"],
        )
        return getattr(module, f"{kind}ImageProcessorPil")(**settings)
    except ImportError:  # before release 5
        return getattr(transformers, f"{kind}ImageProcessor")(**settings)


def write(folder: Path, config: object, name: str = "preprocessor_config.json") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(config), encoding="utf-8")
    return folder


# ---- pixels --------------------------------------------------------------------------------------

PROCESSORS = [
    ("CLIP", {}),
    ("CLIP", SMALL_CLIP),
    ("CLIP", {"size": {"shortest_edge": 64}, "crop_size": {"height": 50, "width": 71}}),
    ("CLIP", {**SMALL_CLIP, "do_resize": False, "do_normalize": False}),
    ("CLIP", {**SMALL_CLIP, "resample": 2, "rescale_factor": 1 / 127.5, "image_mean": MEAN}),
    ("CLIP", {**SMALL_CLIP, "do_rescale": False, "image_std": STD}),
    ("ViT", {}),
    ("ViT", {"size": {"height": 30, "width": 44}, "image_mean": MEAN, "image_std": STD}),
    ("Siglip", {"size": {"height": 48, "width": 48}}),
    ("DeiT", {"size": {"height": 40, "width": 40}, "crop_size": {"height": 32, "width": 32}}),
    ("Bit", SMALL_CLIP),
    ("ConvNext", {"size": {"shortest_edge": 56}, "image_mean": MEAN, "image_std": STD}),
    ("ConvNext", {"size": {"shortest_edge": 32}, "crop_pct": 0.9, "resample": 2}),
    ("ConvNext", {"size": {"shortest_edge": 384}}),
]


@pytest.mark.parametrize(("kind", "settings"), PROCESSORS, ids=str)
def test_pixels_equal_transformers(tmp_path, kind, settings):
    theirs = slow_processor(kind, **settings)
    theirs.save_pretrained(tmp_path)
    mine = ImageProcessor.from_directory(tmp_path)
    for seed, (height, width) in enumerate(SIZES):
        pixels = picture(seed, height, width)
        expected = np.asarray(theirs(Image.fromarray(pixels))["pixel_values"][0])
        assert mine.size == expected.shape[1:]
        assert mine(pixels).dtype == np.float32
        assert_allclose(mine(pixels), expected, atol=1e-6, rtol=0)
        assert_array_equal(mine(Image.fromarray(pixels)), mine(pixels))


@pytest.mark.parametrize(
    ("old", "kind", "new"),
    [
        (
            {"feature_extractor_type": "CLIPFeatureExtractor", "size": EDGE, "crop_size": EDGE},
            "CLIP",
            SMALL_CLIP,
        ),
        ({"feature_extractor_type": "ViTFeatureExtractor", "size": 40}, "ViT", 40),
        ({"feature_extractor_type": "ConvNextFeatureExtractor", "size": 40}, "ConvNext", 40),
    ],
)
def test_files_of_older_releases(tmp_path, old, kind, new):
    if new == 40:
        edges = ["shortest_edge"] if kind == "ConvNext" else ["height", "width"]
        new = {"size": dict.fromkeys(edges, 40)}
    mine = ImageProcessor.from_directory(write(tmp_path, old))
    expected = slow_processor(kind, **new)(Image.fromarray(picture(1)))["pixel_values"][0]
    assert_allclose(mine(picture(1)), expected, atol=1e-6, rtol=0)


def test_the_processor_may_be_inside_processor_config(tmp_path):
    config = {"image_processor_type": "CLIPImageProcessorFast", **SMALL_CLIP}
    folder = write(tmp_path, {"image_processor": config}, "processor_config.json")
    assert ImageProcessor.from_directory(folder).size == (EDGE, EDGE)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "1", "RGB"])
def test_every_picture_becomes_rgb_as_in_transformers(tmp_path, mode):
    theirs = slow_processor("CLIP", **SMALL_CLIP)
    theirs.save_pretrained(tmp_path)
    image = Image.fromarray(picture(3)).convert(mode)
    expected = np.asarray(theirs(image)["pixel_values"][0])
    assert_allclose(ImageProcessor.from_directory(tmp_path)(image), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_obeyed(tmp_path, orientation):
    folder = write(tmp_path, {"image_processor_type": "CLIPImageProcessor", **SMALL_CLIP})
    processor = ImageProcessor.from_directory(folder)
    image = Image.fromarray(picture(4))
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(tmp_path / "turned.png", exif=exif)
    loaded = transformers.image_utils.load_image(str(tmp_path / "turned.png"))
    expected = np.asarray(slow_processor("CLIP", **SMALL_CLIP)(loaded)["pixel_values"][0])
    assert_allclose(processor(tmp_path / "turned.png"), expected, atol=1e-6, rtol=0)
    with Image.open(tmp_path / "turned.png") as opened:
        assert_array_equal(processor(opened), processor(tmp_path / "turned.png"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"do_pad": True}, "do_pad: expected no such field"),
        ({"size_divisor": 32}, "size_divisor: expected no such field"),
        ({"rescale_offset": True}, "rescale_offset"),
        ({"image_processor_type": "BlipImageProcessor"}, "image_processor_type: .*got 'Blip"),
        ({"image_processor_type": None}, "image_processor_type: expected one of CLIPImage"),
        ({"image_processor_type": 3}, "image_processor_type"),
        (
            {"size": {"shortest_edge": 32, "longest_edge": 64}},
            "size: expected height and width, or",
        ),
        ({"size": {"shortest_edge": 0}}, "size: expected"),
        ({"size": "large"}, "size: expected"),
        ({"crop_size": {"shortest_edge": 32}}, "crop_size: expected height and width, got"),
        ({"do_center_crop": False}, "do_center_crop: expected true unless"),
        ({"do_resize": "yes"}, "do_resize: expected true or false"),
        ({"resample": 9}, "resample: expected an integer from 0 to 5"),
        ({"rescale_factor": 0}, "rescale_factor: expected a number above 0"),
        ({"image_mean": [0.5]}, "image_mean: expected three numbers"),
        ({"image_mean": [0.5, 0.5, 1e999]}, "expected JSON.*Infinity, which JSON does not have"),
        ({"image_mean": [0.5, 0.5, True]}, "image_mean: expected three numbers"),
        ({"image_std": [1, 1, 0]}, "image_std: expected numbers above 0"),
    ],
    ids=str,
)
def test_a_field_that_would_change_pixels_is_refused_by_name(tmp_path, changes, message):
    config = {"image_processor_type": "CLIPImageProcessor", **SMALL_CLIP, **changes}
    with pytest.raises(uv.FormatError, match=message):
        ImageProcessor.from_directory(write(tmp_path, config))


def test_convnext_takes_its_own_crop_alone(tmp_path):
    config = {"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 32}}
    for changes, message in [
        ({"do_center_crop": True, "crop_size": 32}, "do_center_crop: expected false"),
        ({"size": {"height": 32, "width": 32}}, "size: expected shortest_edge"),
        ({"crop_pct": -1}, "crop_pct: expected a number above 0"),
    ]:
        with pytest.raises(uv.FormatError, match=message):
            ImageProcessor.from_directory(write(tmp_path, {**config, **changes}))


def test_files_that_are_no_processors_are_refused(tmp_path):
    with pytest.raises(uv.FormatError, match="expected preprocessor_config"):
        ImageProcessor.from_directory(tmp_path)
    with pytest.raises(
        uv.FormatError, match=r"image_processor: expected an image processor's .* 3"
    ):
        ImageProcessor.from_directory(
            write(tmp_path, {"image_processor": 3}, "processor_config.json")
        )
    with pytest.raises(uv.FormatError, match="expected a JSON dict, got list"):
        ImageProcessor.from_directory(write(tmp_path, [1]))
    file = tmp_path / "preprocessor_config.json"
    for content, message in [
        ("{", "expected JSON"),
        ('{"a":' * 100_000, "of few levels"),
        ("[" + "0," * (1 << 23) + "0]", "expected at most 16777216 bytes"),
        (
            '{"image_processor_type": "CLIPImageProcessor", "rescale_factor": 1e999}',
            "rescale_factor: expected a number above 0, got inf",
        ),
    ]:
        file.write_text(content)
        with pytest.raises(uv.FormatError, match=message):
            ImageProcessor.from_directory(tmp_path)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(uv.FormatError, match="expected a regular file"):
        ImageProcessor.from_directory(tmp_path)
    with pytest.raises(uv.FormatError, match=r"Not a directory.*preprocessor_config"):
        ImageProcessor.from_directory(file)


# ---- towers --------------------------------------------------------------------------------------


class TextTower(torch.nn.Module):
    def __init__(self, clip):
        super().__init__()
        self.model, self.projection = clip.text_model, clip.text_projection

    def forward(self, input_ids, attention_mask):
        output = self.model(input_ids=input_ids, attention_mask=attention_mask)
        return self.projection(output.pooler_output)


class ImageTower(torch.nn.Module):
    def __init__(self, clip):
        super().__init__()
        self.model, self.projection = clip.vision_model, clip.visual_projection

    def forward(self, pixel_values):
        return self.projection(self.model(pixel_values=pixel_values).pooler_output)


class Clip:
    """A random CLIP of transformers, and both of its towers as files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.model = make_clip()
        self.processor = slow_processor("CLIP", **SMALL_CLIP)
        self.processor.save_pretrained(folder)
        save_clip_tokenizer(folder)
        self.tokenizer = transformers.CLIPTokenizer.from_pretrained(folder)
        example = self.tokenizer(
            ["a cat", "the red house"], padding="max_length", max_length=77, return_tensors="pt"
        )
        inputs = (example["input_ids"], example["attention_mask"])
        trace(TextTower(self.model), inputs, folder / "text.pt")
        trace(ImageTower(self.model), (torch.zeros(2, 3, EDGE, EDGE),), folder / "image.pt")

    def image_vectors(self, pictures) -> np.ndarray:
        inputs = self.processor(pictures, return_tensors="pt")
        with torch.no_grad():
            features = ImageTower(self.model)(inputs["pixel_values"])
        return torch.nn.functional.normalize(features).numpy()

    def text_vectors(self, texts) -> np.ndarray:
        inputs = self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        with torch.no_grad():
            features = TextTower(self.model)(inputs["input_ids"], inputs["attention_mask"])
        return torch.nn.functional.normalize(features).numpy()

    def texts(self, **options) -> uv.Encoder:
        return uv.Encoder.from_torchscript(
            self.folder / "text.pt", self.folder, pooling=None, pad_to=77, **options
        )

    def images(self, **options) -> uv.ImageEncoder:
        return uv.ImageEncoder.from_torchscript(self.folder / "image.pt", **options)


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Clip:
    return Clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("photos")
    paths = [folder / f"{i}.png" for i in range(12)]
    for i, path in enumerate(paths):
        Image.fromarray(picture(i, *SIZES[i % 6])).save(path)
    return paths


TEXTS = ["a photo of a cat", "The red house, the blue sea!", "", "dog", "a " * 200]


def test_both_towers_of_clip_equal_transformers(clip, photos):
    pictures = [Image.open(path) for path in photos]
    assert_allclose(clip.images().encode(photos), clip.image_vectors(pictures), atol=1e-4)
    mine = clip.texts().encode(TEXTS, on_overflow="truncate")
    assert_allclose(mine, clip.text_vectors(TEXTS), atol=1e-4)


def test_cliptokenizers_ids_equal_transformers(clip):
    tokenizer = uv.Tokenizer.from_pretrained(clip.folder)
    for text in [*TEXTS, "  A\n photo  of\tthe SEA's 42 dogs, é ß \U0001f600"]:
        assert tokenizer.encode(text).ids == clip.tokenizer(text)["input_ids"]


@pytest.mark.parametrize("output", ["tensor", "first", "dict"])
def test_a_resnet_equals_transformers(tmp_path, photos, output):
    model = make_resnet()

    class Tower(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, pixel_values):
            out = self.model(pixel_values=pixel_values)
            vectors, pixels = out.pooler_output, out.last_hidden_state
            if output == "dict":
                return {"last_hidden_state": pixels, "pooler_output": vectors}
            return (vectors, pixels) if output == "first" else vectors

    processor = slow_processor("ConvNext", size={"shortest_edge": 64})
    processor.save_pretrained(tmp_path)
    path = tmp_path / "resnet.pt"
    # A dict is traced only where strict=False says that it is always the same one.
    trace(Tower(), (torch.zeros(2, 3, 64, 64),), path, strict=output != "dict")
    with torch.no_grad():
        inputs = processor([Image.open(p) for p in photos], return_tensors="pt")["pixel_values"]
        expected = model(inputs).pooler_output.flatten(1).numpy()
    images = uv.ImageEncoder.from_torchscript(path, processor=tmp_path, normalize=False)
    assert images.get_embedding_dimension() == 24
    assert_allclose(images.encode(photos), expected, atol=1e-4)
    assert np.linalg.norm(expected, axis=1).max() > 1.01
    unit = images.encode(photos, normalize_embeddings=True)
    assert_allclose(unit, uv.l2_normalize(expected), atol=1e-4)


def test_a_sentence_finds_photos_in_a_collection(clip, photos, tmp_path):
    texts, images = clip.texts(), clip.images()
    queries = ["a photo of a cat", "the blue sea", "dog"]
    expected = clip.text_vectors(queries) @ clip.image_vectors([Image.open(p) for p in photos]).T
    names = [path.name for path in photos]
    with uv.Collection(tmp_path / "photos.uv", encoder=texts) as db:
        db.add(names, ids=names, embeddings=images.encode(photos))
        db.add(["a note about a dog"], ids=["note"], metadatas=[{"kind": "text"}])
        for query, scores in zip(queries, expected, strict=True):
            found = db.search(query, k=13)
            found = [hit for hit in found if hit.id != "note"]
            assert [hit.id for hit in found] == [names[i] for i in np.argsort(-scores)]
            assert_allclose([hit.score for hit in found], np.sort(scores)[::-1], atol=1e-4)
    with uv.Collection.open(tmp_path / "photos.uv", encoder=texts) as db:
        assert db.search("dog", k=1)[0].id in {*names, "note"}
    with pytest.raises(uv.FingerprintError):
        uv.Collection.open(tmp_path / "photos.uv", encoder=clip.texts(normalize=False)).search("a")


def test_the_guide_runs(clip, photos, tmp_path, monkeypatch, capsys):
    """docs/photos.md from top to bottom, with the random CLIP for the real one."""
    clip.model.save_pretrained(tmp_path / "model")
    for file in clip.folder.glob("*.json"):
        (tmp_path / "model" / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model" / "config.json").write_text(clip.model.config.to_json_string())
    (tmp_path / "photos").mkdir()
    for path in photos:
        Image.open(path).save(tmp_path / "photos" / f"{path.stem}.jpg")
    guide = (Path(__file__).resolve().parents[2] / "docs" / "photos.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    assert len(blocks) == 3
    monkeypatch.chdir(tmp_path)
    space: dict[str, object] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns
        for block in blocks:
            exec(block.replace("openai/clip-vit-base-patch32", "model"), space)
    lines = capsys.readouterr().out.splitlines()
    pictures = [Image.open(path) for path in sorted((tmp_path / "photos").glob("*.jpg"))]
    scores = clip.text_vectors(["a red house by the sea"]) @ clip.image_vectors(pictures).T
    ranked = [f"photos/{Path(pictures[i].filename).name}" for i in np.argsort(-scores[0])]
    assert lines[0] == ranked[0]
    assert [line.split()[1] for line in lines[1:]] == ranked[:5]


# ---- encode --------------------------------------------------------------------------------------


def test_pictures_come_as_paths_images_or_arrays_from_any_iterable(clip, photos):
    images = clip.images()
    expected = images.encode(photos)
    assert expected.shape == (12, images.get_embedding_dimension())
    assert_allclose(np.linalg.norm(expected, axis=1), 1, atol=1e-6)
    arrays = [np.asarray(Image.open(path)) for path in photos]
    for same in (map(str, photos), map(Image.open, photos), arrays, iter(arrays)):
        assert_array_equal(images.encode(same), expected)
    assert_allclose(images.encode(photos[3]), expected[3], atol=1e-6)
    assert_array_equal(images.encode(arrays[3]), images.encode(str(photos[3])))
    assert_allclose(images.encode(np.stack([arrays[0]] * 3))[2], expected[0], atol=1e-6)
    assert_allclose(images.encode(photos, batch_size=5), expected, atol=1e-6)
    assert images.encode([]).shape == (0, 24)
    assert_allclose(images.similarity(expected, expected), expected @ expected.T, atol=1e-6)


def test_an_array_in_any_layout_gives_the_same_vector(clip):
    images, pixels = clip.images(), picture(5)
    expected = images.encode(pixels)
    flipped = np.ascontiguousarray(pixels[::-1])[::-1]
    pixels.flags.writeable = False
    for same in (np.asfortranarray(pixels), flipped, pixels):
        assert_array_equal(images.encode(same), expected)


def test_an_iterable_is_streamed(clip):
    images, alive = clip.images(), []

    def stream():
        for seed in range(10):
            alive.append(seed)
            yield picture(seed)

    original = images._core

    class Watched:
        dim = original.dim
        seen: list[int] = []  # noqa: RUF012

        def embed(self, pixels, threads):
            self.seen.append(len(alive))
            return original.embed(pixels, threads)

    images._core = Watched()
    images.encode(stream(), batch_size=4)
    assert Watched.seen == [4, 8, 10]


def test_a_progress_bar_counts_pictures(clip, photos, capsys):
    clip.images().encode(photos, show_progress_bar=True, batch_size=5)
    assert "12/12" in capsys.readouterr().err
    clip.images().encode(iter(photos), show_progress_bar=False)
    assert capsys.readouterr().err == ""


def test_many_threads_get_the_same_vectors(clip, photos):
    images = clip.images(threads=1)
    expected = [images.encode(path) for path in photos]
    fresh, wrong = clip.images(), []

    def work(number: int) -> None:
        for i in range(6):
            row = (number + i) % len(photos)
            if not np.allclose(fresh.encode(photos[row]), expected[row], atol=1e-5):
                wrong.append(row)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_one_pillow_image_may_be_given_to_many_threads(clip, photos):
    images = clip.images(threads=8)
    expected = images.encode(photos[5])
    for _ in range(5):
        with Image.open(photos[5]) as lazy:  # its file is read by whoever comes first
            assert_allclose(images.encode([lazy] * 40), [expected] * 40, atol=1e-6)


def test_the_fingerprint_follows_module_and_settings(clip, tmp_path):
    images = clip.images()
    assert images.fingerprint == clip.images(threads=2).fingerprint
    assert images.fingerprint != clip.images(normalize=False).fingerprint
    config = json.loads((clip.folder / "preprocessor_config.json").read_text())
    other = write(tmp_path, {**config, "resample": 2})
    assert images.fingerprint != clip.images(processor=other).fingerprint


# ---- errors --------------------------------------------------------------------------------------


def test_the_bad_picture_is_named(clip, photos, tmp_path):
    images, good = clip.images(), photos[:3]
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(photos[0].read_bytes()[:-600])
    text = tmp_path / "notes.txt"
    text.write_text("no picture")
    for bad, kind, message in [
        (damaged, ValueError, r"image 3 \(.*damaged\.png\): expected a picture"),
        (str(text), ValueError, r"image 3 \(.*notes\.txt\): expected a picture"),
        (tmp_path / "absent.png", FileNotFoundError, r"image 3: No such file.*absent\.png"),
        (tmp_path, IsADirectoryError, "image 3"),
        (np.zeros((0, 4, 3), np.uint8), TypeError, r"got \(0, 4, 3\) of uint8"),
        (np.zeros((1, 400_000, 3), np.uint8), ValueError, "image 3: .*got 1 x 400000 pixels"),
        (7, TypeError, "image 3: expected a path, a Pillow image or a NumPy array, got int"),
        (np.zeros((4, 4), np.uint8), TypeError, r"image 3: .*got \(4, 4\) of uint8"),
        (np.zeros((4, 4, 4), np.uint8), TypeError, r"got \(4, 4, 4\) of uint8"),
        (np.zeros((4, 4, 3)), TypeError, r"got \(4, 4, 3\) of float64"),
        (
            Image.fromarray(np.zeros((4, 4), np.uint16)),
            ValueError,
            "8 bits a channel, got .*'I;16'",
        ),
    ]:
        with pytest.raises(kind, match=message):
            images.encode([*good, bad], batch_size=2)
    with pytest.raises(TypeError, match="got bytes"):
        images.encode(photos[0].read_bytes())
    with pytest.raises(TypeError, match="image 0: expected a path"):
        images.encode(None)
    with pytest.raises(ValueError, match="batch_size of at least 1"):
        images.encode(good, batch_size=0)


def script(body: str, folder: Path) -> Path:
    """A module of one line, of a class of its own, since libtorch keeps one forward a class."""
    module = type(f"Image{abs(hash(body))}", (torch.jit.ScriptModule,), {})()
    module.define(f"def forward(self, x):\n  {body}\n")
    torch.jit.save(module, str(folder / "module.pt"))
    return folder / "module.pt"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "return x",
            r"expected image vectors of shape \(n, dim\) .* got \(1, 3, 32, 32\) of Float",
        ),
        ("return x.sum()", r"got \(\) of Float"),
        ("return 'x'", "got no tensor"),
        ("return x.view([5])", "forward: raised: "),
        ("return x.flatten(1).to(torch.long)", "of Long"),
    ],
)
def test_modules_that_give_something_else_are_refused(clip, tmp_path, body, message):
    with pytest.raises(uv.FormatError, match=message):
        uv.ImageEncoder.from_torchscript(script(body, tmp_path), processor=clip.folder)


def test_vectors_that_are_not_finite_are_refused(clip, tmp_path):
    path = script("return x[:, :, 0, 0] / 0.0", tmp_path)
    images = uv.ImageEncoder.from_torchscript(path, processor=clip.folder)
    with pytest.raises(
        ValueError, match=r"expected finite image vectors of the module, got .* in row 0"
    ):
        images.encode(picture(1))


def test_what_is_no_image_module_is_refused(clip):
    with pytest.raises(uv.FormatError, match=r"expected \(pixel_values\), got 2 argument"):
        uv.ImageEncoder.from_torchscript(clip.folder / "text.pt")
    with pytest.raises(uv.FormatError, match=r"absent\.pt"):
        uv.ImageEncoder.from_torchscript(clip.folder / "absent.pt")
    with pytest.raises(
        ValueError, match=r"\[ImageEncoder\] expected threads to be None or at least 1, got 0"
    ):
        clip.images(threads=0)


@pytest.mark.parametrize(
    ("threads", "omp", "expected"),
    [(None, "3", 3), (2, "3", 2), (None, "", None), (None, None, None)],
)
def test_pictures_are_prepared_by_as_many_threads_as_encoding_uses(
    clip, monkeypatch, threads, omp, expected
):
    if omp is None:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    else:
        monkeypatch.setenv("OMP_NUM_THREADS", omp)
    if expected is None:
        has_mask = hasattr(os, "sched_getaffinity")
        expected = len(os.sched_getaffinity(0)) if has_mask else os.cpu_count()
    asked = []

    def pool(workers: int) -> ThreadPoolExecutor:
        asked.append(workers)
        return ThreadPoolExecutor(workers)

    monkeypatch.setattr(image_encoder, "ThreadPoolExecutor", pool)
    clip.images(threads=threads).encode(picture(1))
    assert asked == [expected]


def test_neither_torch_nor_transformers_is_imported(clip, photos):
    code = (
        "import sys, unitvec as uv; uv.ImageEncoder; assert 'PIL' not in sys.modules;"
        f"uv.ImageEncoder.from_torchscript({str(clip.folder / 'image.pt')!r})"
        f".encode([{str(photos[0])!r}]);"
        "print(sorted({'torch', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "[]"
