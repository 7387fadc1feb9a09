"""What the interview bank says of pruning beside quantization."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable

import pytest
import torch
from interview_draws import draw
from torch import Tensor

from halfbits.models.surgery import block_linears
from halfbits.models.tiny_lm import load_text, load_tiny_lm

Lossy = Callable[[Tensor], Tensor]


def two_of_four(w: Tensor) -> Tensor:
    """Of every four neighbors along the last axis, the two smaller ones are zero."""
    fours = w.reshape(-1, 4)
    kept = torch.zeros_like(fours).scatter_(1, fours.abs().topk(2, 1).indices, 1.0)
    return (fours * kept).view_as(w)


def larger_half(w: Tensor) -> Tensor:
    return torch.where(w.abs() > w.abs().median(), w, torch.zeros((), dtype=w.dtype))


def in_groups(bits: int, size: int) -> Lossy:
    """Symmetric integer codes with one scale for `size` weights."""
    top = 2 ** (bits - 1) - 1

    def rounded(w: Tensor) -> Tensor:
        groups = w.reshape(-1, size)
        step = groups.abs().amax(1, keepdim=True) / top
        return ((groups / step).round() * step).view_as(w)

    return rounded


def test_on_gaussian_weights_dropping_half_costs_more_than_rounding_to_four_bits() -> None:
    w = draw(0, 2**18)
    lost = {
        way: float((lossy(w) - w).square().sum() / w.square().sum())
        for way, lossy in {
            "2:4": two_of_four,
            "half": larger_half,
            "int8": in_groups(8, 128),
            "int4": in_groups(4, 128),
        }.items()
    }
    assert lost["2:4"] == pytest.approx(0.13, abs=0.005)
    assert lost["half"] == pytest.approx(0.07, abs=0.005)
    assert lost["int4"] == pytest.approx(0.014, abs=0.001)
    assert lost["int8"] < 1e-4


def test_the_tiny_lm_bears_four_bits_better_than_half_of_its_weights_at_sixteen() -> None:
    """By size alone and without mending the others; KL over 256 held-out tokens."""
    lm = load_tiny_lm()
    ids = lm.encode(load_text("heldout"))[None, :256]

    @torch.no_grad()
    def divergence(lossy: Lossy) -> float:
        model = copy.deepcopy(lm.model)
        for _, layer in block_linears(model):
            layer.weight.copy_(lossy(layer.weight))
        p, q = (m(ids).double().log_softmax(-1) for m in (lm.model, model))
        return float((p.exp() * (p - q)).sum(-1).mean())

    int4 = divergence(in_groups(4, 64))
    assert divergence(two_of_four) > 10 * int4
    assert divergence(larger_half) > 5 * int4


def test_half_of_a_matrix_with_an_index_for_each_value_saves_nothing() -> None:
    w = larger_half(draw(1, 256, 256)).to(torch.float16)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch calls its sparse tensors a beta
        sparse = w.float().to_sparse_csr()
    kept = sparse.values().numel()
    assert kept == w.numel() // 2
    assert kept * (2 + 2) == 2 * w.numel()  # two bytes for the value, two for its column
    assert sparse.col_indices().element_size() == 8  # PyTorch's own: far more than is saved
    bitmap, two_in_four = 1 + 16 / 2, (2 * 16 + 2 * 2) / 4
    assert bitmap == two_in_four == 9  # bits a weight, of 16


def test_zeros_in_a_dense_matrix_are_stored_and_multiplied() -> None:
    w = two_of_four(draw(2, 64, 64))
    assert w.untyped_storage().nbytes() == draw(2, 64, 64).untyped_storage().nbytes()
    x = torch.full((64,), torch.inf, dtype=torch.float64)
    assert (w @ x).isnan().all()  # 0 times infinity was computed


def test_leaving_out_channels_makes_two_smaller_dense_matrices_with_the_same_outputs() -> None:
    up, down, x = draw(3, 96, 32), draw(4, 32, 96), draw(5, 32)
    kept = up.norm(dim=1).topk(64).indices
    masked = up.clone()
    masked[[i for i in range(96) if i not in set(kept.tolist())]] = 0
    smaller = down[:, kept] @ (up[kept] @ x).relu()
    torch.testing.assert_close(smaller, down @ (masked @ x).relu())
