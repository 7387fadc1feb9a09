"""A language model as a GGUF file, for llama.cpp and what is built on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, quants
from numpy.typing import NDArray
from torch import Tensor

from halfbits.checkpoints.files import CheckpointError
from halfbits.checkpoints.grid import Grid, grid_of
from halfbits.models.language_model import LanguageModel
from halfbits.models.llama import LlamaConfig
from halfbits.models.llama_gguf import gguf_name, neighbors
from halfbits.models.surgery import stored
from halfbits.quantize.gguf_blocks import SMALL, laid_out

KINDS = ("F32", "F16", "BF16", "Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0")
REST = "F16"  # of embedding and head, as everywhere in the course
NORMAL, CONTROL = 1, 3  # token types


def write_gguf(path: Path, language_model: LanguageModel, kind: str = "F16") -> None:
    """Write the model: block matrices as `kind`, the embedding in F16 (F32 for "F32"), norms F32.

    A matrix that a method filled (`halfbits.models.surgery.stored`) keeps its very codes, in the
    type that holds them (Q4_0, Q4_1, Q5_0, Q5_1, Q8_0), and `kind` does not matter. A zero point
    becomes a minimum m = -zero scale, rounded to float16: an error of at most 2^-11 |m|.

    Raises CheckpointError for an unknown `kind` and codes that no type holds.
    """
    if kind not in KINDS:
        raise CheckpointError(f"GGUF types to write are {', '.join(KINDS)}, not {kind!r}.")
    writer = GGUFWriter(str(path), "llama")
    describe(writer, language_model.model.config)
    add_tokenizer(writer, language_model)
    for name, data, found in tensors(language_model, kind):
        writer.add_tensor(name, data, raw_dtype=found)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def describe(writer: GGUFWriter, config: LlamaConfig) -> None:
    """The sizes, under the keys that `halfbits.models.llama_gguf.config_of` reads."""
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_theta)
    writer.add_vocab_size(config.vocab_size)


def add_tokenizer(writer: GGUFWriter, language_model: LanguageModel) -> None:
    """The byte-level BPE: tokens by id, merges, and the end token as the only control token."""
    table = json.loads(language_model.tokenizer.to_str())["model"]
    tokens = sorted(table["vocab"], key=table["vocab"].__getitem__)
    end = language_model.end
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([CONTROL if i == end else NORMAL for i in range(len(tokens))])
    writer.add_token_merges([" ".join(pair) for pair in table["merges"]])
    writer.add_bos_token_id(end)
    writer.add_eos_token_id(end)
    writer.add_add_bos_token(False)


def tensors(
    language_model: LanguageModel, kind: str
) -> Iterator[tuple[str, NDArray, GGMLQuantizationType]]:
    """(name in the file, data, type) of every tensor; the head is tied and not written."""
    model, codes = language_model.model, stored(language_model.model)
    rest = kind if kind == "F32" else REST
    for name, weight in model.named_parameters():
        matrix = name.removesuffix(".weight")
        turned = matrix.endswith((".q_proj", ".k_proj"))
        if matrix in codes:
            grid = grid_of(matrix, codes[matrix])
            found, data = blocks_of(matrix, grid, model.config.head_dim if turned else None)
            yield gguf_name(name), data, found
        else:
            found = GGMLQuantizationType[_kind(name, weight, kind, rest)]
            value = weight.detach().numpy()
            value = neighbors(value, model.config.head_dim) if turned else value
            yield gguf_name(name), quants.quantize(np.ascontiguousarray(value), found), found


def _kind(name: str, weight: Tensor, kind: str, rest: str) -> str:
    if weight.ndim == 1:
        return "F32"  # llama.cpp adds and multiplies vectors in float32 alone
    return kind if name.startswith("layers.") else rest


def blocks_of(
    name: str, grid: Grid, head_dim: int | None
) -> tuple[GGMLQuantizationType, NDArray[np.uint8]]:
    """(type, bytes uint8 [out, bytes of a row]) that hold the grid's codes without a change.

    `head_dim` is given for q and k, whose rows llama.cpp keeps in another order. Raises
    CheckpointError for groups that are no multiple of 32 and for 6 and 7 bits with a zero point.
    """
    kind = _type_for(name, grid)
    up = {"Q4": 8, "Q5": 16, "Q8": 128}[kind[:2]] - 2 ** (grid.bits - 1)
    up = up if grid.is_symmetric else 0
    codes = (grid.codes + up).numpy().astype(np.uint8)
    scale = np.repeat(grid.scale.numpy(), grid.size // SMALL, axis=1)
    zero = np.repeat(grid.zero.numpy(), grid.size // SMALL, axis=1)
    if head_dim is not None:
        codes, scale, zero = (neighbors(part, head_dim) for part in (codes, scale, zero))
    d = scale.reshape(-1, 1)
    m = None if grid.is_symmetric else -d * zero.reshape(-1, 1)
    blocks = laid_out(kind, codes.reshape(-1, SMALL), d, m)
    return GGMLQuantizationType[kind], blocks.reshape(len(codes), -1)


def _type_for(name: str, grid: Grid) -> str:
    if grid.size % SMALL:
        raise CheckpointError(
            f"{name} has a scale for {grid.size} inputs; GGUF has one for each {SMALL}: "
            "take groups of 32 or 64."
        )
    if grid.is_symmetric:
        return "Q4_0" if grid.bits <= 4 else "Q5_0" if grid.bits == 5 else "Q8_0"
    if grid.bits > 5:
        raise CheckpointError(
            f"{name} has {grid.bits} bits and a zero point; GGUF has no such type: take 4 or 5 "
            "bits, or symmetric codes."
        )
    return "Q4_1" if grid.bits <= 4 else "Q5_1"
