"""AutoRound (Cheng et al., 2024): the rounding of a whole block, learned by the signs of gradients.

A weight w of a group becomes

    q(w) = s clip(round(w / s + V), -top, top),      s = c amax / top

with an offset V in [-1/2, 1/2] for each weight and a share c in [1/2, 1] for each group: V moves a
weight over to its other neighbor, c clips. Both start at plain rounding, V = 0 and c = 1, and are
found by descending on the output of a whole decoder block, attention and feed-forward together,

    minimize  mean (block(x; q(W)) - block(x'; W))^2,

where x' are the states of the unquantized model and x those that the quantized blocks before give:
a block makes up for some of the error that reaches it. A step is sign(gradient) / steps, falling to
0 by a line; so all steps together reach 1/2, the whole range. Rounding passes its gradient on as if
it were the identity. Kept is what had the least error of all steps, each on its own sequences.

AdaRound (`rounding`) asks each layer for its own output. A block weighs them against each other.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from halfbits.methods.calibration import BATCH, linears_of
from halfbits.methods.rtn import round_to_nearest
from halfbits.models.llama import Block, Llama, rotary_angles
from halfbits.models.surgery import half_the_rest, put
from halfbits.quantize import Granularity, Quantized, grouped, ungrouped
from halfbits.quantize.quantized import stored_scale

LEAST_SHARE = 0.5


@torch.no_grad()
def quantize(
    model: Llama,
    calibration: Tensor,
    bits: int = 4,
    granularity: Granularity = 64,
    steps: int = 150,
    batch: int = 4,
) -> tuple[Llama, float]:
    """Every block matrix by AutoRound, first block first; `batch` sequences a step, in turn."""
    lossy = copy.deepcopy(model)
    nbytes: float = half_the_rest(lossy)
    places = torch.arange(calibration.shape[1])
    angles = rotary_angles(places, model.config.head_dim, model.config.rope_theta)
    exact = states = lossy.embed_tokens(calibration)
    for block in lossy.blocks():
        target = _outputs(block, exact, *angles)
        bases = {
            name: round_to_nearest(layer.weight, bits, granularity, clip=1.0)
            for name, layer in linears_of(block)
        }
        found = learn(block, (*angles, None), states, target, bases, steps, batch)
        for name, layer in linears_of(block):
            nbytes += put(layer, found[name])
        exact, states = target, _outputs(block, states, *angles)
    return lossy, nbytes


@torch.no_grad()
def learn(
    block: nn.Module,
    others: tuple,
    inputs: Tensor,
    target: Tensor,
    bases: dict[str, Quantized],
    steps: int,
    batch: int,
) -> dict[str, Quantized]:
    """New codes and scales for the linears of `block` that `bases` names.

    `block(inputs, *others)` [sequences, ...] is to come close to `target`; a base has codes
    symmetric around 0 and the scale of its largest weight.
    """
    learned = {name: Rounding.of(block.get_submodule(name).weight, b) for name, b in bases.items()}  # type: ignore[arg-type]
    parts = [part for rounding in learned.values() for part in (rounding.offset, rounding.share)]
    least, kept = math.inf, [part.clone() for part in parts]
    for step in range(steps):
        rows = torch.arange(step * batch, (step + 1) * batch) % len(inputs)
        with torch.enable_grad():
            rounded = {f"{name}.weight": each.values() for name, each in learned.items()}
            out = functional_call(block, rounded, (inputs[rows], *others))
            lost = F.mse_loss(out, target[rows])
            gradients = torch.autograd.grad(lost, parts)
        if lost < least:
            least, kept = lost.item(), [part.clone() for part in parts]
        for part, gradient in zip(parts, gradients, strict=True):
            part.sub_(gradient.sign() * (1 - step / steps) / steps)
        for rounding in learned.values():
            rounding.offset.clamp_(-0.5, 0.5)
            rounding.share.clamp_(LEAST_SHARE, 1)
    for part, value in zip(parts, kept, strict=True):
        part.copy_(value)
    return {name: rounding.stored() for name, rounding in learned.items()}


@dataclass(frozen=True)
class Rounding:
    """One matrix while it learns: groups of weights and offsets V [groups, size], shares c."""

    weights: Tensor
    offset: Tensor
    share: Tensor
    base: Quantized

    @classmethod
    def of(cls, w: Tensor, base: Quantized) -> Rounding:
        """Plain rounding on the scales of `base`."""
        groups = grouped(w.detach(), base.granularity)
        offset, share = torch.zeros_like(groups), torch.ones_like(base.scale)
        return cls(groups, offset.requires_grad_(), share.requires_grad_(), base)

    def values(self) -> Tensor:
        """q(w) [out, in]; its gradient takes the rounding for the identity."""
        scale = self.share * self.base.scale
        codes = self._codes(scale, lambda x: x + (x.round() - x).detach())
        return ungrouped(codes * scale, self.base.shape, self.base.granularity)

    def stored(self) -> Quantized:
        """Codes and scales as they are kept."""
        with torch.no_grad():
            scale, bits = stored_scale(self.share * self.base.scale, self.base.granularity)
            codes = self._codes(scale, torch.round).to(self.base.codes.dtype)
        return Quantized(
            codes,
            scale,
            self.base.shape,
            self.base.code_bits,
            bits,
            granularity=self.base.granularity,
        )

    def _codes(self, scale: Tensor, nearest: Callable[[Tensor], Tensor]) -> Tensor:
        top = 2 ** (self.base.code_bits - 1) - 1
        return nearest(self.weights / scale + self.offset).clamp(-top, top)


def _outputs(block: Block, states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    run = partial(block, cos=cos, sin=sin, cache=None)
    return torch.cat([run(part) for part in states.split(BATCH)])
