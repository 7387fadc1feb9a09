"""A Llama as llama.cpp keeps it in a GGUF file: names, sizes, and the order of rows in q and k.

llama.cpp turns neighbors (x_2i, x_2i+1) of a head by one angle, a Hugging Face checkpoint the pairs
(x_i, x_i + E/2). The same model has the rows of q and k in another order, and a file in the wrong
one loads, runs, and answers nonsense.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from halfbits.models.gguf import GGUF
from halfbits.models.llama import LlamaConfig

NAMES = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}
OUTSIDE = {"token_embd.weight": "embed_tokens.weight", "output_norm.weight": "norm.weight"}
OURS = {ours: theirs for names in (NAMES, OUTSIDE) for theirs, ours in names.items()}


def config_of(file: GGUF) -> LlamaConfig:
    """The sizes that the metadata of a Llama file states."""
    table = {k.removeprefix("llama."): v for k, v in file.metadata.items()}
    heads, size = table["attention.head_count"], table["embedding_length"]
    return LlamaConfig(
        vocab_size=file.tensors["token_embd.weight"].shape[0],
        hidden_size=size,
        intermediate_size=table["feed_forward_length"],
        num_hidden_layers=table["block_count"],
        num_attention_heads=heads,
        num_key_value_heads=table["attention.head_count_kv"],
        head_dim=size // heads,
        max_position_embeddings=table["context_length"],
        rope_theta=table["rope.freq_base"],
        rms_norm_eps=table["attention.layer_norm_rms_epsilon"],
    )


def halves(weight: np.ndarray, head_dim: int) -> np.ndarray:
    """Rows of q or k from llama.cpp's order (a pair is two neighbors) to half a head apart."""
    rows = weight.reshape(-1, head_dim // 2, 2, weight.shape[1])
    return rows.swapaxes(1, 2).reshape(weight.shape)


def neighbors(weight: np.ndarray, head_dim: int) -> np.ndarray:
    """Rows [out, ...] of q or k from half a head apart to llama.cpp's order: undoes `halves`."""
    rows = weight.reshape(-1, 2, head_dim // 2, *weight.shape[1:])
    return rows.swapaxes(1, 2).reshape(weight.shape)


def weights_of(file: GGUF, head_dim: int) -> dict[str, Tensor]:
    """Every tensor of the file as float32 under our parameter's name."""
    weights = {}
    for name in file.tensors:
        value = file.read(name)
        if "attn_q." in name or "attn_k." in name:
            value = halves(value, head_dim)
        weights[our_name(name)] = torch.from_numpy(np.ascontiguousarray(value))
    return weights


def our_name(name: str) -> str:
    """Our parameter's name for a tensor of the file; KeyError for one that no Llama has."""
    if not name.startswith("blk."):
        return OUTSIDE[name]
    _, layer, kind, _ = name.split(".")
    return f"layers.{layer}.{NAMES[kind]}.weight"


def gguf_name(name: str) -> str:
    """The file's name for our parameter: the inverse of `our_name`."""
    if not name.startswith("layers."):
        return OURS[name]
    _, layer, rest = name.split(".", 2)
    return f"blk.{layer}.{OURS[rest.removesuffix('.weight')]}.weight"
