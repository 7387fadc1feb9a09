"""What PyTorch computes while an answer runs: the operations, and the largest tensor they made."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from halfbits.course.checks import context, expect

SOFTMAX = {"_softmax", "_safe_softmax", "_log_softmax", "logsumexp", "logcumsumexp"}


class Operations(TorchDispatchMode):
    """Within `with Operations() as seen:` writes down what reaches PyTorch's kernels.

    `names`: of the operations, such as "mm" and "_softmax"; `largest`: bytes of the largest tensor
    that one of them made. A view, and a result in the memory of an operand, count as nothing made.
    """

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.largest = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled here, and to be skipped would import PyTorch's compiler: seconds."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.names.add(func.overloadpacket.__name__)
        given = {t.untyped_storage().data_ptr() for t in _tensors(args, kwargs)}
        for made in _tensors(result):
            storage = made.untyped_storage()
            if storage.data_ptr() not in given:
                self.largest = max(self.largest, storage.nbytes())
        return result


def footprint(run: Callable[[], object]) -> tuple[int, int]:
    """Bytes of the largest tensor that `run()` makes, and of all of numpy's arrays at their most.

    It runs twice, since what an import allocates the first time is not its own. The second number
    counts the objects of Python as well, up to 100 KiB for a loop of some hundred steps.
    """
    with context.in_place(), Operations():  # where arguments may change, no copy of them is kept
        run()
    with context.in_place(), Operations() as seen:
        tracemalloc.start()
        try:
            run()
            return seen.largest, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


def without(forbidden: set[str], seen: Operations, instead: str) -> None:
    """Demand that none of the operations `forbidden` was called."""
    found = sorted(forbidden & seen.names)
    expect.true(not found, expected=instead, got=f"a call of {', '.join(found)}")


def _tensors(*values: Any) -> list[Tensor]:
    """All tensors in nested lists, tuples and dictionaries."""
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor)]
