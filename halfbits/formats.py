"""Number formats of deep learning: codes to values, values to codes, spacing and limits, in numpy.

A code is the pattern of bits as an unsigned integer. Values are float64, which holds every value
of every format here. Rounding happens once, straight from float64: to nearest with ties to even
unless a call asks for another rule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from halfbits.format_table import FORMATS, Format, named

__all__ = [
    "FORMATS",
    "Format",
    "Limits",
    "decode",
    "encode",
    "limits",
    "named",
    "spacing",
]

Floats = NDArray[np.float64]
Codes = NDArray[np.uint64]
Overflow = Literal["format", "saturate"]
# nearest: ties to even. up: toward plus infinity. stochastic: up with the probability that keeps
# the mean, (x - below) / spacing.
Rounding = Literal["nearest", "toward_zero", "up", "stochastic"]
WHOLE = ("integer", "unsigned")


@dataclass(frozen=True)
class Limits:
    """Largest value, smallest normal and positive value, and the distance from 1 to the next."""

    largest: float
    smallest_normal: float
    smallest: float
    eps: float


def decode(codes: ArrayLike, name: str) -> Floats:
    """Values of `codes` (unsigned integers below 2**bits): (-1)^s 2^(E - bias) (1 + M / 2^m).

    With E = 0 the value is subnormal, (-1)^s 2^(1 - bias) M / 2^m. Raises ValueError for a code
    that has too many bits.
    """
    form, code = named(name), np.asarray(codes, dtype=np.uint64)
    if form.bits < 64 and np.any(code >> np.uint64(form.bits)):
        raise ValueError(f"a code of {name} has {form.bits} bits; got one with more")
    if form.ends in WHOLE:
        return code.astype(np.float64) - 2.0 * (code & np.uint64(form.sign)).astype(np.float64)
    negative = (code & np.uint64(form.sign)) != 0
    magnitude = code & np.uint64(2 ** (form.exponent + form.mantissa) - 1)
    values = np.where(negative, -1.0, 1.0) * _magnitude(magnitude, form)
    return _with_specials(values, code, magnitude, form)


def encode(
    values: ArrayLike,
    name: str,
    overflow: Overflow = "format",
    *,
    rounding: Rounding = "nearest",
    seed: int | None = None,
) -> Codes:
    """Codes of `values` (taken as float64), rounded as `rounding` says.

    A magnitude that rounds above the largest value becomes what the format's ends say, as in
    ml_dtypes; `overflow="saturate"` makes it the largest value (infinity too), as torch does for
    fp8_e4m3fn. A finite value that is rounded toward zero never leaves the range (IEEE 754,
    section 7.4). For e8m0, "toward_zero" is the floor and "up" the ceiling of the exponent, ties
    round up, smaller than 2^-127 becomes 2^-127, and zero and negative values are NaN (torch
    encodes their absolute value). Raises ValueError for NaN in a format that has none, an unknown
    rounding, and "stochastic" without a `seed`.
    """
    form, x = named(name), np.asarray(values, dtype=np.float64)
    if form.nan_code is None and np.isnan(x).any():
        raise ValueError(f"{name} has no NaN; remove it before encoding")
    rounded = _rule(rounding, seed)
    if form.ends in WHOLE:
        low = -float(form.sign)
        whole = np.clip(rounded(x), low, low + 2.0**form.bits - 1).astype(np.int64)
        return whole.astype(np.uint64) & np.uint64(2**form.bits - 1)
    code = _rounded(x, form, rounded)
    stays = np.isfinite(x) & _is_toward_zero(x, rounding)
    code = np.where(stays, np.minimum(code, np.uint64(form.largest_code)), code)
    return _signed(_overflowed(code, form, overflow), x, form)


def spacing(values: ArrayLike, name: str) -> Floats:
    """Distance from |value| to the next larger magnitude, ignoring the largest; NaN if not finite.

    2^(max(floor(log2 |x|), smallest exponent) - m), and 1 for integers.
    """
    form, x = named(name), np.abs(np.asarray(values, dtype=np.float64))
    if form.ends in WHOLE:
        return np.where(np.isfinite(x), 1.0, np.nan)
    step = np.ldexp(1.0, _exponent(x, form) - form.mantissa)
    return np.where(np.isfinite(x), step, np.nan)


def limits(name: str) -> Limits:
    """The limits of a format; those of an integer format are for a scale of 1."""
    form = named(name)
    if form.ends in WHOLE:
        return Limits(float((form.sign or 1 << form.bits) - 1), 1.0, 1.0, 1.0)
    smallest = 0 if form.ends == "scale" or form.mantissa == 0 else 1
    largest, tiny = decode([form.largest_code, smallest], name)
    normal = float(np.ldexp(1.0, form.smallest_exponent))
    return Limits(float(largest), normal, float(tiny), float(spacing(1.0, name)))


def _magnitude(magnitude: Codes, form: Format) -> Floats:
    field = (magnitude >> np.uint64(form.mantissa)).astype(np.int64)
    fraction = magnitude & np.uint64(2**form.mantissa - 1)
    normal = (field > 0) | (form.ends == "scale")
    whole = fraction.astype(np.float64) + np.where(normal, 2.0**form.mantissa, 0.0)
    # The exponent of infinity and NaN lies outside float64's range; they are replaced later.
    with np.errstate(over="ignore"):
        exponent = np.maximum(field - form.bias, form.smallest_exponent) - form.mantissa
        return np.ldexp(whole, exponent.astype(np.int32))


def _with_specials(values: Floats, code: Codes, magnitude: Codes, form: Format) -> Floats:
    if form.ends == "fnuz":
        return np.where(code == form.sign, np.nan, values)
    beyond = magnitude > np.uint64(form.largest_code)
    if form.ends != "ieee":
        return np.where(beyond, np.nan, values)
    infinite = magnitude == np.uint64(form.largest_code + 1)
    return np.where(beyond, np.where(infinite, np.copysign(np.inf, values), np.nan), values)


def _exponent(magnitude: Floats, form: Format) -> NDArray[Any]:
    """floor(log2) of each magnitude, but not below the smallest exponent (int32)."""
    exponent = np.frexp(magnitude)[1] - 1
    usable = np.isfinite(magnitude) & (magnitude > 0)
    return np.where(usable, np.maximum(exponent, form.smallest_exponent), form.smallest_exponent)


def _rule(rounding: Rounding, seed: int | None) -> Callable[[Floats], Floats]:
    """Signed steps to whole steps."""
    if rounding not in get_args(Rounding):
        raise ValueError(
            f"unknown rounding {rounding!r}; known are {', '.join(get_args(Rounding))}"
        )
    if rounding == "stochastic":
        if seed is None:
            raise ValueError("stochastic rounding draws: give a seed")
        draw = np.random.default_rng(seed)
        return lambda steps: np.floor(steps + draw.random(np.shape(steps)))
    return {"nearest": np.rint, "toward_zero": np.trunc, "up": np.ceil}[rounding]


def _is_toward_zero(x: Floats, rounding: Rounding) -> NDArray[np.bool_]:
    return np.full(x.shape, rounding == "toward_zero") | ((rounding == "up") & (x < 0))


def _rounded(x: Floats, form: Format, rounded: Callable[[Floats], Floats]) -> Codes:
    """Codes of the magnitudes; infinity has the code after the largest."""
    finite = np.where(np.isfinite(x), x, 0.0)
    exponent = _exponent(np.abs(finite), form)
    steps = np.abs(rounded(np.ldexp(finite, form.mantissa - exponent))).astype(np.int64)
    # A carry out of the fraction raises the exponent by itself: codes are ordered like values.
    code = steps + ((exponent.astype(np.int64) - form.smallest_exponent) << form.mantissa)
    if form.ends == "scale":
        code = np.maximum(code - 1, 0)
    return np.where(np.isinf(x), np.int64(form.largest_code + 1), code).astype(np.uint64)


def _overflowed(code: Codes, form: Format, overflow: Overflow) -> Codes:
    beyond = code > np.uint64(form.largest_code)
    if overflow == "saturate" or form.ends == "finite":
        return np.where(beyond, np.uint64(form.largest_code), code)
    if form.ends == "ieee":
        return np.where(beyond, np.uint64(form.largest_code + 1), code)
    return np.where(beyond, np.uint64(form.nan_code or 0), code)


def _signed(code: Codes, x: Floats, form: Format) -> Codes:
    if form.ends == "scale":
        return np.where(x > 0, code, np.uint64(form.nan_code or 0))
    signed = code | np.where(np.signbit(x), np.uint64(form.sign), np.uint64(0))
    if form.ends == "fnuz":  # a negative zero would be the NaN
        signed = np.where(code == 0, code, signed)
    return signed if form.nan_code is None else np.where(np.isnan(x), form.nan_code, signed)
