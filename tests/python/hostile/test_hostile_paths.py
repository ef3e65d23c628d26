"""Paths and links that lead out of a model directory, and files that are no files."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

import unitvec as uv
from hostile_models import JSON_FILES, refused, write

OUTSIDE = "../outside/2_Dense"
TRAVERSALS = [
    *("../" * n + "outside/2_Dense" for n in range(1, 6)),
    *(f"{a}{OUTSIDE}" for a in ("./", "././", "1_Pooling/../", ".//", "2_Dense/../1_Pooling/../")),
    *(OUTSIDE.replace("/", s) for s in ("\\", "//", "/./", "\\/", "/\\")),
    *(f"{up}/outside/2_Dense" for up in ("%2e%2e", "..%00", "..;", ".. ", " ..", "...", "....")),
    *("/etc", "/", "//etc", "///", "/outside/2_Dense", "~", "~root", "~/x", "$HOME", "${HOME}"),
    *("C:", "C:\\x", "C:/x", "c:..\\x", "\\\\server\\share", "//server/share", "\\\\?\\C:\\x"),
    *("file:///etc", "http://x/y", "2_Dense\0", "\0", "\0../x", f"2_Dense\0/{OUTSIDE}", "..\0"),
    *("\ud800", "2_Dense\n", "..", "../", "../.", "1_Pooling/..", "a" * 300, "a/" * 3000, "NUL"),
]


def test_a_path_out_of_the_directory_is_refused(bert, load):
    shutil.copytree(bert / "2_Dense", bert.parent / "outside" / "2_Dense")  # would load
    modules = json.loads((bert / "modules.json").read_text())
    assert len(TRAVERSALS) >= 50
    for number in (0, 1, 2):
        for path in [*TRAVERSALS, str(bert.parent / "outside" / "2_Dense")]:
            if number == 0 and path == "1_Pooling/..":
                continue
            changed = [dict(module) for module in modules]
            changed[number]["path"] = path
            write(bert / "modules.json", changed)
            refused(load(bert))


def link(path: Path, target: Path | str) -> None:
    path.unlink()
    path.symlink_to(target)


@pytest.mark.parametrize(
    "file",
    [
        *(f for f in JSON_FILES if "index" not in f),
        "vocab.txt",
        "model.safetensors",
        "2_Dense/model.safetensors",
    ],
)
def test_a_link_out_of_the_directory_is_refused(bert, load, file):
    outside = bert.parent / "outside"
    shutil.copytree(bert, outside)
    for target in (outside / file, os.path.relpath(outside / file, (bert / file).parent)):
        link(bert / file, target)
        refused(load(bert), file, "symbolic link")
    if "/" not in file:
        with pytest.raises(uv.FormatError, match="symbolic link"):
            uv.Tokenizer.from_pretrained(bert)


def test_a_folder_that_is_a_link_out_of_the_directory_is_refused(bert, load):
    shutil.move(bert / "2_Dense", bert.parent / "outside")
    (bert / "2_Dense").symlink_to(bert.parent / "outside")
    refused(load(bert), "inside the model")


def test_links_within_a_directory_and_to_it_are_followed(bert, load):
    expected = load(bert)
    (bert / "model.safetensors").rename(bert / "weights")
    (bert / "model.safetensors").symlink_to("weights")
    assert load(bert) == expected
    (bert.parent / "alias").symlink_to(bert)
    assert load(bert.parent / "alias") == expected


def test_the_links_of_the_hub_cache_are_followed(bert, load):
    """snapshots/COMMIT/FILE -> ../../blobs/DIGEST."""
    expected = load(bert)
    repository = bert.parent / "models--org--name"
    blobs = repository / "blobs"
    blobs.mkdir(parents=True)
    snapshot = repository / "snapshots" / "abc"
    shutil.copytree(bert, snapshot)
    files = [path for path in snapshot.rglob("*") if path.is_file()]
    for number, path in enumerate(files):
        path.rename(blobs / str(number))
        path.symlink_to(os.path.relpath(blobs / str(number), path.parent))
    assert load(snapshot) == expected
    link(snapshot / "config.json", bert / "config.json")
    refused(load(snapshot), "config.json", "symbolic link")


@pytest.mark.parametrize("file", [*JSON_FILES[:-1], "model.safetensors", "vocab.txt"])
def test_what_is_no_regular_file_is_refused(bert, load, file):
    path = bert / file
    if file in ("added_tokens.json", "vocab.txt"):
        (bert / "tokenizer.json").unlink()
    path.unlink()
    os.mkfifo(path)
    refused(load(bert), path.name)
    path.unlink()
    path.mkdir()
    refused(load(bert), path.name)
    path.rmdir()
    path.symlink_to(path.name)
    refused(load(bert), path.name)
