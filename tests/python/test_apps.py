"""The C++ example: text in, neighbours out, with the vectors and ranking of the Python package."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import unitvec as uv
from random_models import make_model, save

pytest.importorskip("transformers")

BUILD = Path(os.environ.get("UNITVEC_BUILD", Path(__file__).resolve().parents[2] / "build" / "dev"))
PROGRAM = BUILD / "cpp" / "apps" / "unitvec_neighbours"
DOCUMENTS = ["the cat sat", "a dog", "dogs sat a", "cats the dogs", "sat sat sat", "the a the"]
QUERIES = ["a cat sat", "dogs"]

if not PROGRAM.is_file():
    pytest.skip(f"no {PROGRAM}: configure with -DUNITVEC_APPS=ON", allow_module_level=True)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return save(make_model("bert"), tmp_path_factory.mktemp("bert"))


@pytest.fixture
def documents(tmp_path) -> Path:
    path = tmp_path / "documents.txt"
    path.write_text("\r\n".join(DOCUMENTS) + "\n\n", encoding="utf-8", newline="")
    return path


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    words = [str(PROGRAM), *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_it_ranks_as_the_python_package_does(model, documents, pooling):
    done = run("-k", 2, "--pooling", pooling, model, documents, *QUERIES)
    assert done.returncode == 0, done.stderr
    with pytest.warns(UserWarning, match="taking the mean"):
        encoder = uv.Encoder(model)

    def encode(texts):
        if pooling == "mean":
            return encoder.encode(texts, normalize_embeddings=True)
        tokens = encoder.encode(texts, output_value="token_embeddings")
        return uv.l2_normalize(np.stack([row[0] for row in tokens]))

    lines = []
    for query, scores in zip(QUERIES, encode(QUERIES) @ encode(DOCUMENTS).T, strict=True):
        lines.append(query)
        best = np.argsort(-scores)[:2]
        lines += [f"  {scores[i]:.4f}  {DOCUMENTS[i]}" for i in best]
    assert done.stdout.splitlines() == lines


def test_more_neighbours_than_documents_are_all_of_them(model, documents):
    done = run("-k", 100, model, documents, "a cat")
    assert len(done.stdout.splitlines()) == 1 + len(DOCUMENTS)


def test_texts_that_are_cut_are_counted(model, documents):
    done = run(model, documents, "a cat", "a dog " * 300, "the cat " * 300)
    assert done.returncode == 0
    assert done.stderr == "2 of 3 texts were cut to the 512 tokens that the model reads\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["MODEL", "DOCUMENTS"],
        ["-k", "0", "MODEL", "DOCUMENTS", "a"],
        ["-k", "2x", "MODEL", "DOCUMENTS", "a"],
        ["--pooling", "sum", "MODEL", "DOCUMENTS", "a"],
        ["--unknown", "MODEL", "DOCUMENTS", "a"],
        ["MODEL", "DOCUMENTS", "a", "-k"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(arguments):
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("usage: unitvec_neighbours")


def test_work_that_fails_exits_with_1(model, documents, tmp_path):
    for arguments, message in [
        ((tmp_path / "absent", documents), "absent"),
        ((model, tmp_path / "absent.txt"), "cannot read"),
        ((model, model), "expected documents"),
    ]:
        done = run(*arguments, "a cat")
        assert done.returncode == 1
        assert done.stdout == ""
        assert done.stderr.startswith("unitvec_neighbours: ")
        assert message in done.stderr
