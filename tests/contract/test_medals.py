"""The capstone's lower medals go to the references they are set for; gold is the solution's."""

from __future__ import annotations

import pytest

from halfbits.course.authoring.contract import RightAnswer, Trial, swap
from halfbits.course.catalog import Catalog
from halfbits.course.grading.process.pool import WorkerPool

MEDALS = ("bronze", "silver", "gold")
PLAINLY = ("gptq(layer.weight, seen[name].moment, start)", "start")
UNSEEN = ("block_by_block(lossy, calibration)", "block_by_block(lossy, calibration[:1])")
NARROW = ("for bits in (6, 5, 4)", "for bits in (4,)")
# The swaps in the solution, and a right answer that is put around it: another way to store or read.
REFERENCES = {
    "bronze": (swap("write_model", *PLAINLY, *UNSEEN, *NARROW), "a module around the model"),
    "silver": (
        swap("write_model", *PLAINLY, *UNSEEN),
        "bytes in a row and a table of where they stand",
    ),
}


@pytest.mark.parametrize("medal", REFERENCES)
def test_reference_reaches_its_medal_and_none_above(
    catalog: Catalog, workers: WorkerPool, medal: str
) -> None:
    trial = Trial(catalog, catalog.find("within_budget"), workers)
    change, around = REFERENCES[medal]
    (style,) = (right for right in trial.answers.right if right.name == around)
    cells = [*trial.with_answer(RightAnswer(medal, change)), trial.with_answer(style)[-1]]
    scored = [check.name for check in trial.checks if check.scored]
    report = trial.grade(cells, scored, seed=1)
    above = MEDALS[MEDALS.index(medal) + 1 :]
    assert report.failures.keys() == {f"test_{one}" for one in above}, report.failures
    assert all("of what plain int4 rounding leaves" in why for why in report.failures.values())
    assert report.score["medal"] == medal
    assert report.score["bytes"] <= report.score["budget"]
