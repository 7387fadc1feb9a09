"""The claim on views accepts what reads them as they are, and rejects what reads their memory."""

from __future__ import annotations

import pytest
import torch
from suites import answer_of, verdict

from halfbits.course.checks import cases
from halfbits.course.checks.layouts import AnyLayout, layouts
from halfbits.course.checks.tolerance import reordered

CLAIM = "test_reads_views_like_their_copies"
PRODUCT = AnyLayout("product", lambda seed: (cases.normal(seed, 4, 6), cases.normal(seed + 1, 6)))
LARGEST = AnyLayout("largest", lambda seed: ([cases.normal(seed, 5), cases.normal(seed, 3, 2)],))
SOURCE = """
import torch
def product(w, x):
    return {"values": w @ x, "sign": w > 0}
def largest(parts):
    return max(part.abs().max() for part in parts)
"""
STORED = "torch.as_strided(part, (part.untyped_storage().size() // 4,), (1,), 0)"
WRONG = {
    PRODUCT: [
        ("w @ x", "w.view(-1).view(w.shape) @ x"),
        ("w @ x", "w.as_strided(w.shape, (w.shape[1], 1)) @ x"),
        ("w @ x", "w.as_strided(w.shape, w.stride(), 0) @ x"),
        ("w @ x", "w @ x.as_strided(x.shape, (1,))"),
        ("w @ x", "w @ (x if w.is_contiguous() else x.flip(0))"),
        ("w > 0", "w > 0 if w.is_contiguous() else w < 0"),
    ],
    LARGEST: [("part.abs()", f"{STORED}.abs()"), ("part.abs()", "part.view(-1).abs()")],
}


@pytest.mark.parametrize("suite", WRONG, ids=lambda one: one.task)
def test_a_function_of_tensors_is_judged_by_what_it_reads(suite: AnyLayout) -> None:
    assert verdict(suite, CLAIM, answer_of(SOURCE)) == ""
    for swaps in WRONG[suite]:
        assert verdict(suite, CLAIM, answer_of(SOURCE, *swaps)), swaps


def test_a_view_has_the_same_numbers_in_another_place() -> None:
    given = (cases.normal(3, 4, 5), 0.5, [cases.normal(4, 5), cases.normal(5, 3, 3) > 0])
    several = layouts(given)
    assert "all tensors transposed in memory" in several and "argument 3 strided" in several
    for name, (x, number, (vector, mask)) in several.items():
        assert torch.equal(x, given[0]) and number == 0.5, name
        assert torch.equal(vector, given[2][0]) and torch.equal(mask, given[2][1]), name
        moved = [part.stride() for part in (x, vector, mask)]
        offsets = [part.storage_offset() for part in (x, vector, mask)]
        assert moved != [(5, 1), (1,), (3, 1)] or any(offsets), name


def test_a_number_is_no_tensor_and_has_one_layout() -> None:
    assert layouts((3, "four", [5.0])) == {}


def test_room_for_another_order_of_a_sum_is_that_of_the_type() -> None:
    assert reordered(torch.ones(3)) == 256 * 2.0**-23
    assert reordered(torch.ones(3).half() * 2) == 4 * 2.0**-10
    assert reordered(0.5) == 128 * 2.0**-23
    assert reordered(torch.tensor([torch.inf, -1.0]).double()) == 256 * 2.0**-52
    whole = torch.tensor([3])
    assert [reordered(whole.to(t)) for t in (torch.int8, torch.int64, torch.bool)] == [1, 0, 0]
    assert reordered(torch.zeros(0)) == 0
