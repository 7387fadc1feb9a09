"""What a failing demand says by itself: the call, its case, and the reason in the docstring."""

from __future__ import annotations

import pytest
import torch

from halfbits.course.checklist import read_checks
from halfbits.course.checks import check_named, context, expect, quantizers
from halfbits.course.checks.expect import CheckFailed


def check() -> None:
    """Codes are whole numbers.

    A fraction cannot
    be stored.
    """


def failure(of: str = "") -> str:
    with pytest.raises(CheckFailed) as caught:
        expect.same(1.0, 2.0, of=of)
    return str(caught.value)


def test_the_reason_is_the_docstring_below_the_claim() -> None:
    context.begin(check)
    assert "why: A fraction cannot be stored." in failure()


def test_a_claim_without_more_is_its_own_reason() -> None:
    context.begin(test_a_claim_without_more_is_its_own_reason)
    assert context.reason(check) and context.NOW.why == ""


def test_the_call_is_told_with_kinds_of_its_arguments() -> None:
    context.begin(check)
    context.record("quantize", (torch.zeros(4, 8), torch.nn.ReLU()), {"bits": 8})
    assert "called: codes of quantize(float32 [4, 8], ReLU, bits=8)\n" in failure("codes")


def test_few_numbers_are_told_themselves() -> None:
    context.begin(check)
    context.record("f", (torch.tensor([0.5, 2.0]),))
    assert "called: f(float32 [2] (0.5, 2))\n" in failure()


def test_a_case_is_named_while_it_lasts() -> None:
    context.begin(check)
    context.record("f")
    for _ in context.each({"a zero row": 0}):
        assert "called: f(), a zero row\n" in failure()
    assert "called: f()\n" in failure()


def test_a_failed_case_is_not_named_in_the_next_check() -> None:
    context.begin(check)
    with pytest.raises(CheckFailed):
        for _ in context.each({"a zero row": 0}):
            expect.true(False, expected=1, got=2)
    context.begin(check)
    assert "zero row" not in failure()


def test_a_suite_is_listed_from_its_source(tmp_path) -> None:
    path = tmp_path / "test_x.py"
    path.write_text(
        "from halfbits.course.checks import quantizers, task\n\n"
        'weight = quantizers.SymmetricRows("quantize")\n\n'
        '@task("other")\ndef test_other(answer):\n    """One claim.\n\n    A reason.\n    """\n'
    )
    checks = read_checks(path)
    assert [c.name for c in checks if c.task == "other"] == ["test_other"]
    zero = next(c for c in checks if c.name == "test_weight_zero_row_gives_zeros")
    assert zero.task == "quantize" and zero.line == 3
    assert zero.claim.startswith("An all-zero row gives zero codes")
    assert "SymmetricRows" in zero.source and "all zeros" in zero.source


def test_a_listed_check_can_be_run() -> None:
    class Checks:
        weight = quantizers.SymmetricRows("quantize")
        test_other = staticmethod(check)

    assert check_named(Checks, "test_other") is check
    found = check_named(Checks, "test_weight_zero_row_gives_zeros")
    assert found.__self__ is Checks.weight
    with pytest.raises(AttributeError, match="test_weight_gone"):
        check_named(Checks, "test_weight_gone")
