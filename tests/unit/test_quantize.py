"""The quantizers: codes in range, the error a format allows, and true bytes."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from halfbits.models.quantized import W8A8Linear, integer_matmul
from halfbits.quantize import (
    FP4_LEVELS,
    pack_codes,
    quantize_affine,
    quantize_fp8,
    quantize_mxfp4,
    quantize_nf4,
    quantize_symmetric,
    unpack_codes,
)

EPS32 = torch.finfo(torch.float32).eps


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("bits", [2, 3, 4, 5, 6, 8])
@pytest.mark.parametrize("granularity", ["tensor", "channel", 32])
@pytest.mark.parametrize("quantizer", [quantize_symmetric, quantize_affine])
def test_no_value_moves_by_more_than_half_a_step_and_some_do(quantizer, bits, granularity):
    w = draw(16, 64)
    found = quantizer(w, bits, granularity)
    steps = found.scale.expand_as(found.codes).reshape(w.shape)
    moved = (found.dequantize() - w).abs() / steps
    # Affine codes round twice, the value and the zero point, so an end may lose half a step more.
    most = 0.5 if quantizer is quantize_symmetric else 1.0
    assert moved.max() <= most * (1 + 2**bits * 4 * EPS32)
    assert moved.mean() > 0.1
    assert found.nbytes == (w.numel() * bits + len(found.scale) * found.group_bits) / 8


def test_symmetric_codes_are_saturated_at_the_same_value_on_both_sides():
    found = quantize_symmetric(torch.tensor([[-1.0, 0.5, 1.0]]), 8)
    assert found.codes.tolist() == [[-127, 64, 127]]


@pytest.mark.parametrize(
    "quantizer",
    [
        lambda w: quantize_symmetric(w, 4, 32),
        lambda w: quantize_affine(w, 4, 32),
        quantize_mxfp4,
        quantize_fp8,
        lambda w: quantize_nf4(w, 32),
    ],
)
def test_a_group_of_zeros_stays_zero_and_has_a_finite_scale(quantizer):
    w = draw(4, 64)
    w[1] = 0
    found = quantizer(w)
    assert (found.dequantize()[1] == 0).all()
    assert torch.isfinite(found.scale).all() and (found.scale > 0).all()


def test_zero_survives_affine_quantization_exactly():
    w = draw(8, 64).abs() + 1
    w[:, 5] = 0
    assert (quantize_affine(w, 4, 32).dequantize()[:, 5] == 0).all()


def test_mxfp4_agrees_with_ml_dtypes():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    w = draw(64, 32, seed=3)
    found = quantize_mxfp4(w)
    scaled = (w / found.scale).clamp(-6, 6).numpy()
    want = scaled.astype(ml_dtypes.float4_e2m1fn).astype("float32")
    assert torch.equal(found.dequantize() / found.scale, torch.from_numpy(want))
    assert torch.equal(torch.exp2(found.scale.log2().round()), found.scale)


def test_fp4_ties_go_to_the_even_code():
    w = torch.zeros(1, 32)
    w[0, :8] = torch.tensor([0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5.0, 6.0])
    want = [0.0, 1.0, 1.0, 2.0, 2.0, 4.0, 4.0, 6.0]
    assert quantize_mxfp4(w).dequantize()[0, :8].tolist() == want
    assert quantize_mxfp4(-w).dequantize()[0, :8].tolist() == [-v for v in want]
    assert len(FP4_LEVELS) == 15


def test_nf4_agrees_with_the_nearest_level_by_search():
    w = draw(4, 64, seed=5)
    found = quantize_nf4(w)
    by_search = (w / found.scale).unsqueeze(-1).sub(found.levels).abs().argmin(-1)
    assert torch.equal(found.codes.long(), by_search)


@pytest.mark.parametrize("bits", range(1, 9))
def test_packing_keeps_the_codes_in_the_bytes_it_promises(bits):
    codes = torch.randint(2**bits, (77,), generator=torch.Generator().manual_seed(bits))
    packed = pack_codes(codes, bits)
    assert packed.dtype == torch.uint8 and len(packed) == -(-77 * bits // 8)
    assert torch.equal(unpack_codes(packed, bits, 77).long(), codes)


@pytest.mark.parametrize("length", [64, 1040, 1041, 1536])
def test_the_integer_product_is_exact_at_its_extremes(length):
    a = torch.full((3, length), 127.0)
    a[1] = -127
    b = torch.full((2, length), 127, dtype=torch.int8)
    want = (a.long() @ b.long().T).float()
    assert torch.equal(integer_matmul(a, b), want)


def test_w8a8_stores_int8_and_errs_within_both_rounding_steps():
    linear = torch.nn.Linear(96, 24, bias=False)
    with torch.no_grad():
        linear.weight.copy_(draw(24, 96))
    x = draw(2, 5, 96, seed=1)
    layer = W8A8Linear(linear, None)
    got, want = layer(x), F.linear(x, linear.weight)
    step_x = x.abs().amax(-1, keepdim=True) / 127
    weights, inputs = linear.weight.abs().sum(1), x.abs().sum(-1, keepdim=True)
    bound = 0.5 * step_x * weights + 0.5 * layer.scale * inputs + 96 * 0.25 * step_x * layer.scale
    assert layer.codes.dtype == torch.int8
    assert ((got - want).abs() <= bound).all()
    assert (got - want).abs().max() > 0.001 * want.abs().max()
