"""The operations of an answer are seen by name and by the size of what they made."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.nn import functional

from halfbits.course.checks.expect import CheckFailed
from halfbits.course.checks.operations import SOFTMAX, Operations, footprint, without

X = torch.randn(6, 10)
SOFTMAXES = {
    "torch.softmax": lambda: torch.softmax(X, 1),
    "a method": lambda: X.log_softmax(1),
    "a layer": lambda: torch.nn.Softmax(1)(X),
    "logsumexp": lambda: torch.logsumexp(X, 1),
    "attention": lambda: functional.scaled_dot_product_attention(X[None], X[None], X[None]),
}


@pytest.mark.parametrize("run", SOFTMAXES.values(), ids=SOFTMAXES)
def test_a_softmax_is_found_under_every_name(run) -> None:
    with Operations() as seen:
        run()
    with pytest.raises(CheckFailed, match="three steps"):
        without(SOFTMAX, seen, "three steps")


def test_exp_and_sum_are_no_softmax() -> None:
    with Operations() as seen:
        (X - X.amax(1, True)).exp().sum(1)
    without(SOFTMAX, seen, "three steps")


@pytest.mark.parametrize(
    ("run", "size"),
    [
        (lambda: X.double(), 480),
        (lambda: X[:2] + 1, 80),
        (lambda: torch.zeros(3, dtype=torch.int8), 3),
        (lambda: X.t()[1:].view(-1, 2, 3), 0),
        (lambda: X.clone().add_(1), 240),
    ],
    ids=["a copy in float64", "a part", "a new tensor", "views", "in place"],
)
def test_largest_tensor_is_the_largest_that_was_made(run, size: int) -> None:
    with Operations() as seen:
        run()
    assert seen.largest == size


def test_footprint_tells_tensors_from_arrays() -> None:
    largest, arrays = footprint(lambda: X.repeat(1000, 1))
    assert largest == 240_000 and arrays < 50_000
    largest, arrays = footprint(lambda: np.ones(50_000) + np.ones(50_000))
    assert largest == 0 and 800_000 <= arrays < 1_300_000


def test_watching_does_not_import_the_compiler() -> None:
    program = (
        "import sys, torch\n"
        "from halfbits.course.checks.operations import Operations\n"
        "with Operations() as seen:\n    torch.ones(2) + 1\n"
        "assert 'add' in seen.names and 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
