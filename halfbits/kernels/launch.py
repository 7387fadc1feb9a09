"""Chooses how a product is cut, and starts the Triton kernels of `gpu`."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from halfbits.kernels import gpu
from halfbits.kernels.packed import MOST_ROWS, NIBBLES, Packed

FEW_ROWS = 4
TOP = 150 << 23  # the exponent of 2^23 in a float32


@dataclass(frozen=True)
class Plan:
    """Rows of W and elements of a row (codes of int8, words of int4) in one step of a program;
    warps; stages of loads in flight."""

    rows: int
    step: int
    warps: int
    stages: int = 1


# The fastest on an H100 at 8192 x 8192 and 4096 x 14336; benchmarks/tune_kernels.py finds them.
# By format and rows of x, at most: int8 takes 2 to 4 rows as it takes 16.
PLANS = {
    ("int8", 1): Plan(1, 4096, 4),
    ("int4 g128", 1): Plan(2, 128, 1),
    ("int4 g32", 1): Plan(4, 512, 1),
    ("int4 g128 zero", 1): Plan(4, 256, 2),
    ("int4 g32 zero", 1): Plan(4, 128, 1),
    ("int8", 16): Plan(16, 256, 1, 3),
    ("int4", FEW_ROWS): Plan(4, 128, 1),
    ("int4", 16): Plan(64, 64, 4, 3),
    ("int8", MOST_ROWS): Plan(64, 128, 4, 4),
    ("int4", MOST_ROWS): Plan(64, 16, 4, 3),
}


def plan_for(packed: Packed, batch: int) -> Plan:
    """The cut for this format and number of rows of x."""
    name = f"int{packed.bits}"
    limits = (1, 16, MOST_ROWS) if packed.bits == 8 else (1, FEW_ROWS, 16, MOST_ROWS)
    most = next(limit for limit in limits if batch <= limit)
    if most == 1 and packed.bits == 4:
        name += f" g{packed.group}" + (" zero" if packed.zero_point is not None else "")
    return PLANS[name, most]


def matmul(x: Tensor, packed: Packed, plan: Plan | None = None) -> Tensor:
    """y [batch, outputs] in x's dtype, for x [batch, inputs], batch 1 to 64.

    Raises ValueError when the shapes do not fit.
    """
    outputs, inputs = packed.shape
    if x.ndim != 2 or x.shape[1] != inputs or not 1 <= len(x) <= MOST_ROWS:
        raise ValueError(
            f"x is {list(x.shape)}; these kernels take [1 to {MOST_ROWS}, {inputs}] "
            f"with this weight"
        )
    x, chosen = x.contiguous(), plan or plan_for(packed, len(x))
    y = torch.empty(len(x), outputs, dtype=x.dtype, device=x.device)
    grid = (-(-outputs // chosen.rows),)
    (_int8 if packed.bits == 8 else _int4)(grid, x, packed, y, chosen)
    return y


def _int8(grid: tuple[int], x: Tensor, packed: Packed, y: Tensor, plan: Plan) -> None:
    operands = (x, packed.codes, packed.scale, y)
    outputs, inputs = packed.shape
    cut = {"ROWS": plan.rows, "STEP": plan.step, "STAGES": plan.stages, "num_warps": plan.warps}
    if len(x) == 1:
        gpu.int8_row[grid](*operands, outputs, INPUTS=inputs, **cut)
    else:
        many = {"INPUTS": inputs, "BATCH": _padded(len(x), 8)}
        gpu.int8_rows[grid](*operands, len(x), outputs, **many, **cut)


def _int4(grid: tuple[int], x: Tensor, packed: Packed, y: Tensor, plan: Plan) -> None:
    zeros = packed.scale if packed.zero_point is None else packed.zero_point
    operands = (x, packed.codes, packed.scale, zeros, y)
    outputs, inputs = packed.shape
    cut = {"ROWS": plan.rows, "WORDS": plan.step, "STAGES": plan.stages, "num_warps": plan.warps}
    cut |= {
        "WIDTH": inputs // NIBBLES,
        "GROUP": packed.group,
        "HAS_ZERO": packed.zero_point is not None,
    }
    if len(x) <= FEW_ROWS:
        gpu.int4_row[grid](*operands, outputs, TOP, BATCH=len(x), **cut)
    else:
        operands = (by_word(x, packed.group), *operands[1:])
        gpu.int4_rows[grid](*operands, len(x), outputs, TOP, BATCH=_padded(len(x), 16), **cut)


def by_word(x: Tensor, group: int) -> Tensor:
    """x [batch, inputs] in the order of the words: what the codes of a word meet, side by side."""
    apart = x.view(len(x), -1, NIBBLES, group // NIBBLES)
    return apart.transpose(2, 3).reshape(x.shape)


def _padded(batch: int, least: int) -> int:
    """Rows as a kernel takes them: a power of two."""
    return max(least, 1 << (batch - 1).bit_length())
