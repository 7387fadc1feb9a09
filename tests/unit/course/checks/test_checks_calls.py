"""Each claim on repeated calls accepts a right function and rejects one that remembers."""

from __future__ import annotations

import pytest
import torch
from suites import answer_of, claims, verdict
from torch import nn

from halfbits.course.checks import cases
from halfbits.course.checks.calls import Calls, overwrite

TWICE = Calls("twice", lambda seed: (cases.normal(seed, 3, 4),))
COPY = Calls("copied", lambda seed: (cases.linear(seed, 3, 2),))
MEAN = Calls("mean", lambda seed: ([cases.normal(seed, 5), cases.normal(seed + 9, 2)],))
LAYER = Calls(
    "Layer",
    lambda seed: (cases.linear(seed, 3, 2), cases.normal(seed, 4, 3)),
    through=lambda kind, linear, x: kind(linear)(x).detach(),
)
PLAN = Calls("plan", lambda seed: ([{2: 1.0 + seed}], [3, 1 + seed]))
SUITES = [TWICE, COPY, MEAN, LAYER, PLAN]
SOURCE = """
import copy
import torch
from torch import nn
SEEN, OUT, OWN = {}, torch.zeros(3, 4), []
def twice(x):
    return 2 * x
def copied(model):
    return copy.deepcopy(model)
def mean(parts):
    return {"mean": sum(part.sum().item() for part in parts) / 7}
def plan(errors, sizes):
    return [errors[0][2] * sizes[1]]
class Layer(nn.Module):
    def __init__(self, linear):
        super().__init__()
        self.w = linear.weight.detach().clone()
    def forward(self, x):
        return x @ self.w.T
"""
COPIED = "copy.deepcopy(model)"
TOTAL = "sum(part.sum().item() for part in parts) / 7"
WRONG = {
    "test_reads_its_arguments_at_every_call": {
        TWICE: [
            ("2 * x", "SEEN.setdefault(id(x), 2 * x)"),
            ("2 * x", "SEEN.setdefault(x.data_ptr(), 2 * x)"),
            ("2 * x", "SEEN.setdefault(x.shape, 2 * x)"),
        ],
        COPY: [(COPIED, f"SEEN.setdefault(id(model), {COPIED})")],
        MEAN: [(TOTAL, f"SEEN.setdefault(id(parts[0]), {TOTAL})")],
        PLAN: [
            ("errors[0][2]", "SEEN.setdefault(id(errors), errors[0][2])"),
            ("sizes[1]", "SEEN.setdefault(id(sizes), sizes[1])"),
        ],
        LAYER: [
            (
                "linear.weight.detach().clone()",
                "SEEN.setdefault(id(linear), linear.weight.detach().clone())",
            ),
            ("return x @ self.w.T", "return SEEN.setdefault(id(x), x @ self.w.T)"),
        ],
    },
    "test_gives_a_result_that_is_the_callers": {
        TWICE: [("return 2 * x", "return torch.mul(2, x, out=OUT)")],
        COPY: [
            (
                f"return {COPIED}",
                f"new = SEEN.setdefault(0, {COPIED})\n"
                "    new.load_state_dict(model.state_dict())\n    return new",
            ),
        ],
        MEAN: [(f'return {{"mean": {TOTAL}}}', f"SEEN['mean'] = {TOTAL}\n    return SEEN")],
        PLAN: [
            (
                "return [errors[0][2] * sizes[1]]",
                "OWN[:] = [errors[0][2] * sizes[1]]\n    return OWN",
            )
        ],
        LAYER: [("return x @ self.w.T", "return torch.mm(x, self.w.T, out=OUT[:2].view(4, 2))")],
    },
}


@pytest.mark.parametrize("claim", claims(TWICE))
@pytest.mark.parametrize("suite", SUITES, ids=lambda one: one.task)
def test_a_function_is_judged_by_each_claim(suite: Calls, claim: str) -> None:
    assert verdict(suite, claim, answer_of(SOURCE)) == ""
    for swaps in WRONG[claim][suite]:
        assert verdict(suite, claim, answer_of(SOURCE, *swaps)), swaps


def test_results_that_differ_in_their_rounding_are_the_same() -> None:
    rounds = "(2 * x) * (1 + 1e-3 * (x.data_ptr() % 128 == 0))"
    again = Calls("twice", lambda seed: (torch.ones(3, 4) + seed % 2,))
    answer = answer_of(SOURCE, "2 * x", rounds)
    assert verdict(again, "test_reads_its_arguments_at_every_call", answer) == ""


def test_another_word_and_another_length_are_another_result() -> None:
    again = Calls("told", lambda seed: ([seed],))
    for told in ('["even", "odd"][n[0] % 2], n', "n * (1 + n[0] % 2)"):
        source = f"SEEN = {{}}\ndef told(n):\n    return {told}"
        remembers = source.replace(told, f"SEEN.setdefault(0, ({told}))")
        for code, wanted in ((source, False), (remembers, True)):
            said = verdict(again, "test_reads_its_arguments_at_every_call", answer_of(code))
            assert bool(said) == wanted


def test_draws_that_are_alike_by_chance_are_drawn_again() -> None:
    again = Calls("twice", lambda seed: (torch.ones(3, 4) * (seed > 9),))
    for seed in (7, 1):
        alike = seed == 1
        said = verdict(again, "test_reads_its_arguments_at_every_call", answer_of(SOURCE), seed)
        assert ("another result" in said) == alike


def test_a_model_is_overwritten_in_place() -> None:
    """Otherwise an answer that is looked up by the model's id would never be caught."""
    first, second = cases.linear(1, 3, 2), cases.linear(2, 3, 2)
    weight = first.weight
    overwrite([first], [second])
    assert first.weight is weight and isinstance(first, nn.Linear)
    assert torch.equal(first.weight, second.weight)
