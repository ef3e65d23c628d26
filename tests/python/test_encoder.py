"""Encoder against transformers and sentence-transformers on small random models."""

from __future__ import annotations

import json
import shutil
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import unitvec as uv
from unitvec.encoder import TruncationWarning
from unitvec.runs import TEXTS_AT_ONCE

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

WORDS = ["the", "a", "cat", "dog", "sat", "on", "mat", "big", "red", "run", "bank", "of", "river"]
WORDS += ["money", "in", "!", ".", ",", "?", "é", "##s", "##ing"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
TEXTS = [
    "the cat sat on the mat.",
    "dogs running in the river!",
    "",
    "a",
    "money in the bank, " * 4,
    "unknown zzz words",
]


def save_tiny_model(folder: Path, *, pooling: str = "mean", normalize: bool = True) -> Path:
    """A random BERT of 2 layers with a sentence-transformers layout around it."""
    from sentence_transformers import SentenceTransformer

    try:
        from sentence_transformers.sentence_transformer import modules as models
    except ImportError:  # before release 6
        from sentence_transformers import models

    plain = folder / "plain"
    plain.mkdir(parents=True)
    (plain / "vocab.txt").write_text("\n".join(SPECIAL + WORDS) + "\n", encoding="utf-8")
    transformers.BertTokenizerFast(str(plain / "vocab.txt"), model_max_length=32).save_pretrained(
        plain
    )
    torch.manual_seed(3)
    config = transformers.BertConfig(
        vocab_size=len(SPECIAL + WORDS),
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=96,
        max_position_embeddings=40,
        initializer_range=0.3,  # large enough that attention has something to choose
    )
    transformers.BertModel(config).eval().save_pretrained(plain)
    transformer = models.Transformer(str(plain), max_seq_length=24)
    modules = [transformer, models.Pooling(48, pooling_mode=pooling)]
    if normalize:
        modules.append(models.Normalize())
    model = SentenceTransformer(
        modules=modules, device="cpu", prompts={"query": "cat ", "document": ""}
    )
    model.save(str(folder / "sentence"))
    return folder / "sentence"


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def tiny_encoder(tiny: Path) -> uv.Encoder:
    return uv.Encoder(tiny)


def reference(directory: Path):
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(directory), device="cpu")


@pytest.fixture
def copy(tiny: Path, tmp_path: Path) -> Path:
    """A model directory that a test may damage."""
    return Path(shutil.copytree(tiny, tmp_path / "model"))


# ---- the same vectors as the libraries that people come from -----------------------------------


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("pooling", ["cls", "mean", "max"])
def test_vectors_equal_sentence_transformers(tmp_path, pooling, normalize):
    directory = save_tiny_model(tmp_path, pooling=pooling, normalize=normalize)
    encoder = uv.Encoder(directory)
    assert encoder.pooling == pooling
    expected = reference(directory).encode(TEXTS)
    assert_allclose(encoder.encode(TEXTS, on_overflow="truncate"), expected, atol=1e-5)


def test_every_layer_equals_transformers(tiny, tiny_encoder):
    model = transformers.AutoModel.from_pretrained(tiny).eval()
    for text in TEXTS:
        ids = tiny_encoder.tokenizer.encode(text, max_length=24).ids
        with torch.no_grad():
            output = model(torch.tensor([ids]), output_hidden_states=True)
        states = tiny_encoder.hidden_states(text)
        assert len(states) == 3
        for mine, theirs in zip(states, output.hidden_states, strict=True):
            assert_allclose(mine, theirs[0].numpy(), atol=1e-5)
        by_ids = tiny_encoder.hidden_states([list(ids)])[0]
        assert_array_equal(by_ids[-1], states[-1])


def test_prompts_go_before_the_text(tiny, tiny_encoder):
    theirs = reference(tiny)
    texts = ["sat on the mat", "dog"]
    expected = theirs.encode(texts, prompt_name="query")
    assert_allclose(tiny_encoder.encode(texts, prompt_name="query"), expected, atol=1e-5)
    assert_array_equal(tiny_encoder.encode_query(texts), tiny_encoder.encode(texts, prompt="cat "))
    assert_array_equal(tiny_encoder.encode_document(texts), tiny_encoder.encode(texts))


class TokenVectors(torch.nn.Module):
    """What is traced: (input_ids, attention_mask) to (batch, seq_len, dim)."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask):
        output = self.model(input_ids=input_ids, attention_mask=attention_mask)
        return output.last_hidden_state


def trace(directory: Path, path: Path, example) -> None:
    model = transformers.AutoModel.from_pretrained(directory, attn_implementation="eager").eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns of every Python branch it flattens
        traced = torch.jit.trace(TokenVectors(model), (example, (example != 0).long()))
        torch.jit.save(traced, path)


def test_a_torchscript_module_gives_the_vectors_of_the_model_it_was_traced_from(
    tiny, tiny_encoder, tmp_path
):
    trace(tiny, tmp_path / "model.pt", torch.tensor([[2, 5, 6, 3], [2, 7, 3, 0]]))
    encoder = uv.Encoder.from_torchscript(
        tmp_path / "model.pt", tokenizer=tiny, pooling="mean", normalize=True, max_seq_length=24
    )
    assert encoder.get_embedding_dimension() == 48
    expected = tiny_encoder.encode(TEXTS, on_overflow="truncate")
    assert_allclose(encoder.encode(TEXTS, on_overflow="truncate"), expected, atol=1e-5)
    assert encoder.fingerprint != tiny_encoder.fingerprint
    with pytest.raises(ValueError, match=r"\[hidden_states\] expected a transformer"):
        encoder.hidden_states("cat")


# ---- laws --------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join), min_size=1, max_size=9)
)
def test_a_text_has_the_same_bits_alone_and_in_any_batch(tiny_encoder, texts):
    alone = np.vstack([tiny_encoder.encode([text], on_overflow="truncate") for text in texts])
    assert_array_equal(tiny_encoder.encode(texts, on_overflow="truncate"), alone)


def test_threads_do_not_change_a_bit(tiny):
    texts = [f"the {word} sat on {word}" for word in WORDS] * 20
    one = uv.Encoder(tiny, threads=1).encode(texts)
    for threads in (2, 3):
        assert_array_equal(uv.Encoder(tiny, threads=threads).encode(texts), one)


def test_many_python_threads_get_the_single_threaded_bits(tiny_encoder):
    texts = [f"the {a} sat on the {b}" for a in WORDS for b in WORDS]
    expected = tiny_encoder.encode(texts)
    results: dict[int, np.ndarray] = {}

    def work(number: int) -> None:
        results[number] = tiny_encoder.encode(texts)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    for result in results.values():
        assert_array_equal(result, expected)


def test_any_iterable_of_texts_will_do_and_order_is_kept(tiny_encoder):
    texts = [f"{WORDS[i % 9]} {WORDS[i % 7]} " * (i % 5) for i in range(TEXTS_AT_ONCE + 50)]
    expected = tiny_encoder.encode(texts)
    assert_array_equal(tiny_encoder.encode(text for text in texts), expected)
    assert_array_equal(tiny_encoder.encode(np.array(texts)), expected)
    assert_array_equal(tiny_encoder.encode(texts[-1]), expected[-1])


def test_normalised_vectors_have_length_one(tiny_encoder):
    plain = tiny_encoder.encode(TEXTS, normalize_embeddings=False, on_overflow="truncate")
    unit = tiny_encoder.encode(TEXTS, on_overflow="truncate")
    assert_allclose(np.linalg.norm(unit, axis=1), 1.0, atol=1e-6)
    assert_allclose(plain / np.linalg.norm(plain, axis=1, keepdims=True), unit, atol=1e-6)
    short = tiny_encoder.encode(TEXTS, truncate_dim=8, on_overflow="truncate")
    assert short.shape == (len(TEXTS), 8)
    assert_allclose(np.linalg.norm(short, axis=1), 1.0, atol=1e-6)


# ---- other outputs -----------------------------------------------------------------------------


def test_token_vectors_pool_to_the_text_vector(tiny_encoder):
    text = "the cat sat"
    tokens = tiny_encoder.encode(text, output_value="token_embeddings")
    assert tokens.shape == (5, 48)  # [CLS] the cat sat [SEP]
    mean = tokens.mean(axis=0)
    assert_allclose(mean / np.linalg.norm(mean), tiny_encoder.encode(text), atol=1e-6)
    many = tiny_encoder.encode([text, ""], output_value="token_embeddings")
    assert [len(m) for m in many] == [5, 2]


def test_everything_about_a_text(tiny_encoder):
    short, long = tiny_encoder.encode(
        ["the cat", "cat " * 40], output_value=None, on_overflow="truncate"
    )
    assert short["token_count"] == 4
    assert not short["truncated"]
    assert long["token_count"] == 42
    assert long["truncated"]
    assert long["input_ids"].shape == long["attention_mask"].shape == (24,)
    assert_array_equal(short["sentence_embedding"], tiny_encoder.encode("the cat"))
    one = tiny_encoder.encode("the cat", output_value=None)
    assert one["token_embeddings"].shape == (4, 48)


def test_no_texts_give_no_vectors(tiny_encoder):
    assert tiny_encoder.encode([]).shape == (0, 48)
    assert tiny_encoder.encode(iter([])).dtype == np.float32
    assert tiny_encoder.encode([], output_value="token_embeddings") == []


def test_similarity_is_the_cosine(tiny_encoder):
    a = tiny_encoder.encode(["the cat", "a dog"])
    assert_allclose(tiny_encoder.similarity(a, a), a @ a.T, atol=1e-6)
    assert_allclose(tiny_encoder.similarity_pairwise(a, a), 1.0, atol=1e-6)
    with pytest.raises(ValueError, match="two arrays of one shape"):
        tiny_encoder.similarity_pairwise(a, a[:1])


# ---- nothing is lost silently ------------------------------------------------------------------


def test_overflow_warns_once_with_the_count_and_the_longest(tiny_encoder):
    texts = ["cat " * 30, "dog", "dog " * 50]
    with pytest.warns(
        TruncationWarning, match=r"2 of 3 texts .* 24 tokens .*longest: 52"
    ) as caught:
        tiny_encoder.encode(texts)
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_a_collection_warns_once_a_call_too(tmp_path: Path, tiny_encoder):
    from unitvec.collection.batches import BATCH_DOCUMENTS

    texts = ["cat " * 30] * (BATCH_DOCUMENTS + 3)
    with (
        uv.Collection(tmp_path / "c.uv", encoder=tiny_encoder) as db,
        pytest.warns(TruncationWarning, match=f"{len(texts)} of {len(texts)} texts") as caught,
    ):
        db.add(texts)
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_overflow_as_an_error_names_the_text(tiny_encoder):
    with pytest.raises(ValueError, match="at most 24 tokens, got 32 in text 1"):
        tiny_encoder.encode(["dog", "cat " * 30], on_overflow="error")


def test_the_limit_is_the_models_not_the_tokenizer_files(tiny, copy):
    assert uv.Encoder(tiny).max_seq_length == 24  # model_max_length, where nothing else says more
    (copy / "sentence_bert_config.json").write_text('{"max_seq_length": 30}')
    tokenizer = json.loads((copy / "tokenizer.json").read_text())
    tokenizer["truncation"] = {
        "direction": "Right",
        "max_length": 5,
        "strategy": "LongestFirst",
        "stride": 0,
    }
    (copy / "tokenizer.json").write_text(json.dumps(tokenizer))
    encoder = uv.Encoder(copy)
    assert encoder.max_seq_length == 30
    assert len(encoder.encode("cat " * 20, output_value="token_embeddings")) == 22


def test_a_lower_limit_may_be_set_and_changes_the_fingerprint(tiny):
    encoder = uv.Encoder(tiny)
    before = encoder.fingerprint
    encoder.max_seq_length = 4
    vectors = encoder.encode("cat " * 9, output_value="token_embeddings", on_overflow="truncate")
    assert vectors.shape == (4, 48)
    assert encoder.fingerprint != before


def test_progress_is_shown_on_stderr_only(tiny_encoder, capsys):
    tiny_encoder.encode(["cat"] * 50, show_progress_bar=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "50/50" in captured.err
    tiny_encoder.encode(["cat"] * 50)
    assert capsys.readouterr().err == ""


# ---- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [[1], ["a", None], [b"x"], b"bytes", ["a", ["b"]], [float("nan")]])
def test_what_is_not_text_is_refused_with_its_place(tiny_encoder, bad):
    with pytest.raises(TypeError, match=r"\[encode\] expected"):
        tiny_encoder.encode(bad)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"output_value": "vectors"}, "output_value to be 'sentence_embedding'"),
        ({"on_overflow": "ignore"}, "on_overflow to be one of .*'chunk'"),
        ({"truncate_dim": 0}, r"truncate_dim to be in \[1, 48\], got 0"),
        ({"truncate_dim": 49}, r"truncate_dim to be in \[1, 48\], got 49"),
        ({"prompt_name": "nope"}, r"prompt_name to be one of \['document', 'query'\], got 'nope'"),
    ],
)
def test_bad_options_say_what_was_expected(tiny_encoder, options, message):
    with pytest.raises(ValueError, match=message):
        tiny_encoder.encode("cat", **options)


def test_bad_constructor_arguments(tiny):
    with pytest.raises(ValueError, match="dtype to be one of"):
        uv.Encoder(tiny, dtype="float16")
    with pytest.raises(
        ValueError, match=r"\[Encoder\] expected threads to be None or at least 1, got 0"
    ):
        uv.Encoder(tiny, threads=0)
    with pytest.raises(uv.ModelNotFoundError):
        uv.Encoder("no/such-model", local_files_only=True)
    with pytest.raises(ValueError, match=r"\[pooling\] expected one of cls, mean, .* got sum"):
        uv.Encoder.from_torchscript("x.pt", tokenizer=tiny, pooling="sum")


def test_ids_outside_the_model_are_refused(tiny_encoder):
    with pytest.raises(ValueError, match=r"token ids in \[0, "):
        tiny_encoder.hidden_states([[2, 10_000, 3]])
    with pytest.raises(ValueError, match="at most 40 tokens a text, got 41"):
        tiny_encoder.hidden_states([[2] * 41])


def test_a_directory_without_weights_is_refused(copy):
    (copy / "model.safetensors").unlink()
    with pytest.raises(uv.FormatError, match=r"expected model\.safetensors"):
        uv.Encoder(copy)
    (copy / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(uv.FormatError, match="convert it"):
        uv.Encoder(copy)


@pytest.mark.parametrize("keep", [0, 7, 8, 100, 0.5, -1])
def test_truncated_weights_are_refused(copy, keep):
    path = copy / "model.safetensors"
    content = path.read_bytes()
    size = int(len(content) * keep) if isinstance(keep, float) else keep
    path.write_bytes(content[:size])
    with pytest.raises(uv.FormatError, match=r"model\.safetensors"):
        uv.Encoder(copy)


def test_a_hostile_header_length_allocates_nothing(copy):
    path = copy / "model.safetensors"
    path.write_bytes((2**63).to_bytes(8, "little") + b"{}")
    with pytest.raises(uv.FormatError, match="expected a header of at most"):
        uv.Encoder(copy)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("config.json", "{}", "model_type"),
        ("config.json", "[", "expected JSON"),
        ("modules.json", "{}", "expected a JSON list"),
        ("modules.json", "[1]", 'objects with a "type"'),
        ("modules.json", '[{"type": "x.CNN", "path": ""}]', "expected modules among"),
        ("modules.json", '[{"type": "x.Transformer", "path": "../.."}]', "inside the model"),
        ("modules.json", "[]", "expected a Transformer, Pooling"),
        ("1_Pooling/config.json", '{"pooling_mode": "sum"}', "pooling_mode: expected one or"),
        ("1_Pooling/config.json", "{}", "expected at least one of"),
        (
            "sentence_bert_config.json",
            '{"max_seq_length": -1}',
            "max_seq_length: expected an integer",
        ),
        ("config_sentence_transformers.json", '{"prompts": [1]}', "expected texts by name"),
        (
            "config_sentence_transformers.json",
            '{"default_prompt_name": "x", "prompts": {}}',
            "default_prompt_name: expected one of",
        ),
    ],
)
def test_damaged_model_directories_name_the_file_and_field(copy, file, content, message):
    (copy / file).write_text(content)
    with pytest.raises(uv.FormatError, match=message) as caught:
        uv.Encoder(copy)
    assert Path(file).name in str(caught.value)


def test_both_forms_of_the_pooling_config_are_read(copy):
    path = copy / "1_Pooling" / "config.json"
    path.write_text('{"word_embedding_dimension": 48, "pooling_mode": "cls"}')
    assert uv.Encoder(copy).pooling == "cls"
    path.write_text('{"pooling_mode_cls_token": false, "pooling_mode_max_tokens": true}')
    assert uv.Encoder(copy).pooling == "max"


def test_a_plain_transformers_directory_says_that_its_pooling_is_a_guess(tiny):
    plain = tiny.parent / "plain"
    with pytest.warns(UserWarning, match=r"no modules\.json.*mean"):
        encoder = uv.Encoder(plain)
    assert encoder.pooling == "mean"
    assert not encoder.normalize_embeddings
    assert encoder.max_seq_length == 32  # tokenizer_config.json's model_max_length


def test_a_tokenizer_larger_than_the_model_is_refused(copy):
    config = json.loads((copy / "config.json").read_text())
    config["vocab_size"] -= 1
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(uv.FormatError):
        uv.Encoder(copy)


def test_the_fingerprint_follows_the_weights_and_the_settings(tiny, copy):
    same = uv.Encoder(copy).fingerprint
    assert same == uv.Encoder(tiny).fingerprint
    assert len(same) == 64
    content = bytearray((copy / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (copy / "model.safetensors").write_bytes(content)
    assert uv.Encoder(copy).fingerprint != same


def test_info_says_what_a_model_is(copy):
    info = uv.Encoder(copy).info()
    assert info["architecture"] == "bert"
    assert (info["layers"], info["heads"], info["dim"], info["max_seq_length"]) == (2, 4, 48, 24)
    assert info["pooling"] == "mean"
    assert info["prompts"] == {"query": "cat ", "document": ""}
    assert len(info["fingerprint"]) == 64
    assert "sentence_embedding" not in info


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\ntags:\n- x\nlicense: apache-2.0\n---\nlicense: other", "apache-2.0"),
        ('---\nlicense: "mit"\n---', "mit"),
        ("---\ntags: []\n---\nlicense: mit", None),
        ("license: mit", None),
        ("", None),
        (None, None),
    ],
)
def test_the_licence_is_the_one_the_card_states(copy, card, licence):
    path = copy / "README.md"
    if card is None:
        path.unlink()
    else:
        path.write_text(card)
    assert uv.Encoder(copy).info()["licence"] == licence


@pytest.mark.parametrize("precision", ["int8", "uint8", "binary", "ubinary"])
def test_vectors_in_bytes_and_bits(tiny_encoder, precision):
    options = {"precision": precision, "on_overflow": "truncate"}
    vectors = tiny_encoder.encode(TEXTS, **options)
    exact = tiny_encoder.encode(TEXTS, on_overflow="truncate")
    assert_array_equal(vectors, uv.quantize_embeddings(exact, precision))
    assert_array_equal(tiny_encoder.encode(TEXTS[0], **options), vectors[0])
    with pytest.raises(ValueError, match="output_value"):
        tiny_encoder.encode(TEXTS, output_value=None, **options)
