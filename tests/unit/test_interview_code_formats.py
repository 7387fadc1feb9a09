"""The Python that answers on number formats and norms show runs, and does what they say of it."""

from __future__ import annotations

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
    assert values[3].eq(0).all() and values[4, 0] == 8


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
