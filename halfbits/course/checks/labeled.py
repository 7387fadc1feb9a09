"""Logits with labels, in batches: what models are compared on, and what a report must say."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from halfbits.course.checks import cases

CLASSES = 5


def batches(y: Tensor, size: int) -> list[tuple[Tensor, Tensor]]:
    """Row numbers for a `Table` and labels in batches of `size`; the last one may be smaller."""
    return list(zip(rows(y).split(size), y.split(size), strict=True))


def rows(y: Tensor) -> Tensor:
    """The numbers of the rows of logits that go with the labels `y`."""
    return torch.arange(len(y)).float().view(-1, 1)


def drawn(seed: int, n: int = 53, noise: float = 0.5) -> tuple[Tensor, Tensor, Tensor]:
    """Reference logits, noisy logits and labels that agree with them often, but not always."""
    fp32 = 2 * cases.normal(seed, n, CLASSES)
    quant = fp32 + noise * cases.normal(seed + 1, n, CLASSES)
    return fp32, quant, (fp32 + 1.5 * cases.normal(seed + 2, n, CLASSES)).argmax(1)


def sqnr_and_kl(fp32: Tensor, quant: Tensor) -> tuple[float, float]:
    """10 log10(S / N) over all logits, and the mean over rows of KL(fp32, quant) in nats; float64.

    S is the sum of the squares of `fp32`, N that of the squares of the differences.
    """
    a, b = fp32.double(), quant.double()
    log_p, log_q = functional.log_softmax(a, 1), functional.log_softmax(b, 1)
    sqnr = 10 * math.log10((a**2).sum() / ((a - b) ** 2).sum())
    return sqnr, (log_p.exp() * (log_p - log_q)).sum(1).mean().item()
