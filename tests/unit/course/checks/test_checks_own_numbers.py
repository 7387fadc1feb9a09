"""A model that is made of another is judged by its own numbers, whatever else the function does."""

from __future__ import annotations

import pytest
import torch
from suites import answer_of, claims, verdict

from halfbits.course.checks.own_numbers import OwnNumbers

SUITE = OwnNumbers(
    "convert", torch.bfloat16, through=lambda convert, model: convert(torch.bfloat16, model)
)
SOURCE = """
import copy, torch
BESIDE = []
def convert(dtype, model):
    made = copy.deepcopy(model).to(dtype).eval()
    own = made.forward
    return made
"""
RETURN = "    return made"
ARRAYS = "[p.detach().numpy().copy() for p in model.parameters()]"
FLOAT = """    whole = copy.deepcopy(model).eval()
    made.forward = lambda x: whole(x.float() if x.is_floating_point() else x).to(dtype)
    return made"""
WRONG = {
    "test_answers_with_its_own_numbers": [
        FLOAT,
        "    made.forward = lambda x: [own(x), x.add_(1)][0]\n    return made",
    ],
    "test_answers_with_numbers_that_are_loaded": [FLOAT],
    "test_keeps_no_copy_beside_its_numbers": [
        FLOAT,
        f"    made.__dict__['kept'] = {ARRAYS}\n    return made",
        f"    BESIDE.append({ARRAYS})\n    return made",
        f"    made.forward = lambda x, run=own, kept={ARRAYS}: run(x)\n    return made",
    ],
}


@pytest.mark.parametrize("claim", claims(SUITE))
def test_a_conversion_is_judged_by_each_claim(claim: str) -> None:
    assert verdict(SUITE, claim, answer_of(SOURCE)) == ""
    for end in WRONG[claim]:
        assert verdict(SUITE, claim, answer_of(SOURCE, RETURN, end)), end
