"""Triton kernels for products of 8-bit matrices: fp8 with a scale per tile, int8 with row scales.

Both operands are stored in rows along the summed dimension. Import this only where Triton is
installed.
"""
# Triton marks compile-time arguments by capitals, and gives types to none of the others.
# ruff: noqa: N803
# mypy: disallow-untyped-defs=False

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def corner(m, n, M_TILES: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    """Row and column at which this program's tile starts: M_TILES tiles of rows take turns at the
    same columns, so that what a program reads is still in the cache."""
    across, down = tl.cdiv(n, COLUMNS), tl.cdiv(m, ROWS)
    program = tl.program_id(0)
    first = program // (M_TILES * across) * M_TILES
    tall = tl.minimum(down - first, M_TILES)
    within = program % (M_TILES * across)
    return (first + within % tall) * ROWS, within // tall * COLUMNS


@triton.jit
def fp8_tiles(
    a, b, a_scale, b_scale, y, m, n, K: tl.constexpr, ROWS: tl.constexpr,
    COLUMNS: tl.constexpr, M_TILES: tl.constexpr, STAGES: tl.constexpr,
):  # fmt: skip
    """y [m, n] = sum over tiles t of 128: a_scale[t, m] b_scale[n / 128, t] a_t b_t^T.

    The matrix units add up one tile; its sum, times both scales, is added in float32: the units'
    own sums of fp8 products keep fewer bits than a float32 (DeepSeek-AI, 2024, section 3.3.2).
    """
    row, column = corner(m, n, M_TILES, ROWS, COLUMNS)
    rows = row + tl.arange(0, ROWS)
    TILES: tl.constexpr = K // 128
    total = tl.zeros([ROWS, COLUMNS], tl.float32)
    right_scale = b_scale + column // 128 * TILES
    following = tl.load(right_scale)
    for tile in tl.range(0, TILES, num_stages=STAGES):
        left = a.load([row, tile * 128])
        right = b.load([column, tile * 128])
        scale = tl.load(a_scale + tile * m + rows, mask=rows < m, other=0) * following
        following = tl.load(right_scale + tl.minimum(tile + 1, TILES - 1))
        total += tl.dot(left, right.T) * scale[:, None]
    y.store([row, column], total.to(y.dtype))


@triton.jit
def int8_rows(
    a, b, a_scale, b_scale, y, m, n, K: tl.constexpr, STEP: tl.constexpr, ROWS: tl.constexpr,
    COLUMNS: tl.constexpr, M_TILES: tl.constexpr, STAGES: tl.constexpr,
):  # fmt: skip
    """y [m, n] = a_scale[m] b_scale[n] a b^T: sums in int32, exact; scales before the one store."""
    row, column = corner(m, n, M_TILES, ROWS, COLUMNS)
    rows, columns = row + tl.arange(0, ROWS), column + tl.arange(0, COLUMNS)
    total = tl.zeros([ROWS, COLUMNS], tl.int32)
    for start in tl.range(0, K, STEP, num_stages=STAGES):
        left, right = a.load([row, start]), b.load([column, start])
        total = tl.dot(left, right.T, total, out_dtype=tl.int32)
    left = tl.load(a_scale + rows, mask=rows < m, other=0)[:, None]
    right = tl.load(b_scale + columns, mask=columns < n, other=0)[None, :]
    y.store([row, column], (total.to(tl.float32) * left * right).to(y.dtype))
