"""Quantization-aware training with the model itself as the teacher.

Weights w are trained through their rounding with fixed scales s:

    forward    q(w) = s round(clip(w / s, -top, top))
    backward   dq/dw = 1 inside the range, 0 where w is clipped

Rounding has slope 0 nearly everywhere; the clipped straight-through estimator takes it for the
identity (Bengio et al., 2013; clipped: Choi et al., PACT, 2018). A weight beyond the range gets no
gradient: more push would not change its code. The loss is KL(model || quantized) a token on text,
the whole distribution of the model as the label (LLM-QAT, Liu et al., 2023, trains so).

Scales are those of round to nearest with the best clip, and stay: the stored bytes are the same.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional as F

from halfbits.methods.rtn import round_to_nearest
from halfbits.models.llama import Llama
from halfbits.models.quantized import rounded_by_name
from halfbits.models.surgery import block_linears
from halfbits.quantize import Granularity, Quantized, grouped, ungrouped


def quantize(
    model: Llama,
    calibration: Tensor,
    bits: int = 4,
    granularity: Granularity = 64,
    clip: float | str = "mse",
    steps: int = 60,
    batch: int = 4,
    rate: float = 2e-4,
) -> tuple[Llama, float]:
    """`steps` steps of Adam on `batch` sequences each, in turn; the rate falls to 0 by a line."""
    bases = {
        name: round_to_nearest(layer.weight, bits, granularity, clip)
        for name, layer in block_linears(model)
    }
    trained = train(model, calibration, bases, steps, batch, rate)
    return rounded_by_name(model, lambda name, _: with_codes(bases[name], trained[name]))


def train(
    model: Llama,
    calibration: Tensor,
    bases: dict[str, Quantized],
    steps: int,
    batch: int,
    rate: float,
) -> dict[str, Tensor]:
    """The trained weights [out, in] before rounding, by name; `model` is the teacher and stays."""
    weights = {
        name: layer.weight.detach().clone().requires_grad_() for name, layer in block_linears(model)
    }
    adam = torch.optim.Adam(weights.values(), rate, betas=(0.9, 0.99))
    for step in range(steps):
        rows = torch.arange(step * batch, (step + 1) * batch) % len(calibration)
        with torch.no_grad():
            teacher = F.log_softmax(model(calibration[rows]), -1)
        with torch.enable_grad():
            rounded = {
                f"{name}.weight": straight_through(w, bases[name]) for name, w in weights.items()
            }
            student = F.log_softmax(functional_call(model, rounded, (calibration[rows],)), -1)
            lost = F.kl_div(student, teacher, log_target=True, reduction="sum") / rows.numel()
            adam.param_groups[0]["lr"] = rate * (1 - step / steps)
            adam.zero_grad()
            (lost / calibration.shape[1]).backward()
            adam.step()
    return {name: w.detach() for name, w in weights.items()}


def straight_through(w: Tensor, base: Quantized) -> Tensor:
    """q(w) on the grid of `base` with the gradient of the clip alone; w is [out, in]."""
    top = 2 ** (base.code_bits - 1) - 1
    scale = ungrouped(base.scale.expand_as(base.codes), base.shape, base.granularity)
    inside = (w / scale).clamp(-top, top)
    return (inside + (inside.round() - inside).detach()) * scale


def with_codes(base: Quantized, w: Tensor) -> Quantized:
    """The codes of w [out, in] on the grid of `base`."""
    top = 2 ** (base.code_bits - 1) - 1
    codes = (grouped(w, base.granularity) / base.scale).round().clamp(-top, top)
    return replace(base, codes=codes.to(base.codes.dtype))
