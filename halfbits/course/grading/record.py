"""A report becomes part of a person's progress."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from halfbits.course.checklist import Check
from halfbits.course.grading.report import PASSED, Report
from halfbits.course.progress.leaderboard import remember
from halfbits.course.progress.progress import Record, changing_progress, count_time


def record_report(report: Report, all_checks: Sequence[Check]) -> None:
    """Add one try; checks that were not run keep their last result."""
    with changing_progress() as records:
        record = records.setdefault(report.exercise.key, Record())
        run = {verdict.check.name for verdict in report.verdicts}
        fresh = {verdict.check.name for verdict in report.of(PASSED)}
        record.passed = sorted((set(record.passed) - run) | fresh)
        record.total = len(all_checks)
        record.core = [check.name for check in all_checks if not check.hardened]
        record.tries += 1
        count_time(record)
        if record.is_solved and not record.solved:
            record.solved = datetime.now().date().isoformat()
    if report.score and report.solved and not report.task:
        remember(report.exercise.key, report.score)
