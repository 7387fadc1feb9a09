"""What the interview answers on clipping, fp4, GPTQ and Babai claim, each by running it."""

from __future__ import annotations

import copy
import math
from statistics import NormalDist

import numpy as np
import pytest
import torch
from interview_draws import draw
from torch import Tensor

from halfbits.models.images import load_fashion_mnist, load_image_mlp
from halfbits.quantize import FP4_LEVELS, nearest, quantize_symmetric

NORMAL = NormalDist()
INT4, FP4 = torch.arange(-7.0, 8), torch.tensor(FP4_LEVELS)


def sqnr(x: Tensor, approximation: Tensor) -> float:
    error = (x - approximation).double()
    return (10 * torch.log10(x.double().square().sum() / error.square().sum())).item()


def gaussian_error(clip: float, bits: int) -> float:
    """Mean squared error of N(0, 1) on 2^bits - 1 even levels up to `clip`, integrated exactly.

    On a piece from a to b with level v: int (x - v)^2 p = m2 - 2 v m1 + v^2 m0, where
    m0 = P(b) - P(a), m1 = p(a) - p(b), m2 = m0 + a p(a) - b p(b).
    """
    top = 2 ** (bits - 1) - 1
    levels = np.arange(-top, top + 1) * clip / top
    ends = np.concatenate([[-40], (levels[1:] + levels[:-1]) / 2, [40]])
    below, density = (np.array([f(end) for end in ends]) for f in (NORMAL.cdf, NORMAL.pdf))
    m0, m1 = np.diff(below), -np.diff(density)
    m2 = m0 - np.diff(ends * density)
    return float((m2 - 2 * levels * m1 + levels**2 * m0).sum())


@pytest.mark.parametrize(("bits", "best", "decibels"), [(4, 2.5, 18.9), (8, 3.9, 40.5)])
def test_the_best_clip_of_a_gaussian_is_2_5_deviations_at_4_bits_and_3_9_at_8(
    bits: int, best: float, decibels: float
) -> None:
    clips = np.arange(1.5, 5, 0.01)
    errors = [gaussian_error(clip, bits) for clip in clips]
    assert round(clips[int(np.argmin(errors))], 1) == best
    assert round(-10 * math.log10(min(errors)), 1) == decibels


def test_clipping_gains_over_four_decibels_at_4_bits_and_about_one_at_8() -> None:
    largest = NORMAL.inv_cdf(1 - 0.25 / 1e5)  # the median of the largest of 100,000 magnitudes
    gains = {}
    for bits, best in ((4, 2.5), (8, 3.9)):
        gains[bits] = 10 * math.log10(gaussian_error(largest, bits) / gaussian_error(best, bits))
    assert 4 < gains[4] < 5 and 0.7 < gains[8] < 1.5


def test_a_clip_found_at_four_bits_is_harmful_at_eight() -> None:
    assert gaussian_error(2.5, 8) > 20 * gaussian_error(3.9, 8)


def scaled(x: Tensor, levels: Tensor, group: int, kind: str) -> Tensor:
    """x on `levels` with a scale for each group: exact, or a power of two as MX formats have it."""
    groups = x.view(-1, group)
    scale = groups.abs().amax(1, keepdim=True) / levels[-1]
    if kind == "power of two":  # OCP MX: floor(log2 amax) less the largest level's exponent
        largest = levels[-1].log2().floor()
        scale = 2 ** ((scale * levels[-1]).log2().floor() - largest)
    return (levels[nearest(groups / scale, levels)] * scale).view(x.shape)


def lead_of_int4(x: Tensor, group: int, kind: str) -> float:
    """Decibels by which int4 is better than fp4 with the same groups and the same kind of scale."""
    return sqnr(x, scaled(x, INT4, group, kind)) - sqnr(x, scaled(x, FP4, group, kind))


def test_int4_leads_in_groups_of_32_with_exact_scales_and_fp4_with_powers_of_two() -> None:
    x = draw(0, 2**19).float()
    assert 0.2 < lead_of_int4(x, 32, "exact") < 0.6
    assert -1.5 < lead_of_int4(x, 32, "power of two") < -0.9
    assert 0.6 < lead_of_int4(x, 16, "exact") < 1.2
    assert lead_of_int4(x, 64, "exact") < 0


def test_heavy_tails_let_fp4_lead_in_groups_of_16_as_well() -> None:
    normal, chi = draw(0, 2**19), draw(1, 4, 2**19).square().sum(0)
    student = (normal / (chi / 4).sqrt()).float()  # t with 4 degrees of freedom
    assert lead_of_int4(student, 16, "exact") < -1
    assert lead_of_int4(student, 32, "exact") < -1.5


def gptq(w: Tensor, hessian: Tensor, scale: Tensor) -> Tensor:
    """GPTQ without damping and without an end of the grid; codes [rows, K]."""
    w, codes = w.clone(), torch.empty_like(w)
    upper = torch.linalg.cholesky(torch.linalg.inv(hessian), upper=True)
    for i in range(w.shape[1]):
        codes[:, i] = (w[:, i] / scale).round()
        error = (w[:, i] - codes[:, i] * scale) / upper[i, i]
        w[:, i:] -= error[:, None] * upper[i, i:]
    return codes


def babai(w: Tensor, x: Tensor, scale: Tensor) -> Tensor:
    """Codes of the nearest plane, last column first, in the lattice of x times the scale."""
    triangle = torch.linalg.qr(x).R
    goal, codes = (w / scale[:, None]) @ triangle.T, torch.zeros_like(w)
    for i in reversed(range(w.shape[1])):
        rest = goal[:, i] - codes[:, i + 1 :] @ triangle[i, i + 1 :]
        codes[:, i] = (rest / triangle[i, i]).round()
    return codes


def correlated(seed: int, rows: int, width: int) -> Tensor:
    return draw(seed, rows, width) @ draw(100, width, width)


def test_gptq_from_the_last_column_to_the_first_is_babais_nearest_plane() -> None:
    x, w = correlated(0, 200, 16), draw(1, 32, 16)
    scale = w.abs().amax(1) / 7
    backward = gptq(w.flip(1), (2 * x.T @ x).flip(0, 1), scale).flip(1)
    assert torch.equal(backward, babai(w, x, scale))
    assert not torch.equal(gptq(w, 2 * x.T @ x, scale), backward)  # the order matters


def uncorrelated(seed: int, rows: int, width: int) -> Tensor:
    """Inputs with mean zero, different strengths, and columns that are orthogonal on the sample."""
    centered = draw(seed, rows, width)
    centered -= centered.mean(0)
    return torch.linalg.qr(centered).Q * torch.linspace(1, 9, width).double()


def test_gptq_is_rounding_when_the_calibration_inputs_are_uncorrelated() -> None:
    x, w = uncorrelated(0, 200, 16), draw(1, 32, 16)
    scale = w.abs().amax(1) / 7
    plain = (w / scale[:, None]).round()
    assert torch.equal(gptq(w, 2 * x.T @ x, scale), plain)
    shifted = x + 0.3 * x.abs().amax()  # a common mean is a correlation: nothing is centered
    assert not torch.equal(gptq(w, 2 * shifted.T @ shifted, scale), plain)


@torch.no_grad()
def test_at_two_bits_the_best_clip_saves_the_classifier_without_training() -> None:
    model = load_image_mlp()
    images, labels = load_fashion_mnist("test")

    def accuracy(clip: float | str | None) -> float:
        lossy = copy.deepcopy(model)
        for layer in lossy:
            if isinstance(layer, torch.nn.Linear) and clip:
                layer.weight.copy_(quantize_symmetric(layer.weight, 2, clip=clip).dequantize())
        return (lossy(images).argmax(1) == labels).double().mean().item()

    whole = accuracy(None)
    assert accuracy(1.0) < 0.3  # the scale is the largest weight of a row
    assert 0.75 < accuracy("mse") < whole - 0.03


def test_without_clipping_gptq_stays_within_babais_bound_and_rounding_does_not() -> None:
    x, w = correlated(0, 200, 16), draw(1, 64, 16)
    scale = w.abs().amax(1) / 7
    backward = gptq(w.flip(1), (2 * x.T @ x).flip(0, 1), scale).flip(1)
    lengths = torch.linalg.qr(x).R.diagonal().square().sum()  # of the last plane first
    bound = scale.square() * lengths / 4

    def squared(codes: Tensor) -> Tensor:
        return ((w - codes * scale[:, None]) @ x.T).square().sum(1)

    assert (squared(backward) <= bound * (1 + 1e-9)).all()
    assert (squared((w / scale[:, None]).round()) > bound).any()
