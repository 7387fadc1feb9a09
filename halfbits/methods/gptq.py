"""GPTQ (Frantar et al., 2023): round column by column, and let the rest make up for the error.

A layer's output error for a row of weights w and its codes' values q is (w - q) H (w - q)^T with
H = X^T X / n. Once column j is rounded with error e = w_j - q_j, the best change of the columns
that are still free, F, is (the step of Optimal Brain Surgeon)

    w_F <- w_F - e / [H_F^-1]_jj * [H_F^-1]_j,F        H_F: rows and columns of H still free

H_F^-1 is needed after every column is taken out. All of them stand in one matrix: with the upper
Cholesky factor of H^-1 = U^T U, row j of U is [H_F^-1]_j,: / sqrt([H_F^-1]_jj). Hence

    w_j+1: <- w_j+1: - (w_j - q_j) / U_jj * U_j,j+1:   (algorithm 1)

Act order takes the columns with the largest H_jj first, while all others can still make up for
them. Damping adds a share of the mean of the diagonal to it: with fewer samples than inputs H has
no inverse. Scales are fixed beforehand by another method (here round to nearest with its clip) and
stay where they are in act order ("static groups").
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from halfbits.methods.calibration import block_by_block, linears_of
from halfbits.methods.rtn import round_to_nearest
from halfbits.models.llama import Llama
from halfbits.models.surgery import half_the_rest, put
from halfbits.quantize import Granularity, Quantized, grouped, nearest, ungrouped

COLUMNS = 128


@torch.no_grad()
def quantize(
    model: Llama,
    calibration: Tensor,
    bits: int = 4,
    granularity: Granularity = 64,
    clip: float | str = "mse",
    symmetric: bool = True,
    act_order: bool = True,
    damping: float = 0.01,
) -> tuple[Llama, float]:
    """Every block matrix by GPTQ, each block on the outputs of the quantized ones before it."""
    options = {"bits": bits, "granularity": granularity, "clip": clip, "symmetric": symmetric}
    base: Callable[[Tensor], Quantized] = partial(round_to_nearest, **options)  # type: ignore[arg-type]
    lossy = copy.deepcopy(model)
    nbytes: float = half_the_rest(lossy)
    for _, block, seen in block_by_block(lossy, calibration):
        for name, layer in linears_of(block):
            start = base(layer.weight)
            found = gptq(layer.weight, seen[name].moment, start, act_order, damping)
            nbytes += put(layer, found)
    return lossy, nbytes


def gptq(
    w: Tensor, moment: Tensor, base: Quantized, act_order: bool = True, damping: float = 0.01
) -> Quantized:
    """Other codes for w [out, in] with the scales of `base`; `moment` H is [in, in].

    Computed in float64. Raises ValueError for an H of zeros: no data came.
    """
    order = moment.diagonal().argsort(descending=True, stable=True)
    order = order if act_order else torch.arange(len(moment))
    factor = inverse_factor(moment.double()[order][:, order], damping)
    left = w.detach().double()[:, order]
    scale, zero = (_columns(part, base)[:, order] for part in (base.scale, base.zero_point))
    codes = torch.empty_like(left)
    for start in range(0, left.shape[1], COLUMNS):
        end = min(start + COLUMNS, left.shape[1])
        errors = torch.empty(len(left), end - start, dtype=left.dtype)
        for j in range(start, end):
            codes[:, j], value = snap(left[:, j], scale[:, j], zero[:, j], base)
            errors[:, j - start] = (left[:, j] - value) / factor[j, j]
            left[:, j:end] -= torch.outer(errors[:, j - start], factor[j, j:end])
        left[:, end:] -= errors @ factor[start:end, end:]  # one product for all later columns
    codes = codes[:, order.argsort()]
    return replace(base, codes=grouped(codes, base.granularity).to(base.codes.dtype))


def inverse_factor(moment: Tensor, damping: float) -> Tensor:
    """Upper U with U^T U = (H + damping mean(diag H) I)^-1, both [in, in]."""
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(damped(moment, damping)))
    return torch.linalg.cholesky(inverse, upper=True)


def damped(moment: Tensor, damping: float) -> Tensor:
    """H + damping mean(diag H) I, [in, in] as H. Raises ValueError for an H of zeros."""
    mean = moment.diagonal().mean()
    if not mean > 0:
        raise ValueError("the inputs' second moment is zero: the method needs calibration data")
    return moment + damping * mean * torch.eye(len(moment), dtype=moment.dtype)


def snap(x: Tensor, scale: Tensor, zero: Tensor, base: Quantized) -> tuple[Tensor, Tensor]:
    """(codes, values) of the nearest levels to x [out], as `base` counts codes."""
    if base.levels is not None:
        codes = nearest((x / scale).float(), base.levels)
        return codes.double(), base.levels.double()[codes] * scale
    top = 2 ** (base.code_bits - 1) - 1 if base.zero_point is None else 2**base.code_bits - 1
    low = -top if base.zero_point is None else 0
    codes = ((x / scale).round() + zero).clamp(low, top)
    return codes, (codes - zero) * scale


def _columns(part: Tensor | None, base: Quantized) -> Tensor:
    """The blocks' parameters [blocks, 1] spread over the weight, float64 [out, in]."""
    part = torch.zeros_like(base.scale) if part is None else part
    spread = part.double().expand(-1, base.codes.shape[1])
    return ungrouped(spread, base.shape, base.granularity)
