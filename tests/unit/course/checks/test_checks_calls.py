"""Each claim on repeated calls accepts a right function and rejects one that remembers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from suites import answer_of, claims, verdict
from torch import nn

from halfbits.course.checks import cases
from halfbits.course.checks.calls import Calls
from halfbits.course.checks.overwriting import overwrite, spoil


@dataclass
class Limit:
    """An argument that is an object."""

    at: float


TWICE = Calls("twice", lambda seed: (cases.normal(seed, 3, 4),))
COPY = Calls("copied", lambda seed: (cases.linear(seed, 3, 2),))
MEAN = Calls("mean", lambda seed: ([cases.normal(seed, 5), cases.normal(seed + 9, 2)],))
LAYER = Calls(
    "Layer",
    lambda seed: (cases.linear(seed, 3, 2), cases.normal(seed, 4, 3)),
    through=lambda kind, linear, x: kind(linear)(x).detach(),
)
PLAN = Calls("plan", lambda seed: ([{2: 1.0 + seed}], [3, 1 + seed]))
RATES = Calls(
    "rates",
    lambda seed: ({"name": "a card", "speed": 2.0 + seed % 3, "sizes": [4, 8 - seed % 3]},),
)
SAID = Calls("said", lambda seed: (np.arange(4.0) - seed % 2, Limit(1.0 + seed % 2)), room=0)
SUITES = [TWICE, COPY, MEAN, LAYER, PLAN, RATES, SAID]
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
def rates(card):
    sizes = card["sizes"]
    return {"first": card["speed"] * sizes[0], "last": card["sizes"][-1], "of": card["name"]}
def said(x, limit):
    first = next((i for i, one in enumerate(x.tolist()) if one > limit.at), None)
    return [first, "none" if first is None else "found", None]
class Layer(nn.Module):
    def __init__(self, linear):
        super().__init__()
        self.w = linear.weight.detach().clone()
    def forward(self, x):
        return x @ self.w.T
"""
LAST = "(SEEN.get(x.data_ptr()) is None and SEEN.clear(), SEEN.setdefault(x.data_ptr(), 2 * x))[1]"
COPIED = "copy.deepcopy(model)"
TOTAL = "sum(part.sum().item() for part in parts) / 7"
WRONG = {
    "test_reads_its_arguments_at_every_call": {
        TWICE: [
            ("2 * x", "SEEN.setdefault(id(x), 2 * x)"),
            ("2 * x", "SEEN.setdefault(x.data_ptr(), 2 * x)"),
            ("2 * x", "SEEN.setdefault(x.shape, 2 * x)"),
            ("2 * x", LAST),
        ],
        COPY: [(COPIED, f"SEEN.setdefault(id(model), {COPIED})")],
        MEAN: [(TOTAL, f"SEEN.setdefault(id(parts[0]), {TOTAL})")],
        PLAN: [
            ("errors[0][2]", "SEEN.setdefault(id(errors), errors[0][2])"),
            ("sizes[1]", "SEEN.setdefault(id(sizes), sizes[1])"),
        ],
        RATES: [
            ('card["speed"] *', 'SEEN.setdefault(id(card), card["speed"]) *'),
            ('card["sizes"][-1]', 'SEEN.setdefault(id(card["sizes"]), card["sizes"][-1])'),
        ],
        SAID: [
            ("limit.at)", "SEEN.setdefault(id(limit), limit.at))"),
            ("x.tolist()", "SEEN.setdefault(id(x), x.tolist())"),
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
        TWICE: [
            ("return 2 * x", "return torch.mul(2, x, out=OUT)"),
            ("return 2 * x", "return SEEN.setdefault(str(x), 2 * x)"),
        ],
        RATES: [
            (
                'return {"first"',
                'return SEEN.setdefault(str(card), {"first"',
                '"of": card["name"]}',
                '"of": card["name"]})',
            )
        ],
        SAID: [
            ("return [first", "OWN[:] = [first", "None]\nclass", "None]\n    return OWN\nclass")
        ],
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


def test_a_tensor_that_cannot_be_changed_is_made_anew_at_the_place_of_one_that_is_gone() -> None:
    """On every seed: a name by `id` is right for as long as the tensor lives, and wrong after."""
    tf = pytest.importorskip("tensorflow")
    source = "SEEN = {}\ndef times(a, b):\n    return a * b"
    again = Calls("times", lambda seed: [tf.constant([2.0 + seed, 3.0]), tf.constant([1.0 + seed])])
    claim = "test_reads_its_arguments_at_every_call"
    for key in ("id(a)", "id(b)", "(id(a), id(b))"):
        for seed in range(10):
            assert verdict(again, claim, answer_of(source), seed) == ""
            remembers = answer_of(source, "a * b", f"SEEN.setdefault({key}, a * b)")
            assert "place of one that is gone" in verdict(again, claim, remembers, seed)


def test_numbers_and_functions_among_the_arguments_are_exchanged() -> None:
    functions = [abs, lambda x: x + 7]
    again = Calls("applied", lambda seed: ([-3.0], seed % 5, functions[seed % 2]), room=0)
    answer = answer_of("def applied(x, n, f):\n    return n + f(x[0])")
    for claim in claims(again):
        assert verdict(again, claim, answer) == ""


def test_results_that_cannot_be_written_to_are_left() -> None:
    shared, kept = torch.ones(1).expand(3), np.ones(2)
    kept.flags.writeable = False
    spoil([shared, kept, {"mask": torch.tensor([True])}, (None, "word")])
    assert shared.tolist() == [1, 1, 1] and kept.tolist() == [1, 1]


def test_a_tuple_of_what_can_be_changed_keeps_its_place() -> None:
    pair, other = ([1, 2], 3), ([4, 5, 6], 3)
    assert overwrite(pair, other) is pair and pair[0] == [4, 5, 6]
    assert overwrite(pair, ([4], 9)) == ([4], 9)
    assert overwrite({"a": [1], "b": 2}, {"a": [5], "c": 3}) == {"a": [5], "c": 3}


def test_a_buffer_for_each_shape_is_seen_although_the_other_call_has_another_shape() -> None:
    again = Calls("places", lambda seed: (3 + seed % 2,))
    answer = answer_of("import torch\nOUT = {}\ndef places(n):\n    return torch.arange(n)")
    claim = "test_gives_a_result_that_is_the_callers"
    assert verdict(again, claim, answer) == ""
    refilled = "torch.arange(n, out=OUT.setdefault(n, torch.zeros(n, dtype=torch.int64)))"
    source = f"import torch\nOUT = {{}}\ndef places(n):\n    return {refilled}"
    assert "written into the first result" in verdict(again, claim, answer_of(source))
