"""What a notebook, pytest, the command line and `watch` have in common when they grade."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import TracebackType

from halfbits.course.checklist import read_checks
from halfbits.course.grading.process.pool import WorkerPool
from halfbits.course.grading.process.spawn_pool import POOL
from halfbits.course.grading.record import record_report
from halfbits.course.grading.report import Report
from halfbits.course.grading.runner import grade
from halfbits.course.grading.submission import Submission
from halfbits.errors import CourseError


class Grader:
    """Grades submissions in turn, and makes those of the learner's own folder progress.

    While one is graded, the worker of the next one starts. `close`, or the end of a `with`
    block, records and leaves an idle worker for the next grading.
    """

    def __init__(self, pool: WorkerPool = POOL) -> None:
        self._pool = pool
        self._unrecorded: list[tuple[Submission, Report]] = []

    def __enter__(self) -> Grader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def grade(self, submission: Submission, later: Iterable[Submission] = ()) -> Report:
        """The report; meanwhile the first of `later` that needs a worker gets one started."""
        following = next((one for one in later if one.needs_worker), None)
        report = grade(submission, self._pool, following.preload if following else None)
        if submission.is_learners:
            self._unrecorded.append((submission, report))
        return report

    def record(self) -> None:
        """Add what was graded since the last call to the learner's progress; CourseError."""
        while self._unrecorded:
            submission, report = self._unrecorded[0]
            record_report(report, read_checks(submission.path))
            del self._unrecorded[0]

    def forget(self) -> None:
        """Leave out of the progress what was graded since the last call of `record`."""
        self._unrecorded.clear()

    def close(self) -> None:
        """Record, end what was started ahead, and leave an idle worker for the next grading.

        A record that fails is one sentence on stderr: it does not spoil a grade.
        """
        self._pool.close()
        self._pool.leave_idle()
        try:
            self.record()
        except CourseError as error:
            print(f"halfbits: {error}", file=sys.stderr)
