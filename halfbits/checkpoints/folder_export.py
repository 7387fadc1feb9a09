"""A language model as a folder of Hugging Face: safetensors, config, tokenizer.

Two layouts of integer codes, both read by transformers, vLLM and others:

    compressed-tensors   int32 [out, in / 8]: eight 4-bit codes along the input, low bits first;
                         scales [out, groups]
    gptq                 int32 [in / 8, out]: eight along the input as well, in the other order of
                         dimensions; scales [groups, out]; zero points minus one

Embedding, head and norms keep 16 bits where their values fit, as everywhere in the course.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from halfbits.checkpoints.files import CheckpointError
from halfbits.checkpoints.grid import Grid, grid_of
from halfbits.models.language_model import LanguageModel
from halfbits.models.quantized import W8A8Linear
from halfbits.models.surgery import stored
from halfbits.models.tiny_lm import FOLDER
from halfbits.quantize import pack_codes

LAYOUTS = ("compressed-tensors", "gptq")
BESIDE = ("tokenizer.json", "tokenizer_config.json", "generation_config.json")
WORD = 32


def write_folder(
    folder: Path, language_model: LanguageModel, layout: str = "compressed-tensors"
) -> None:
    """Write `model.safetensors`, `config.json` and the tokenizer into a new or empty `folder`.

    The block matrices are the codes that a method left (`halfbits.models.surgery.stored`), the int8
    codes of `W8A8Linear`, or plain values. The model is the tiny language model or a copy of it.

    Raises CheckpointError for a folder with files, an unknown layout, and codes it cannot hold.
    """
    if layout not in LAYOUTS:
        raise CheckpointError(f"layouts of a folder are {', '.join(LAYOUTS)}, not {layout!r}.")
    must_be_new(folder)
    weights, described = contents(language_model, layout)
    folder.mkdir(parents=True, exist_ok=True)
    config = json.loads((FOLDER / "config.json").read_text(encoding="utf-8"))
    if described:
        config["quantization_config"] = described
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    for name in BESIDE:
        shutil.copyfile(FOLDER / name, folder / name)


def must_be_new(folder: Path) -> None:
    """Raise CheckpointError for a folder that holds something: nothing is ever overwritten."""
    if folder.exists() and any(folder.iterdir()):
        raise CheckpointError(f"{folder} is not empty: name a new folder.")


def contents(language_model: LanguageModel, layout: str) -> tuple[dict[str, Tensor], dict]:
    """(tensors by name, quantization_config or {}) of the folder."""
    model = language_model.model
    eight = {n: m for n, m in model.named_modules() if isinstance(m, W8A8Linear)}
    grids = {name: grid_of(name, found) for name, found in stored(model).items()}
    weights = {
        f"model.{name}": _narrow(weight.detach())
        for name, weight in model.named_parameters()
        if name.removesuffix(".weight") not in grids
    }
    if eight:
        if layout != "compressed-tensors":
            raise CheckpointError("int8 activations need the layout compressed-tensors.")
        for name, layer in eight.items():
            weights[f"model.{name}.weight"] = layer.codes.to(torch.int8)
            weights[f"model.{name}.weight_scale"] = layer.scale[:, None].clone()
        return weights, W8A8
    if not grids:
        return weights, {}
    sizes = {(grid.bits, grid.size, grid.is_symmetric) for grid in grids.values()}
    if len(sizes) > 1:
        raise CheckpointError(
            "the matrices differ in bits, groups or zero points; the file has one scheme for all."
        )
    if layout == "compressed-tensors" and not all(grid.is_symmetric for grid in grids.values()):
        # transformers 5.23 expects the zero points in another shape than it unpacks them from.
        raise CheckpointError(
            "codes with zero points are written as gptq or gguf; compressed-tensors takes "
            "symmetric ones here."
        )
    write = _compressed if layout == "compressed-tensors" else _gptq
    for name, grid in grids.items():
        for part, value in write(grid).items():
            weights[f"model.{name}.{part}"] = value.contiguous()
    described = _compressed_config if layout == "compressed-tensors" else _gptq_config
    return weights, described(*sizes.pop())


W8A8: dict[str, Any] = {
    "quant_method": "compressed-tensors",
    "format": "int-quantized",
    "quantization_status": "compressed",
    "ignore": ["lm_head"],
    "config_groups": {
        "group_0": {
            "targets": ["Linear"],
            "weights": {"num_bits": 8, "type": "int", "symmetric": True, "strategy": "channel"},
            "input_activations": {
                "num_bits": 8,
                "type": "int",
                "symmetric": True,
                "strategy": "token",
                "dynamic": True,
            },
        }
    },
}


def packed(codes: Tensor, bits: int) -> Tensor:
    """Unsigned codes [..., n] as int32 [..., n / (32 / bits)], the lowest bits first.

    Raises CheckpointError for bits that do not divide a word and rows that end within one.
    """
    if bits not in (2, 4, 8) or codes.shape[-1] % (WORD // bits):
        raise CheckpointError(
            f"{bits}-bit codes of {codes.shape[-1]} inputs fill no whole words of 32 bits: "
            "take 4 or 8 bits."
        )
    return pack_codes(codes, bits).view(torch.int32).view(*codes.shape[:-1], -1)


def _compressed(grid: Grid) -> dict[str, Tensor]:
    return {
        "weight_packed": packed(grid.codes, grid.bits),
        "weight_scale": grid.scale.half(),
        "weight_shape": torch.tensor(grid.codes.shape),
    }


def _compressed_config(bits: int, size: int, symmetric: bool) -> dict[str, Any]:
    scheme = {
        "num_bits": bits,
        "type": "int",
        "symmetric": symmetric,
        "strategy": "group",
        "group_size": size,
        "dynamic": False,
    }
    return {
        "quant_method": "compressed-tensors",
        "format": "pack-quantized",
        "quantization_status": "compressed",
        "ignore": ["lm_head"],
        "config_groups": {"group_0": {"targets": ["Linear"], "weights": scheme}},
    }


def _gptq(grid: Grid) -> dict[str, Tensor]:
    """The first version of the format: a reader adds one to every zero point, modulo 2^bits."""
    less_one = (grid.zero.int() - 1) % 2**grid.bits
    return {
        "qweight": packed(grid.codes, grid.bits).T,
        "qzeros": packed(less_one.T.contiguous(), grid.bits),
        "scales": grid.scale.T.half(),
        "g_idx": torch.arange(grid.codes.shape[1], dtype=torch.int32) // grid.size,
    }


def _gptq_config(bits: int, size: int, symmetric: bool) -> dict[str, Any]:
    return {
        "quant_method": "gptq",
        "bits": bits,
        "group_size": size,
        "sym": symmetric,
        "desc_act": False,
        "lm_head": False,
        "checkpoint_format": "gptq",
    }


def _narrow(value: Tensor) -> Tensor:
    """As float16 where that holds every value, else as it is; a tensor of its own."""
    half = value.half()
    return half if torch.equal(half.float(), value) else value.clone()
