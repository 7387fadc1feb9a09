"""Two hundred submissions of every kind: none is lost, and each is graded as if it were alone."""

from __future__ import annotations

import json
import os
import random
import signal
from itertools import cycle, islice
from pathlib import Path

import pytest

from halfbits.course.authoring.contract import Trial
from halfbits.course.authoring.stub import make_exercise
from halfbits.course.catalog import Catalog
from halfbits.course.grading.classroom.journal import Journal, Result
from halfbits.course.grading.classroom.run import grade_class
from halfbits.course.grading.classroom.submissions import ClassRun, find_submissions
from halfbits.course.grading.process import fork_pool
from halfbits.course.grading.runner import grade_answers
from halfbits.course.notebook import Cell, read_json

EXERCISE = "quantization/quantized_linear"
STUDENTS, KILLS, STOP_AT, SAMPLE, SEED = 200, 5, 100, 8, 20261124


def write_class(folder: Path, catalog: Catalog) -> None:
    """The solution, the stub, a broken file and every shipped answer, in turn."""
    exercise = catalog.find(EXERCISE)
    solution = read_json(catalog.notebook(exercise, "solutions"))
    trial = Trial(catalog, exercise)
    wrong = (answer for answer in trial.answers.wrong if answer.repeats)
    answers = (*wrong, *trial.answers.right)
    kinds = [json.dumps(solution), json.dumps(make_exercise(catalog, exercise)), '{"cells": [']
    kinds += [_notebook(solution, trial.with_answer(answer)) for answer in answers]
    for number, text in enumerate(islice(cycle(kinds), STUDENTS)):
        path = folder / f"student-{number:03}" / f"{EXERCISE}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")


def _notebook(like: dict, cells: list[Cell]) -> str:
    frame = {"cell_type": "code", "metadata": {}, "outputs": []}
    code = [frame | {"id": f"c{at}", "source": cell.source} for at, cell in enumerate(cells)]
    return json.dumps({**like, "cells": code})


class Mishaps:
    """Kills the workers of some results, drawn at random, in each run; stops the first one.

    It stops as Ctrl-C would.
    """

    def __init__(self) -> None:
        self.kill_at = set(random.Random(SEED).sample(range(5, STOP_AT - 5), KILLS))
        self.killed, self.stopped = 0, False

    def __call__(self, result: Result, number: int, total: int) -> None:
        if number in self.kill_at:
            self.killed += 1
            os.kill(int(result.worker.rsplit(":", 1)[1]), signal.SIGKILL)
        if number == STOP_AT and not self.stopped:
            self.stopped = True
            raise KeyboardInterrupt


@pytest.mark.slow  # 200 gradings and 8 more with an import of torch each: half a minute
@pytest.mark.skipif(not fork_pool.AVAILABLE, reason="one import of torch per submission: minutes")
def test_class_loses_nothing_to_killed_workers_and_an_interruption(
    catalog: Catalog, tmp_path: Path
) -> None:
    write_class(tmp_path / "class", catalog)
    exercise = catalog.find(EXERCISE)
    submitted, strays = find_submissions(tmp_path / "class", catalog)
    assert (len(submitted), strays) == (STUDENTS, [])

    def run(**options: object) -> ClassRun:
        journal = Journal(tmp_path / "report.jsonl")
        return grade_class(catalog, submitted, journal, SEED, workers=2, **options)  # type: ignore[arg-type]

    mishaps = Mishaps()
    with pytest.raises(KeyboardInterrupt):
        run(arrived=mishaps)
    found = run(arrived=mishaps)
    assert (found.known, mishaps.killed) == (STOP_AT, 2 * KILLS)
    assert [one.student for one, _ in found.graded] == [one.student for one in submitted]
    _assert_same_answers_have_same_results(found)
    for one, result in found.graded[:: STUDENTS // SAMPLE]:
        assert one.path is not None
        alone = grade_answers(catalog, exercise, one.path, seed=SEED)
        assert result.problem == alone.problem
        assert result.verdicts == tuple((v.check.name, v.kind, v.message) for v in alone.verdicts)


def _assert_same_answers_have_same_results(found: ClassRun) -> None:
    """Whichever worker graded it, before or after the interruption."""
    results: dict[str, tuple[object, ...]] = {}
    for submitted, result in found.graded:
        outcome = (result.problem, result.verdicts)
        first = results.setdefault(result.submission, outcome)
        assert outcome == first, f"{submitted.student} was graded unlike another with the same file"
    assert len(results) > 30
