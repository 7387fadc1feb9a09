"""What an interviewer would ask next, after a pass: questions of the bank and their pages."""

from __future__ import annotations

from pathlib import Path

from halfbits.course.grading.report import Asked, Report

MOST = 4  # the page of the solution lists all of them


def asked_next(root: Path, report: Report) -> tuple[Asked, ...]:
    """The first questions that a solved exercise trains; none as long as it is not solved."""
    if not report.solved or report.task:
        return ()
    # Imported late: most gradings end without a pass, and need no YAML.
    from halfbits.course.interview.bank.trained import questions_on

    return tuple(
        Asked(one.texts["en"].question, f"book/interview/{one.topic}.html#{one.slug}")
        for one in questions_on(root, report.exercise.key)[:MOST]
    )
