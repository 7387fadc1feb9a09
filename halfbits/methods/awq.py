"""AWQ (Lin et al., 2024): scale the inputs that matter, then clip, both by the outputs' error.

Columns of a weight whose inputs are large deserve finer codes. Keeping them in 16 bits would need a
kernel for two types; scaling does the same within one type. With a factor s_j for each input

    y = (x / s) Q(W s)^T      error of column j:  x_j / s_j * (its rounding error),

which falls by s_j while the group's largest value, and with it the step of all, hardly grows. 1 / s
goes into whatever makes x: the gain of the norm before it, or the rows of the matrix before it.

    s = mean|x|^alpha, divided by sqrt(max s * min s)      alpha from a grid

minimizes ||(W - Q(W s) / s) X||^2 = tr(D H D^T), H = X^T X / n. Then each group's range is cut to
the share that leaves its own part of the output the least error. The attention's output matrix is
not scaled: with grouped-query attention one row of V makes several of its inputs.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from halfbits.methods.calibration import Seen, block_by_block, linears_of, output_error
from halfbits.models.llama import Block, Llama
from halfbits.models.surgery import half_the_rest, put
from halfbits.quantize import Granularity, Quantized, grouped, positive, quantize_symmetric
from halfbits.quantize.grid import CLIPS

ALPHAS = 20


@torch.no_grad()
def quantize(
    model: Llama,
    calibration: Tensor,
    bits: int = 4,
    granularity: Granularity = 64,
    scale: bool = True,
    clip: bool = True,
) -> tuple[Llama, float]:
    """Every block matrix, symmetric. `scale` and `clip` switch the method's two halves."""

    def plain(w: Tensor) -> Quantized:
        return quantize_symmetric(w, bits, granularity)

    lossy, nbytes = copy.deepcopy(model), 0.0
    for _, block, seen in block_by_block(lossy, calibration):
        moments = {name: part.moment for name, part in seen.items()}
        linears = dict(linears_of(block))
        for names, source in scaled_inputs(block) if scale else ():
            readers = [linears[name] for name in names]
            factor = best_factors([layer.weight for layer in readers], seen[names[0]], plain)
            fold(source, readers, factor)
            for name in names:
                moments[name] = moments[name] / torch.outer(factor, factor)
        for name, layer in linears.items():
            share = best_shares(layer.weight, moments[name], bits, granularity) if clip else 1.0
            found = quantize_symmetric(layer.weight, bits, granularity, clip=share)
            nbytes += put(layer, found)
    return lossy, nbytes + half_the_rest(lossy)


def scaled_inputs(block: Block) -> list[tuple[list[str], Tensor]]:
    """(linears that read one input, weight of what makes it) of a block.

    The weight is a norm's gain [in], or a matrix [in, n] whose rows make the input.
    """
    attention = [f"self_attn.{name}_proj" for name in "qkv"]
    return [
        (attention, block.input_layernorm.weight),
        (["mlp.gate_proj", "mlp.up_proj"], block.post_attention_layernorm.weight),
        (["mlp.down_proj"], block.mlp.up_proj.weight),
    ]


@torch.no_grad()
def fold(source: Tensor, readers: list[nn.Linear], factor: Tensor) -> None:
    """Divide the input's channels by `factor` [in] at their source, multiply the columns by it."""
    factor = factor.to(source.dtype)
    source.div_(factor if source.ndim == 1 else factor[:, None])
    for layer in readers:
        layer.weight.mul_(factor)


def best_factors(
    weights: list[Tensor], seen: Seen, quantizer: Callable[[Tensor], Quantized]
) -> Tensor:
    """s [in], float64, with the least output error of all `weights` [out, in] that share it."""
    best, least = torch.ones_like(seen.mean), torch.inf
    for step in range(ALPHAS):
        factor = (seen.mean ** (step / ALPHAS)).clamp(min=1e-4)
        factor = factor / (factor.max() * factor.min()).sqrt()
        lost = 0.0
        for w in weights:
            restored = quantizer((w * factor).float()).dequantize() / factor
            lost += output_error(w, restored, seen.moment).sum().item()
        if lost < least:
            best, least = factor, lost
    return best


def best_shares(w: Tensor, moment: Tensor, bits: int, granularity: Granularity) -> Tensor:
    """The share of each group's amax [blocks, 1] with the least error d_g H_gg d_g^T.

    H_gg is the part of H for the group's inputs. Raises ValueError for blocks of several rows.
    """
    if not isinstance(granularity, int) and granularity != "channel":
        raise ValueError(f"groups lie along one row; {granularity!r} spans several")
    groups, top = grouped(w, granularity), 2 ** (bits - 1) - 1
    parts = diagonal_parts(moment.float(), groups.shape[1])
    amax = groups.abs().amax(1, keepdim=True)
    best, least = torch.ones_like(amax), torch.full_like(amax, torch.inf)
    for share in CLIPS:
        scale = positive(share * amax / top)
        d = groups - (groups / scale).round().clamp(-top, top) * scale
        d = d.view(len(w), *parts.shape[:2])
        lost = (torch.einsum("ogi,gij->ogj", d, parts) * d).sum(-1).view_as(amax)
        best = torch.where(lost < least, share, best)
        least = torch.minimum(lost, least)
    return best


def diagonal_parts(moment: Tensor, size: int) -> Tensor:
    """H's diagonal blocks [groups, size, size], the last one filled up with zeros."""
    filling = -len(moment) % size
    moment = F.pad(moment, (0, filling, 0, filling))
    count = len(moment) // size
    each = torch.arange(count)
    return moment.view(count, size, count, size)[each, :, each]
