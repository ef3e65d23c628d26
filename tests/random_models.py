"""Small random checkpoints of every architecture, made with transformers."""

from __future__ import annotations

from pathlib import Path

VOCAB = 60
SIZES = {
    "vocab_size": VOCAB,
    "hidden_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 80,
    "max_position_embeddings": 512,
    "initializer_range": 0.2,  # large enough that attention has something to choose
}
FROM_ONE = {"pad_token_id": 1, "max_position_embeddings": 514}

#: By name: the prefix of its classes in transformers, and its settings.
FAMILY = {
    "bert": ("Bert", {}),
    "bert-gelu_new": ("Bert", {"hidden_act": "gelu_new"}),
    "bert-relu": ("Bert", {"hidden_act": "relu"}),
    "distilbert": (
        "DistilBert",
        {"dim": 48, "n_layers": 3, "n_heads": 4, "hidden_dim": 80},
    ),
    "roberta": ("Roberta", {**FROM_ONE, "type_vocab_size": 1, "layer_norm_eps": 1e-5}),
    "xlm-roberta": ("XLMRoberta", {**FROM_ONE, "type_vocab_size": 1}),
    "camembert": ("Camembert", {**FROM_ONE, "type_vocab_size": 1}),
    "mpnet": ("MPNet", FROM_ONE),
    "electra": ("Electra", {"embedding_size": 24}),
    "electra-wide": ("Electra", {"embedding_size": 48}),
    "albert": ("Albert", {"embedding_size": 24}),
    "albert-groups": ("Albert", {"embedding_size": 24, "num_hidden_groups": 2}),
}

#: One of each model type.
MODEL_TYPES = [name for name in FAMILY if "-" not in name or name == "xlm-roberta"]


def make_model(name: str, head: str = "Model", **more):
    """A random model of one architecture; `more` goes into its config."""
    import torch
    import transformers

    prefix, settings = FAMILY[name]
    config = getattr(transformers, f"{prefix}Config")(**{**SIZES, **settings, **more})
    torch.manual_seed(5)
    return getattr(transformers, f"{prefix}{head}")(config).eval()


def save(model, folder: Path) -> Path:
    """A model directory with a WordPiece tokenizer, whatever the architecture is used to."""
    import transformers

    model.save_pretrained(folder)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "sat", "a", "dog", "##s"]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    tokenizer = transformers.BertTokenizerFast(str(folder / "vocab.txt"))
    tokenizer.save_pretrained(folder)
    return folder
