"""No exercise accepts a general habit, such as a remembered result or a view read as it lies."""

from __future__ import annotations

from halfbits.course.authoring.contract import Trial
from halfbits.course.authoring.kinds import accepted

# Tasks that a habit cannot be held against, and why.
EXEMPT = {"train_step": "it is there to change its parameters, and no loss comes twice"}


def test_no_general_kind_of_wrong_answer_is_accepted(trial: Trial) -> None:
    found = [f"{one.task} {one.kind}" for one in accepted(trial) if one.task not in EXEMPT]
    assert found == [], f"{trial.exercise.key} accepts: {'; '.join(found)}"
