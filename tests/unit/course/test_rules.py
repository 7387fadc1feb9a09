"""The published list of rules leaves out nothing that can fail an answer."""

from __future__ import annotations

import pytest
import torch  # noqa: F401  its settings are compared once it is imported

from halfbits.course.catalog import load_catalog
from halfbits.course.checklist import read_checks
from halfbits.course.cli.grading import rules
from halfbits.course.grading.judge.state import State
from halfbits.course.rules import as_markdown, rules_of

CATALOG = load_catalog()


@pytest.mark.parametrize("exercise", CATALOG.exercises, ids=lambda one: one.slug)
def test_each_check_stands_in_the_list_under_its_task_and_tier(exercise) -> None:
    text = rules_of(CATALOG, exercise)
    for check in read_checks(CATALOG.checks(exercise)):
        title = f"**{check.task}, hardened**" if check.hardened else f"**{check.task}**"
        section = text.partition(f"{title}\n")[2].partition("\n**")[0]
        assert f"- {as_markdown(check.claim)}" in section
    assert f"within {exercise.time_limit:g} s" in text


def test_a_power_in_a_claim_is_not_read_as_emphasis() -> None:
    assert as_markdown("2**k times `2**k`") == r"2\*\*k times `2**k`"


def test_each_global_setting_that_is_compared_is_named() -> None:
    text = rules_of(CATALOG, CATALOG.exercises[0])
    for switch in State().switches:
        owner, _, name = switch.name.partition(" ")
        assert owner in text and name.removeprefix("CPU autocast ") in text, switch.name


def test_command_prints_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert rules("quantized_linear") == 0
    assert "hardened" in capsys.readouterr().out
