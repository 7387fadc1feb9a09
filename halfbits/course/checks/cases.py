"""The inputs that checks use: each draw and each edge case has one name here.

Cases are dictionaries from a name to a value; `each` gives the values in turn and lets a failing
demand name the one at hand.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from halfbits.course.checks.context import each

__all__ = ["each"]

SMALLEST = 2.0**-149  # the smallest positive float32
LOW = (torch.float16, torch.bfloat16)
FLOATS = (*LOW, torch.float32, torch.float64)
INTEGERS = (torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64)


def generator(seed: int) -> torch.Generator:
    """A generator of its own for `seed`; the global one stays as it is."""
    return torch.Generator().manual_seed(seed % 2**31)


def shuffled(seed: int, n: int) -> Tensor:
    """The numbers from 0 to n - 1, int64, in an order that depends on the seed alone."""
    return torch.randperm(n, generator=generator(seed))


def normal(seed: int, *shape: int) -> Tensor:
    """Standard normal float32 numbers that depend on the seed alone."""
    return torch.randn(shape, generator=generator(seed))


def sized(seed: int, *shape: int) -> Tensor:
    """Normal float32 numbers, for an odd seed eight times as large as for an even one."""
    return normal(seed, *shape) * 8.0 ** (seed % 2)


def matrices(seed: int, rows: int = 12, columns: int = 20) -> dict[str, Tensor]:
    """Tall, wide, square, tiny and large float32 matrices, contiguous and not."""
    shapes = {"tall": (40, 6), "wide": (6, 40), "square": (16, 16), "one column": (5, 1)}
    shapes |= {"one row": (1, 9), "large": (150, 260), "very tall": (300, 3), "very wide": (3, 300)}
    drawn = {name: normal(seed + i, *shape) for i, (name, shape) in enumerate(shapes.items())}
    drawn["numbers of many sizes"] = of_many_sizes(seed + 98, 16, 24)
    return drawn | views(normal(seed + 99, rows, columns))


def of_many_sizes(seed: int, *shape: int) -> Tensor:
    """Normal float32 numbers, each divided by a power of ten from 1 to 1e8."""
    powers = torch.randint(0, 9, shape, generator=generator(seed + 1))
    return normal(seed, *shape) / 10.0**powers


def around(value: float) -> dict[str, Tensor]:
    """The float32 numbers just below and just above `value`, by name."""
    at, ends = torch.tensor(value), {"just below": -math.inf, "just above": math.inf}
    return {
        f"{side} {value:.9g}": torch.nextafter(at, torch.tensor(end)) for side, end in ends.items()
    }


def beyond(dtype: torch.dtype) -> Tensor:
    """The smallest number that rounds to infinity in `dtype`, in float64: halfway to the next one.

    The spacing above the largest number would be eps times the power of two below it.
    """
    info = torch.finfo(dtype)
    power = 2.0 ** math.floor(math.log2(info.max))
    return torch.tensor(info.max + info.eps * power / 2, dtype=torch.float64)


def grouped(*sizes: tuple[int, int, int]) -> dict[str, tuple[int, int, int]]:
    """Rows, columns and the size of a group of columns, by what they say."""
    return {f"{m} x {n} in groups of {size}": (m, n, size) for m, n, size in sizes}


def views(base: Tensor) -> dict[str, Tensor]:
    """Views of a matrix that are not contiguous, or start in the middle of its memory."""
    return {
        "a transposed view": base.t(),
        "a strided view": base[::2, 1::3],
        "a view of some columns": base[:, 2:7],
        "a view of the last rows": base[3:],
    }


def one_a_view(*arguments: Any) -> dict[str, tuple[Any, ...]]:
    """The arguments by the number of the one that is a view: other numbers lie between its own."""
    return {
        f"argument {at + 1} a strided view": (*arguments[:at], _spread(one), *arguments[at + 1 :])
        for at, one in enumerate(arguments)
        if isinstance(one, Tensor) and one.dim()
    }


def _spread(x: Tensor) -> Tensor:
    return torch.stack([x, x.flip(tuple(range(x.dim())))], -1)[..., 0]


def low_precision(x: Tensor) -> dict[str, Tensor]:
    """The 16-bit copies of `x`."""
    return {f"{str(d).removeprefix('torch.')} input": x.to(d) for d in LOW}


def rows_of_sizes(seed: int, columns: int, sizes: tuple[float, ...]) -> Tensor:
    """One float32 row for each size: standard normal numbers times that size."""
    return normal(seed, len(sizes), columns) * torch.tensor(sizes).view(-1, 1)


def denormal_rows(seed: int) -> Tensor:
    """Ramps that reach 2**-149, 60 * 2**-149, 1e-40 and 1e-38, and one ordinary row."""
    ramp = torch.linspace(-1, 1, 9).double()
    sizes = torch.tensor([SMALLEST, 60 * SMALLEST, 1e-40, 1e-38], dtype=torch.float64).view(-1, 1)
    return torch.cat([(ramp * sizes).float(), normal(seed, 1, 9)])


def reaching(x: Tensor, size: float) -> Tensor:
    """`x` scaled to reach exactly from -size to size, computed in float64."""
    x = x.double() / x.double().abs().max()
    x.view(-1)[:2] = torch.tensor([-1.0, 1.0])
    return (x * size).float()


def halves(seed: int, top: int) -> dict[str, tuple[Tensor, Tensor]]:
    """Rows of x.5, and their even neighbors, at three scales that keep them exact.

    Each row reaches `top`, so that a scale of amax / top is a power of two.
    """
    ties = [0.5, 1.5, 2.5, 3.5, -0.5, -1.5, -2.5, (top - 1) / 2 + 0.5, top - 0.5, float(top)]
    even = torch.tensor([2 * round(t / 2) if t % 1 else t for t in ties])
    order = torch.randperm(len(ties), generator=generator(seed))
    x, even = torch.tensor(ties)[order], even[order]
    return {
        f"{size:g} * {x.tolist()}": (x.repeat(3, 1) * size, even.repeat(3, 1))
        for size in (1.0, 2.0**-9, 2.0**20)
    }


def linear(seed: int, n_in: int, n_out: int, *, bias: bool = True) -> nn.Linear:
    """A float32 Linear whose numbers come from the seed, not from the global generator."""
    with torch.random.fork_rng(devices=[]):  # skip_init would import SymPy, half a second
        made = nn.Linear(n_in, n_out, bias=bias)
    with torch.no_grad():
        made.weight.copy_(normal(seed, n_out, n_in) / math.sqrt(n_in))
        if bias:
            made.bias.copy_(normal(seed + 1, n_out))
    return made


def leading_shapes(seed: int, features: int) -> dict[str, Tensor]:
    """Inputs [..., features]: a vector, batches, empty ones, three axes, views, 16-bit floats."""
    x = normal(seed, 2, 3, features)
    return {
        "three axes": x,
        "one vector": x[0, 0],
        "a matrix": x[0],
        "an empty batch": x[:0],
        "an empty sequence": x[:, :0],
        "a transposed view": x.transpose(0, 1),
        "float16": x.half(),
        "bfloat16": x.bfloat16(),
    }


def named(*values: Any) -> dict[str, Any]:
    """The values with their own text as names: dtypes, numbers, policies."""
    return {str(value).removeprefix("torch."): value for value in values}
