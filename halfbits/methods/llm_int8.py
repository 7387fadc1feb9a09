"""LLM.int8() (Dettmers et al., 2022): int8 products, outlier columns apart in 16 bits.

An input channel with a value above the threshold (6 in the paper) sets the scale of every token
that it is large in, and the codes of all other channels starve. So the sum over channels is split:

    y = sum_{j not in O} int8(x_j) int8(w_j)  +  sum_{j in O} x_j w_j      O: outlier channels

with scales for each token and each row over the channels outside O. Here O is found once, on
calibration text, and its columns of W are kept in float16 and counted; the paper finds O in every
batch, which needs the weight in a form that both products can read.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from halfbits.methods.activations import RoundedInput
from halfbits.methods.rtn import round_to_nearest
from halfbits.models.hooks import channel_amax
from halfbits.models.llama import Llama
from halfbits.models.surgery import block_linears, half_the_rest

INDEX_BYTES = 4


@torch.no_grad()
def quantize(
    model: Llama,
    calibration: Tensor,
    threshold: float = 6.0,
    bits: int = 8,
    activation_bits: int = 8,
    clip: float | str = 1.0,
) -> tuple[Llama, float]:
    """Every block matrix split at the channels that exceed `threshold` on calibration text."""
    amax = channel_amax(model, list(calibration.split(8)), "layers.")
    lossy = copy.deepcopy(model)
    nbytes: float = half_the_rest(lossy)
    for name, layer in list(block_linears(lossy)):
        outlier = amax[name] > threshold
        nbytes += split(layer, outlier, bits, clip)
        lossy.set_submodule(name, RoundedInput(layer, activation_bits, keep=outlier))
    return lossy, nbytes


@torch.no_grad()
def split(layer: nn.Linear, outlier: Tensor, bits: int, clip: float | str) -> float:
    """Round the columns outside `outlier` bool [in] row by row, the others to float16; bytes."""
    kept, rest = int(outlier.sum()), ~outlier
    layer.weight[:, outlier] = layer.weight[:, outlier].half().float()
    nbytes: float = kept * (2 * layer.out_features + INDEX_BYTES)
    if kept < layer.in_features:
        found = round_to_nearest(layer.weight[:, rest], bits, "channel", clip)
        layer.weight[:, rest] = found.dequantize()
        nbytes += found.nbytes
    return nbytes
