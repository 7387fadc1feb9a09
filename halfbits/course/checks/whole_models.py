"""Whole models that an answer is to store within a budget, and how well what it stores predicts.

The text that judges is drawn from documents of the held-out text that no answer is given.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from halfbits.course.checks.opened import WATCH, called_by_the_answer, unwatched
from halfbits.course.checks.threads import one_thread
from halfbits.evaluate.divergence import Divergence, kl_divergence, log_probabilities
from halfbits.methods.calibration import windows
from halfbits.methods.rtn import round_to_nearest
from halfbits.models.llama import Llama, LlamaConfig
from halfbits.models.surgery import block_linears, half_the_rest
from halfbits.models.tiny_lm import END, load_text, load_tiny_lm

HIDDEN = "heldout.txt"
SMALL = LlamaConfig(256, 64, 128, 2, 4, 2, 16, 256)
WINDOWS = 32  # to calibrate on, and as many others to be judged on


@dataclass(frozen=True, eq=False)
class Case:
    """A float32 model, tokens to calibrate on, tokens to be judged on, and a budget in bytes."""

    model: Llama
    calibration: Tensor
    hidden: Tensor
    last: int
    budget: int

    @one_thread()
    def divergence(self, model: nn.Module) -> Divergence:
        """KL(float32 || model) a token on the hidden text, in nats."""
        return kl_divergence(self._reference, model, self.hidden)

    @property
    def plain(self) -> Divergence:
        """The divergence of plain rounding: int4, groups of 64, no clip, every matrix."""
        return self._measured[1]

    @property
    def _reference(self) -> Tensor:
        return self._measured[0]

    @property
    def _measured(self) -> tuple[Tensor, Divergence]:
        return _measure(self)


@cache
@one_thread()
def _measure(case: Case) -> tuple[Tensor, Divergence]:
    base = log_probabilities(case.model, case.hidden, case.last)
    return base, kl_divergence(base, plainly_rounded(case.model), case.hidden)


@torch.no_grad()
def plainly_rounded(model: Llama) -> Llama:
    """int4 in groups of 64 by the largest value, embedding too; norms in float16."""
    lossy = copy.deepcopy(model)
    half_the_rest(lossy)
    for weight in [lossy.embed_tokens.weight, *(layer.weight for _, layer in block_linears(lossy))]:
        weight.copy_(round_to_nearest(weight, 4, 64, clip=1.0).dequantize())
    return lossy


def small_case(seed: int) -> Case:
    """A model of two layers with weights drawn now, and random tokens."""
    draw = torch.Generator().manual_seed(seed)
    model = Llama(SMALL).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                spread = parameter.shape[1] ** -0.5
                parameter.copy_(spread * torch.randn(parameter.shape, generator=draw))
        model.embed_tokens.weight.mul_(2)
    tokens = torch.randint(SMALL.vocab_size, (16, 65), generator=draw)
    count = sum(parameter.numel() for parameter in model.parameters())
    return Case(model, tokens[:8, :-1], tokens[8:], 48, round(4.5 * count / 8) + 8192)


def tiny_case(seed: int, budget: int) -> Case:
    """The tiny language model; calibration from every second held-out document, the judge's own
    windows from the others."""
    if called_by_the_answer():
        WATCH.opened.append(HIDDEN)
    with unwatched():
        lm = load_tiny_lm()
        documents = load_text("heldout").split(END)
    shown, hidden = (lm.encode(END.join(documents[first::2])) for first in (0, 1))
    judged = windows(hidden, WINDOWS, 129, seed)
    return Case(lm.model, windows(shown, WINDOWS, 128, seed), judged, 96, budget)
