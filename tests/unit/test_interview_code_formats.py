"""The Python that answers on number formats and norms show runs, and does what they say of it."""

from __future__ import annotations

import math

import pytest
import torch
from test_interview_code import defined

from halfbits.quantize import quantize_mxfp4, quantize_nvfp4


def draw(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_mxfp4_block_that_the_answer_shows_is_the_librarys() -> None:
    x = draw(0, 64, 32)
    x[3], x[4, 0] = 0, 8.0
    exponent, values = defined("write_mxfp4_block")["mx_block"](x)
    library = quantize_mxfp4(x)
    assert torch.equal(values, library.dequantize())
    kept = torch.arange(64) != 3
    assert torch.equal(2.0 ** exponent[kept], library.scale[kept, 0])
    assert values[3].eq(0).all() and exponent[3] == -3  # a block of zeros: the scale is an eighth
    assert values[4, 0] == 8


def test_the_nvfp4_scales_that_the_answer_shows_are_the_librarys() -> None:
    x = draw(1, 32, 16)
    whole, block = defined("write_nvfp4_scales")["nvfp4_scales"](x)
    torch.testing.assert_close(block.float() * whole, quantize_nvfp4(x).scale[:, 0])
    assert block.float().max() == 448
    assert not defined("write_nvfp4_scales")["nvfp4_scales"](torch.zeros(2, 16))[1].float().any()


def test_an_nvfp4_block_meets_one_of_three_regimes() -> None:
    scales = defined("write_nvfp4_scales")["nvfp4_scales"]
    ratios = torch.tensor([1.0, 100, 100_000, 1_000_000])
    x = draw(2, 1, 16) / ratios[:, None]
    whole, block = scales(x)
    exact = x.abs().amax(1) / 6
    off = ((block.float() * whole - exact).abs() / exact).tolist()
    assert max(off[:2]) <= 1 / 16 < off[2] < 0.5 and off[3] == 1
    ends = 448 / torch.tensor([28_672.0, 458_752.0])
    assert ends.tolist() == [2**-6, 2**-10] and not ends[1].to(torch.float8_e4m3fn).float()
    assert torch.finfo(torch.float8_e4m3fn).smallest_normal == ends[0]
    assert (block[2].float() / 2**-9).frac() == 0  # one of the few multiples of a fixed step


def test_the_packing_that_the_answer_shows_keeps_signs_order_and_odd_rows() -> None:
    names = defined("write_int4_packing")
    codes = torch.tensor([[-1, 5, -8], [7, 0, 3]], dtype=torch.int8)
    packed = names["pack_int4"](codes)
    assert packed.tolist() == [[0x5F, 0x08], [0x07, 0x03]]
    assert torch.equal(names["unpack_int4"](packed, 3), codes)
    with pytest.raises(ValueError, match="-8 to 7"):
        names["pack_int4"](torch.tensor([[8]], dtype=torch.int8))


def test_both_softmaxes_that_the_answer_shows_agree_and_survive_half_inputs() -> None:
    names = defined("write_softmax_half", math=math)
    for x in (draw(3, 300) * 5, torch.tensor([60_000.0, 59_968, -60_000, 0])):
        row = x.half()
        exact = row.double().softmax(0)
        for softmax in (names["softmax_three_pass"], names["softmax_online"]):
            out = softmax(row)
            assert out.dtype == torch.half
            torch.testing.assert_close(out.double(), exact, rtol=2**-10, atol=2**-24)
    assert torch.tensor(12.0).half().exp().isinf() and not torch.tensor(11.0).half().exp().isinf()
    assert torch.tensor(89.0).exp().isinf()


def test_the_norm_that_the_answer_shows_squares_in_float32() -> None:
    rms_norm = defined("write_rms_norm")["rms_norm"]
    x, gain = draw(4, 3, 64).sign().mul(300).half(), torch.ones(64)
    torch.testing.assert_close(rms_norm(x, gain), x.sign())  # not zeros, and half
    halves = x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6)
    assert not halves.any() and halves.isfinite().all()
    assert torch.tensor(1e-8).half() == 0 < torch.finfo(torch.half).smallest_normal
    assert torch.finfo(torch.half).smallest_normal > 1e-6


def test_the_reductions_that_the_answer_shows_add_up_exactly_enough() -> None:
    names = defined("write_reduction")
    x = draw(5, 4097).abs()
    exact = x.double().sum()

    def off(reduce: str, dtype: torch.dtype) -> float:
        return float((names[reduce](x, dtype).double() - exact).abs() / exact)

    assert off("loop", torch.bfloat16) > 0.1 and off("tree", torch.bfloat16) < 0.01
    assert off("loop", torch.float32) < 2**-12 and off("tree", torch.float32) < 2**-20


def bits_of(x: torch.Tensor) -> list[int]:
    return [word & 0xFFFFFFFF for word in x.view(torch.int32).tolist()]


def test_the_rounding_that_the_answer_shows_is_pytorchs() -> None:
    to_bf16 = defined("write_bf16_rounding")["to_bf16"]
    x = draw(6, 4000) * 2.0 ** torch.arange(-140, 125).repeat(16)[:4000]
    ties = (torch.arange(-300, 300, dtype=torch.int32) << 16 | 0x8000).view(torch.float32)
    edges = torch.tensor([0.0, -0.0, math.inf, -math.inf, torch.finfo(torch.float32).max])
    for numbers in (x, ties[~ties.isnan()], edges):
        expected = numbers.bfloat16().view(torch.int16).tolist()
        assert [to_bf16(b) for b in bits_of(numbers)] == [word & 0xFFFF for word in expected]
    for nan in (0x7F800001, 0x7FFFFFFF, 0xFF800001):
        assert to_bf16(nan) & 0x7FFF > 0x7F80
    line = [(nan + 0x7FFF + (nan >> 16 & 1) & 0xFFFFFFFF) >> 16 for nan in (0x7F800001, 0x7FFFFFFF)]
    assert line == [0x7F80, 0x8000]  # infinity, and minus zero
    edge = torch.tensor([65_519.0, 65_520.0]).half()
    assert edge.isinf().tolist() == [False, True]


def cut(x: torch.Tensor) -> torch.Tensor:
    return (x.view(torch.int32) & ~0xFFFF).view(torch.float32)


def test_cutting_is_biased_and_a_residual_stream_shrinks_under_it() -> None:
    x = draw(7, 100_000)
    cut_bias = ((cut(x) - x) / x).mean()
    assert -0.003 < cut_bias < -0.0025
    assert ((x.bfloat16().float() - x) / x).mean().abs() < 1e-4
    exact, rounded, truncated = (draw(8, 4096) for _ in range(3))
    for layer in range(72):
        update = 0.2 * draw(9 + layer, 4096)
        exact = exact + update
        rounded = (rounded + update).bfloat16().float()
        truncated = cut(truncated + update)
    assert truncated.norm() < 0.9 * exact.norm()
    assert (rounded.norm() / exact.norm() - 1).abs() < 0.002
