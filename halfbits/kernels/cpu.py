"""The CPU's twin of the Triton kernels: numba loops that read packed int8 and int4 weights.

Each decodes a weight in a register, on its way into a sum; no full-precision copy is ever made.
LLVM turns the inner loops into the vector instructions that this processor has.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np
import torch
from torch import Tensor

from halfbits.kernels.packed import MIDDLE, NIBBLES, Packed

# Sums in any order, products fused into them; NaN and infinity keep their meaning.
compiled = numba.njit(fastmath={"reassoc", "contract", "nsz"}, nogil=True, cache=True)


@compiled
def int8_rows(x: Any, codes: Any, scale: Any, y: Any, first: int, last: int) -> None:
    """y[b, n] = scale[n] sum_k x[b, k] codes[n, k] for rows first <= n < last, in float32."""
    for n in range(first, last):
        for b in range(len(x)):
            total = np.float32(0)
            for k in range(codes.shape[1]):
                total += np.float32(codes[n, k]) * x[b, k]
            y[b, n] = total * scale[n]


@compiled
def int8_integer_rows(
    x: Any, x_scale: Any, codes: Any, scale: Any, y: Any, first: int, last: int
) -> None:
    """The same with integer x: products and sums in int32, exact, then both scales.

    x is int16 to spare the widening of its int8 values: one instruction multiplies and adds pairs.
    """
    for n in range(first, last):
        for b in range(len(x)):
            total = np.int32(0)
            for k in range(codes.shape[1]):
                total += np.int32(codes[n, k]) * np.int32(x[b, k])
            y[b, n] = np.float32(total) * x_scale[b] * scale[n]


@compiled
def int4_rows(x: Any, words: Any, scale: Any, zeros: Any, y: Any, first: int, last: int) -> None:
    """y[b, n] from words [n, group, j] whose nibble i meets x[b, group, i, j]; see `Packed`."""
    for n in range(first, last):
        for b in range(len(x)):
            total = np.float32(0)
            for g in range(words.shape[1]):
                part, zero = np.float32(0), zeros[n, g]
                for j in range(words.shape[2]):
                    word = words[n, g, j]
                    part += (np.float32(np.int32(word & 15)) - zero) * x[b, g, 0, j]
                    part += (np.float32(np.int32(word >> 4 & 15)) - zero) * x[b, g, 1, j]
                    part += (np.float32(np.int32(word >> 8 & 15)) - zero) * x[b, g, 2, j]
                    part += (np.float32(np.int32(word >> 12 & 15)) - zero) * x[b, g, 3, j]
                    part += (np.float32(np.int32(word >> 16 & 15)) - zero) * x[b, g, 4, j]
                    part += (np.float32(np.int32(word >> 20 & 15)) - zero) * x[b, g, 5, j]
                    part += (np.float32(np.int32(word >> 24 & 15)) - zero) * x[b, g, 6, j]
                    part += (np.float32(np.int32(word >> 28 & 15)) - zero) * x[b, g, 7, j]
                total += part * scale[n, g]
            y[b, n] = total


def matmul(x: Tensor, packed: Packed, threads: int = 1) -> Tensor:
    """y = x W^T, float32 [batch, outputs], for float32 x [batch, inputs] on the CPU.

    No gradient flows through it. Raises ValueError when the shapes do not fit, and for less than
    one thread.
    """
    _check(x, packed, threads)
    y = torch.empty(len(x), packed.shape[0])
    operands = [a.numpy() for a in (x.detach().contiguous(), packed.codes, packed.scale.float())]
    kernel: Callable[..., None]
    if packed.bits == 8:
        kernel = int8_rows
        operands[2] = operands[2][:, 0]
    else:
        kernel, groups = int4_rows, packed.scale.shape[1]
        each = packed.shape[1] // groups // NIBBLES
        operands[0] = operands[0].reshape(len(x), groups, NIBBLES, each)
        operands[1] = operands[1].reshape(packed.shape[0], groups, -1)
        operands.append(_zeros(packed))
    _run(kernel, [*operands, y.numpy()], packed.shape[0], threads)
    return y


def integer_matmul(x: Tensor, packed: Packed, threads: int = 1) -> Tensor:
    """y [batch, outputs] = x W^T, float32, with x [batch, inputs] rounded to int8 by row (scale
    amax / 127) and int8 weights: W8A8.

    No gradient flows through it. Raises ValueError as `matmul` does, and for int4 codes.
    """
    _check(x, packed, threads)
    if packed.bits != 8:
        raise ValueError(f"integer_matmul multiplies int8 codes, not int{packed.bits}: take matmul")
    x = x.detach()
    scale = x.abs().amax(1).clamp(min=1e-12) / 127
    codes = (x / scale[:, None]).round().to(torch.int16)
    y = torch.empty(len(x), packed.shape[0])
    operands = [a.numpy() for a in (codes, scale, packed.codes, packed.scale[:, 0], y)]
    _run(int8_integer_rows, operands, packed.shape[0], threads)
    return y


def _zeros(packed: Packed) -> Any:
    if packed.zero_point is None:
        return np.full(packed.scale.shape, MIDDLE, np.float32)
    return packed.zero_point.numpy().astype(np.float32)


def _check(x: Tensor, packed: Packed, threads: int) -> None:
    if threads < 1:
        raise ValueError(f"threads is {threads}; it takes at least 1")
    if x.ndim != 2 or x.shape[1] != packed.shape[1] or x.dtype != torch.float32:
        raise ValueError(
            f"x is {x.dtype} {list(x.shape)}; with this weight it has to be "
            f"float32 [batch, {packed.shape[1]}]"
        )


def _run(kernel: Callable[..., None], operands: list[Any], rows: int, threads: int) -> None:
    if threads == 1:
        kernel(*operands, 0, rows)
        return
    cuts = [rows * part // threads for part in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda first, last: kernel(*operands, first, last), cuts[:-1], cuts[1:]))
