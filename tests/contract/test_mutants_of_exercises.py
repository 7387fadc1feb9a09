"""No small mistake in a solution goes unnoticed; HALFBITS_MUTANTS=1 asks for it, a minute each."""

from __future__ import annotations

import os

import pytest

from halfbits.course.authoring.contract import Trial
from halfbits.course.authoring.mutate import survey_of

pytestmark = pytest.mark.skipif(
    not os.environ.get("HALFBITS_MUTANTS"), reason="HALFBITS_MUTANTS=1 asks for it"
)


def test_every_mutant_is_noticed_on_every_seed_or_explained(trial: Trial) -> None:
    if trial.scores:
        pytest.skip("a mutant that scores otherwise is no mistake")
    survey = survey_of(trial)
    unexplained = [m.name for m in survey.survivors if m.name not in trial.answers.equivalent]
    assert survey.total > 0
    assert unexplained == []
    assert [mutant.name for mutant in survey.at_times] == []
