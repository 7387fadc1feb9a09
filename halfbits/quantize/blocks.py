"""Cutting a weight into blocks that share a scale, and putting it together again.

A weight is [..., out, in]: the last dimension is the input, what stands before `out` are experts.
A granularity names the block:

    "tensor"    all values together
    "channel"   one row of one expert, all its inputs
    g           g neighbors along the input of one row
    (r, c)      r neighboring rows times c neighboring inputs of one expert

Where blocks do not divide the sizes, the last one is filled up with zeros, which change no
largest magnitude and no range that holds zero; they count no bytes.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

Granularity = str | int | tuple[int, int]


def checked(w: Tensor) -> Tensor:
    """`w`, of any shape, as a detached float32 tensor.

    Raises ValueError, naming the first place, for integers, an empty tensor, NaN, infinities, and
    values beyond float32.
    """
    if not w.is_floating_point():
        raise ValueError(f"a weight is of a floating-point type, not {w.dtype}")
    if w.numel() == 0:
        raise ValueError(
            f"a weight of shape {list(w.shape)} is empty: there is nothing to quantize"
        )
    x = w.detach().float()
    if not torch.isfinite(x).all():
        raise ValueError(_what_is_not_finite(w.detach(), x))
    return x


def block_of(shape: torch.Size, granularity: Granularity) -> tuple[int, int] | None:
    """(rows, inputs) of a block; None for one block that holds the whole tensor.

    Raises ValueError for a granularity that names no block of a weight of this shape.
    """
    match granularity:
        case "tensor":
            return None
        case "channel" if len(shape) >= 2:
            return 1, shape[-1]
        case "channel":
            raise ValueError(f"a weight is [..., out, in]; {list(shape)} has no rows")
        case bool():
            pass
        case int() if granularity > 0:
            return 1, granularity
        case (int() as rows, int() as columns) if rows > 0 and columns > 0:
            return rows, columns
    raise ValueError(
        f'a granularity is "tensor", "channel", a group size or (rows, inputs), not {granularity!r}'
    )


def grouped(w: Tensor, granularity: Granularity) -> Tensor:
    """The blocks of `w` [..., out, in] as float32 [blocks, size], row after row of blocks."""
    x = checked(w)
    block = block_of(x.shape, granularity)
    if block is None:
        return x.reshape(1, -1)
    rows, columns = block
    x = x.reshape(-1, *(x.shape[-2:] if x.ndim > 1 else (1, x.shape[-1])))
    x = F.pad(x, (0, -x.shape[2] % columns, 0, -x.shape[1] % rows))
    x = x.unflatten(2, (-1, columns)).unflatten(1, (-1, rows))
    return x.transpose(2, 3).reshape(-1, rows * columns)


def ungrouped(blocks: Tensor, shape: torch.Size, granularity: Granularity) -> Tensor:
    """The inverse of `grouped`: blocks [blocks, size] to `shape`, without the filling."""
    block = block_of(shape, granularity)
    if block is None:
        return blocks.reshape(shape)
    (rows, columns), out = block, shape[-2] if len(shape) > 1 else 1
    down, across = -(-out // rows), -(-shape[-1] // columns)
    x = blocks.view(-1, down, across, rows, columns).transpose(2, 3)
    return x.reshape(-1, down * rows, across * columns)[:, :out, : shape[-1]].reshape(shape)


def _what_is_not_finite(w: Tensor, x: Tensor) -> str:
    place = tuple(torch.nonzero(~torch.isfinite(x))[0].tolist())
    nans, infinities = int(w.isnan().sum()), int(w.isinf().sum())
    beyond = int((~torch.isfinite(x)).sum()) - nans - infinities
    counts = ((nans, "NaN"), (infinities, "infinite"), (beyond, "beyond float32"))
    said = ", ".join(f"{count} {kind}" for count, kind in counts if count)
    return f"a weight has to be finite; it holds {said}, the first at {list(place)}"
