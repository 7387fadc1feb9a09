"""Learned rounding (AdaRound, Nagel et al., 2020), one layer at a time.

Every weight goes down or up: code = floor(w / s) + h with h in {0, 1}. Nearest is best for a weight
alone, not for the layer's output. h is relaxed to

    h(V) = clip(1.2 sigmoid(V) - 0.1, 0, 1)

    minimize  tr(D H D^T) / tr(D_0 H D_0^T) + strength * mean(1 - |2 h - 1|^beta)

over V by gradient descent, where D = W - values and D_0 is D of round to nearest. beta falls from
20 to 2: first h may be anything, at the end it has to choose. The paper uses sampled outputs where
H = X^T X / n stands here: the same objective with all samples at once.

It may choose between the two neighbors of the original weight alone. GPTQ moves weights further.
"""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import Tensor

from halfbits.methods.calibration import block_by_block, linears_of, output_error
from halfbits.methods.rtn import round_to_nearest
from halfbits.models.llama import Llama
from halfbits.models.surgery import half_the_rest, put
from halfbits.quantize import Granularity, Quantized, grouped, ungrouped

LOW, HIGH = -0.1, 1.1  # of the stretched sigmoid
FREE = 0.2  # of the steps, before h is asked to choose
RATE, STRENGTH = 0.1, 0.2


@torch.no_grad()
def quantize(
    model: Llama,
    calibration: Tensor,
    bits: int = 4,
    granularity: Granularity = 64,
    clip: float | str = "mse",
    steps: int = 200,
) -> tuple[Llama, float]:
    """Every block matrix with learned rounding on the scales of round to nearest."""
    lossy = copy.deepcopy(model)
    nbytes: float = half_the_rest(lossy)
    for _, block, seen in block_by_block(lossy, calibration):
        for name, layer in linears_of(block):
            base = round_to_nearest(layer.weight, bits, granularity, clip)
            found = learn_rounding(layer.weight, seen[name].moment, base, steps)
            nbytes += put(layer, found)
    return lossy, nbytes


def learn_rounding(w: Tensor, moment: Tensor, base: Quantized, steps: int = 200) -> Quantized:
    """Other codes for w [out, in] on the symmetric grid of `base`: each one floor or ceiling."""
    top = 2 ** (base.code_bits - 1) - 1
    w, moment = w.detach(), moment.float()
    position = (grouped(w, base.granularity) / base.scale).clamp(-top, top)
    floor = position.floor()
    start = ((position - floor).clamp(0.01, 0.99) - LOW) / (HIGH - LOW)
    v = start.logit().requires_grad_()
    whole = output_error(w, base.dequantize(), moment.double()).sum().float().clamp(min=1e-30)
    adam = torch.optim.Adam([v], RATE)
    with torch.enable_grad():
        for step in range(steps):
            h = soft(v)
            values = ungrouped((floor + h).clamp(-top, top) * base.scale, w.shape, base.granularity)
            d = w - values
            lost = ((d @ moment) * d).sum() / whole + STRENGTH * undecided(h, step / steps)
            adam.zero_grad()
            lost.backward()
            adam.step()
    codes = (floor + (soft(v.detach()) > 0.5)).clamp(-top, top)
    found = replace(base, codes=codes.to(base.codes.dtype))
    return found if _error(w, found, moment) < _error(w, base, moment) else base


def soft(v: Tensor) -> Tensor:
    """h(V), the stretched sigmoid, elementwise: it reaches 0 and 1, where its gradient ends."""
    return (v.sigmoid() * (HIGH - LOW) + LOW).clamp(0, 1)


def undecided(h: Tensor, share: float) -> Tensor | float:
    """mean(1 - |2h - 1|^beta) of h in any shape, beta from 20 to 2 along a cosine; 0 at first."""
    if share < FREE:
        return 0.0
    along = torch.tensor((share - FREE) / (1 - FREE))
    beta = 2 + 9 * (1 + torch.cos(along * torch.pi))
    return (1 - (2 * h - 1).abs() ** beta).mean()


def _error(w: Tensor, found: Quantized, moment: Tensor) -> float:
    return output_error(w, found.dequantize(), moment.double()).sum().item()
