"""How far a right result may lie from the exact one; each bound carries its derivation."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

FLOAT64_DIVISIONS = 8 * 2.0**-52  # a few operations in Python floats on numbers of about 1


def eps(dtype: torch.dtype = torch.float32) -> float:
    """The spacing of `dtype` above 1; a rounding moves a normal number x by up to eps |x| / 2."""
    return torch.finfo(dtype).eps


def half_step(levels: int, roundings: int = 2) -> float:
    """The largest error of rounding to the nearest of `levels` steps, in steps.

    Half a step, and the float32 rounding of the quotient x / scale: `roundings` roundings at most,
    each of a quotient of at most `levels`.
    """
    return 0.5 + roundings * levels * eps()


def rounding_rms(n: int) -> tuple[float, float]:
    """Between what and what the rms error of `n` rounded values lies, in steps.

    The error of a rounded value is uniform over one step: its rms is 1 / sqrt(12) = 0.289. The
    mean of n squares has a relative deviation of sqrt(0.8 / n), the rms half of that; six
    deviations and 5 % for the few values that are exact by construction are allowed.
    """
    room = 0.05 + 6 * 0.5 * math.sqrt(0.8 / n)
    return (1 - room) / math.sqrt(12), (1 + room) / math.sqrt(12)


def product(a: Tensor, b: Tensor, dtype: torch.dtype, stores: int = 1) -> Tensor:
    """The largest error of each entry of a [..., m, k] @ b [..., k, n], every step in `dtype`.

    k products, k - 1 sums and `stores` stores round once each, by at most eps / 2 of a partial
    sum that is itself off by less than a factor of 2 while (k + stores) eps < 1: at most
    (k + stores) eps |a| @ |b|. Where the result underflows, a subnormal step each.
    """
    size = a.double().abs() @ b.double().abs()
    info = torch.finfo(dtype)
    return (a.shape[-1] + stores) * (info.eps * size + info.smallest_normal * info.eps)


def linear(x: Tensor, w: Tensor, bias: Tensor | None = None) -> Tensor:
    """The largest error of x [..., in] @ w [out, in].T + bias in float32, whatever the order.

    n products and sums, a scale, a bias and two stores: (n + 4) eps |x| @ |w|.T, bias included.
    """
    size = x.double().abs() @ w.double().abs().T
    size = size if bias is None else size + bias.double().abs()
    return (w.shape[1] + 4) * eps() * size


def softmax() -> float:
    """The relative error of a float32 softmax.

    exp, a sum of a few terms and a division round some ten times by 2**-24; a fast exp adds a few.
    """
    return 64 * 2.0**-24


def decibels(n: int) -> float:
    """The largest error of 10 log10(S / N) whose sums of `n` squares are taken in float32.

    Each sum is off by at most (n + 4) eps of itself, and 10 log10(1 + d) < 4.35 d.
    """
    return 4.35 * 2 * (n + 4) * eps()


def divergence(first: Tensor, second: Tensor) -> float:
    """The largest error of KL(softmax first, softmax second) by float32 log_softmax, in nats.

    log p and log q are off by 4 eps of the largest logit and of ln(classes) each; p by that, times
    the gap that it weighs.
    """
    first, second = first.double(), second.double()
    largest = max(first.abs().max().item(), second.abs().max().item())
    gap = 2 * (first - second).abs().max().item()
    return 4 * eps() * (largest + math.log(first.shape[1]) + 1) * (2 + gap)


def reordered(want: Any) -> float:
    """How far apart two right results for the same numbers may lie, summed in another order.

    256 roundings of the largest number, of a 16-bit type two: its sums are taken in float32 and
    stored once. A code of 8 bits was rounded, and may be the next one; other whole numbers are
    exact.
    """
    dtype = getattr(want, "dtype", torch.float32)
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        return float(dtype in (torch.int8, torch.uint8))
    roundings = 2 if eps(dtype) > eps() else 256
    size = torch.as_tensor(want, dtype=torch.float64).abs()
    return roundings * eps(dtype) * float(size[size.isfinite()].amax()) if size.numel() else 0.0
