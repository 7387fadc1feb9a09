"""Claims of the interview bank that follow from arithmetic: orders, shards, folds, other chips."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


def draw(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_a_hundred_million_and_one_less_a_hundred_million_is_zero_in_float32() -> None:
    large, one = np.float32(1e8), np.float32(1)
    assert (large + one) - large == 0 and (large - large) + one == 1
    assert large + np.float32(4) == large and large + np.float32(5) == large + np.float32(8)
    assert np.spacing(large) == 8 and 2**26 < 1e8 < 2**27
    assert torch.finfo(torch.float32).eps / torch.finfo(torch.float64).eps == 2**29


def test_small_terms_first_save_what_large_terms_first_lose() -> None:
    k = np.arange(1, 100_001, dtype=np.float64)
    terms, exact = (1 / k**2).astype(np.float32), (1 / k**2).sum()
    forward = np.cumsum(terms, dtype=np.float32)
    assert np.all(forward[4096:] == forward[4096]) and forward[4000] < forward[4096]
    backward = np.cumsum(terms[::-1], dtype=np.float32)[-1]
    assert exact - forward[-1] > 1.9e-4 and abs(exact - backward) < 1e-6


def test_the_variance_as_a_difference_of_means_is_a_multiple_of_eight() -> None:
    x = (10_000 + draw(0, 4096)).float()
    assert abs(x.double().var().item() - 1) < 0.1
    difference = x.square().mean() - x.mean().square()
    assert difference % 8 == 0
    assert abs((x - x.mean()).square().mean().item() - 1) < 0.1


def test_noise_of_either_sign_grows_with_the_root_and_a_bias_with_the_number_of_layers() -> None:
    noise = 1e-3 * draw(1, 2000, 64)
    spread = [noise[:, :n].sum(1).square().mean().sqrt() for n in (16, 64)]
    assert 1.9 < spread[1] / spread[0] < 2.1
    biased = noise.abs()
    assert 3.9 < biased[:, :64].sum(1).mean() / biased[:, :16].sum(1).mean() < 4.1


def states(n: int) -> dict[str, Tensor]:
    """What mixed precision with Adam keeps of n parameters."""
    half = {name: torch.zeros(n, dtype=torch.bfloat16) for name in ("weight", "gradient")}
    return half | {name: torch.zeros(n) for name in ("master", "first", "second")}


def test_states_cut_into_shards_take_the_bytes_of_their_stage() -> None:
    ranks, n = 64, 6400
    optimizer = {"master", "first", "second"}
    sharded = [set(), optimizer, optimizer | {"gradient"}, optimizer | {"gradient", "weight"}]
    held = [
        sum(
            (x.chunk(ranks)[0] if name in cut else x).numel() * x.element_size()
            for name, x in states(n).items()
        )
        for cut in sharded
    ]
    assert held == [16 * n, (4 + 12 / ranks) * n, (2 + 14 / ranks) * n, 16 / ranks * n]
    assert [round(7.5 * bytes_ / n, 1) for bytes_ in held] == [120, 31.4, 16.6, 1.9]


def adam(master: Tensor, gradients: list[Tensor]) -> Tensor:
    parameter = torch.nn.Parameter(master.clone())
    optimizer = torch.optim.Adam([parameter], lr=1e-3)
    for gradient in gradients:
        parameter.grad = gradient.clone()
        optimizer.step()
    return parameter.detach()


def test_adam_on_shards_is_adam_on_the_whole() -> None:
    master, gradients = draw(2, 512).float(), [draw(3 + i, 512).float() for i in range(4)]
    whole = adam(master, gradients)
    shards = [
        adam(part, [g.chunk(8)[rank] for g in gradients])
        for rank, part in enumerate(master.chunk(8))
    ]
    assert torch.equal(torch.cat(shards), whole)


def rounded(w: Tensor, axes: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    scale = w.abs().amax(axes, keepdim=True) / 127
    return torch.round(w / scale), scale


def test_a_folded_batch_norm_is_exact_and_spreads_the_ranges_of_the_channels() -> None:
    x, w, b = draw(10, 2, 3, 8, 8), draw(11, 4, 3, 3, 3), draw(12, 4)
    mean, var = draw(13, 4), draw(14, 4).square() + 0.1
    gain, shift = torch.tensor([0.01, 0.1, 1, 5]).double(), draw(15, 4)
    exact = F.batch_norm(F.conv2d(x, w, b), mean, var, gain, shift, eps=1e-5)
    factor = gain / (var + 1e-5).sqrt()
    folded, bias = w * factor[:, None, None, None], (b - mean) * factor + shift
    torch.testing.assert_close(F.conv2d(x, folded, bias), exact)

    rest = (1, 2, 3)
    assert torch.equal(rounded(folded, rest)[0], rounded(w, rest)[0])  # one scale a channel
    before, after = rounded(w, (0, *rest))[0], rounded(folded, (0, *rest))[0]
    assert before[0].abs().max() > 40 and after[0].abs().max() < 4  # one for the tensor

    # With a norm in front, its shift differs at the border, where zeros stand behind the norm.
    inputs = F.conv2d(x + 1, w, padding=1)
    moved = F.conv2d(x, w, w.sum(rest), padding=1)
    same = (inputs - moved).abs() < 1e-9
    assert same[..., 1:-1, 1:-1].all() and not same[..., 0, :].any()


def test_a_pair_of_quantize_and_dequantize_before_a_product_is_the_integer_product() -> None:
    x, w = draw(16, 5, 32), draw(17, 8, 32)
    (x_codes, x_scale), (w_codes, w_scale) = rounded(x, (0, 1)), rounded(w, (1,))
    marked = (x_codes * x_scale) @ (w_codes * w_scale).T
    integers = x_codes.int() @ w_codes.int().T
    torch.testing.assert_close(integers * x_scale * w_scale.T, marked)
    positive = x.relu()
    assert rounded(positive, (0, 1))[0].min() == 0  # a symmetric scale leaves half unused
