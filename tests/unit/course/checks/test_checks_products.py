"""Each claim on matrix products accepts a right one and rejects its mistake."""

from __future__ import annotations

import pytest
import torch
from suites import answer_of, claims, verdict

from halfbits.course.checks.products import Product

LOW = Product("multiply", torch.float16, torch.bfloat16)
FULL = Product("multiply", torch.float32)
SOURCE = """
import torch
def multiply(a, b, dtype=torch.float32):
    return a.to(dtype) @ b.to(dtype)
"""
BODY = "a.to(dtype) @ b.to(dtype)"
WRONG = {
    "test_returns_its_dtype_for_every_input_dtype": [
        (BODY, "a.half() @ b.half()"),
        (BODY, f"({BODY}).double()"),
        (BODY, "a.to(b.dtype) @ b"),
    ],
    "test_stays_within_the_error_bound": [
        (BODY, f"({BODY}).bfloat16().mul(1.01).to(dtype)"),
        (BODY, "a.to(dtype).as_strided(a.shape, (a.shape[-1], 1)) @ b.to(dtype)"),
        (BODY, "a.to(dtype).mm(b.to(dtype))"),
    ],
    "test_rounds_wider_operands_before_the_product": [
        (BODY, "(a.double() @ b.double()).to(dtype)"),
        (BODY, "(a.to(dtype).double() @ b.double()).to(dtype)"),
    ],
    "test_operands_beyond_the_dtype_are_infinite": [
        (BODY, f"({BODY}).clamp(-torch.finfo(dtype).max, torch.finfo(dtype).max)"),
        (
            BODY,
            f"({BODY}).where(a.abs() <= torch.finfo(dtype).max, torch.inf).to(dtype)",
        ),
    ],
    "test_accepts_empty_and_all_zero_inputs": [
        (BODY, f"(lambda c: c / c * c)({BODY})"),
        (BODY, f"a[0] is b or {BODY}"),
    ],
    "test_leaves_its_inputs_as_they_were": [
        ("return", "a.mul_(1.5)\n    return"),
        ("return", "b.mul_(1.5) if b.shape[-1] > 50 else b\n    return"),
        ("return", "a.is_contiguous() or a.mul_(1.5)\n    return"),
    ],
}


@pytest.mark.parametrize("claim", claims(LOW))
@pytest.mark.parametrize("suite", [LOW, FULL], ids=["16 bits", "float32"])
def test_a_product_is_judged_by_each_claim(suite: Product, claim: str) -> None:
    assert verdict(suite, claim, answer_of(SOURCE)) == ""
    for swaps in WRONG[claim]:
        assert verdict(suite, claim, answer_of(SOURCE, *swaps)), swaps
