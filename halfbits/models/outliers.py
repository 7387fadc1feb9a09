"""Plant activation outliers that leave the model's function as it is."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch

from halfbits.models.llama import Llama
from halfbits.models.surgery import norms_and_readers, rescale


def plant_outliers(model: Llama, channels: Sequence[int], scale: float) -> Llama:
    """A copy whose norm outputs are `scale` times larger in `channels`, with the same logits.

    Large models grow such channels by themselves (Dettmers et al., LLM.int8(), 2022). With a
    power of two as `scale` the logits of a float32 model are the same to the last bit.
    """
    planted = copy.deepcopy(model)
    factor = torch.ones(model.config.hidden_size)
    factor[list(channels)] = scale
    for _, norm, readers in norms_and_readers(planted):
        rescale(norm, readers, factor)
    return planted
