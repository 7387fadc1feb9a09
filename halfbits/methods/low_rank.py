"""A low-rank correction: W ~ Q(W) + A B, with A [out, r] and B [r, in] in float16.

The rounding error E = W - Q(W) is nearly white, and a few singular vectors hold little of it. What
counts is E X: with H = X^T X / n = L L^T (Cholesky), tr(E H E^T) = |E L|^2, and by Eckart and Young
the best A B of rank r is the truncated singular value decomposition of E L, taken back through L:

    E L = U S V^T,      A = U_r S_r,      B = V_r^T L^-1      (LQER, Zhang et al., 2024, weighs
                                                              by a diagonal instead of L)

r (in + out) float16 values are as many bytes as finer groups or another bit would be: those are the
baseline.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from halfbits.methods.calibration import block_by_block, linears_of
from halfbits.methods.gptq import damped
from halfbits.methods.rtn import round_to_nearest
from halfbits.models.llama import Llama
from halfbits.models.surgery import half_the_rest
from halfbits.quantize import Granularity


@torch.no_grad()
def quantize(
    model: Llama,
    calibration: Tensor,
    rank: int = 8,
    bits: int = 4,
    granularity: Granularity = 64,
    clip: float | str = "mse",
    weighted: bool = True,
    damping: float = 0.01,
) -> tuple[Llama, float]:
    """Round to nearest plus A B for every block matrix; not `weighted`: L is the unit matrix."""
    lossy = copy.deepcopy(model)
    nbytes: float = half_the_rest(lossy)
    for _, block, seen in block_by_block(lossy, calibration):
        for name, layer in linears_of(block):
            found = round_to_nearest(layer.weight, bits, granularity, clip)
            restored, moment = found.dequantize(), damped(seen[name].moment, damping)
            moment = moment if weighted else torch.eye(len(moment), dtype=moment.dtype)
            a, b = correction(layer.weight - restored, moment, rank)
            layer.weight.copy_(restored + a.half().float() @ b.half().float())
            nbytes += found.nbytes + 2 * (a.numel() + b.numel())
    return lossy, nbytes


def correction(error: Tensor, moment: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """A [out, r] and B [r, in], float64, with the least tr((E - A B) H (E - A B)^T)."""
    factor = torch.linalg.cholesky(moment)
    u, s, v = torch.linalg.svd(error.double() @ factor, full_matrices=False)
    b = torch.linalg.solve_triangular(factor, v[:rank], upper=False, left=False)
    root = s[:rank].sqrt()  # half to each side, which keeps both within float16
    return u[:, :rank] * root, root[:, None] * b
