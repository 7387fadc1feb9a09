"""SmoothQuant (Xiao et al., 2023): move activation outliers into the weights before quantizing."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from halfbits.methods import rtn
from halfbits.methods.activations import round_inputs
from halfbits.models.hooks import channel_amax
from halfbits.models.llama import Llama
from halfbits.models.surgery import norms_and_readers, rescale
from halfbits.quantize import Granularity


def quantize(
    model: Llama,
    calibration: Tensor,
    alpha: float = 0.5,
    bits: int = 8,
    activation_bits: int = 8,
    granularity: Granularity = "channel",
    clip: float | str = 1.0,
) -> tuple[Llama, float]:
    """Smoothed, then weights rounded to nearest and inputs token by token."""
    amax = channel_amax(model, list(calibration.split(8)), "layers.")
    lossy, nbytes = rtn.quantize(smooth(model, amax, alpha), None, bits, granularity, clip)
    return round_inputs(lossy, activation_bits), nbytes


def smoothing_factors(activation: Tensor, weight: Tensor, alpha: float) -> Tensor:
    """s_j = max|x_j|^alpha / max|w_j|^(1 - alpha) for every channel j (section 4, equation 4).

    Both are the largest magnitudes of the channels, [in], and so is the result.
    """
    tiny = torch.finfo(torch.float32).tiny
    return activation.clamp(min=tiny) ** alpha / weight.clamp(min=tiny) ** (1 - alpha)


def smooth(model: Llama, amax: dict[str, Tensor], alpha: float = 0.5) -> Llama:
    """A copy with the same logits whose norm outputs are divided by s, and readers multiplied.

    `amax` holds the channels' largest magnitudes [in] by norm, from `channel_amax` on calibration
    text. alpha = 0 leaves the whole difficulty in the activations, 1 moves all of it into the
    weights.
    """
    smoothed = copy.deepcopy(model)
    for name, norm, readers in norms_and_readers(smoothed):
        weight = torch.stack([linear.weight.detach().abs().amax(0) for linear in readers]).amax(0)
        factors = smoothing_factors(amax[name], weight, alpha)
        rescale(norm, readers, 1 / factors)
    return smoothed
