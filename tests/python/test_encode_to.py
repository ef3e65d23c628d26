"""`Encoder.encode_to`: files that grow, and jobs that go on where they broke."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import unitvec as uv
from random_models import make_model, save
from unitvec import long_job, runs

pytest.importorskip("transformers")
parquet = pytest.importorskip("pyarrow.parquet")

WORDS = ["the", "cat", "sat", "a", "dog", "dogs", "cats", "zzz", ""]


def texts(n: int) -> list[str]:
    return [" ".join(WORDS[(i * k) % 9] for k in range(1, i % 7 + 1)) + f" {i}" for i in range(n)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return save(make_model("bert"), tmp_path_factory.mktemp("model"))


@pytest.fixture
def encoder(folder, monkeypatch):
    monkeypatch.setattr(runs, "TEXTS_AT_ONCE", 4)
    return uv.Encoder(folder, pooling="mean")


class StopError(Exception):
    pass


def breaking(items, after: int):
    yield from items[:after]
    raise StopError


def read(path: Path) -> np.ndarray:
    if path.suffix == ".npy":
        return np.load(path)
    table = parquet.read_table(path)
    assert table["index"].to_pylist() == list(range(len(table)))
    return np.array(table["embedding"].to_pylist())


@pytest.mark.parametrize("name", ["x.npy", "x.parquet"])
@pytest.mark.parametrize(
    "options",
    [{}, {"precision": "int8", "normalize_embeddings": True}, {"truncate_dim": 8, "prompt": "a "}],
)
def test_the_file_holds_what_encode_gives(name, options, encoder, tmp_path):
    path = tmp_path / name
    assert encoder.encode_to(path, iter(texts(23)), **options) == 23
    assert_array_equal(read(path), encoder.encode(texts(23), **options))
    assert os.listdir(tmp_path) == [name]  # no record, no lock


@pytest.mark.parametrize("name", ["x.npy", "x.parquet"])
def test_no_texts_give_an_empty_file(name, encoder, tmp_path):
    assert encoder.encode_to(tmp_path / name, []) == 0
    assert len(read(tmp_path / name)) == 0


@pytest.mark.parametrize("name", ["x.npy", "x.parquet"])
def test_a_broken_job_goes_on_where_it_stopped(name, encoder, tmp_path, monkeypatch):
    path = tmp_path / name
    for after in (3, 9, 9, 22):  # of runs of 4 texts
        with pytest.raises(StopError):
            encoder.encode_to(path, breaking(texts(30), after))
        done = after // 4 * 4
        assert json.loads((tmp_path / f"{name}.resume.json").read_text())["rows"] == done
        assert_array_equal(read(path).reshape(-1, 48), encoder.encode(texts(done)))
    seen = []
    tokenize = encoder.tokenizer._sequences

    def watched(some, *limits):
        seen.extend(some)
        return tokenize(some, *limits)

    monkeypatch.setattr(encoder.tokenizer, "_sequences", watched)
    assert encoder.encode_to(path, texts(30)) == 30
    assert seen == texts(30)[20:]
    monkeypatch.undo()
    assert_array_equal(read(path), encoder.encode(texts(30)))
    assert os.listdir(tmp_path) == [name]


def test_what_came_after_the_record_is_dropped(encoder, tmp_path):
    path = tmp_path / "x.npy"
    with pytest.raises(StopError):
        encoder.encode_to(path, breaking(texts(30), 12))
    with path.open("ab") as stream:
        stream.write(b"torn" * 99)
    assert encoder.encode_to(path, texts(30)) == 30
    assert_array_equal(np.load(path), encoder.encode(texts(30)))
    assert path.stat().st_size == 128 + 30 * 48 * 4


def test_a_job_killed_again_and_again_ends_with_every_vector(folder, tmp_path):
    path = tmp_path / "x.npy"
    program = f"""
import sys, unitvec as uv
from unitvec import long_job, runs
sys.path[:0] = {sys.path!r}
from test_encode_to import texts
runs.TEXTS_AT_ONCE, long_job.SECONDS_BETWEEN_SYNCS = 4, 0.0
uv.Encoder({str(folder)!r}, pooling="mean").encode_to({str(path)!r}, iter(texts(2000)))
"""
    record = Path(f"{path}.resume.json")
    kills = 0
    while kills < 5:
        child = subprocess.Popen([sys.executable, "-c", program])
        before = json.loads(record.read_text())["rows"] if record.exists() else 0
        deadline = time.monotonic() + 120
        while child.poll() is None and time.monotonic() < deadline:
            if record.exists() and json.loads(record.read_text())["rows"] > before + 40 * kills:
                break
        child.send_signal(signal.SIGKILL)
        child.wait()
        if not record.exists():
            break
        kills += 1
    assert kills >= 2
    subprocess.run([sys.executable, "-c", program], check=True, timeout=300)
    assert_array_equal(np.load(path), uv.Encoder(folder, pooling="mean").encode(texts(2000)))


def broken_job(encoder, path: Path, **options) -> None:
    with pytest.raises(StopError):
        encoder.encode_to(path, breaking(texts(30), 12), **options)


@pytest.mark.parametrize(
    ("options", "named"),
    [({"prompt": "the"}, "prompt"), ({"normalize_embeddings": True}, "normalize")],
)
def test_a_job_with_other_options_is_refused(options, named, encoder, tmp_path):
    path = tmp_path / "x.npy"
    broken_job(encoder, path)
    with pytest.raises(ValueError, match=f"expected the {named} of the broken job"):
        encoder.encode_to(path, texts(30), **options)
    assert encoder.encode_to(path, texts(30), overwrite=True, **options) == 30
    assert_array_equal(np.load(path), encoder.encode(texts(30), **options))


def test_a_job_with_another_model_is_refused(encoder, folder, tmp_path):
    broken_job(encoder, tmp_path / "x.npy")
    with pytest.raises(ValueError, match="expected the model of the broken job"):
        uv.Encoder(folder, pooling="cls").encode_to(tmp_path / "x.npy", texts(30))


@pytest.mark.parametrize("others", [texts(30)[1:], texts(5), ["x", *texts(30)[1:]]])
def test_a_job_with_other_texts_is_refused(others, encoder, tmp_path):
    broken_job(encoder, tmp_path / "x.npy")
    with pytest.raises(ValueError, match="12 texts that the broken job had done"):
        encoder.encode_to(tmp_path / "x.npy", others)
    assert encoder.encode_to(tmp_path / "x.npy", texts(30)) == 30  # nothing was harmed


@pytest.mark.parametrize("name", ["x.npy", "x.parquet"])
def test_a_finished_file_is_not_touched(name, encoder, tmp_path):
    path = tmp_path / name
    encoder.encode_to(path, texts(5))
    with pytest.raises(FileExistsError, match="overwrite=True"):
        encoder.encode_to(path, texts(5))
    assert len(read(path)) == 5
    assert encoder.encode_to(path, texts(3), overwrite=True) == 3
    assert len(read(path)) == 3


@pytest.mark.parametrize("name", ["x.npy", "x.parquet"])
def test_a_file_shorter_than_its_record_is_refused(name, encoder, tmp_path):
    path = tmp_path / name
    broken_job(encoder, path)
    if name == "x.npy":
        os.truncate(path, 900)
    else:
        next(path.glob("part-*")).unlink()
    with pytest.raises(ValueError, match="to hold 12 vectors"):
        encoder.encode_to(path, texts(30))


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"format": "unitvec-encode-1"}'])
def test_a_damaged_record_is_refused(content, encoder, tmp_path):
    broken_job(encoder, tmp_path / "x.npy")
    (tmp_path / "x.npy.resume.json").write_bytes(content)
    with pytest.raises(uv.FormatError, match=r"x\.npy\.resume\.json"):
        encoder.encode_to(tmp_path / "x.npy", texts(30))


def test_two_jobs_cannot_write_one_file(encoder, tmp_path):
    path = tmp_path / "x.npy"

    def rival():
        yield from texts(8)
        encoder.encode_to(path, texts(8))

    with pytest.raises(BlockingIOError, match="only job"):
        encoder.encode_to(path, rival())


def test_bad_arguments_are_named(encoder, tmp_path):
    with pytest.raises(ValueError, match=r"ends in one of \('\.npy', '\.parquet'\)"):
        encoder.encode_to(tmp_path / "x.csv", texts(3))
    with pytest.raises(TypeError, match="iterable of texts, got one str"):
        encoder.encode_to(tmp_path / "x.npy", "a text")
    with pytest.raises(TypeError, match="got int at position 4"):
        encoder.encode_to(tmp_path / "x.npy", [*texts(4), 5])
    assert np.load(tmp_path / "x.npy").shape == (4, 48)


def test_texts_too_long_are_warned_of_here(encoder, tmp_path):
    with pytest.warns(UserWarning, match="1 of 2 texts") as caught:
        encoder.encode_to(tmp_path / "x.npy", ["a " * 600, "a"])
    assert caught[0].filename == __file__


def test_a_job_is_kept_while_it_runs(encoder, tmp_path, monkeypatch):
    monkeypatch.setattr(long_job, "SECONDS_BETWEEN_SYNCS", 0.0)
    path, record = tmp_path / "x.npy", tmp_path / "x.npy.resume.json"
    rows = []

    def watched():
        for text in texts(12):
            rows.append((json.loads(record.read_text())["rows"], len(np.load(path))))
            yield text

    encoder.encode_to(path, watched())
    assert rows[::4] == [(0, 0), (4, 4), (8, 8)]
