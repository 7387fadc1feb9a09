"""No exercise accepts a general habit, such as a remembered result or a view read as it lies."""

from __future__ import annotations

from halfbits.course.authoring.contract import Trial
from halfbits.course.authoring.kinds import accepted

# Habits that cannot be held against a task, and why.
EXEMPT = {
    "autocast_trace reads argument 2 in the order of memory": "no type hangs on the numbers",
    "train_step reads argument 2 in the order of memory": "a loss is one number",
    "quantize_static reads argument 2 in the order of memory": "the scale is one number",
    "train_step remembers its results by place": "no loss comes twice",
    "read_model remembers its results by place": "each folder is another, so that nothing is found",
    "write_model reads argument 2 in the order of memory": "any tokens of the text calibrate it",
    "write_gguf remembers its results by place": "each path is another, so that nothing is found",
}


def test_no_general_kind_of_wrong_answer_is_accepted(trial: Trial) -> None:
    found = {f"{one.task} {one.kind}" for one in accepted(trial)} - EXEMPT.keys()
    assert not found, f"{trial.exercise.key} accepts: {'; '.join(sorted(found))}"
