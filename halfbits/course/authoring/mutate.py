"""`halfbits mutate`: which mutants of a solution pass all checks, and whether that is explained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from halfbits.course.authoring.contract import Trial
from halfbits.course.authoring.mutants import Mutant, mutants_of
from halfbits.course.catalog import find_root, load_catalog
from halfbits.course.grading.process.pool import pool_for_many
from halfbits.course.notebook import Cell
from halfbits.course.sources import defined_names

# A survivor is graded on further seeds: a check that notices a mistake on some seeds notices it.
SEEDS = 3


@dataclass(frozen=True)
class Survey:
    """The mutants of an exercise's solution: how many, which survived, which only at times."""

    total: int
    survivors: tuple[Mutant, ...]
    at_times: tuple[Mutant, ...]


def mutate(name: str) -> int:
    """Print the survivors of the exercise `name` that its list EQUIVALENT does not explain.

    Returns 1 if there are any, if a mutant is noticed on some seeds only, or if an explanation is
    of no survivor; raises CourseError for a name that is no exercise.
    """
    catalog = load_catalog(find_root())
    workers = pool_for_many()
    trial = Trial(catalog, catalog.find(name), workers)
    try:
        survey = survey_of(trial)
    finally:
        workers.close()
    return _print(trial, survey)


def survey_of(trial: Trial) -> Survey:
    """Grade every mutant of the solution's answer cells by all checks."""
    found = list(mutants(trial))
    alive = [one for one in found if _passes(trial, *one)]
    again = {one[1]: [_passes(trial, *one) for _ in range(SEEDS - 1)] for one in alive}
    return Survey(
        len(found),
        tuple(mutant for mutant, results in again.items() if all(results)),
        tuple(mutant for mutant, results in again.items() if not all(results)),
    )


def mutants(trial: Trial) -> Iterator[tuple[int, Mutant]]:
    """The mutants of the solution's answer cells, each with the place of its cell."""
    tasks = set(trial.exercise.tasks)
    for place, cell in enumerate(trial.solution):
        if tasks & set(defined_names(cell.source)):
            yield from ((place, mutant) for mutant in mutants_of(cell.source))


def with_mutant(trial: Trial, place: int, mutant: Mutant) -> list[Cell]:
    """The solution's cells with the one at `place` changed."""
    cells = list(trial.solution)
    cells[place] = replace(cells[place], source=mutant.source)
    return cells


def _passes(trial: Trial, place: int, mutant: Mutant) -> bool:
    report = trial.grade(with_mutant(trial, place, mutant))
    return report.problem is None and report.passed == report.total


def _print(trial: Trial, survey: Survey) -> int:
    explained = trial.answers.equivalent
    names = {mutant.name for mutant in survey.survivors}
    for mutant in survey.at_times:
        print(f"noticed on some seeds only, line {mutant.line}:\n{_shown(mutant)}")
    for mutant in survey.survivors:
        if mutant.name not in explained:
            print(f"no check notices, line {mutant.line}:\n{_shown(mutant)}")
    for name in explained.keys() - names:
        print(f"EQUIVALENT explains what is no survivor: {name}")
    open_ones = len(names - explained.keys())
    print(
        f"{survey.total} mutants: {survey.total - len(names) - len(survey.at_times)} rejected, "
        f"{len(names) - open_ones} equivalent, {open_ones} without a check"
    )
    return int(bool(open_ones or survey.at_times or explained.keys() - names))


def _shown(mutant: Mutant) -> str:
    return f"  - {mutant.before}\n  + {mutant.after}"
