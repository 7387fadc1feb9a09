"""MX formats and NVFP4: as torchao, ml_dtypes and compressed-tensors have them, and their edges."""

from __future__ import annotations

import ml_dtypes
import pytest
import torch
from torch import Tensor

from halfbits.quantize import MX_ELEMENTS, NVFP4_GROUP, quantize_mx, quantize_mxfp4, quantize_nvfp4

TORCHAO_MODES = {"floor": "FLOOR", "ceil": "RCEIL", "nearest": "EVEN"}
ML = {
    "fp8_e4m3fn": ml_dtypes.float8_e4m3fn,
    "fp8_e5m2": ml_dtypes.float8_e5m2,
    "fp6_e3m2": ml_dtypes.float6_e3m2fn,
    "fp6_e2m3": ml_dtypes.float6_e2m3fn,
    "fp4_e2m1": ml_dtypes.float4_e2m1fn,
}


def draw(*shape: int, seed: int = 0) -> Tensor:
    """Values whose groups differ in size by a factor of e^3 or so."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(*shape, generator=generator)
    return x * torch.randn(shape[0], 1, generator=generator).exp()


@pytest.mark.parametrize("rounding", TORCHAO_MODES)
@pytest.mark.parametrize("element", MX_ELEMENTS)
def test_mx_equals_torchao(element: str, rounding: str) -> None:
    mx = pytest.importorskip("torchao.prototype.mx_formats.mx_tensor")
    names = {"fp8_e4m3fn": torch.float8_e4m3fn, "fp8_e5m2": torch.float8_e5m2}
    names |= {"fp4_e2m1": torch.float4_e2m1fn_x2}
    w = draw(512, 256)
    mode = mx.ScaleCalculationMode[TORCHAO_MODES[rounding]]
    theirs = mx.MXTensor.to_mx(w, names.get(element, element), 32, mode)
    ours = quantize_mx(w, element, rounding)  # type: ignore[arg-type]
    assert torch.equal(ours.scale.view(512, -1), theirs.scale.float())
    assert torch.equal(ours.dequantize(), theirs.dequantize(torch.float32))


@pytest.mark.parametrize("element", MX_ELEMENTS)
def test_mx_elements_are_rounded_as_ml_dtypes_rounds(element: str) -> None:
    w = draw(64, 256, seed=3)
    found = quantize_mx(w, element)
    largest = found.levels[-1] if found.levels is not None else 0
    scaled = (w.view(-1, 32) / found.scale).clamp(-largest, largest)
    want = torch.from_numpy(scaled.numpy().astype(ML[element]).astype("float32"))
    assert torch.equal(found.dequantize().view(-1, 32) / found.scale, want)


@pytest.mark.parametrize(
    ("amax", "floor", "ceil", "nearest"),
    [
        (4.0, 1, 1, 1),
        (6.0, 1, 1, 1),
        (6.5, 1, 2, 1),
        (7.0, 1, 2, 2),
        (8.0, 2, 2, 2),
        (0.1, 2**-6, 2**-5, 2**-6),
    ],
)
def test_only_the_floor_clips_a_maximum_between_6_and_8_steps(
    amax: float, floor: float, ceil: float, nearest: float
) -> None:
    w = torch.full((1, 32), amax)
    scales = [quantize_mxfp4(w, r).scale.item() for r in ("floor", "ceil", "nearest")]  # type: ignore[arg-type]
    assert scales == [floor, ceil, nearest]
    assert quantize_mxfp4(w, "ceil").dequantize().max() <= 6 * ceil


def test_a_power_of_two_outside_e8m0_is_its_last_one() -> None:
    tiny = quantize_mxfp4(torch.full((1, 32), 1e-44))
    assert tiny.scale.item() == 2.0**-127
    assert quantize_mx(torch.full((1, 32), 3e38), "fp4_e2m1").scale.item() == 2.0**125


def test_nvfp4_equals_torchao_but_for_ties() -> None:
    """torchao multiplies by a reciprocal: a value beside a tie may go the other way."""
    nv = pytest.importorskip("torchao.prototype.mx_formats.nvfp4_tensor")
    w = draw(512, 256, seed=1).clamp(min=-3)
    whole = w.abs().max() / (6 * 448)
    theirs = nv.NVFP4Tensor.to_nvfp4(w, per_tensor_scale=whole).dequantize(torch.float32)
    ours = quantize_nvfp4(w)
    is_normal = (ours.scale / whole >= 2.0**-6).expand(-1, NVFP4_GROUP).reshape(w.shape)
    differs = (ours.dequantize() - theirs).abs() > 1e-6 * w.abs().max()
    assert is_normal.float().mean() > 0.5
    assert (differs & is_normal).sum() <= 3


def test_nvfp4_equals_compressed_tensors() -> None:
    quantization = pytest.importorskip("compressed_tensors.quantization")
    forward = pytest.importorskip("compressed_tensors.quantization.lifecycle.forward")
    args = quantization.QuantizationArgs(
        num_bits=4, type="float", strategy="tensor_group", group_size=16, symmetric=True
    )
    w = draw(64, 256, seed=2)
    ours = quantize_nvfp4(w)
    whole = w.abs().max() / (6 * 448)
    block = (ours.scale / whole).view(64, -1)
    theirs = forward.fake_quantize(w, block, torch.zeros_like(block), args, global_scale=1 / whole)
    assert torch.allclose(ours.dequantize(), theirs, rtol=1e-5, atol=0)


def test_nvfp4_of_zeros_is_zeros() -> None:
    assert (quantize_nvfp4(torch.zeros(4, 32)).dequantize() == 0).all()


def test_nvfp4_scales_saturate_round_coarsely_and_vanish_by_their_size() -> None:
    """The block scale is e4m3: at most 448, subnormal below 2^-6, zero below half of 2^-9."""
    sizes = torch.tensor([6 * 448 * 4.0, 6 * 100.0, 6 * 2.0**-8 * 1.3, 6 * 2.0**-11])
    w = sizes[:, None].expand(4, 16)
    found = quantize_nvfp4(w, tensor_scale=1.0)
    assert found.scale.flatten().tolist() == [448, 96, 3 * 2.0**-9, 0]
    back = found.dequantize()[:, 0].tolist()
    assert back[0] == 6 * 448 and back[3] == 0
    assert back[1] == pytest.approx(600, rel=1 / 16)
    assert back[2] == pytest.approx(sizes[2].item(), rel=1 / 5)


@pytest.mark.parametrize("scale", [0, -1, float("inf"), float("nan")])
def test_nvfp4_refuses_a_tensor_scale_that_scales_nothing(scale: float) -> None:
    with pytest.raises(ValueError, match="a tensor scale is positive and finite"):
        quantize_nvfp4(torch.ones(1, 16), tensor_scale=scale)


def test_unknown_elements_and_roundings_name_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"one of fp8_e4m3fn, .*, not 'int4'"):
        quantize_mx(torch.ones(1, 32), "int4")
    with pytest.raises(ValueError, match="floor, ceil, nearest, not 'even'"):
        quantize_mx(torch.ones(1, 32), "fp4_e2m1", "even")  # type: ignore[arg-type]
