"""Starts the kernels of `eight_bits`, and cuts fp8 operands into tiles with scales."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from triton.tools.tensor_descriptor import TensorDescriptor

from halfbits.kernels import eight_bits

TILE = 128
FP8_LARGEST = 448.0


@dataclass(frozen=True)
class TilePlan:
    """Rows and columns of y in a program, elements summed in one step, warps, stages of loads in
    flight, tiles of rows that take turns at the same columns."""

    rows: int
    columns: int
    step: int
    warps: int
    stages: int
    together: int = 8


# The fastest on an H200 at 4096 and 8192, of those that were tried.
FP8_PLAN = TilePlan(64, 128, 128, 4, 4, 16)
INT8_PLAN = TilePlan(128, 128, 128, 4, 3, 8)
Operand = tuple[Tensor, Tensor]  # codes and scales


def int8_row_scales(x: Tensor) -> Operand:
    """int8 codes [m, k] and a float32 scale a row, amax / 127."""
    scale = x.float().abs().amax(1).clamp(min=1e-12) / 127
    return (x.float() / scale[:, None]).round().to(torch.int8), scale


def fp8_rows(x: Tensor) -> Operand:
    """e4m3 codes [m, k] and a float32 scale for each 1 x 128 tile, kept as [k / 128, m]."""
    tiles = x.float().unflatten(1, (-1, TILE))
    scale = tiles.abs().amax(2).clamp(min=1e-12) / FP8_LARGEST
    codes = (tiles / scale[..., None]).to(torch.float8_e4m3fn)
    return codes.flatten(1), scale.T.contiguous()


def fp8_squares(w: Tensor) -> Operand:
    """e4m3 codes [n, k] and a float32 scale for each 128 x 128 tile: [n / 128, k / 128]."""
    tiles = w.float().unflatten(0, (-1, TILE)).unflatten(2, (-1, TILE))
    scale = tiles.abs().amax((1, 3)).clamp(min=1e-12) / FP8_LARGEST
    codes = (tiles / scale[:, None, :, None]).to(torch.float8_e4m3fn)
    return codes.flatten(0, 1).flatten(1), scale


def fp8_product(x: Operand, w: Operand, plan: TilePlan = FP8_PLAN) -> Tensor:
    """y bfloat16 [m, n] of `fp8_rows` and `fp8_squares`; columns of a program: 128."""
    y, grid, operands = prepared(x, w, plan)
    eight_bits.fp8_tiles[grid](*operands, len(x[0]), len(w[0]), K=x[0].shape[1], **cut(plan))
    return y


def int8_product(x: Operand, w: Operand, plan: TilePlan = INT8_PLAN) -> Tensor:
    """y bfloat16 [m, n] of int8 codes [m, k] and [n, k], each with a float32 scale a row."""
    y, grid, operands = prepared(x, w, plan)
    sizes = {"K": x[0].shape[1], "STEP": plan.step}
    eight_bits.int8_rows[grid](*operands, len(x[0]), len(w[0]), **sizes, **cut(plan))
    return y


def prepared(x: Operand, w: Operand, plan: TilePlan) -> tuple[Tensor, tuple[int], tuple[Any, ...]]:
    """Memory of the result, bfloat16 [m, n], the grid, and operands as the kernels load them."""
    (a, a_scale), (b, b_scale) = x, w
    y = torch.empty(len(a), len(b), dtype=torch.bfloat16, device=a.device)
    left = TensorDescriptor.from_tensor(a, [plan.rows, plan.step])
    right = TensorDescriptor.from_tensor(b, [plan.columns, plan.step])
    out = TensorDescriptor.from_tensor(y, [plan.rows, plan.columns])
    grid = (-(-len(a) // plan.rows) * -(-len(b) // plan.columns),)
    return y, grid, (left, right, a_scale, b_scale, out)


def cut(plan: TilePlan) -> dict[str, int]:
    """The plan as arguments that Triton compiles in."""
    return {
        "ROWS": plan.rows, "COLUMNS": plan.columns, "M_TILES": plan.together,
        "STAGES": plan.stages, "num_warps": plan.warps,
    }  # fmt: skip
