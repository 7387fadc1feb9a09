"""The pytest plugin: `pytest exercises` grades notebooks, one test item per check.

Names come from the check files' syntax trees; this process imports neither the checks nor the
answers. An exercise is graded when its first selected item runs, by a worker (see runner.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pytest

from halfbits.course.catalog import Catalog, Exercise, load_catalog
from halfbits.course.checklist import Check, read_checks
from halfbits.course.grading import report as reports
from halfbits.course.grading.grader import Grader
from halfbits.course.grading.looks import look_of_all
from halfbits.course.grading.report import Report, Verdict
from halfbits.course.grading.submission import Submission, answers_folder, submission_of
from halfbits.errors import CourseError

GRADER = pytest.StashKey[Grader]()
REPORTS = pytest.StashKey[list[Report]]()
_catalog = cache(load_catalog)  # each collected file asks for it
CATEGORIES = {
    reports.UNWRITTEN: ("not written yet", "-", "NOT WRITTEN"),
    reports.NOT_RUN: ("not run", "x", "NOT RUN"),
}


class NotPassed(Exception):  # noqa: N818
    """A check that did not pass; carries its verdict."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.message)
        self.verdict = verdict


class CheckItem(pytest.Item):
    """One check of one exercise."""

    parent: ExerciseFile

    def __init__(self, *, check: Check, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.check = check
        self.add_marker(pytest.mark.task(check.task, name=check.task))
        self.extra_keyword_matches.add(check.task)

    def runtest(self) -> None:
        report = self.parent.report
        verdict = next(v for v in report.verdicts if v.check.name == self.name)
        if verdict.kind != reports.PASSED:
            raise NotPassed(verdict)

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        error = excinfo.value
        if isinstance(error, CourseError):
            return str(error)
        if not isinstance(error, NotPassed):
            return super().repr_failure(excinfo, style)
        if error.verdict.kind in CATEGORIES:
            return reports.clean(error.verdict.message)
        return f"{self.check.claim}\n{reports.clean(error.verdict.message)}"

    def reportinfo(self) -> tuple[Path, int, str]:
        title = self.name.removeprefix("test_")
        return self.path, self.check.line - 1, f"{self.parent.exercise.slug}: {title}"


class ExerciseFile(pytest.File):
    """The checks of one exercise, whether its check file or its notebook was named."""

    def __init__(self, *, catalog: Catalog, exercise: Exercise, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.catalog, self.exercise = catalog, exercise
        self.later: list[ExerciseFile] = []
        self.selected: list[str] = []

    def collect(self) -> Iterable[CheckItem]:
        for check in read_checks(self.catalog.checks(self.exercise)):
            yield CheckItem.from_parent(self, name=check.name, check=check)

    @cached_property
    def submission(self) -> Submission:
        """The answer as it was on disk when first asked for, with the selected checks."""
        named = self.config.getoption("--answers")
        given = Path(self.config.invocation_params.dir, named) if named else None
        folder = answers_folder(self.catalog, given)
        return submission_of(self.catalog, self.exercise, folder, self.selected)

    @cached_property
    def report(self) -> Report:
        """The report; grading this exercise also starts the worker of the next one."""
        later = (file.submission for file in self.later)
        report = self.config.stash[GRADER].grade(self.submission, later)
        self.config.stash[REPORTS].append(report)
        return report


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("halfbits")
    group.addoption("--answers", metavar="DIR", help="grade another folder laid out like exercises")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[GRADER], config.stash[REPORTS] = Grader(), []
    config.addinivalue_line("markers", "task(name): the function that a check belongs to")


def pytest_pycollect_makemodule(module_path: Path, parent: Any) -> Any:
    """Take check files, and a plain .py answer, away from pytest's own Python collector."""
    return _exercise_file(module_path, parent)


def pytest_collect_file(file_path: Path, parent: Any) -> Any:
    """A notebook is collected only when it is named, else each check would appear twice."""
    if file_path.suffix == ".ipynb" and parent.session.isinitpath(file_path):
        return _exercise_file(file_path, parent)
    return None


def pytest_collection_finish(session: pytest.Session) -> None:
    files: dict[ExerciseFile, list[str]] = {}
    for item in session.items:
        if isinstance(item, CheckItem):
            files.setdefault(item.parent, []).append(item.name)
    for number, (file, names) in enumerate(files.items(), 1):
        file.selected, file.later = names, list(files)[number:]
    # Each failure is told in full already; a line more for each pushes it off the screen.
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal and files and all(isinstance(item, CheckItem) for item in session.items):
        terminal.reportchars = terminal.reportchars.replace("f", "")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    made = yield
    error = call.excinfo.value if call.excinfo else None
    if isinstance(item, CheckItem) and isinstance(error, NotPassed):
        made.halfbits_kind = _kind_to_show(item, error.verdict)
    return made


def pytest_report_teststatus(report: Any) -> tuple[str, str, str] | None:
    return CATEGORIES.get(getattr(report, "halfbits_kind", ""))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    graded = config.stash[REPORTS]
    if not graded:
        return
    terminalreporter.ensure_newline()
    terminalreporter.section("grades")
    for report in graded:
        _summarize(report, terminalreporter)


def pytest_sessionfinish(session: pytest.Session) -> None:
    session.config.stash[GRADER].close()


def _exercise_file(path: Path, parent: Any) -> ExerciseFile | None:
    folder = path.parent.parent
    if folder.name != "exercises" or not (folder / "course.toml").is_file():
        return None
    catalog = _catalog(folder.parent)
    for exercise in catalog.exercises:
        own = catalog.notebook(exercise)
        if path in (catalog.checks(exercise), own, own.with_suffix(".py")):
            return ExerciseFile.from_parent(parent, path=path, catalog=catalog, exercise=exercise)
    return None


def _kind_to_show(item: CheckItem, verdict: Verdict) -> str:
    """The verdict's kind, where a message that was shown before counts as "not run"."""
    report = item.parent.report
    if report.problem is not None and verdict.kind == reports.NOT_RUN:
        first = next(v for v in report.verdicts if v.kind == reports.NOT_RUN)
        return "" if verdict is first else reports.NOT_RUN
    if verdict.kind == reports.MISSING:
        return "" if verdict in report.to_show() else reports.NOT_RUN
    return verdict.kind


def _summarize(report: Report, out: Any) -> None:
    out.write(report.exercise.slug, bold=True, **{look_of_all(report).color: True})
    out.write_line(f": {report.summary()}")
    tasks = report.unwritten_tasks()
    if tasks and not _only_unwritten(report):
        out.write_line(f"  {reports.untouched(report.exercise)}: {', '.join(tasks)}")
    if report.to_show():
        out.write_line(f"  {reports.seed_line(report)}")
    for note in report.notes:
        out.write_line(f"  note: {reports.clean(note)}")
    if step := report.next_step():
        out.write_line(f"  next: {step}", cyan=True)


def _only_unwritten(report: Report) -> bool:
    return report.total == len(report.of(reports.UNWRITTEN)) > 0
