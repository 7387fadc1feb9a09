"""A report becomes part of a person's progress."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime

from halfbits.course.catalog import Catalog
from halfbits.course.checklist import Check, read_checks
from halfbits.course.grading.report import PASSED, Report
from halfbits.course.progress.progress import Record, changing_progress, count_time
from halfbits.errors import CourseError


def remember(catalog: Catalog, report: Report) -> None:
    """Record a report of the learner's own folder; a record that fails does not spoil a grade."""
    try:
        record_report(report, read_checks(catalog.checks(report.exercise)))
    except CourseError as error:
        print(f"halfbits: {error}", file=sys.stderr)


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
