"""Token vectors as an ONNX graph, model.onnx, with any batch size and sequence length.

torch's exporter by tracing, not the newer one: onnxruntime's optimiser finds the attention in the
graph of the former only (46 nodes after it in MiniLM-L6, against 168).
"""

from __future__ import annotations

from pathlib import Path

import torch
import transformers

#: What the graph of an architecture takes.
INPUTS = {
    "bert": ["input_ids", "attention_mask", "token_type_ids"],
    "mpnet": ["input_ids", "attention_mask"],
}


class TokenVectors(torch.nn.Module):
    """(batch, seq_len) for each input -> (batch, seq_len, dim)."""

    def __init__(self, encoder: torch.nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        *token_type_ids: torch.Tensor,
    ) -> torch.Tensor:
        # The mask as transformers 4 made it: onnxruntime's optimiser knows it by these operators.
        batch, length = attention_mask.shape
        kept = attention_mask[:, None, None, :].expand(batch, 1, length, length)
        padding = 1.0 - kept.to(torch.float32)
        mask = padding.masked_fill(padding.to(torch.bool), -10000.0)  # added to attention scores
        types = {"token_type_ids": token_type_ids[0]} if token_type_ids else {}
        output = self.encoder(input_ids=input_ids, attention_mask=mask, **types)
        return output.last_hidden_state


def convert(model: Path, source: None, target: Path) -> None:
    # Attention as separate operators, which the runtimes fuse again into operators of their own.
    encoder = transformers.AutoModel.from_pretrained(model, attn_implementation="eager").eval()
    if encoder.config.model_type not in INPUTS:
        raise ValueError(f"expected one of {list(INPUTS)}, got {encoder.config.model_type}")
    names = INPUTS[encoder.config.model_type]
    ids = torch.ones(2, 8, dtype=torch.long)
    axes = {0: "batch", 1: "seq_len"}
    with torch.no_grad():
        torch.onnx.export(
            TokenVectors(encoder),
            (ids, ids, torch.zeros_like(ids))[: len(names)],
            str(target / "model.onnx"),
            dynamo=False,
            input_names=names,
            output_names=["token_vectors"],
            dynamic_axes=dict.fromkeys([*names, "token_vectors"], axes),
        )
