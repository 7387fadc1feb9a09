"""What every quantizer owes a weight: blocks, tails, experts, true bytes, and clear refusals."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from halfbits.quantize import (
    MX_ELEMENTS,
    Granularity,
    Quantized,
    grouped,
    quantize_affine,
    quantize_fp4,
    quantize_fp8,
    quantize_mx,
    quantize_nf4,
    quantize_nvfp4,
    quantize_symmetric,
    quantize_ternary,
    ungrouped,
)

Quantizer = Callable[[Tensor], Quantized]
ALL: dict[str, Quantizer] = {
    "symmetric": lambda w: quantize_symmetric(w, 4, 32),
    "symmetric, clipped": lambda w: quantize_symmetric(w, 4, 32, clip="mse"),
    "affine": lambda w: quantize_affine(w, 4, 32),
    "ternary": quantize_ternary,
    "nf4": quantize_nf4,
    "nf4, double": lambda w: quantize_nf4(w, 64, double=True),
    "fp4": quantize_fp4,
    "fp8 by token": lambda w: quantize_fp8(w, "channel"),
    "fp8 by tile": lambda w: quantize_fp8(w, (128, 128)),
    **{f"mx {e}": lambda w, e=e: quantize_mx(w, e) for e in MX_ELEMENTS},
    "nvfp4": quantize_nvfp4,
}
each = pytest.mark.parametrize("name", ALL)
GRANULARITIES: list[Granularity] = ["tensor", "channel", 1, 32, 100, (1, 128), (3, 5), (128, 128)]


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("granularity", GRANULARITIES)
@pytest.mark.parametrize("shape", [(1, 1), (7, 704), (130, 129), (3, 5, 40), (2, 2, 128, 128)])
def test_blocks_are_put_together_as_they_were_cut(
    shape: tuple[int, ...], granularity: Granularity
) -> None:
    w = draw(*shape)
    assert torch.equal(ungrouped(grouped(w, granularity), w.shape, granularity), w)


def test_each_tile_has_the_scale_of_its_own_values() -> None:
    w = torch.ones(200, 300)
    w[128:, :128] = 7
    w[:128, 256:] = 9
    scale = quantize_fp8(w, (128, 128)).scale.view(2, 3) * 448
    assert torch.allclose(scale, torch.tensor([[1.0, 1, 9], [7, 1, 1]]), rtol=1e-6)


def test_an_expert_shares_no_scale_with_another() -> None:
    """[E, out, in]: one scale for each row of each expert, and no tile reaches into the next."""
    w = draw(4, 8, 64)
    assert quantize_symmetric(w, 8).scale.shape == (32, 1)
    w[1] *= 100
    alone = quantize_fp8(w[0], (128, 128)).dequantize()
    assert torch.equal(quantize_fp8(w, (128, 128)).dequantize()[0], alone)


@each
def test_a_tail_is_quantized_as_if_it_stood_alone(name: str) -> None:
    """704 = 5 * 128 + 64: the filling changes neither the values nor the bytes."""
    w = draw(3, 704)
    whole, padded = ALL[name](w), torch.nn.functional.pad(w, (0, 64))
    assert whole.dequantize().shape == w.shape
    if name not in ("ternary", "nf4, double"):  # they use a mean, which zeros would change
        assert torch.equal(whole.dequantize(), ALL[name](padded).dequantize()[:, :704])
    packed = w.numel() * whole.code_bits + len(whole.scale) * whole.group_bits + whole.tensor_bits
    assert whole.nbytes == packed / 8


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("symmetric", 4 + 16 / 32),
        ("affine", 4 + (16 + 4) / 32),
        ("nf4", 4 + 16 / 64),
        ("nf4, double", 4 + (8 + 32 / 256) / 64 + 32 / 2**20),
        ("fp8 by tile", 8 + 32 / 128**2),
        ("mx fp8_e4m3fn", 8.25),
        ("mx fp6_e2m3", 6.25),
        ("mx fp4_e2m1", 4.25),
        ("nvfp4", 4.5 + 32 / 2**20),
    ],
)
def test_true_bits_of_a_weight_count_everything_that_is_stored(name: str, bits: float) -> None:
    assert ALL[name](draw(1024, 1024)).bits_per_weight == pytest.approx(bits, rel=1e-12)


@each
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (float("nan"), r"holds 1 NaN, the first at \[1, 3\]"),
        (float("inf"), r"holds 1 infinite, the first at \[1, 3\]"),
        (1e300, r"holds 1 beyond float32, the first at \[1, 3\]"),
    ],
)
def test_a_value_that_is_not_finite_is_named_and_never_rounded(
    name: str, spoil: float, says: str
) -> None:
    w = draw(2, 64).double()
    w[1, 3] = spoil
    with pytest.raises(ValueError, match=says):
        ALL[name](w)


@each
@pytest.mark.parametrize("shape", [(0, 32), (4, 0)])
def test_an_empty_weight_is_refused_in_one_sentence(name: str, shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=rf"shape \[{shape[0]}, {shape[1]}\] is empty"):
        ALL[name](torch.empty(shape))


@each
def test_zeros_stay_zeros(name: str) -> None:
    for zeros in (torch.zeros(4, 64), torch.cat([torch.zeros(2, 64), draw(2, 64)])):
        assert (ALL[name](zeros).dequantize()[:2] == 0).all()


@each
@pytest.mark.parametrize("size", [1e-44, 1e-30, 1e30, 3e38])
def test_extreme_sizes_give_finite_values_or_one_sentence(name: str, size: float) -> None:
    w = draw(2, 64) * 0 + size
    try:
        back = ALL[name](w).dequantize()
    except ValueError as error:
        assert "float16 ends at 65504" in str(error) and size > 1e29
    else:
        assert torch.isfinite(back).all()
        assert (back.abs() <= 2 * w).all()


@pytest.mark.parametrize("quantizer", [quantize_symmetric, quantize_affine])
@pytest.mark.parametrize("bits", [0, 1, 9, 16, 4.0])
def test_widths_that_int8_cannot_hold_are_refused(
    quantizer: Callable[..., Quantized], bits: int
) -> None:
    with pytest.raises(ValueError, match="2 to 8 bits"):
        quantizer(draw(2, 32), bits)


@pytest.mark.parametrize("granularity", ["row", 0, -1, True, (0, 4), (1, 2, 3), 1.5, None])
def test_a_granularity_that_names_no_block_is_refused(granularity: Granularity) -> None:
    with pytest.raises(ValueError, match="a granularity is"):
        grouped(draw(2, 4), granularity)


def test_a_vector_has_no_channels() -> None:
    with pytest.raises(ValueError, match=r"\[64\] has no rows"):
        quantize_symmetric(draw(64), 8)
    assert len(quantize_symmetric(draw(64), 8, 32).scale) == 2


def test_integers_are_no_weight() -> None:
    with pytest.raises(ValueError, match=r"not torch\.int8"):
        quantize_symmetric(torch.ones(2, 4, dtype=torch.int8), 8)


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_best_clip_is_the_best_of_its_grid_and_never_worse_than_none(bits: int) -> None:
    w = draw(8, 256)
    w[:, 0] = 12  # an outlier that the other 255 values pay for

    def error(clip: float | str) -> Tensor:
        return (quantize_symmetric(w, bits, "channel", clip).dequantize() - w).square().sum(1)

    searched = torch.stack([error(share) for share in (1.0, 0.9, 0.8, 0.6, 0.4, 0.3)])
    assert (error("mse") <= searched.amin(0) * (1 + 1e-6)).all()
    assert (error("mse") < error(1.0)).all() if bits < 8 else True


@pytest.mark.parametrize("clip", [0, 1.5, -1, float("nan"), "best"])
def test_a_clip_outside_its_range_is_refused(clip: float | str) -> None:
    with pytest.raises(ValueError, match="clip is"):
        quantize_symmetric(draw(2, 32), 4, 32, clip)


def test_ternary_scale_is_the_mean_magnitude() -> None:
    w = torch.tensor([[0.1, -0.2, 0.9, -2.0]])  # mean 0.8
    found = quantize_ternary(w)
    assert found.codes.tolist() == [[0, 0, 1, -1]]
    assert found.scale.item() == pytest.approx(0.8)


def test_double_quantization_costs_little_error_and_saves_bits() -> None:
    w = draw(64, 1024)
    once, twice = quantize_nf4(w, "channel"), quantize_nf4(w, 64, double=True)
    plain = quantize_nf4(w, 64)
    rms = [(q.dequantize() - w).square().mean().sqrt() for q in (once, plain, twice)]
    assert abs(rms[2] / rms[1] - 1) < 0.01 and rms[2] < rms[0]
    assert not torch.equal(plain.dequantize(), twice.dequantize())
    assert twice.bits_per_weight < plain.bits_per_weight
