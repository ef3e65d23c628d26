"""Cross-encoders against transformers and sentence-transformers, on small random checkpoints."""

from __future__ import annotations

import json
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import byte_level_bpe
import unitvec as uv
from random_models import FAMILY, MODEL_TYPES, make_model, save
from unitvec.overflow import TruncationWarning

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

PAIRS = [
    ("the cat sat", "a dog"),
    ("", ""),
    ("", "a dog sat"),
    ("a", ""),
    ("the", "the cat sat a dogs " * 20),
    ("dogs sat the cat " * 80, "a cat " * 30),  # 463 tokens
    ("dogs " * 200, "the cats sat " * 140),  # cut: both of 400 and 560 tokens
    ("a dog " * 300, "the"),  # cut: only its first text
    ("the", "a dog " * 300),
]


def classifier(name: str, labels: int, **more):
    """A random model whose head has biases too, as trained ones have."""
    model = make_model(name, "ForSequenceClassification", num_labels=labels, **more)
    with torch.no_grad():
        for part, values in model.named_parameters():
            if part.endswith("bias"):
                values.normal_(0, 0.2)
    return model


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Directories of random classifiers by model and number of labels, each made once."""
    made: dict[tuple[str, int], Path] = {}

    def folder(name: str, labels: int) -> Path:
        if (name, labels) not in made:
            path = tmp_path_factory.mktemp(name)
            made[name, labels] = save(classifier(name, labels), path)
        return made[name, labels]

    return folder


def logits_of(model, tokenizer, pairs, max_length: int = 512) -> np.ndarray:
    """What transformers makes of each pair alone, in double, so that only our rounding is seen."""
    takes_types = getattr(model.config, "type_vocab_size", 0) > 1
    rows = []
    for first, second in pairs:
        inputs = tokenizer(  # lists: of two single texts it drops an empty second one
            [first],
            [second],
            truncation="longest_first",
            max_length=max_length,
            return_tensors="pt",
        )
        if not takes_types:
            inputs.pop("token_type_ids", None)
        with torch.no_grad():
            rows.append(model.double()(**inputs).logits[0].numpy())
    return np.array(rows)


def peer(folder: Path):
    """sentence-transformers' object of a directory."""
    module = pytest.importorskip("sentence_transformers")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return module.CrossEncoder(str(folder), device="cpu")


def edited(folder: Path, target: Path, file: str, **fields) -> Path:
    """A copy of a directory with fields of one JSON file set, or removed where they are None."""
    target.mkdir()
    for path in folder.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    path = target / file
    content = json.loads(path.read_text()) if path.exists() else {}
    content |= fields
    path.write_text(json.dumps({k: v for k, v in content.items() if v is not None}))
    return target


def as_saved(folder: Path, target: Path, **fields) -> Path:
    """A copy with sentence-transformers' files beside it."""
    edited(folder, target, "config_sentence_transformers.json", **fields)
    module = {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}
    (target / "modules.json").write_text(json.dumps([module]))
    task = {
        "transformer_task": "sequence-classification",
        "modality_config": {"text": {"method": "forward", "method_output_name": "logits"}},
        "module_output_name": "scores",
    }
    (target / "sentence_bert_config.json").write_text(json.dumps(task))
    return target


# ---- against transformers ------------------------------------------------------------------------


@pytest.mark.parametrize("labels", [1, 3])
@pytest.mark.parametrize("name", FAMILY)
def test_logits_equal_transformers(name, labels, folders):
    folder = folders(name, labels)
    model = getattr(transformers, f"{FAMILY[name][0]}ForSequenceClassification")
    model = model.from_pretrained(folder).eval()
    tokenizer = transformers.BertTokenizerFast.from_pretrained(folder)
    encoder = uv.CrossEncoder(folder)
    assert encoder.max_length == 512
    assert encoder.num_labels == labels
    mine = encoder.predict(PAIRS, activation_fn="identity", on_overflow="truncate")
    expected = logits_of(model, tokenizer, PAIRS)
    assert mine.dtype == np.float32
    assert mine.shape == ((len(PAIRS),) if labels == 1 else (len(PAIRS), labels))
    assert np.ptp(expected, axis=0).min() > 1e-2  # the pairs are told apart at all
    assert_allclose(mine.reshape(expected.shape), expected, atol=1e-5)


@pytest.mark.parametrize("max_length", [3, 4, 5, 8, 11, 100])
def test_pairs_are_cut_as_transformers_cuts_them(max_length, folders):
    folder = folders("bert", 3)
    encoder = uv.CrossEncoder(folder, max_length=max_length)
    model = transformers.BertForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = transformers.BertTokenizerFast.from_pretrained(folder)
    words = ("the cat sat a dog " * 2).split()
    pairs = [(" ".join(words[:n]), " ".join(words[m:])) for n in range(0, 10, 3) for m in range(10)]
    mine = encoder.predict(pairs, on_overflow="truncate")
    assert_allclose(mine, logits_of(model, tokenizer, pairs, max_length), atol=1e-5)


@pytest.mark.parametrize("kind", ["byte-level", "unigram"])
def test_roberta_with_its_own_kind_of_tokenizer(kind, tmp_path):
    texts = ["The battery lasts very long.", "  Größe, naïve café \u65e5\u672c ", "It rains."]
    if kind == "byte-level":
        name, tokenizer = "roberta", byte_level_bpe.train(texts * 5, tmp_path)
    else:
        name, tokenizer = "xlm-roberta", unigram(texts * 5, tmp_path)
    model = classifier(name, 1, vocab_size=tokenizer.get_vocab_size())
    model.save_pretrained(tmp_path)
    fast = transformers.PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "tokenizer.json"))
    pairs = [(a, b * 8) for a in texts for b in texts]
    encoder = uv.CrossEncoder(tmp_path, max_length=40)
    with pytest.warns(TruncationWarning) as caught:
        mine = encoder.predict(pairs, activation_fn="identity")
    lengths = [len(ids) for ids in fast([a for a, _ in pairs], [b for _, b in pairs]).input_ids]
    assert f"{sum(n > 40 for n in lengths)} of 9 pairs" in str(caught[0].message)
    assert f"the longest: {max(lengths)}" in str(caught[0].message)
    assert_allclose(mine, logits_of(model, fast, pairs, 40)[:, 0], atol=1e-5)


def unigram(texts: list[str], folder: Path):
    """XLM-R's kind of tokenizer, saved in a folder."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=120,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
        unk_token="<unk>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return tokenizer


def test_types_count_unless_the_tokenizer_says_that_it_gives_none(folders, tmp_path):
    folder = folders("bert", 3)
    without = edited(
        folder,
        tmp_path / "without",
        "tokenizer_config.json",
        model_input_names=["input_ids", "attention_mask"],
    )
    model = transformers.BertForSequenceClassification.from_pretrained(folder).eval()
    mine = uv.CrossEncoder(without).predict(PAIRS[:5])
    tokenizer = transformers.AutoTokenizer.from_pretrained(without)
    assert "token_type_ids" not in tokenizer("a", "the")
    assert_allclose(mine, logits_of(model, tokenizer, PAIRS[:5]), atol=1e-5)
    assert np.abs(mine - uv.CrossEncoder(folder).predict(PAIRS[:5])).max() > 1e-3


# ---- against sentence-transformers ---------------------------------------------------------------


@pytest.mark.parametrize("labels", [1, 3])
@pytest.mark.parametrize("name", ["bert", "electra", "albert"])
def test_predict_equals_sentence_transformers(name, labels, folders):
    encoder, other = uv.CrossEncoder(folders(name, labels)), peer(folders(name, labels))
    mine = encoder.predict(PAIRS, on_overflow="truncate")
    theirs = other.predict(PAIRS)
    assert mine.shape == theirs.shape
    assert_allclose(mine, theirs, atol=1e-5)
    assert_allclose(encoder.predict(PAIRS[0]), other.predict(PAIRS[0]), atol=1e-5)
    assert np.shape(encoder.predict(PAIRS[0])) == np.shape(other.predict(PAIRS[0]))
    softmaxed = encoder.predict(PAIRS, apply_softmax=True, on_overflow="truncate")
    assert_allclose(softmaxed, other.predict(PAIRS, apply_softmax=True), atol=1e-5)


@pytest.mark.parametrize("options", [{}, {"top_k": 2}, {"return_documents": True}, {"top_k": 99}])
def test_rank_equals_sentence_transformers(options, folders):
    encoder, other = uv.CrossEncoder(folders("bert", 1)), peer(folders("bert", 1))
    documents = ["a dog", "the cat", "the cat sat", "", "a dog", "dogs"]  # two of one score
    mine = encoder.rank("the cat sat", documents, **options)
    theirs = other.rank("the cat sat", documents, **options)
    for ours, reference in zip(mine, theirs, strict=True):
        assert ours.keys() == reference.keys()
        assert ours["corpus_id"] == reference["corpus_id"]
        assert ours.get("text") == reference.get("text")
        assert ours["score"] == pytest.approx(reference["score"], abs=1e-5)
        assert type(ours["score"]) is float
    assert encoder.rank("a", iter(documents), **options) == encoder.rank("a", documents, **options)
    assert encoder.rank("a", []) == []


@pytest.mark.parametrize("labels", [1, 3])
@pytest.mark.parametrize("name", ["Sigmoid", "Identity"])
@pytest.mark.parametrize("place", ["new", "nested", "old"])
def test_the_stated_activation_is_used(place, name, labels, folders, tmp_path):
    home = "linear" if name == "Identity" else "activation"
    full_name = f"torch.nn.modules.{home}.{name}"
    plain, target = folders("bert", labels), tmp_path / "model"
    if place == "new":
        folder = as_saved(plain, target, model_type="CrossEncoder", activation_fn=full_name)
    elif place == "nested":
        nested = {"activation_fn": full_name, "version": "4.0.1"}
        folder = edited(plain, target, "config.json", sentence_transformers=nested)
    else:
        folder = edited(
            plain, target, "config.json", sbert_ce_default_activation_function=full_name
        )
    encoder = uv.CrossEncoder(folder)
    assert encoder.activation_fn == name.lower()
    assert_allclose(encoder.predict(PAIRS[:5]), peer(folder).predict(PAIRS[:5]), atol=1e-5)


@pytest.mark.parametrize("labels", [1, 3])
def test_what_sentence_transformers_saves_is_read(labels, folders, tmp_path):
    other = peer(folders("bert", labels))
    other.prompts = {"q": "the dogs ", "d": "a"}
    other.default_prompt_name = "q"
    other.activation_fn = torch.nn.Sigmoid()
    other.save_pretrained(str(tmp_path / "saved"))
    assert (tmp_path / "saved" / "modules.json").is_file()
    encoder = uv.CrossEncoder(tmp_path / "saved")
    expected = peer(tmp_path / "saved").predict(PAIRS[:5])
    assert_allclose(encoder.predict(PAIRS[:5]), expected, atol=1e-5)
    plain = uv.CrossEncoder(folders("bert", labels)).predict(PAIRS[:5], activation_fn="sigmoid")
    assert np.abs(plain - expected).max() > 1e-3  # the prompt counts


def test_the_length_is_the_tokenizers_or_the_positions(folders, tmp_path):
    shorter = edited(
        folders("bert", 1), tmp_path / "a", "tokenizer_config.json", model_max_length=20
    )
    assert uv.CrossEncoder(shorter).max_length == 20
    assert_allclose(
        uv.CrossEncoder(shorter).predict(PAIRS, on_overflow="truncate"),
        peer(shorter).predict(PAIRS),
        atol=1e-5,
    )
    unknown = edited(
        folders("bert", 1), tmp_path / "b", "tokenizer_config.json", model_max_length=int(1e30)
    )
    assert uv.CrossEncoder(unknown).max_length == 512
    assert uv.CrossEncoder(shorter, max_length=40).max_length == 40


# ---- one pair or many ----------------------------------------------------------------------------


@pytest.mark.parametrize("labels", [1, 3])
@pytest.mark.parametrize("name", MODEL_TYPES)
def test_a_pair_has_the_same_bits_alone_and_in_any_batch(name, labels, folders):
    encoder = uv.CrossEncoder(folders(name, labels))
    pairs = PAIRS[:6] * 4
    activation = "sigmoid" if labels == 1 else "softmax"
    together = encoder.predict(pairs, activation_fn=activation)
    for threads in (1, 2):
        encoder.threads = threads
        for pair, row in zip(PAIRS[:6], together, strict=False):
            assert_array_equal(encoder.predict(pair, activation_fn=activation), row)
        backwards = encoder.predict(pairs[::-1], activation_fn=activation)
        assert_array_equal(backwards[::-1], together)


def test_activations_have_the_same_bits_in_any_array():
    from unitvec.activations import sigmoid, softmax

    logits = (np.random.default_rng(1).normal(size=(999, 3)) * 20).astype(np.float32)
    for function in (sigmoid, softmax):
        together = function(logits)
        assert together.dtype == np.float32
        for n in (1, 2, 3, 7, 8, 9, 17, 500):
            assert_array_equal(function(logits[n : 2 * n]), together[n : 2 * n])
    assert_allclose(softmax(logits), torch.softmax(torch.tensor(logits), 1).numpy(), rtol=1e-5)
    extreme = np.array([[-200.0, -20.0, 0.0, 20.0, 200.0]], np.float32)
    expected = torch.sigmoid(torch.tensor(extreme)).numpy()
    assert_allclose(sigmoid(extreme), expected, rtol=1e-5, atol=1e-30)


def test_one_pair_and_none(folders):
    for labels in (1, 3):
        encoder = uv.CrossEncoder(folders("bert", labels))
        shape = () if labels == 1 else (3,)
        for one in (("a", "the"), ["a", "the"], np.array(["a", "the"])):
            assert np.shape(encoder.predict(one)) == shape
            assert_array_equal(encoder.predict(one), encoder.predict([one])[0])
        assert_array_equal(
            encoder.predict(np.array([["a", "the"], ["the", "a"]])),
            encoder.predict([("a", "the"), ["the", "a"]]),
        )
        none = encoder.predict([])
        assert none.shape == (0, *shape)
        assert none.dtype == np.float32


def test_a_generator_is_read_a_run_at_a_time(folders, monkeypatch):
    from unitvec import pairs

    monkeypatch.setattr(pairs, "TEXTS_AT_ONCE", 5)
    encoder = uv.CrossEncoder(folders("bert", 1))
    core, scored = encoder._head, []
    monkeypatch.setattr(encoder, "_head", Counted(core, scored))
    read = []

    def texts():
        for i in range(23):
            read.append(i)
            assert sum(scored) >= len(read) - 5  # never more than a run ahead
            yield "the cat", "a dog " * (i % 4)

    streamed = encoder.predict(texts())
    assert scored == [5, 5, 5, 5, 3]
    assert_array_equal(streamed, encoder.predict([("the cat", "a dog " * (i % 4)) for i in read]))


class Counted:
    """A head that notes how many pairs it was given."""

    def __init__(self, head, scored: list[int]) -> None:
        self.head, self.scored, self.labels = head, scored, head.labels

    def __call__(self, first, threads):
        self.scored.append(len(first))
        return self.head(first, threads)


def test_many_threads_share_one_object(folders):
    encoder = uv.CrossEncoder(folders("bert", 3))
    expected = encoder.predict(PAIRS[:6])
    results = []

    def work() -> None:
        results.extend(encoder.predict(PAIRS[:6]) for _ in range(5))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(results) == 20
    for result in results:
        assert_array_equal(result, expected)


def test_a_progress_bar_counts_pairs(folders, capsys):
    encoder = uv.CrossEncoder(folders("bert", 1))
    encoder.predict(PAIRS[:4], show_progress_bar=True)
    assert "4/4" in capsys.readouterr().err
    encoder.rank("a", ["the"] * 7, show_progress_bar=True)
    assert "7/7" in capsys.readouterr().err
    encoder.predict(PAIRS[0], show_progress_bar=False)
    assert capsys.readouterr().err == ""


# ---- activations ---------------------------------------------------------------------------------


def test_an_activation_of_the_callers(folders):
    encoder = uv.CrossEncoder(folders("bert", 3))
    logits = encoder.predict(PAIRS[:5], activation_fn="identity")
    assert_array_equal(encoder.predict(PAIRS[:5], activation_fn=np.tanh), np.tanh(logits))
    both = encoder.predict(PAIRS[:5], activation_fn=np.tanh, apply_softmax=True)
    expected = torch.softmax(torch.tanh(torch.tensor(logits)), 1).numpy()
    assert_allclose(both, expected, atol=1e-6)
    assert_allclose(encoder.predict(PAIRS[:5], activation_fn="softmax").sum(axis=1), 1, atol=1e-6)
    always = uv.CrossEncoder(folders("bert", 3), activation_fn=np.tanh)
    assert_array_equal(always.predict(PAIRS[:5]), np.tanh(logits))


def test_wrong_activations_are_refused(folders, tmp_path):
    encoder = uv.CrossEncoder(folders("bert", 3))
    with pytest.raises(ValueError, match=r"activation_fn to be one of .*'softmax'.* got 'relu'"):
        encoder.predict([], activation_fn="relu")
    with pytest.raises(ValueError, match=r"to give shape \(2, 3\), as it was given, got \(2,\)"):
        encoder.predict(PAIRS[:2], activation_fn=lambda x: x.max(axis=1))
    with pytest.raises(ValueError, match="got 'gelu'"):
        uv.CrossEncoder(folders("bert", 3), activation_fn="gelu")
    canary = tmp_path / "canary"
    (tmp_path / "evil.py").write_text(f"open({str(canary)!r}, 'w')\nclass Payload: pass\n")
    folder = as_saved(folders("bert", 3), tmp_path / "model", activation_fn="evil.Payload")
    with pytest.raises(uv.FormatError, match=r"got 'evil\.Payload'; pass activation_fn="):
        uv.CrossEncoder(folder)
    assert uv.CrossEncoder(folder, activation_fn="sigmoid").predict(PAIRS[0]).shape == (3,)
    assert not canary.exists()


# ---- too long ------------------------------------------------------------------------------------


def test_overflow_is_counted_and_said_once(folders):
    encoder = uv.CrossEncoder(folders("bert", 1))
    with pytest.warns(TruncationWarning) as caught:
        warned = encoder.predict(PAIRS)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert "3 of 9 pairs are longer than the 512 tokens" in str(caught[0].message)
    assert "the longest: 963" in str(caught[0].message)
    assert_array_equal(encoder.predict(PAIRS, on_overflow="truncate"), warned)
    with pytest.raises(ValueError, match=r"pairs of at most 512 tokens, got 963 in pair 6"):
        encoder.predict(PAIRS, on_overflow="error")
    with pytest.warns(TruncationWarning, match="1 of 2 pairs") as caught:
        encoder.rank("the", ["a", "a dog " * 300])
    assert caught[0].filename == __file__
    with pytest.raises(ValueError, match=r"on_overflow to be one of .* got 'chunk'"):
        encoder.predict(PAIRS, on_overflow="chunk")


def test_a_shorter_limit_may_be_set(folders):
    encoder = uv.CrossEncoder(folders("bert", 1))
    encoder.max_length = 10
    with pytest.warns(TruncationWarning, match="longer than the 10 tokens"):
        encoder.predict([("the cat sat a dog", "the cat sat a dog")])
    for wrong in (2, 513, 10.0, None):
        with pytest.raises(ValueError, match=r"max_length to be from 3.* to 512"):
            encoder.max_length = wrong
    with pytest.raises(ValueError, match="got 600"):
        uv.CrossEncoder(folders("bert", 1), max_length=600)


# ---- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ("a text", "expected a pair of texts or an iterable of pairs, got str"),
        (b"ab", "got bytes"),
        (7, "got int"),
        (["one", "two", "three"], "got 3 values at position 0"),
        (("one", None), "got str and NoneType at position 0"),
        ([("a", "b"), "ab"], "got str at position 1"),
        ([("a", "b"), ("a",)], "got 1 values at position 1"),
        ([("a", "b"), ("a", b"b")], "got str and bytes at position 1"),
        (((str(i), i) for i in range(3)), "got str and int at position 0"),
    ],
)
def test_what_is_not_a_pair_is_named(pairs, message, folders):
    with pytest.raises(TypeError, match=message):
        uv.CrossEncoder(folders("bert", 1)).predict(pairs)


def test_rank_refuses_what_it_cannot_rank(folders):
    with pytest.raises(ValueError, match=r"\[rank\] expected a model with one label, got 3"):
        uv.CrossEncoder(folders("bert", 3)).rank("a", ["the"])
    encoder = uv.CrossEncoder(folders("bert", 1))
    with pytest.raises(TypeError, match="documents to be several, got str and str"):
        encoder.rank("a", "the")
    with pytest.raises(TypeError, match="got list and list"):
        encoder.rank(["a"], ["the"])
    with pytest.raises(TypeError, match="got str and int at position 1"):
        encoder.rank("a", ["the", 3])
    with pytest.raises(ValueError, match="top_k to be None or at least 0, got -1"):
        encoder.rank("a", ["the"], top_k=-1)


@pytest.mark.parametrize("name", MODEL_TYPES)
@pytest.mark.parametrize("head", ["Model", "ForMaskedLM", "ForTokenClassification"])
def test_a_model_without_the_head_is_refused(name, head, tmp_path):
    folder = save(make_model(name, head), tmp_path / "model")
    with pytest.raises(uv.FormatError, match=r"sequence-classification head .* use Encoder for"):
        uv.CrossEncoder(folder)


def test_directories_of_other_kinds_are_refused(folders, tmp_path, model_directory):
    with pytest.raises(uv.FormatError, match=r"expected one Transformer.*unitvec\.Encoder"):
        uv.CrossEncoder(model_directory)
    generation = as_saved(folders("bert", 1), tmp_path / "a")
    task = {"transformer_task": "text-generation"}
    (generation / "sentence_bert_config.json").write_text(json.dumps(task))
    with pytest.raises(uv.FormatError, match="transformer_task: expected 'sequence-classif"):
        uv.CrossEncoder(generation)
    saved = tmp_path / "saved"
    peer(folders("bert", 1)).save_pretrained(str(saved))
    with pytest.raises(uv.FormatError, match=r"unitvec\.CrossEncoder opens it"):
        uv.Encoder(saved)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"id2label": {"0": "x"}}, r"expected 3 labels, .* got 1"),
        ({"id2label": {"0": "x", "2": "y", "3": "z"}}, "labels 0, 1, ..."),
        ({"id2label": ["x"]}, "id2label"),
        ({"sbert_ce_default_activation_function": 3}, "expected the name of a class, got 3"),
    ],
)
def test_a_wrong_field_is_named(fields, message, folders, tmp_path):
    with pytest.raises(uv.FormatError, match=message):
        uv.CrossEncoder(edited(folders("bert", 3), tmp_path / "a", "config.json", **fields))


def test_a_default_prompt_must_be_there(folders, tmp_path):
    folder = as_saved(folders("bert", 1), tmp_path / "a", default_prompt_name="q")
    with pytest.raises(uv.FormatError, match="default_prompt_name"):
        uv.CrossEncoder(folder)


def test_threads_and_names_are_checked(folders):
    with pytest.raises(ValueError, match="threads to be None or at least 1, got 0"):
        uv.CrossEncoder(folders("bert", 1), threads=0)
    with pytest.raises(uv.ModelNotFoundError, match="cross-encoder/no-such-model"):
        uv.CrossEncoder("no-such-model", local_files_only=True)


# ---- facts ---------------------------------------------------------------------------------------


def test_facts(folders, tmp_path):
    names = {"0": "contradiction", "1": "entailment", "2": "neutral"}
    folder = edited(folders("bert", 3), tmp_path / "nli", "config.json", id2label=names)
    encoder = uv.CrossEncoder(folder, threads=1)
    assert encoder.labels == {0: "contradiction", 1: "entailment", 2: "neutral"}
    facts = encoder.info()
    assert facts["architecture"] == "bert"
    assert facts["num_labels"] == 3
    assert facts["activation"] == "identity"
    assert facts["fingerprint"] == encoder.fingerprint
    assert repr(encoder).endswith("num_labels=3, activation_fn='identity', max_length=512)")
    nameless = edited(folders("bert", 3), tmp_path / "b", "config.json", id2label=None)
    assert uv.CrossEncoder(nameless).labels == {0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"}


def test_the_fingerprint_follows_whatever_changes_scores(folders, tmp_path):
    folder = folders("bert", 1)
    first = uv.CrossEncoder(folder).fingerprint
    assert uv.CrossEncoder(folder, threads=1).fingerprint == first
    others = [
        uv.CrossEncoder(folder, max_length=100).fingerprint,
        uv.CrossEncoder(folder, activation_fn="identity").fingerprint,
        uv.CrossEncoder(folders("bert", 3)).fingerprint,
        uv.CrossEncoder(
            as_saved(folder, tmp_path / "p", prompts={"q": "the "}, default_prompt_name="q")
        ).fingerprint,
    ]
    assert len({first, *others}) == 5
