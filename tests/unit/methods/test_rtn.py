"""Round to nearest: its clips against a fine search, and its bytes by hand."""

from __future__ import annotations

import pytest
import torch

from halfbits.methods import rtn
from halfbits.methods.rtn import octav, round_to_nearest
from halfbits.quantize import quantize_symmetric


def error(w, share, bits):
    found = quantize_symmetric(w, bits, "channel", clip=share).dequantize()
    return (w - found).square().sum().item()


@pytest.mark.parametrize("bits", [3, 4, 6])
@pytest.mark.parametrize("tails", [0.0, 1.0])
def test_both_clips_come_close_to_the_best_of_a_thousand(bits, tails):
    normal = torch.randn(1, 4096, generator=torch.Generator().manual_seed(bits))
    w = normal * (1 + tails * normal.abs())
    best = min(error(w, share / 1000, bits) for share in range(10, 1001, 10))
    assert error(w, "mse", bits) <= 1.02 * best
    assert error(w, float(octav(w, bits)), bits) <= 1.05 * best
    if bits <= 4:
        assert best < 0.95 * error(w, 1.0, bits)  # there was something to win


def test_octav_is_a_fixed_point_of_its_equation():
    x = torch.randn(1, 2048, generator=torch.Generator().manual_seed(3))
    clip = octav(x, 4).double() * x.abs().amax()
    outside = x.abs() > clip
    inside = (~outside).sum() / (12 * 7**2)
    want = (x.abs() * outside).sum() / (inside + outside.sum())
    assert clip.item() == pytest.approx(want.item(), rel=1e-5)


def test_a_block_of_zeros_and_one_value_keep_their_range():
    blocks = torch.tensor([[0.0, 0, 0, 0], [0, 0, 3, 0]])
    assert octav(blocks, 4).flatten().tolist() == pytest.approx([1, 1])


def test_the_error_falls_from_amax_to_the_best_clip_at_the_same_bytes(small):
    clips = {
        clip: round_to_nearest(small.layers[0].mlp.up_proj.weight, 3, 32, clip)
        for clip in (1, "mse", "octav")
    }
    assert clips[1].nbytes == clips["mse"].nbytes == clips["octav"].nbytes
    w = small.layers[0].mlp.up_proj.weight
    lost = {clip: (w - found.dequantize()).square().sum() for clip, found in clips.items()}
    assert lost["mse"] < lost[1]


def test_bytes_are_codes_scales_and_sixteen_bits_for_the_rest(small):
    _, nbytes = rtn.quantize(small, bits=4, granularity=16)
    rows = 2 * (32 + 16 + 16 + 32 + 44 + 44)  # of 32 inputs; down has 32 rows of 44
    codes = (rows * 32 + 2 * 32 * 44) * 4 / 8
    scales = (rows * 2 + 2 * 32 * 3) * 2
    rest = 2 * (61 * 32 + 5 * 32)
    assert nbytes == codes + scales + rest


def test_an_affine_grid_refuses_a_clip(small):
    with pytest.raises(ValueError, match="clip has to be 1"):
        rtn.quantize(small, symmetric=False)
    lossy, _ = rtn.quantize(small, clip=1, symmetric=False)
    assert lossy is not small
