"""The Python that answers on quantization methods show runs, and does what they say of it."""

from __future__ import annotations

import torch
from interview_draws import draw
from test_interview_code import defined
from torch import Tensor

from halfbits.methods.gptq import gptq
from halfbits.methods.rtn import round_to_nearest


def correlated(seed: int, rows: int, width: int) -> Tensor:
    return draw(seed, rows, width) @ draw(100, width, width)


def test_the_rotation_that_the_answer_shows_spreads_an_outlier_and_changes_no_output() -> None:
    names = defined("fold_a_rotation")
    q = names["hadamard"](64) @ torch.diag(draw(0, 64).sign())
    torch.testing.assert_close(q @ q.T, torch.eye(64).double())
    w1, b1, w2, inputs = draw(1, 64, 16), draw(2, 64), draw(3, 8, 64), draw(4, 5, 16)
    x = inputs @ w1.T + b1
    turned, bias, reader = names["fold"](q, w1, b1, w2)
    torch.testing.assert_close(inputs @ turned.T + bias, x @ q)
    torch.testing.assert_close((inputs @ turned.T + bias) @ reader.T, x @ w2.T)
    loud = draw(5, 1, 64)
    loud[0, 7] = 50
    assert (loud @ q).abs().max() < loud.abs().max() / 4


def test_the_loop_of_gptq_that_the_answer_shows_is_the_librarys() -> None:
    x, w = correlated(0, 200, 24), draw(1, 8, 24)
    moment, scale = x.T @ x / 200, w.abs().amax(1) / 7
    found = defined("write_gptq_loop")["gptq"](w, moment, scale)
    base = round_to_nearest(w.float(), 4, "channel")
    base = type(base)(**{**vars(base), "scale": scale[:, None].float()})
    library = gptq(w, moment, base, act_order=False)
    same = (found / scale[:, None]).round() == library.codes.view_as(w)
    assert same.double().mean() > 0.99

    def loss(q: Tensor) -> float:
        return ((w - q) @ moment * (w - q)).sum().item()

    nearest = (w / scale[:, None]).round() * scale[:, None]
    assert loss(found) < 0.7 * loss(nearest)
    assert (w - found).norm() > (w - nearest).norm()


def test_the_split_product_that_the_answer_shows_takes_outliers_out_of_both_scales() -> None:
    mixed = defined("write_llm_int8")["mixed_product"]
    x, w = draw(0, 32, 64).float(), draw(1, 16, 64).float()
    x[:, 5] *= 60
    exact = x.double() @ w.double().T
    rest = torch.arange(64) != 5

    def error(threshold: float) -> float:
        return ((mixed(x, w, threshold).double() - exact)[:, :].norm()).item()

    assert error(6.0) < error(1e9) / 5
    assert torch.allclose(mixed(x, w, 0.0), x @ w.T, atol=1e-3)  # every column is loud
    quiet = x[:, rest], w[:, rest]
    plain = mixed(*quiet, 1e9) + x[:, 5:6] @ w[:, 5:6].T
    assert torch.allclose(mixed(x, w, 6.0), plain, atol=1e-3)


def test_the_search_that_the_answer_shows_scales_loud_inputs_and_not_all_the_way() -> None:
    search = defined("write_awq_search")["awq_scales"]
    w, x = draw(0, 32, 64).float(), draw(1, 200, 64).float()
    x[:, :4] *= 20
    alphas = [step / 10 for step in range(11)]
    s, alpha = search(w, x, alphas)
    assert 0 < alpha < 1 and s[:4].min() > s[4:].max()

    def error(factors: Tensor) -> float:
        scaled = w * factors
        scale = scaled.abs().amax(1, keepdim=True) / 7
        lossy = (scaled / scale).round() * scale
        return ((x / factors) @ lossy.T - x @ w.T).square().sum().item()

    assert error(s) < 0.6 * error(torch.ones(64))


def test_the_groups_that_the_answer_shows_never_cross_a_row() -> None:
    group_scales = defined("write_group_quantizer")["group_scales"]
    w = draw(0, 3, 40).float()
    w[1, 39] = 100
    codes, scale = group_scales(w, 32)
    assert codes.dtype == torch.int8 and codes.shape == (3, 40) and scale.shape == (3, 2)
    back = codes * scale.repeat_interleave(32, 1)[:, :40]
    error = (back - w).abs()
    assert (error <= 0.5001 * scale.repeat_interleave(32, 1)[:, :40]).all()
    assert scale[1, 1] > 10 > scale[[0, 1, 2], [1, 0, 0]].max()
    assert group_scales(torch.zeros(2, 8), 4)[0].eq(0).all()
