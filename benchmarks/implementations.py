"""The implementations of a product that a GPU's record compares, ours and those of others.

Each stores w [outputs, inputs], takes x [batch, inputs] in its own type, and multiplies. What a
machine cannot run raises; the record keeps the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks import gpu_matmul as plain
from halfbits.kernels.packed import MIDDLE, MOST_ROWS, pack
from halfbits.kernels.tiles import Tiles, arrange
from halfbits.quantize import quantize_affine, quantize_symmetric

GROUP = 128
COMPILED = (1, 16)


@dataclass(frozen=True)
class Implementation:
    """`call(x, stored)` multiplies, up to `most` rows or, compiled anew for each, `only` so many;
    `nbytes(stored)` is what the weight takes, 0 if a library hides it."""

    store: Callable[[Tensor], Any]
    call: Callable[[Tensor, Any], Tensor]
    take: Callable[[Tensor], Tensor] = Tensor.bfloat16
    most: int = 1 << 20
    only: tuple[int, ...] = ()
    nbytes: Callable[[Any], int] = lambda stored: sum(part.nbytes for part in stored)


def of_plain(name: str) -> Implementation:
    """An implementation of `gpu_matmul`, whose stored parts are arguments."""
    implementation = plain.IMPLEMENTATIONS[name]
    return Implementation(
        implementation.store, lambda x, stored: implementation.call(x, *stored), implementation.take
    )


def ours(quantizer: Callable[[Tensor], Any]) -> Implementation:
    def call(x: Tensor, stored: Tiles) -> Tensor:
        from halfbits.kernels.launch import matmul  # here, so that a lack of Triton is one row's

        return matmul(x, stored)

    return Implementation(
        lambda w: arrange(pack(quantizer(w))), call, most=MOST_ROWS, nbytes=lambda t: t.nbytes
    )


def int4_pairs(w: Tensor) -> tuple[Tensor, Tensor]:
    """Two codes a byte, the even column low, and a bfloat16 scale for every group."""
    quantized = quantize_symmetric(w, 4, GROUP)
    codes = (quantized.codes + MIDDLE).view(w.shape[0], -1).to(torch.uint8)
    return codes[:, ::2] | codes[:, 1::2] << 4, quantized.scale.view(w.shape[0], -1).bfloat16()


def int4_converted(x: Tensor, stored: tuple[Tensor, Tensor]) -> Tensor:
    """Naive: unpack to a full matrix, scale it, multiply."""
    pairs, scale = stored
    codes = torch.stack((pairs & 15, pairs >> 4), 2).view(len(pairs), -1, GROUP)
    w = (codes.to(x.dtype) - MIDDLE) * scale[..., None]
    return F.linear(x, w.view(len(pairs), -1))


def int8_converted(x: Tensor, stored: tuple[Tensor, Tensor]) -> Tensor:
    return plain.converted(x, *stored)


def int8_pack_mm(x: Tensor, stored: tuple[Tensor, Tensor]) -> Tensor:
    return torch.ops.aten._weight_int8pack_mm(x, stored[0], stored[1][:, 0])


def torchao_linear(config: Callable[[], Any]) -> Implementation:
    """A linear layer after torchao's `quantize_`, compiled, as its manual advises."""

    def store(w: Tensor) -> nn.Linear:
        from torchao.quantization import quantize_

        layer = nn.Linear(w.shape[1], w.shape[0], bias=False, device="meta", dtype=torch.bfloat16)
        layer.weight = nn.Parameter(w.bfloat16(), requires_grad=False)
        quantize_(layer, config())
        return layer

    call = torch.compile(lambda x, layer: F.linear(x, layer.weight), dynamic=False)
    return Implementation(store, call, only=COMPILED, nbytes=lambda layer: 0)


def torchao_int8() -> Any:
    from torchao.quantization import Int8WeightOnlyConfig

    return Int8WeightOnlyConfig()


def torchao_int4() -> Any:
    from torchao.quantization import Int4WeightOnlyConfig
    from torchao.quantization.quantize_.workflows import Int4PackingFormat

    packing = Int4PackingFormat.TILE_PACKED_TO_4D
    return Int4WeightOnlyConfig(group_size=GROUP, int4_packing_format=packing)


def bitsandbytes_nf4() -> Implementation:
    """bitsandbytes' NF4 in blocks of 128: its own kernel for one row."""

    def store(w: Tensor) -> tuple[Tensor, Any]:
        from bitsandbytes.functional import quantize_4bit

        return quantize_4bit(w.bfloat16(), blocksize=GROUP, quant_type="nf4")

    def call(x: Tensor, stored: tuple[Tensor, Any]) -> Tensor:
        from bitsandbytes import matmul_4bit

        return matmul_4bit(x, stored[0].t(), quant_state=stored[1])

    def nbytes(stored: tuple[Tensor, Any]) -> int:
        return stored[0].nbytes + stored[1].absmax.nbytes

    return Implementation(store, call, nbytes=nbytes)


def eight_bit_implementations() -> dict[str, Implementation]:
    """Both operands in 8 bits with their scales: the library's products and the course's."""
    from halfbits.kernels import eight_bit_products as ours

    int8, squares, rows = ours.int8_row_scales, ours.fp8_squares, ours.fp8_rows
    # Ways take what `take` returns; these take codes with scales.
    kinds: dict[str, tuple[Any, Any, Any]] = {
        "int8, _int_mm, then the scales": (int8, scaled_after, int8),
        "int8, scales in the kernel, ours": (int8, ours.int8_product, int8),
        "fp8 tiles, _scaled_mm": (squares, scaled_tiles, rows),
        "fp8 tiles, ours": (squares, ours.fp8_product, rows),
    }
    return {name: Implementation(*parts) for name, parts in kinds.items()} | {
        "fp8": of_plain("fp8")
    }


def scaled_after(x: tuple[Tensor, Tensor], w: tuple[Tensor, Tensor]) -> Tensor:
    return (torch._int_mm(x[0], w[0].T) * x[1][:, None] * w[1]).bfloat16()


def scaled_tiles(x: tuple[Tensor, Tensor], w: tuple[Tensor, Tensor]) -> Tensor:
    kind = torch.bfloat16
    return torch._scaled_mm(x[0], w[0].T, scale_a=x[1].T, scale_b=w[1].T, out_dtype=kind)


OURS = {
    "int8, ours": lambda w: quantize_symmetric(w, 8),
    "int4 g128, ours": lambda w: quantize_symmetric(w, 4, 128),
    "int4 g32, ours": lambda w: quantize_symmetric(w, 4, 32),
    "int4 g128 with zeros, ours": lambda w: quantize_affine(w, 4, 128),
    "int4 g32 with zeros, ours": lambda w: quantize_affine(w, 4, 32),
}
UNPACKED = ("fp32", "fp16", "bf16", "int8", "fp8", "fp8, fast accumulation")


def implementations() -> dict[str, Implementation]:
    """Every implementation by name: unpacked, naive, ours, then what others offer."""
    made = {name: of_plain(name) for name in UNPACKED}
    made["fp32, autocast to bf16"] = of_plain("fp32, autocast to bf16")
    made["int8, converted in each call"] = Implementation(plain.int8_rows, int8_converted)
    made["int4 g128, converted in each call"] = Implementation(int4_pairs, int4_converted)
    made |= {name: ours(quantizer) for name, quantizer in OURS.items()}
    return made | peers()


def peers() -> dict[str, Implementation]:
    """Kernels of others for the same weights, and what a compiler makes of the naive code."""
    return {
        "int8, torch.compile of the naive code": Implementation(
            plain.int8_rows, torch.compile(int8_converted, dynamic=False), only=COMPILED
        ),
        "int8, torch.compile of a sum": Implementation(
            plain.int8_rows, lambda x, stored: plain.fused_int8(x, *stored), most=1
        ),
        "int8, torch _weight_int8pack_mm": Implementation(plain.int8_rows, int8_pack_mm, most=16),
        "int8, torchao": torchao_linear(torchao_int8),
        "int4 g128, torch.compile of the naive code": Implementation(
            int4_pairs, torch.compile(int4_converted, dynamic=False), only=COMPILED
        ),
        "int4 g128, torch _weight_int4pack_mm": replace(
            of_plain("int4 in groups, fused kernel"), most=256
        ),
        "int4 g128, torchao": torchao_linear(torchao_int4),
        "nf4 g128, bitsandbytes": bitsandbytes_nf4(),
    }


def stored_bytes(implementation: Implementation, stored: Any, w: Tensor, name: str) -> int:
    """Bytes of the stored weight; codes and scales of the format where a library hides them."""
    known = implementation.nbytes(stored)
    if known:
        return known
    bits = 4 + 32 / GROUP if name.startswith("int4") else 8 + 16 / w.shape[1]
    return round(w.numel() * bits / 8)
