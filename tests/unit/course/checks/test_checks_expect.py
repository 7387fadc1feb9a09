"""The demands that checks make: each can fail, and says how."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from halfbits.course.checks import expect
from halfbits.course.checks.expect import CheckFailed

SAYS = {"called": "f(x)", "why": "because"}


def failure(got: object, want: object, atol: object = 1e-3) -> str:
    with pytest.raises(CheckFailed) as caught:
        expect.close(got, want, atol=atol, **SAYS)
    return str(caught.value)


@pytest.mark.parametrize("condition", [False, None, float("nan"), 0])
def test_only_true_is_true(condition: object) -> None:
    with pytest.raises(CheckFailed, match="called: f"):
        expect.true(condition, expected="more", got=1, **SAYS)


def test_close_accepts_what_lies_within_the_tolerance() -> None:
    w = torch.tensor([1.0, -2.0])
    expect.close(w + 1e-4, w, atol=1e-3, **SAYS)
    expect.close(2, 2.0, atol=0, **SAYS)
    expect.close(float("inf"), float("inf"), atol=1, **SAYS)


def test_close_names_the_worst_place() -> None:
    text = failure(np.array([[1.0, 5.0]]), np.array([[1.0, 2.0]]))
    assert "expected: 2 at [0, 1], within 0.001" in text
    assert "got: 5, off by 3 (1 of 2 off)" in text


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_close_demands_the_dtype(dtype: torch.dtype) -> None:
    w = torch.ones(2)
    assert str(dtype).removeprefix("torch.") in failure(w.to(dtype), w)


def test_close_demands_the_shape() -> None:
    assert "tensor float32 [2, 1]" in failure(torch.ones(2, 1), torch.ones(2))


@pytest.mark.parametrize("got", [float("nan"), float("-inf"), float("inf")])
def test_close_never_passes_nan_or_a_wrong_infinity(got: float) -> None:
    failure(got, 1.0, atol=1e30)
    failure(torch.tensor([got]), torch.tensor([1.0]), atol=float("inf"))


def test_close_does_not_pass_with_a_tolerance_of_nan() -> None:
    failure(1.0, 1.0, atol=float("nan"))


def test_infinity_is_expected_with_its_sign() -> None:
    failure(float("-inf"), float("inf"))
    failure(3.0e38, float("inf"))


def test_none_is_told_as_a_missing_return() -> None:
    assert "is a return missing?" in failure(None, torch.ones(2))


def test_dtype_is_demanded_by_any_name() -> None:
    codes = torch.zeros(2, dtype=torch.int8)
    expect.dtype(codes, torch.int8, **SAYS)
    expect.dtype(codes, np.int8, **SAYS)
    with pytest.raises(CheckFailed, match="dtype uint8"):
        expect.dtype(codes, "uint8", **SAYS)


@pytest.mark.parametrize(
    "change",
    [
        lambda m, t: t.add_(1),
        lambda m, t: t.requires_grad_(),
        lambda m, t: m.eval(),
        lambda m, t: m.half(),
        lambda m, t: m.weight.data.zero_(),
        lambda m, t: m.register_buffer("scale", torch.ones(1)),
    ],
)
def test_untouched_sees_every_change(change: object) -> None:
    model, tensor = torch.nn.Linear(2, 3), torch.ones(2)
    with (
        pytest.raises(CheckFailed, match="left as it was"),
        expect.untouched(model, [tensor], called="f(model)"),
    ):
        change(model, tensor)  # type: ignore[operator]


def test_untouched_lets_equal_nan_pass() -> None:
    tensor = torch.tensor([float("nan"), -0.0])
    with expect.untouched(tensor, {"t": tensor}, np.zeros(3), 3, called="f(t)"):
        tensor.clone()


def test_untouched_compares_a_single_number_that_is_a_view() -> None:
    """torch calls it contiguous whatever its strides, and its bytes are read all the same."""
    column = torch.zeros(1, 2, dtype=torch.float64)[:, 0]
    with expect.untouched(column, column[None].t(), called="f(column)"):
        pass
