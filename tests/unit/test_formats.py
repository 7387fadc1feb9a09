"""halfbits.formats agrees with ml_dtypes and torch: every code up to 16 bits, drawn ones above."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch

from halfbits.formats import FORMATS, decode, encode, limits, named, spacing

ML: dict[str, Any] = {
    name: getattr(ml_dtypes, form.ml_dtypes, None) or getattr(np, form.ml_dtypes)
    for name, form in FORMATS.items()
    if form.ml_dtypes
}
WIDTHS = {8: torch.uint8, 16: torch.int16, 32: torch.int32, 64: torch.int64}
TORCH = {
    name: (getattr(torch, form.torch), WIDTHS[form.bits])
    for name, form in FORMATS.items()
    if form.torch and form.ends != "integer"
}
FLOATS = [name for name, form in FORMATS.items() if form.ends != "integer" and name in ML]
SMALL = [name for name in FORMATS if name in ML and FORMATS[name].bits <= 16]


def assert_same(found: np.ndarray, want: np.ndarray) -> None:
    """Equal values; NaN equals NaN."""
    np.testing.assert_array_equal(found, want)


def codes_of(name: str) -> np.ndarray:
    """Every code of a small format; of a large one 20,000 drawn codes and the ends."""
    bits = FORMATS[name].bits
    if bits <= 16:
        return np.arange(2**bits, dtype=np.uint64)
    draw = np.random.default_rng(0)
    drawn = draw.integers(0, 2**bits, size=20_000, dtype=np.uint64, endpoint=False)
    ends = [0, 1, 2 ** (bits - 1), 2 ** (bits - 1) - 1, FORMATS[name].largest_code]
    return np.concatenate([drawn, np.array(ends, dtype=np.uint64)])


def hard_values(name: str) -> np.ndarray:
    """Every finite value, each midpoint and its float32 neighbors, and far too large or small."""
    values = np.unique(decode(codes_of(name), name))
    values = values[np.isfinite(values)]
    middle = values[:-1] / 2 + values[1:] / 2
    beyond = np.max(np.abs(values)) * np.array([1.01, 1.0625, 1.1, 1.25, 1.5, 2.0])
    exact = np.concatenate([values, middle, beyond, -beyond, [0.0, -0.0]])
    with np.errstate(over="ignore", under="ignore"):
        single = exact.astype(np.float32)
    near = [np.nextafter(single, np.float32(side) * np.float32(np.inf)) for side in (-1, 1)]
    made = np.concatenate([single, *near, np.array([np.inf, -np.inf], np.float32)])
    return made.astype(np.float64)


def same(got: np.ndarray, want: np.ndarray) -> bool:
    """Equal values and signs of zero; NaN equals NaN."""
    both_nan = np.isnan(got) & np.isnan(want)
    return bool(np.all(both_nan | ((got == want) & (np.signbit(got) == np.signbit(want)))))


@pytest.mark.parametrize("name", list(ML))
def test_decode_equals_ml_dtypes_and_numpy(name: str) -> None:
    codes = codes_of(name)
    if name == "int4":
        want = np.where(codes < 8, codes.astype(float), codes.astype(float) - 16)
    else:
        width = np.dtype(f"u{max(FORMATS[name].bits, 8) // 8}")
        with np.errstate(invalid="ignore"):
            want = codes.astype(width).view(ML[name]).astype(np.float64)
    assert same(decode(codes, name), want)


@pytest.mark.parametrize("name", list(TORCH))
def test_decode_equals_torch(name: str) -> None:
    floats, integers = TORCH[name]
    codes = codes_of(name)
    width = np.dtype(f"{'u' if integers == torch.uint8 else 'i'}{FORMATS[name].bits // 8}")
    stored = torch.from_numpy(codes.astype(f"u{width.itemsize}").view(width))
    assert same(decode(codes, name), stored.view(floats).double().numpy())


@pytest.mark.parametrize("name", FLOATS)
def test_encode_gives_back_every_code_but_those_of_nan(name: str) -> None:
    codes = codes_of(name)
    values = decode(codes, name)
    kept = ~np.isnan(values)
    assert np.array_equal(encode(values[kept], name), codes[kept])


@pytest.mark.parametrize("name", [name for name in SMALL if FORMATS[name].ends != "integer"])
def test_encode_rounds_and_overflows_like_ml_dtypes(name: str) -> None:
    values = hard_values(name)
    if name == "e8m0":  # between its two smallest values ml_dtypes does not round to nearest
        values = values[values >= 2.0**-126]
    with np.errstate(over="ignore", invalid="ignore"):
        want = values.astype(np.float32).astype(ML[name]).astype(np.float64)
    assert same(decode(encode(values, name), name), want)


@pytest.mark.parametrize(
    ("name", "overflow"),
    [
        ("fp16", "format"),
        ("bf16", "format"),
        ("fp8_e5m2", "format"),
        ("fp8_e4m3fn", "saturate"),
        ("fp8_e5m2fnuz", "format"),
        ("fp8_e4m3fnuz", "format"),
    ],
)
def test_encode_rounds_and_overflows_like_torch(name: str, overflow: Any) -> None:
    values = hard_values(name)
    want = torch.from_numpy(values.astype(np.float32)).to(TORCH[name][0]).double().numpy()
    assert same(decode(encode(values, name, overflow), name), want)


def test_fp32_is_rounded_from_fp64_like_numpy() -> None:
    draw = np.random.default_rng(1)
    values = draw.standard_normal(20_000) * 10.0 ** draw.uniform(-50, 50, 20_000)
    with np.errstate(over="ignore", under="ignore"):
        want = values.astype(np.float32).astype(np.float64)
    assert same(decode(encode(values, "fp32"), "fp32"), want)


def test_fp16_from_fp64_is_rounded_once() -> None:
    # Rounded to float32 first, this value would become a tie and go down to 1.
    value = 1 + 2.0**-11 + 2.0**-40
    assert decode(encode(value, "fp16"), "fp16") == 1 + 2.0**-10


def test_e8m0_takes_tiny_values_to_its_smallest_and_others_without_a_code_to_nan() -> None:
    got = decode(encode([1e-40, 1.4 * 2.0**-127, 0.0, -1.0, np.inf], "e8m0"), "e8m0")
    assert got[:2].tolist() == [2.0**-127, 2.0**-127]
    assert np.isnan(got[2:]).all()


@pytest.mark.parametrize("name", ["int8", "int4"])
def test_integers_saturate_and_round_ties_to_even(name: str) -> None:
    largest = limits(name).largest
    got = decode(encode([0.5, 1.5, -0.5, 2.5, 1e9, -np.inf], name), name)
    assert got.tolist() == [0, 2, 0, 2, largest, -largest - 1]


@pytest.mark.parametrize("name", ["int8", "int4", "fp4_e2m1", "fp6_e2m3", "fp6_e3m2"])
def test_nan_is_refused_where_no_code_means_it(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} has no NaN"):
        encode([1.0, np.nan], name)


@pytest.mark.parametrize("name", [n for n in FLOATS if FORMATS[n].nan_code is not None])
def test_nan_stays_nan(name: str) -> None:
    assert np.isnan(decode(encode(np.nan, name), name))


@pytest.mark.parametrize("name", [n for n in FLOATS if n != "e8m0"])
def test_limits_equal_those_of_ml_dtypes(name: str) -> None:
    want, got = ml_dtypes.finfo(ML[name]), limits(name)
    assert got.largest == float(want.max)
    assert got.smallest_normal == float(want.smallest_normal)
    assert got.smallest == float(want.smallest_subnormal)
    assert got.eps == float(want.eps)


@pytest.mark.parametrize("name", [n for n in SMALL if FORMATS[n].ends != "integer"])
def test_spacing_is_the_distance_to_the_next_larger_value(name: str) -> None:
    values = np.unique(decode(codes_of(name), name))
    values = values[np.isfinite(values) & (values >= 0)]
    assert np.array_equal(spacing(values[:-1], name), np.diff(values))
    assert np.array_equal(spacing(-values[:-1], name), np.diff(values))


def test_spacing_of_no_number_is_nan() -> None:
    assert np.isnan(spacing([np.nan, np.inf], "fp16")).all()


def test_an_unknown_format_and_a_code_with_too_many_bits_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown format 'fp12'; known are fp64"):
        decode(0, "fp12")
    with pytest.raises(ValueError, match="a code of int4 has 4 bits"):
        decode(16, "int4")


ROUNDINGS = ("nearest", "toward_zero", "up")
SIGNED = [name for name in SMALL if FORMATS[name].ends != "scale" and FORMATS[name].bits <= 8]


def neighbors(x: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The largest value not above and the smallest not below each x, by search in all values."""
    values = decode(np.arange(2 ** named(name).bits), name)
    values = np.unique(values[np.isfinite(values)])
    below = values[np.searchsorted(values, x, side="right") - 1]
    above = values[np.minimum(np.searchsorted(values, x, side="left"), len(values) - 1)]
    return below, above


def inside(name: str) -> np.ndarray:
    """Drawn values within the format's range, every value of it, and its midpoints."""
    largest = limits(name).largest
    low = -largest if named(name).sign else 0.0
    hard = hard_values(name) if name in ML else np.arange(low, largest, 0.25)
    drawn = np.random.default_rng(1).uniform(low, largest, 4000)
    drawn = np.concatenate([drawn, drawn * 1e-2, hard])
    return drawn[(drawn >= low) & (drawn <= largest)]


@pytest.mark.parametrize("name", [*SIGNED, "int2", "int3", "int7", "uint2", "uint4", "uint8"])
@pytest.mark.parametrize("rounding", ["toward_zero", "up"])
def test_directed_rounding_takes_the_neighbor_on_its_side(name: str, rounding: str) -> None:
    x = inside(name)
    below, above = neighbors(x, name)
    want = above if rounding == "up" else np.where(x < 0, above, below)
    assert_same(decode(encode(x, name, rounding=rounding), name) + 0.0, want + 0.0)


@pytest.mark.parametrize("name", [*SIGNED, "int3", "uint5"])
def test_stochastic_rounding_keeps_the_mean_and_takes_neighbors_alone(name: str) -> None:
    below, above = neighbors(x := inside(name)[:50], name)
    draws = 4000
    found = decode(encode(np.tile(x, (draws, 1)), name, rounding="stochastic", seed=7), name)
    assert (np.isclose(found, below) | np.isclose(found, above)).all()
    # Each mean errs by at most half a spacing / sqrt(draws); 5 standard errors for 50 means.
    assert (abs(found.mean(0) - x) <= 5 * 0.5 * (above - below) / draws**0.5 + 1e-12).all()


def test_stochastic_rounding_repeats_with_its_seed_and_demands_one() -> None:
    x = np.random.default_rng(0).normal(size=100)
    first, again, other = (encode(x, "fp4_e2m1", rounding="stochastic", seed=s) for s in (1, 1, 2))
    assert (first == again).all() and (first != other).any()
    with pytest.raises(ValueError, match="give a seed"):
        encode(x, "fp4_e2m1", rounding="stochastic")
    with pytest.raises(ValueError, match="unknown rounding 'down'; known are nearest"):
        encode(x, "fp4_e2m1", rounding="down")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["fp16", "fp8_e5m2", "fp8_e4m3fn", "fp8_e4m3fnuz", "fp6_e2m3"])
def test_only_rounding_away_from_zero_leaves_the_range(name: str) -> None:
    largest = limits(name).largest
    x = [largest * 1.5, -largest * 1.5]
    toward_zero, up = (decode(encode(x, name, rounding=r), name) for r in ("toward_zero", "up"))
    assert toward_zero.tolist() == [largest, -largest]
    assert up[1] == -largest
    assert_same(up[:1], decode(encode(x[:1], name), name))  # what the format's ends say


def test_exponent_of_e8m0_is_the_floor_the_ceiling_or_the_nearest() -> None:
    x = [1.0, 1.4, 1.5, 1.9, 2.0, 2.0**-127, 2.0**-130]
    found = {r: decode(encode(x, "e8m0", rounding=r), "e8m0").tolist() for r in ROUNDINGS}
    tiny = [2.0**-127, 2.0**-127]
    assert found["toward_zero"] == [1, 1, 1, 1, 2, *tiny]
    assert found["up"] == [1, 2, 2, 2, 2, *tiny]
    assert found["nearest"] == [1, 1, 2, 2, 2, *tiny]


@pytest.mark.parametrize("bits", range(2, 9))
def test_integers_of_any_width_count_and_saturate_at_their_ends(bits: int) -> None:
    signed, unsigned = f"int{bits}", f"uint{bits}"
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    x = np.arange(-300.0, 301.0)
    assert_same(decode(encode(x, signed), signed), np.clip(x, low, high))
    assert_same(decode(encode(x, unsigned), unsigned), np.clip(x, 0, 2**bits - 1))
    assert (limits(signed).largest, limits(unsigned).largest) == (high, 2**bits - 1)
    assert named(signed).bits == named(unsigned).bits == bits


@pytest.mark.parametrize("name", ["int1", "int9", "uint16", "uint"])
def test_widths_that_no_code_here_has_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"unknown format .*int2 to int8"):
        named(name)


@pytest.mark.parametrize("name", ["uint4", "int4", "uint2"])
def test_small_integers_agree_with_ml_dtypes(name: str) -> None:
    x = np.arange(limits(name).largest + 1)
    assert (encode(x, name) == x.astype(getattr(ml_dtypes, name)).view(np.uint8)).all()
