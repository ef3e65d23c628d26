"""What a cross-encoder's directory says of it, and directories that are refused."""

from __future__ import annotations

import json

import pytest

import unitvec as uv
from random_classifiers import PAIRS, as_saved, edited
from random_models import MODEL_TYPES, make_model, save

pytest.importorskip("torch")
pytest.importorskip("transformers")


def test_facts(classifiers, tmp_path):
    names = {"0": "contradiction", "1": "entailment", "2": "neutral"}
    folder = edited(classifiers("bert", 3), tmp_path / "nli", "config.json", id2label=names)
    encoder = uv.CrossEncoder(folder, threads=1)
    assert encoder.labels == {0: "contradiction", 1: "entailment", 2: "neutral"}
    facts = encoder.info()
    assert facts["architecture"] == "bert"
    assert facts["num_labels"] == 3
    assert facts["activation"] == "identity"
    assert facts["fingerprint"] == encoder.fingerprint
    assert repr(encoder).endswith("num_labels=3, activation_fn='identity', max_length=512)")
    nameless = edited(classifiers("bert", 3), tmp_path / "b", "config.json", id2label=None)
    assert uv.CrossEncoder(nameless).labels == {0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"}


def test_the_fingerprint_follows_whatever_changes_scores(classifiers, tmp_path):
    folder = classifiers("bert", 1)
    first = uv.CrossEncoder(folder).fingerprint
    assert uv.CrossEncoder(folder, threads=1).fingerprint == first
    others = [
        uv.CrossEncoder(folder, max_length=100).fingerprint,
        uv.CrossEncoder(folder, activation_fn="identity").fingerprint,
        uv.CrossEncoder(classifiers("bert", 3)).fingerprint,
        uv.CrossEncoder(
            as_saved(folder, tmp_path / "p", prompts={"q": "the "}, default_prompt_name="q")
        ).fingerprint,
    ]
    assert len({first, *others}) == 5


def test_a_class_name_runs_nothing(classifiers, tmp_path):
    canary = tmp_path / "canary"
    (tmp_path / "evil.py").write_text(f"open({str(canary)!r}, 'w')\nclass Payload: pass\n")
    folder = as_saved(classifiers("bert", 3), tmp_path / "model", activation_fn="evil.Payload")
    with pytest.raises(uv.FormatError, match=r"got 'evil\.Payload'; pass activation_fn="):
        uv.CrossEncoder(folder)
    assert uv.CrossEncoder(folder, activation_fn="sigmoid").predict(PAIRS[0]).shape == (3,)
    assert not canary.exists()


@pytest.mark.parametrize("name", MODEL_TYPES)
@pytest.mark.parametrize("head", ["Model", "ForMaskedLM", "ForTokenClassification"])
def test_a_model_without_the_head_is_refused(name, head, tmp_path):
    folder = save(make_model(name, head), tmp_path / "model")
    with pytest.raises(uv.FormatError, match=r"sequence-classification head .* use Encoder for"):
        uv.CrossEncoder(folder)


def test_directories_of_other_kinds_are_refused(classifiers, tmp_path, model_directory):
    with pytest.raises(uv.FormatError, match=r"expected one Transformer.*unitvec\.Encoder"):
        uv.CrossEncoder(model_directory)
    generation = as_saved(classifiers("bert", 1), tmp_path / "a")
    task = {"transformer_task": "text-generation"}
    (generation / "sentence_bert_config.json").write_text(json.dumps(task))
    with pytest.raises(uv.FormatError, match="transformer_task: expected 'sequence-classif"):
        uv.CrossEncoder(generation)
    with pytest.raises(uv.FormatError, match=r"unitvec\.CrossEncoder opens it"):
        uv.Encoder(as_saved(classifiers("bert", 1), tmp_path / "b"))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"id2label": {"0": "x"}}, r"expected 3 labels, .* got 1"),
        ({"id2label": {"0": "x", "2": "y", "3": "z"}}, "labels 0, 1, ..."),
        ({"id2label": ["x"]}, "id2label"),
        ({"sbert_ce_default_activation_function": 3}, "expected the name of a class, got 3"),
    ],
)
def test_a_wrong_field_is_named(fields, message, classifiers, tmp_path):
    with pytest.raises(uv.FormatError, match=message):
        uv.CrossEncoder(edited(classifiers("bert", 3), tmp_path / "a", "config.json", **fields))


def test_a_default_prompt_must_be_there(classifiers, tmp_path):
    folder = as_saved(classifiers("bert", 1), tmp_path / "a", default_prompt_name="q")
    with pytest.raises(uv.FormatError, match="default_prompt_name"):
        uv.CrossEncoder(folder)


def test_threads_and_names_are_checked(classifiers):
    with pytest.raises(
        ValueError, match=r"\[CrossEncoder\] expected threads to be None or at least 1, got 0"
    ):
        uv.CrossEncoder(classifiers("bert", 1), threads=0)
    with pytest.raises(uv.ModelNotFoundError, match="cross-encoder/no-such-model"):
        uv.CrossEncoder("no-such-model", local_files_only=True)
