"""Starts the kernels of `gpu`, `row` and `columns` with a plan of this card's, see `plans`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from halfbits.kernels import gpu
from halfbits.kernels.columns import columns
from halfbits.kernels.packed import MOST_ROWS, Packed
from halfbits.kernels.plans import Plan, plan_for
from halfbits.kernels.row import row
from halfbits.kernels.tiles import TILE, Tiles, arrange

# Triton 3.6 mixes up the sums of several tiles when x has one row (see `padded`).
LEAST_COLUMNS = 2
LEAST_SHARED = 1 << 22
_shared: dict[torch.device, tuple[Tensor, Tensor]] = {}


def matmul(x: Tensor, weight: Tiles | Packed, plan: Plan | None = None) -> Tensor:
    """y [batch, outputs] in x's dtype, for x [batch, inputs], batch 1 to 64.

    A `Packed` weight is arranged anew in each call; `arrange` it once where time counts. Raises
    ValueError when the shapes do not fit.
    """
    tiles = weight if isinstance(weight, Tiles) else arrange(weight)
    outputs, inputs = tiles.shape
    if x.ndim != 2 or x.shape[1] != inputs or not 1 <= len(x) <= MOST_ROWS:
        raise ValueError(
            f"x is {list(x.shape)}; these kernels take [1 to {MOST_ROWS}, {inputs}] "
            f"with this weight"
        )
    y = torch.empty(len(x), outputs, dtype=x.dtype, device=x.device)
    run(x.contiguous(), tiles, y, plan or plan_for(tiles, rows_of(x), x.device))
    return y


def rows_of(x: Tensor) -> int:
    """Rows of x [batch, inputs] as plans count them.

    The kernels of one row take 16 bits, so that one row of float32 counts as two.
    """
    return max(len(x), LEAST_COLUMNS) if x.element_size() > 2 else len(x)


def run(x: Tensor, tiles: Tiles, y: Tensor, plan: Plan, decode: bool = True) -> None:
    """Launch the kernel that `plan` names, which writes y [batch, outputs] of x [batch, inputs].

    `split` falls to the number of tiles.
    """
    if plan.kernel in ONE_ROW:
        ONE_ROW[plan.kernel](x, tiles, y, plan, decode)
        return
    outputs, inputs = tiles.shape
    split, batch = min(plan.split, tiles.across), padded(len(x))
    programs = -(-outputs // plan.rows)
    work, arrived = scratch(x.device, split * outputs * batch if split > 1 else 1, programs)
    zeros = tiles.scale if tiles.zero_point is None else tiles.zero_point
    operands = (x, tiles.codes, tiles.scale, zeros, y, work, arrived, len(x), outputs, inputs)
    counts = tiles.across, tiles.scale.shape[1]
    fixed = {
        "BITS": tiles.bits, "GROUPS": tiles.groups, "HAS_ZERO": tiles.zero_point is not None,
        "EVEN": whole(tiles, split * plan.tiles if plan.kernel == "deep" else 1), "BATCH": batch,
        "DECODE": decode,
    }  # fmt: skip
    cut = {"ROWS": plan.rows, "SPLIT": split, "STAGES": plan.stages, "num_warps": plan.warps}
    if plan.kernel == "deep":
        gpu.deep[programs, split](*operands, *counts, **fixed, STEP=plan.tiles, **cut)
    else:
        gpu.wide[programs, split](*operands, *counts, **fixed, **cut)


def run_row(x: Tensor, tiles: Tiles, y: Tensor, plan: Plan, decode: bool = True) -> None:
    """Launch `row`: x [1, inputs] in float16 or bfloat16 and int8 codes, both read as int32 words.

    Raises ValueError for anything else.
    """
    check_one_row("row", 8, x, tiles)
    two, outputs, turns = pairs(x), tiles.outputs, -(-tiles.across // plan.tiles)
    even = outputs % plan.rows == 0 and whole(tiles, plan.tiles)
    cut = {"ROWS": plan.rows, "STEP": plan.tiles, "TURNS": turns, "num_warps": plan.warps}
    row[(-(-outputs // plan.rows),)](
        two, tiles.codes.view(torch.int32), tiles.scale, y, outputs, len(two),
        tiles.across, EVEN=even, DECODE=decode, **cut,
    )  # fmt: skip


def run_columns(x: Tensor, tiles: Tiles, y: Tensor, plan: Plan, decode: bool = True) -> None:
    """Launch `columns`: x [1, inputs] in float16 or bfloat16 and int4 codes; a plan's tiles are at
    most those of eight groups. Raises ValueError for anything else."""
    check_one_row("columns", 4, x, tiles)
    outputs, inputs = tiles.shape
    each, split = min(plan.tiles, 8 // tiles.groups), plan.split
    turns = -(-tiles.across // (each * plan.warps * split))
    programs = -(-outputs // plan.rows)
    work, arrived = scratch(x.device, split * outputs if split > 1 else 1, programs)
    zeros = tiles.scale if tiles.zero_point is None else tiles.zero_point
    fixed = {
        "GROUPS": tiles.groups, "HAS_ZERO": tiles.zero_point is not None, "TURNS": turns,
        "EVEN": outputs % plan.rows == 0 and whole(tiles, each * plan.warps * split),
        "DECODE": decode,
    }  # fmt: skip
    cut = {"ROWS": plan.rows, "TILES": each, "STEP": plan.warps, "SPLIT": split}
    most = {"maxnreg": plan.registers} if plan.registers else {}
    columns[programs, split](
        x, tiles.codes, tiles.scale, zeros, y, work, arrived, outputs, inputs, tiles.across,
        tiles.scale.shape[1], **fixed, **cut, **most, UNROLL=plan.stages, num_warps=plan.warps,
    )  # fmt: skip


ONE_ROW = {"row": run_row, "columns": run_columns}


def check_one_row(kernel: str, bits: int, x: Tensor, tiles: Tiles) -> None:
    """Raise ValueError unless x is [1, inputs] of 16 bits and the codes of `tiles` have `bits`."""
    if len(x) != 1 or tiles.bits != bits or x.element_size() != 2:
        raise ValueError(
            f"the kernel `{kernel}` multiplies one 16-bit row of x with int{bits} codes, not "
            f"{len(x)} of {x.dtype} with int{tiles.bits}: take a plan of `deep` or `wide`"
        )


def pairs(x: Tensor) -> Tensor:
    """int32 [ceil(inputs / 2)]: the neighbors of x [1, inputs], a copy where x does not start at
    a word or ends within one."""
    flat = x[0]
    if len(flat) % 2:
        flat = pad(flat, (0, 1))
    elif flat.data_ptr() % 4:
        flat = flat.clone()
    return flat.view(torch.int32)


def whole(tiles: Tiles, step: int) -> bool:
    """Does no tile, and no step of so many tiles, leave a rest?"""
    return tiles.inputs == tiles.across * TILE and tiles.across % step == 0


def scratch(device: torch.device, partial: int, programs: int) -> tuple[Tensor, Tensor]:
    """Float32 [partial] for sums, and int32 [programs] counters that are zero between calls, both
    at least: one pair for a device, so that its products may not overlap in two streams.
    """
    work, arrived = _shared.get(device, (torch.empty(0), torch.empty(0)))
    if work.numel() < partial or arrived.numel() < programs:
        work = torch.empty(max(partial, LEAST_SHARED), device=device)
        arrived = torch.zeros(max(programs, LEAST_SHARED), dtype=torch.int32, device=device)
        _shared[device] = work, arrived
    return work, arrived


def padded(batch: int) -> int:
    """Rows of x as a kernel takes them: a power of two."""
    return max(LEAST_COLUMNS, 1 << (batch - 1).bit_length())
