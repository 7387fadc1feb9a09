"""What every function of tensors must do besides: read its arguments however they lie in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from halfbits.course.checks import hardened
from halfbits.course.checks.calls import Calls, plain
from halfbits.course.checks.cases import each
from halfbits.course.checks.tolerance import reordered


class AnyLayout(Calls):
    """The claims of `Calls` on a function of tensors, and that a view is read like its copy.

    The tensors that `draw(seed)` makes may stand in lists, tuples and dictionaries.
    """

    @hardened
    def test_reads_views_like_their_copies(self, answer: Any, seed: int) -> None:
        """Tensors that are transposed in memory, strided or parts of others give the same result.

        Weights, activations and caches are often views: only what a view shows counts, not what
        lies beside it.
        """
        given = tuple(laid_out(one, _copied) for one in self.draw(seed))
        want = plain(self.result(answer, given))
        for views in each(layouts(given)):
            self.demand(self.result(answer, views), want, "the result", reordered)


def layouts(given: tuple[Any, ...]) -> dict[str, tuple[Any, ...]]:
    """The arguments with their tensors as views of the same numbers: all of them, then each alone.

    Arguments without a tensor, and views that would be no other layout, are left out.
    """
    several = {}
    for name, view in VIEWS.items():
        moved = [laid_out(one, view) for one in given]
        others = [at for at, one in enumerate(given) if _strides(moved[at]) != _strides(one)]
        if others:
            several[f"all tensors {name}"] = tuple(moved)
        for at in others if len(others) > 1 else ():
            several[f"argument {at + 1} {name}"] = (*given[:at], moved[at], *given[at + 1 :])
    return several


def laid_out(value: Any, view: Callable[[Tensor], Tensor]) -> Any:
    """`value` with `view(x)` in place of every tensor x that it holds."""
    if isinstance(value, Tensor):
        return view(value)
    if isinstance(value, Mapping):
        return {key: laid_out(part, view) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(laid_out(part, view) for part in value)
    return value


def _strides(value: Any) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []

    def note(x: Tensor) -> Tensor:
        found.append((x.storage_offset(), *x.stride()))
        return x

    laid_out(value, note)
    return found


def _copied(x: Tensor) -> Tensor:
    return x.clone(memory_format=torch.contiguous_format)


def _transposed(x: Tensor) -> Tensor:
    axes = tuple(reversed(range(x.dim())))
    return x.permute(axes).contiguous().permute(axes)


def _strided(x: Tensor) -> Tensor:
    return torch.stack([x, _other(x)], -1)[..., 0]


def _part(x: Tensor) -> Tensor:
    return torch.cat([_other(x), x], -1)[..., x.shape[-1] :] if x.dim() else x


def _other(x: Tensor) -> Tensor:
    """Larger numbers of the same type, which nobody may read."""
    return ~x if x.dtype == torch.bool else 3 * x.flip(tuple(range(x.dim()))) + 1


VIEWS = {"transposed in memory": _transposed, "strided": _strided, "a part of another": _part}
