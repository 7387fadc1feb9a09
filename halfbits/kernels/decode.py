"""Triton functions that turn 16-bit words of packed codes into numbers the matrix units take.

Two words share a register, so that one instruction decodes two weights. A code becomes the last
bits of a float's mantissa, under an exponent at which they count ones: one logic operation instead
of a conversion. One packed addition then removes what the exponent added.
Nothing is rounded. The packed instructions are PTX (compute capability 8.0 or newer); in Triton's
interpreter, and for float32, plain functions compute the same numbers.
"""
# Triton marks compile-time arguments by capitals, and gives types to none of the others.
# ruff: noqa: N803, SIM300
# mypy: disallow-untyped-defs=False

from __future__ import annotations

import os

import torch
import triton
import triton.language as tl

from halfbits.kernels.packed import COUNTED

PTX = tl.constexpr(os.environ.get("TRITON_INTERPRET") != "1")
AND_OR, AND_XOR = "0xea", "0x6a"  # lop3's tables of (a & b) | c and (a & b) ^ c
FLOAT16_FROM = tl.constexpr(float(COUNTED[torch.float16]))
BFLOAT16_FROM = tl.constexpr(float(COUNTED[torch.bfloat16]))


@triton.constexpr_function
def ptx(bits, place, half):
    """PTX of one place of two words: `$0` decoded, `$1` the words, `$2` what is added last.

    half: float16, where 1024 + n is 0x6400 | n; otherwise bfloat16, where 128 + n is 0x4300 | n.
    An int8 code has a bit too many for a bfloat16 mantissa: its sign goes into the last bit of the
    exponent of a second number, 128 or 256, which is subtracted.
    """
    shift = f"shr.u32 t, $1, {bits * place};" if place else "mov.b32 t, $1;"
    one, kind = ("0x3c003c00", "f16x2") if half else ("0x3f803f80", "bf16x2")
    add = f"mov.b32 u, {one}; fma.rn.{kind} $0, t, u, $2;"
    if bits == 4:
        high = "0x64006400" if half else "0x43004300"
        return f"{{ .reg .b32 t, u; {shift} lop3.b32 t, t, 0x000f000f, {high}, {AND_OR}; {add} }}"
    if half:
        return (
            f"{{ .reg .b32 t, u; {shift} lop3.b32 t, t, 0x00ff00ff, 0x64806480, {AND_XOR}; {add} }}"
        )
    sign = f"lop3.b32 s, t, 0x00800080, 0x43004300, {AND_OR};"
    rest = f"lop3.b32 t, t, 0x007f007f, 0x43004300, {AND_OR};"
    less = "mov.b32 u, 0xbf80bf80; fma.rn.bf16x2 $0, s, u, t;"
    return f"{{ .reg .b32 t, s, u; {shift} {sign} {rest} {less} }}"


@triton.constexpr_function
def offset(bits, half):
    """What the exponent adds to a number, with int4's 8 and, in float16, the 128 of int8's sign."""
    return (1024.0 if half else 128.0) + (128.0 if bits == 8 else 8.0)


@triton.constexpr_function
def e4m3_ptx(place):
    """PTX that moves e4m3's sign and its seven other bits to where bfloat16 has them.

    The exponent's bias differs by 120: what comes out is the value times 2^-120, subnormal or not.
    """
    left, right = ("shl.b32 t, $1, 8; shl.b32 u, $1, 4;", "mov.b32 t, $1; shr.u32 u, $1, 4;")
    moved = right if place else left
    rest = f"and.b32 u, u, 0x07f007f0; lop3.b32 $0, t, 0x80008000, u, {AND_OR};"
    return f"{{ .reg .b32 t, u; {moved} {rest} }}"


@triton.jit
def e4m3(words, PLACE: tl.constexpr, KIND: tl.constexpr):
    """The e4m3 number at PLACE of each word, times 2^-120, exact in bfloat16 and float32."""
    if PTX and KIND == tl.bfloat16:
        out = tl.inline_asm_elementwise(e4m3_ptx(PLACE), "=r,r", [words], tl.bfloat16, True, 2)
    else:
        byte = (words >> (8 * PLACE)).to(tl.int32)
        bits = (byte & 0x80) << 24 | (byte & 0x7F) << 20
        out = bits.to(tl.float32, bitcast=True).to(KIND)
    return out


@triton.jit
def number(words, PLACE: tl.constexpr, BITS: tl.constexpr):
    """The code at PLACE of each word, an integer: int4 0..15, int8 -128..127."""
    shifted = words >> (BITS * PLACE)
    return (shifted & 15).to(tl.int8) if BITS == 4 else shifted.to(tl.int8)


@triton.jit
def subtracted(words, zero, BITS: tl.constexpr, KIND: tl.constexpr):
    """What `ptx` adds last, for each of `words`: the offset, with a zero point in place of 8."""
    HALF: tl.constexpr = KIND == tl.float16
    if zero is None:
        less = tl.full(words.shape, -offset(BITS, HALF), KIND)
    else:
        exponent: tl.constexpr = 0x6400 - 0x8000 if HALF else 0x4300 - 0x8000  # -1024 or -128
        less = (zero | exponent).to(tl.int16).to(KIND, bitcast=True).broadcast_to(words.shape)
    return less


@triton.jit
def decoded(words, PLACE: tl.constexpr, BITS: tl.constexpr, KIND: tl.constexpr, zero=None):
    """The number at PLACE of each int16 word, exact in KIND: bfloat16, float16 or float32.

    int8 codes are the numbers; int4 codes are the numbers plus 8, or plus the low byte of `zero`,
    int32 below 128 there, whose bits 8 to 15 are zero.
    """
    if PTX and KIND != tl.float32:
        less = subtracted(words, zero, BITS, KIND)
        if KIND == tl.float16:
            out = tl.inline_asm_elementwise(
                ptx(BITS, PLACE, True), "=r,r,r", [words, less], tl.float16, True, 2
            )
        else:
            out = tl.inline_asm_elementwise(
                ptx(BITS, PLACE, False), "=r,r,r", [words, less], tl.bfloat16, True, 2
            )
    else:
        MIDDLE: tl.constexpr = 8 if BITS == 4 else 0
        middle = MIDDLE if zero is None else zero & 255
        out = (number(words, PLACE, BITS) - middle).to(tl.float32).to(KIND)
    return out


@triton.constexpr_function
def counted_ptx(place, half):
    """PTX of one place of two words: `$0` is what `counted` says, `$1` the words."""
    low, mask, high = (4, "0x00f000f0", "0x54005400") if half else (0, "0x000f000f", "0x43004300")
    by = 4 * place - low
    shift = "shr.u32" if by > 0 else "shl.b32"
    moved = f"{shift} t, $1, {abs(by)};" if by else "mov.b32 t, $1;"
    return f"{{ .reg .b32 t; {moved} lop3.b32 $0, t, {mask}, {high}, {AND_OR}; }}"


@triton.jit
def counted(words, PLACE: tl.constexpr, KIND: tl.constexpr):
    """The int4 code at PLACE of each int16 word plus what it is counted from, 64 in float16 and
    128 in bfloat16: the exponent's part is not taken off."""
    if PTX:
        if KIND == tl.float16:
            out = tl.inline_asm_elementwise(
                counted_ptx(PLACE, True), "=r,r", [words], tl.float16, True, 2
            )
        else:
            out = tl.inline_asm_elementwise(
                counted_ptx(PLACE, False), "=r,r", [words], tl.bfloat16, True, 2
            )
    else:
        first: tl.constexpr = FLOAT16_FROM if KIND == tl.float16 else BFLOAT16_FROM
        out = (number(words, PLACE, 4).to(tl.float32) + first).to(KIND)
    return out


@triton.jit
def product(weight, value, total):
    """total + weight value, summed in float32. The interpreter has no bfloat16 product."""
    if PTX:
        return tl.dot(weight, value, total, input_precision="ieee")
    return tl.dot(weight.to(tl.float32), value.to(tl.float32), total, input_precision="ieee")
