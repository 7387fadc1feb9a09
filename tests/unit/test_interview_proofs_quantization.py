"""Claims of the interview bank about quantization that no lesson's cell shows, run one by one."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable

import pytest
import torch
from interview_draws import draw
from torch import Tensor

from halfbits.models.images import load_fashion_mnist, load_image_mlp
from halfbits.models.llama import rotary_angles, rotate
from halfbits.models.outliers import plant_outliers
from halfbits.models.quantized import w8a8, weight_only
from halfbits.models.surgery import block_linears
from halfbits.models.tiny_lm import load_text, load_tiny_lm
from halfbits.quantize import (
    FP4_LEVELS,
    nearest,
    quantize_affine,
    quantize_mxfp4,
    quantize_nf4,
    quantize_nvfp4,
    quantize_symmetric,
)

MATRICES = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def sqnr(x: Tensor, approximation: Tensor) -> float:
    error = (x - approximation).double()
    return (10 * torch.log10(x.double().square().sum() / error.square().sum())).item()


def clipped(x: Tensor, clip: Tensor | float, bits: int) -> Tensor:
    top = 2 ** (bits - 1) - 1
    scale = clip / top
    return (x / scale).round().clamp(-top, top) * scale


def by_row(w: Tensor, bits: int) -> Tensor:
    return clipped(w, w.abs().amax(1, keepdim=True), bits)


def correlated(seed: int, rows: int, width: int) -> Tensor:
    """Inputs [rows, width] that live mostly in a few directions, the same for every seed."""
    few = draw(seed, rows, width // 4) @ draw(100, width // 4, width)
    return few + 0.1 * draw(seed + 1, rows, width)


def gptq(w: Tensor, hessian: Tensor, bits: int) -> Tensor:
    """Columns in order; what rounding adds to one is taken back by those that follow."""
    w, top = w.clone(), 2 ** (bits - 1) - 1
    scale = w.abs().amax(1, keepdim=True) / top
    damped = hessian + 0.01 * hessian.diagonal().mean() * torch.eye(len(hessian)).double()
    upper = torch.linalg.cholesky(torch.linalg.inv(damped), upper=True)
    for i in range(w.shape[1]):
        column = (w[:, i] / scale[:, 0]).round().clamp(-top, top) * scale[:, 0]
        error = (w[:, i] - column) / upper[i, i]
        w[:, i:] -= error[:, None] * upper[i, i:]
        w[:, i] = column
    return w


def test_a_clamp_for_uint8_before_a_cast_to_int8_loses_negatives_and_wraps_the_rest():
    codes = torch.tensor([-100.0, 3.0, 127.0, 128.0, 200.0])
    assert codes.clamp(0, 255).to(torch.int8).tolist() == [0, 3, 127, -128, -56]
    assert codes.clamp(-127, 127).to(torch.int8).tolist() == [-100, 3, 127, 127, 127]
    assert torch.tensor([2.9, -2.9]).to(torch.int8).tolist() == [2, -2]  # a cast does not round


def test_the_update_of_gptq_is_the_constrained_minimum_of_the_output_error():
    x, w = correlated(0, 200, 8), draw(3, 8)
    hessian, q, rounded = 2 * x.T @ x, 5, 0.0
    inverse = torch.linalg.inv(hessian)
    step = -(w[q] - rounded) / inverse[q, q] * inverse[:, q]
    free = [j for j in range(8) if j != q]
    fixed = x[:, q] * (rounded - w[q])  # what the one rounded weight does to the output
    best = torch.linalg.lstsq(x[:, free], -fixed[:, None]).solution[:, 0]
    assert torch.allclose(step[free], best, rtol=1e-6)
    assert torch.allclose(step[q], rounded - w[q])
    cost = (x @ step).square().sum()  # 1/2 d^T H d
    assert torch.allclose(cost, (w[q] - rounded) ** 2 / (2 * inverse[q, q]))


@pytest.mark.parametrize("bits", [4, 3])
def test_gptq_makes_weights_worse_and_outputs_better(bits):
    x, w = correlated(0, 512, 64), draw(9, 32, 64)
    compensated, plain = gptq(w, 2 * x.T @ x, bits), by_row(w, bits)
    for inputs in (x, correlated(50, 512, 64)):  # seen, and unseen
        assert sqnr(inputs @ w.T, inputs @ compensated.T) > sqnr(inputs @ w.T, inputs @ plain.T) + 3
    assert (w - compensated).square().sum() > 1.2 * (w - plain).square().sum()


def test_scaling_up_the_weights_of_a_strong_channel_lowers_the_output_error():
    x, w = draw(0, 512, 128), draw(1, 64, 128)
    x[:, :2] *= 20  # two strong channels of 128
    strength = x.abs().mean(0)
    quality = {}
    for alpha in (0.0, 0.3, 1.0):
        s = strength**alpha
        quality[alpha] = sqnr(x @ w.T, x @ (by_row(w * s, 4) / s).T)
    assert quality[0.3] > quality[0.0] + 3  # and no weight is kept in higher precision
    assert quality[1.0] < quality[0.0] - 3  # too much: the strong columns set everyone's step


@pytest.mark.parametrize("bits", [4, 8])
def test_which_clip_is_best_depends_on_whose_error_counts(bits):
    x = draw(0, 2**17)
    x[::8192] *= 75 / x[::8192].abs()  # 16 outliers of 75 sigma
    inliers = x.abs() < 10
    percentile = x.abs().kthvalue(int(0.9995 * len(x))).values
    absmax, cut = clipped(x, x.abs().max(), bits), clipped(x, percentile, bits)
    assert sqnr(x[inliers], cut[inliers]) > sqnr(x[inliers], absmax[inliers]) + 10
    if bits == 8:
        assert sqnr(x, absmax) > sqnr(x, cut) + 5
    else:
        assert not absmax[inliers].any()  # one step is more than ten sigma: all inliers are zero


def nvfp4(w: Tensor) -> Tensor:
    return quantize_nvfp4(w).dequantize()


def int4_in_nvfp4_blocks(w: Tensor) -> Tensor:
    """Codes from -7 to 7 in groups of 16, with scales as NVFP4 has them."""
    groups = w.reshape(-1, 16)
    whole = groups.abs().max() / (7 * 448)
    ideal = groups.abs().amax(1, keepdim=True) / 7
    scale = (ideal / whole).to(torch.float8_e4m3fn).float() * whole
    return ((groups / scale).round().clamp(-7, 7) * scale).reshape(w.shape)


def test_at_the_blocks_of_nvfp4_integer_codes_have_the_smaller_error_on_gaussian_weights():
    w = draw(0, 256, 1024).float()
    fp4 = sqnr(w, nvfp4(w))
    assert sqnr(w, int4_in_nvfp4_blocks(w)) > fp4 + 0.5
    assert sqnr(w, quantize_affine(w, 4, 64).dequantize()) > fp4  # 4.31 bits against 4.5


@torch.no_grad()
def test_nvfp4_owes_its_lead_in_the_tiny_lm_to_its_blocks_and_scales():
    lm = load_tiny_lm()
    ids = lm.encode(load_text("heldout"))[None, :512]
    p = lm.model(ids).double().log_softmax(-1)

    def divergence(rounded: Callable[[Tensor], Tensor]) -> float:
        lossy = copy.deepcopy(lm.model)
        for _, layer in block_linears(lossy):
            layer.weight.copy_(rounded(layer.weight))
        return (p.exp() * (p - lossy(ids).double().log_softmax(-1))).sum(-1).mean().item()

    fp4 = divergence(nvfp4)
    assert 0.6 < fp4 / divergence(lambda w: quantize_mxfp4(w).dequantize()) < 0.85
    assert fp4 < 0.95 * divergence(lambda w: quantize_symmetric(w, 4, 32).dequantize())
    assert 0.85 < fp4 / divergence(int4_in_nvfp4_blocks) < 1.15


def test_nvfp4_beats_mxfp4_by_smaller_groups_and_by_scales_with_a_mantissa():
    w = draw(0, 256, 1024).float()
    assert sqnr(w, nvfp4(w)) > sqnr(w, quantize_mxfp4(w).dequantize()) + 1


def test_quantizing_the_scales_of_nf4_to_eight_bits_costs_almost_nothing():
    w = draw(0, 256, 1024).float()
    plain = quantize_nf4(w)
    scales = plain.scale.view(-1, 256)
    middle = scales.mean()
    again = clipped(scales - middle, (scales - middle).abs().amax(1, keepdim=True), 8) + middle
    restored = (plain.dequantize().view(-1, 64) * (again.view(-1, 1) / plain.scale)).view(w.shape)
    assert abs(sqnr(w, restored) - sqnr(w, plain.dequantize())) < 0.05


Damage = dict[str, tuple[float, int]]


@pytest.fixture(scope="module")
def damage() -> Callable[[int], Damage]:
    """KL from the original when one kind of matrix of the tiny LM has few bits, and its weights."""
    lm = load_tiny_lm()
    ids = lm.encode(load_text("heldout"))[None, :256]

    @torch.no_grad()
    def divergence(bits: int, ending: str) -> tuple[float, int]:
        lossy, count = copy.deepcopy(lm.model), 0
        for name, layer in block_linears(lossy):
            if name.endswith(ending):
                layer.weight.copy_(by_row(layer.weight, bits))
                count += layer.weight.numel()
        p = lm.model(ids).double().log_softmax(-1)
        return (p.exp() * (p - lossy(ids).double().log_softmax(-1))).sum(-1).mean().item(), count

    @functools.cache
    def found(bits: int) -> Damage:
        return {kind: divergence(bits, kind) for kind in (*MATRICES, "")}

    return found


def test_value_and_down_projections_are_the_most_sensitive(damage):
    kl = {kind: damage(4)[kind][0] for kind in MATRICES}
    assert {"v_proj", "down_proj"} == set(sorted(kl, key=kl.__getitem__)[-2:])
    for_each_weight = {kind: loss / count for kind, (loss, count) in damage(4).items()}
    assert for_each_weight["v_proj"] > 10 * for_each_weight["q_proj"]
    assert for_each_weight["down_proj"] > 1.5 * for_each_weight["up_proj"]


def test_damage_of_single_kinds_nearly_adds_up_at_four_bits_but_not_at_three(damage):
    share = {
        bits: sum(damage(bits)[k][0] for k in MATRICES) / damage(bits)[""][0] for bits in (4, 3)
    }
    assert 0.7 < share[4] < 1.3
    assert share[3] < share[4] - 0.1


def test_the_trace_of_the_inverse_hessian_ranks_sensitivity_backwards():
    flat, steep = torch.diag(torch.tensor([0.1, 0.2])), torch.diag(torch.tensor([10.0, 20.0]))
    move = torch.tensor([0.05, -0.05])
    loss = [(move @ h @ move / 2).item() for h in (flat, steep)]
    assert loss[1] > 50 * loss[0] and steep.trace() > flat.trace()
    assert torch.linalg.inv(steep).trace() < torch.linalg.inv(flat).trace()


def test_bits_where_they_save_most_beat_the_same_bits_everywhere():
    weight = torch.tensor([1.0, 4.0, 16.0, 256.0])  # how much each layer's squared error counts
    bits, equal = torch.full((4,), 2), torch.full((4,), 4)
    for _ in range(8):
        bits[(weight * 4.0**-bits).argmax()] += 1
    assert bits.sum() == equal.sum()
    # A bit quarters an error, so the best share is half a bit for each factor of two.
    ideal = 4 + (weight.log2() - weight.log2().mean()) / 2
    assert (bits - ideal).abs().max() < 1
    assert (weight * 4.0**-bits).sum() < 0.5 * (weight * 4.0**-equal).sum()


def test_the_straight_through_gradient_is_that_of_the_clipped_identity():
    w = torch.tensor([-3.0, -0.4, 0.2, 0.9, 5.0], requires_grad=True)
    inside = w.clamp(-1, 1)
    quantized = inside + ((inside * 7).round() / 7 - inside).detach()
    assert torch.allclose(quantized * 7, (quantized * 7).round(), atol=1e-5)
    quantized.sum().backward()
    assert w.grad is not None and w.grad.tolist() == [0, 1, 1, 1, 0]
    short = w + ((w.clamp(-1, 1) * 7).round() / 7 - w).detach()
    w.grad = None
    short.sum().backward()
    assert w.grad is not None and w.grad.tolist() == [1] * 5  # beyond the clip as well
    plain = torch.tensor([0.2, 0.9], requires_grad=True)
    (plain * 7).round().sum().backward()
    assert plain.grad is not None and not plain.grad.any()  # what autograd says without it


def test_a_learned_step_gets_the_gradient_of_its_rounding_error():
    w, step = torch.tensor([0.33, 5.0]), torch.tensor(0.1, requires_grad=True)
    ratio = (w / step).clamp(-7, 7)
    quantized = (ratio + (ratio.round() - ratio).detach()) * step
    quantized[0].backward(retain_graph=True)
    assert step.grad is not None and torch.allclose(step.grad, torch.tensor(3.0 - 3.3))
    step.grad = None
    quantized[1].backward()
    assert step.grad is not None and torch.allclose(step.grad, torch.tensor(7.0))


def test_smoothing_half_way_beats_both_ends():
    x, w = draw(0, 256, 256), draw(1, 128, 256)
    x[:, 7] *= 100
    quality = {}
    for alpha in (0.0, 0.5, 1.0):  # 0 leaves the outlier in the activations, 1 moves all of it
        s = x.abs().amax(0) ** alpha / w.abs().amax(0) ** (1 - alpha)
        smooth_x, smooth_w = x / s, w * s
        assert torch.allclose(smooth_x @ smooth_w.T, x @ w.T)  # nothing changes before rounding
        quality[alpha] = sqnr(x @ w.T, by_row(smooth_x, 8) @ by_row(smooth_w, 8).T)
    assert quality[0.5] > max(quality[0.0], quality[1.0]) + 3


@pytest.mark.parametrize("share", [0.25, 0.5, 0.9])
def test_smoothing_undoes_planted_outliers_for_any_share(share):
    """X_j f and W_j / f give the factor f^share f^(1 - share) = f, whatever the share."""
    x, w, planted = draw(0, 64, 32), draw(1, 16, 32), torch.ones(32).double()
    planted[[3, 17]] = 128
    s, t = (
        a.abs().amax(0) ** share / b.abs().amax(0) ** (1 - share)
        for a, b in ((x, w), (x * planted, w / planted))
    )
    assert torch.allclose(t, s * planted) and torch.allclose(x * planted / t, x / s)


def test_with_the_best_scale_fp4_and_int4_are_equal_on_a_large_gaussian_tensor():
    x = draw(0, 2**16).float()
    tables = {"fp4": torch.tensor(FP4_LEVELS), "int4": torch.arange(-7.0, 8)}
    best = {
        name: max(
            sqnr(x, levels[nearest(x * levels[-1] / clip, levels)] * clip / levels[-1])
            for clip in (2.3, 2.5, 2.7, 2.9, 3.1)
        )
        for name, levels in tables.items()
    }
    assert abs(best["fp4"] - best["int4"]) < 0.2


@torch.no_grad()
def test_planted_outliers_do_their_damage_in_the_activations_and_only_a_little_in_the_weights():
    lm = load_tiny_lm()
    ids = lm.encode(load_text("heldout"))[None, :257]

    def loss(model: torch.nn.Module) -> float:
        logits = model(ids[:, :-1])[0]
        return torch.nn.functional.cross_entropy(logits, ids[0, 1:]).item()

    planted = plant_outliers(lm.model, (17, 63, 128, 201), 128)
    int8 = functools.partial(quantize_symmetric, bits=8)
    weights, both = weight_only(planted, int8)[0], w8a8(planted)[0]
    whole = loss(both) - loss(planted)
    assert whole > 0.5 and loss(weights) - loss(planted) < 0.1 * whole


def cached() -> list[tuple[Tensor, Tensor]]:
    """Keys, not yet rotated, and values [heads, 512, 32] of each layer of the tiny LM."""
    lm = load_tiny_lm()
    kept: list[Tensor] = []
    for name, projection in lm.model.named_modules():
        if name.endswith(("k_proj", "v_proj")):
            projection.register_forward_hook(lambda _, __, out: kept.append(out[0]))
    with torch.no_grad():
        lm.model(lm.encode(load_text("heldout"))[None, :512])
    heads = [out.unflatten(-1, (-1, 32)).transpose(0, 1) for out in kept]
    return list(zip(heads[::2], heads[1::2], strict=True))


def cache_error(x: Tensor, by: str) -> float:
    """Error at 4 bits with a scale and a zero point for 32 values of a channel or of a token."""
    rows = x.transpose(1, 2) if by == "channel" else x
    rounded = quantize_affine(rows.reshape(-1, 32), 4, 32).dequantize().view(rows.shape)
    return 10 ** (-sqnr(rows, rounded) / 20)


def turned(k: Tensor) -> Tensor:
    return rotate(k, *rotary_angles(torch.arange(k.shape[1]), 32, 10_000.0))


def test_keys_want_a_scale_for_each_channel_and_values_do_not_care():
    for k, v in cached():
        keys, values = (cache_error(x, "channel") / cache_error(x, "token") for x in (turned(k), v))
        assert 1 / 3 < keys < 0.72 and 0.9 < values < 1.1


def test_keys_are_easier_to_quantize_by_channel_before_they_are_rotated():
    assert all(cache_error(k, "channel") < cache_error(turned(k), "channel") for k, _ in cached())


@torch.no_grad()
def test_at_two_bits_the_best_clip_saves_the_classifier_without_training():
    model, (images, labels) = load_image_mlp(), load_fashion_mnist("test")

    def accuracy(bits: int, ratios: Tensor) -> float:
        """The share of right answers when each row has the clip of least squared error."""
        lossy = copy.deepcopy(model)
        for layer in (lossy[0], lossy[2]):
            w, largest = layer.weight, layer.weight.abs().amax(1, keepdim=True)
            ways = torch.stack([clipped(w, ratio * largest, bits) for ratio in ratios])
            best = (ways - w).square().sum(2).argmin(0)
            layer.weight.copy_(ways[best, torch.arange(len(w))])
        return (lossy(images).argmax(1) == labels).double().mean().item()

    largest, any_clip = torch.ones(1), torch.linspace(0.2, 1, 33)
    assert accuracy(2, largest) < 0.2 and accuracy(2, any_clip) > 0.77
    assert accuracy(3, any_clip) > accuracy(3, largest) + 0.01
    assert abs(accuracy(8, largest) - 0.856) < 0.005


@torch.no_grad()
def test_the_inputs_of_down_proj_have_by_far_the_largest_peaks():
    lm, peaks = load_tiny_lm(), {}

    def keep(name: str) -> Callable[..., None]:
        def hook(_: torch.nn.Module, inputs: tuple[Tensor, ...]) -> None:
            x = inputs[0]
            peaks[name] = (x.abs().max() / x.square().mean().sqrt()).item()

        return hook

    for name, layer in block_linears(lm.model):
        layer.register_forward_pre_hook(keep(name))
    lm.model(lm.encode(load_text("heldout"))[None, :256])
    down = [peak for name, peak in peaks.items() if name.endswith("down_proj")]
    others = [peak for name, peak in peaks.items() if not name.endswith("down_proj")]
    assert len(down) == 6 and min(down) > 30 and max(others) < 20


def test_inputs_of_the_tiny_lm_have_both_signs_and_gain_less_than_a_bit_from_a_zero_point():
    lm = load_tiny_lm()
    shares: list[float] = []

    def note(_: torch.nn.Module, inputs: tuple[Tensor]) -> None:
        x = inputs[0][0]
        low, high = x.amin(-1), x.amax(-1)
        assert (low < 0).all() and (high > 0).all()
        affine, symmetric = (high - low) / 255, x.abs().amax(-1) / 127
        shares.append((affine / symmetric).mean().item())

    for _, layer in block_linears(lm.model):
        layer.register_forward_pre_hook(note)
    with torch.no_grad():
        lm.model(lm.encode(load_text("heldout"))[None, :512])
    assert len(shares) == 42 and min(shares) > 0.625 and max(shares) < 0.91
    relu = draw(0, 512).relu()
    assert (relu.max() / 255) / (relu.max() / 127) < 0.5


def test_scales_along_the_summed_index_rescale_each_partial_sum():
    x, w = draw(0, 8, 256), draw(1, 4, 256)
    x[:, :128] *= 50  # a block of the inner dimension that is larger than the other
    rows, blocks = x.unflatten(1, (2, 128)), w.unflatten(1, (2, 128))
    s, t = rows.abs().amax(2) / 127, blocks.abs().amax((0, 2)) / 127
    codes, weights = (rows / s[..., None]).round(), (blocks / t[:, None]).round()
    sums = torch.einsum("rbk,obk->rbo", codes, weights)  # one integer product for each block
    product = (sums * (s * t)[..., None]).sum(1)
    exact = (codes * s[..., None]).flatten(1) @ (weights * t[:, None]).flatten(1).T
    assert torch.allclose(product, exact)
    assert not torch.allclose(sums.sum(1) * (s * t).mean(1, keepdim=True), exact, rtol=0.1)


def test_how_many_products_of_codes_an_int32_holds():
    for largest, products in ((127 * 127, 133_144), (255 * 127, 66_311)):
        assert products * largest <= 2**31 - 1 < (products + 1) * largest
