"""`Encoder.verify`: a vector that must come out, wherever a model runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

import unitvec as uv
from random_models import make_model, save
from unitvec.golden import GoldenVector

pytest.importorskip("transformers")


@pytest.fixture
def folder(tmp_path):
    return save(make_model("bert"), tmp_path / "model")


def load(folder, **options) -> uv.Encoder:
    return uv.Encoder(folder, **{"pooling": "mean", **options})


def test_the_same_model_passes(folder, tmp_path):
    load(folder).golden_vector().save(tmp_path / "golden.json")
    golden = GoldenVector.load(tmp_path / "golden.json")
    assert golden == load(folder).golden_vector()
    assert load(folder).verify(golden) == 0.0
    assert load(folder, threads=2, dtype="bfloat16").verify(golden) > 0.0


def test_a_changed_tokenizer_is_noticed(folder):
    golden = load(folder).golden_vector()
    for name in ("vocab.txt", "tokenizer.json"):
        path = folder / name
        text = path.read_text(encoding="utf-8")
        assert "[UNK]" in text
        path.write_text(text.replace("[UNK]", "[XXX]").replace("the", "[UNK]"), encoding="utf-8")
    with pytest.raises(RuntimeError, match=r"within 5e-05, got a difference of \d"):
        load(folder).verify(golden)


def test_a_wrong_component_is_noticed(folder):
    golden = load(folder).golden_vector()
    wrong = [*golden.vector[:-1], golden.vector[-1] + 1e-3]
    with pytest.raises(RuntimeError, match="build or this machine is damaged"):
        load(folder).verify(replace(golden, vector=wrong))
    with pytest.raises(RuntimeError, match="difference of inf"):
        load(folder).verify(replace(golden, vector=wrong[:-1]))
    with pytest.raises(RuntimeError, match="difference of nan"):
        load(folder).verify(replace(golden, vector=[*wrong[:-1], float("nan")]))


def test_another_model_is_not_compared(folder, tmp_path):
    golden = load(folder).golden_vector()
    other = save(make_model("bert-relu").half().float(), tmp_path / "other")
    for encoder in (load(folder, pooling="cls"), load(other)):
        with pytest.raises(RuntimeError, match="got one of another model"):
            encoder.verify(golden)


def test_a_model_without_a_golden_vector_is_named(folder):
    with pytest.raises(LookupError, match="none comes with unitvec"):
        load(folder).verify()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"weights": 1}'])
def test_a_damaged_file_is_named(content, tmp_path):
    path = tmp_path / "golden.json"
    path.write_text(content)
    with pytest.raises(uv.FormatError, match=r"golden\.json: expected a golden vector"):
        GoldenVector.load(path)
