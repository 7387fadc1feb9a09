"""What `watch` knows: the exercise shown, the reports so far, and the thread that grades saves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from halfbits.course.catalog import Catalog, Exercise
from halfbits.course.checklist import read_checks
from halfbits.course.grading.grader import Grader
from halfbits.course.grading.report import Report
from halfbits.course.grading.submission import Submission, submission_of
from halfbits.course.grading.watch.pool import WatchPool
from halfbits.course.grading.watch.saves import Saves, digest, follow
from halfbits.course.notebook import find_answer
from halfbits.course.progress.hints import Hint, open_hint
from halfbits.course.progress.progress import Record, next_exercise, read_progress
from halfbits.errors import CourseError


@dataclass(frozen=True)
class TimedReport:
    """A report and the seconds from the save, or from the wish for it, to the verdict."""

    report: Report
    seconds: float


class WatchSession:
    """The state of one `watch`. `changed` is called, from any thread, when there is news."""

    def __init__(self, catalog: Catalog, shown: Exercise) -> None:
        self.catalog, self.shown = catalog, shown
        self.folder = catalog.own_folder
        self.reports: dict[str, TimedReport] = {}
        self.records: Mapping[str, Record] = read_progress()
        self.totals = {e.key: len(read_checks(catalog.checks(e))) for e in catalog.exercises}
        self.busy: Exercise | None = None
        self.hint: Hint | None = None
        self.message = ""
        self.error: BaseException | None = None
        self.changed: Callable[[], None] = lambda: None
        self.arrived: Callable[[TimedReport], None] = lambda graded: None
        self._saves, self._workers = Saves(), WatchPool()
        self._grader = Grader(self._workers)
        self._stop = threading.Event()
        self._graded: dict[str, str] = {}
        self._at_work = ""

    def start(self) -> None:
        """Follow the folder and grade what is saved, in two threads."""
        for work in (self._grade_saves, self._follow):
            threading.Thread(target=self._guarded, args=(work,), daemon=True).start()

    def close(self) -> None:
        """Stop both threads and the waiting worker; a grading that runs is given up."""
        self._stop.set()
        self._saves.close()
        self._workers.end()

    def path(self, exercise: Exercise) -> Path:
        """The file that is graded for `exercise`."""
        return find_answer(self.folder, exercise)[0]

    @property
    def following(self) -> Exercise | None:
        """The exercise to take after the ones that are solved."""
        return next_exercise(self.catalog, dict(self.records))

    def saved(self, exercise: Exercise, moment: float) -> None:
        """Queue a save, unless the same bytes are graded or being graded already."""
        now = digest(self.path(exercise))
        if self.busy is exercise:
            if now == self._at_work:
                return
            self._workers.give_up()
        elif now == self._graded.get(exercise.key):
            return
        self._show(exercise)
        self._saves.put(exercise, moment)

    def grade_again(self) -> None:
        """Grade the exercise shown once more, with new inputs."""
        self._graded.pop(self.shown.key, None)
        if self.busy is not self.shown:
            self._saves.put(self.shown, time.time())

    def move(self, step: int) -> None:
        """Show the exercise `step` places further, round and round."""
        all_of_them = self.catalog.exercises
        place = all_of_them.index(self.shown) + step
        self._show(all_of_them[place % len(all_of_them)])
        self.changed()

    def open_next_hint(self) -> None:
        """Show the next hint of the first task with a check that does not pass, and record it."""
        record = self.records.get(self.shown.key, Record())
        try:
            if record.is_hardened:
                raise CourseError("All checks pass: no hint is needed.")
            self.hint, self.message = open_hint(self.catalog, self.shown), ""
            self.records = read_progress()
        except CourseError as error:
            self.message = str(error)
        self.changed()

    def _show(self, exercise: Exercise) -> None:
        if exercise is not self.shown:
            self.hint, self.message = None, ""
        self.shown = exercise

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            self.error = error
            self.changed()

    def _follow(self) -> None:
        follow(self.catalog, self.folder, self.saved, self._stop)

    def _grade_saves(self) -> None:
        self._prepare()
        while save := self._saves.take():
            self._grade(*save)

    def _prepare(self) -> None:
        """Have a worker ready for the exercise shown, as its file is now."""
        one = submission_of(self.catalog, self.shown, self.folder)
        if one.needs_worker:
            self._workers.prepare(one.preload)

    def _grade(self, exercise: Exercise, moment: float) -> None:
        self._workers.begin()
        self.busy, one = exercise, self._read(exercise)
        self.changed()
        try:
            report = self._grader.grade(one)
        finally:
            self.busy = None
        if self._workers.gave_up:
            self._grader.forget()
            return
        self._graded[exercise.key] = self._at_work
        graded = TimedReport(report, max(0.0, time.time() - moment))
        self.reports[exercise.key] = graded
        self._record()
        self.arrived(graded)
        self.changed()
        if one.needs_worker:
            self._workers.prepare(one.preload)

    def _read(self, exercise: Exercise) -> Submission:
        """The answer as it is on the disk, not half of it and half of an earlier one."""
        while True:
            self._at_work = digest(self.path(exercise))
            one = submission_of(self.catalog, exercise, self.folder)
            if digest(self.path(exercise)) == self._at_work:
                return one

    def _record(self) -> None:
        self.message = ""
        try:
            self._grader.record()
            self.records = read_progress()
        except CourseError as error:
            self.message = str(error)
