"""The reports of a class run: an HTML page, two CSV files, and a page for each student."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from halfbits.course.catalog import Catalog, Exercise
from halfbits.course.checklist import read_checks
from halfbits.course.grading.classroom.copies import to_look_at
from halfbits.course.grading.classroom.feedback import write_feedback
from halfbits.course.grading.classroom.journal import Result
from halfbits.course.grading.classroom.submissions import NOT_JUDGED, ClassRun, StudentSubmission
from halfbits.course.grading.classroom.tables import checks_rows, nbgrader_rows, write_csv
from halfbits.course.grading.report import FAILED, MISSING, NOT_RUN, PASSED, UNWRITTEN, clean

GradedSubmission = tuple[StudentSubmission, Result]
COMMON = 8
STYLE = """
:root{color-scheme:light dark;--line:#8888;--good:#1c6b40;--bad:#b3261e}
@media (prefers-color-scheme:dark){:root{--good:#6fd09a;--bad:#ff8a80}}
body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;margin:.5rem 0 1.5rem}
caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{border-bottom:1px solid var(--line);padding:.25rem .8rem .25rem 0;text-align:left;
vertical-align:top;overflow-wrap:anywhere}
td.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.3rem 0}
meter{width:8rem}
.all{color:var(--good);font-weight:600}
.problem{color:var(--bad)}
"""


def write_reports(found: ClassRun, out: Path) -> list[Path]:
    """Write the page, and the CSV files and students' pages beside it; the paths written."""
    long, grades = out.with_suffix(".csv"), out.with_name(f"{out.stem}-nbgrader.csv")
    out.write_text(page(found), encoding="utf-8")
    write_csv(long, checks_rows(found))
    write_csv(grades, nbgrader_rows(found))
    feedback = out.with_name(f"{out.stem}-feedback")
    write_feedback(found, feedback)
    return [out, long, grades, feedback]


def page(found: ClassRun) -> str:
    """The whole HTML page; it needs no script and no other file."""
    groups = _by_exercise(found.graded)
    sections = "".join(_exercise(found, key, graded) for key, graded in groups.items())
    strays = "".join(f"<li>{_text(line)}</li>" for line in found.strays)
    left_out = f"<h2>Left out</h2><ul>{strays}</ul>" if strays else ""
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'><title>Class report</title>"
        f"<style>{STYLE}</style></head><body><h1>Class report</h1>"
        f"<p>All students were graded on the same inputs, those of seed {found.seed}: "
        f"<code>HALFBITS_SEED={found.seed}</code> repeats them.</p>"
        f"<h2>Students</h2>{_students(found, groups)}{_to_look_at(found)}"
        f"{_files(found.graded)}{left_out}{sections}</body></html>\n"
    )


def _exercise(found: ClassRun, key: str, graded: list[GradedSubmission]) -> str:
    exercise = found.catalog.find(key)
    there = [result for submitted, result in graded if submitted.path]
    return (
        f"<h2>{_text(exercise.title)}</h2><p>{_text(key)}: {len(there)} of {len(graded)} students "
        f"handed it in.</p>{_checks(found, exercise, there)}{_failures(there)}{_problems(there)}"
    )


def _checks(found: ClassRun, exercise: Exercise, results: list[Result]) -> str:
    kinds: dict[str, list[str]] = defaultdict(list)
    for result in results:
        for name, kind, _ in result.verdicts:
            kinds[name].append(kind)
    rows = []
    for check in read_checks(found.catalog.checks(exercise)):
        seen = kinds[check.name]
        share = seen.count(PASSED) / len(seen) if seen else 0.0
        cells = [seen.count(PASSED), seen.count(FAILED) + seen.count(MISSING)]
        cells += [seen.count(UNWRITTEN), seen.count(NOT_RUN)]
        rows.append(
            f"<tr><th scope='row'>{_text(check.claim)}</th>"
            f"<td>{_text(check.task)}{', hardened' if check.hardened else ''}</td>"
            f"<td class='n'>{share:.0%} <meter value='{share:.3f}'>{share:.0%}</meter></td>"
            + "".join(f"<td class='n'>{count}</td>" for count in cells)
            + "</tr>"
        )
    head = ("Check", "Task", "Pass rate", "Passed", "Failed", "Not written", "Not run")
    return _table("Checks, of what was handed in", head, rows)


def _failures(results: list[Result]) -> str:
    """The commonest failures: the same check with the same words, whatever the numbers."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for result in results:
        for name, kind, message in result.verdicts:
            if kind in (FAILED, MISSING):
                groups[name, re.sub(r"[\d.e+-]+", "#", message)].append(message)
    common = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))[:COMMON]
    rows = [
        f"<tr><td class='n'>{len(messages)}</td><th scope='row'>"
        f"{_text(name.removeprefix('test_'))}</th><td><pre>{_text(messages[0])}</pre></td></tr>"
        for (name, _), messages in common
    ]
    return _table("Common failures", ("Students", "Check", "One message"), rows) if rows else ""


def _problems(results: list[Result]) -> str:
    rows = [
        f"<tr><th scope='row'>{_text(result.student)}</th><td>{_text(result.problem)}</td></tr>"
        for result in results
        if result.problem
    ]
    return _table("Not run to the end", ("Student", "Why"), rows) if rows else ""


def _students(found: ClassRun, groups: dict[str, list[GradedSubmission]]) -> str:
    by_student: dict[str, dict[str, GradedSubmission]] = defaultdict(dict)
    for submitted, result in found.graded:
        by_student[submitted.student][result.exercise] = submitted, result
    rows = []
    for student, cells in by_student.items():
        shown = "".join(_score(found.catalog, *cells[key]) for key in groups)
        passed = sum(result.passed for _, result in cells.values())
        total = sum(result.total for _, result in cells.values())
        head = f"<tr><th scope='row'>{_text(student)}</th>"
        rows.append(f"{head}{shown}<td class='n'>{passed}/{total}</td></tr>")
    slugs = [key.split("/")[1] for key in groups]
    return _table("Checks passed", ("Student", *slugs, "All"), rows)


def _to_look_at(found: ClassRun) -> str:
    """Submissions that reach for the grader, or for an answer that is not theirs."""
    rows = [
        f"<tr><th scope='row'>{_text(submitted.student)}</th>"
        f"<td>{_text(submitted.exercise.key)}</td><td>{_text(said)}</td></tr>"
        for submitted, said in to_look_at(found.catalog, found.graded)
    ]
    if not rows:
        return ""
    head = ("Student", "Exercise", "What it does")
    return "<h2>Worth a look</h2>" + _table("Alike, or reaching for more", head, rows)


def _files(graded: Iterable[GradedSubmission]) -> str:
    """Which file was graded where its name or its place left a choice."""
    rows = [
        f"<tr><th scope='row'>{_text(submitted.student)}</th>"
        f"<td>{_text(submitted.exercise.key)}</td><td>{_text(' '.join(submitted.notes))}</td></tr>"
        for submitted, _ in graded
        if submitted.notes
    ]
    return (
        _table("Files chosen among several", ("Student", "Exercise", "Why"), rows) if rows else ""
    )


def _score(catalog: Catalog, submitted: StudentSubmission, result: Result) -> str:
    if submitted.path is None:
        return "<td>not handed in</td>"
    score = f"{result.passed}/{result.total}"
    if NOT_JUDGED in (result.problem or ""):
        return "<td class='problem'>not judged</td>"
    if result.problem:
        return f"<td class='problem'>{score}, not run to the end</td>"
    if result.passed == result.total:
        return f"<td class='all'>{score}</td>"
    core = {c.name for c in read_checks(catalog.checks(submitted.exercise)) if not c.hardened}
    solved = all(kind == PASSED for name, kind, _ in result.verdicts if name in core)
    return f"<td>{score}{', solved' if solved else ''}</td>"


def _table(caption: str, head: Iterable[str], rows: list[str]) -> str:
    columns = "".join(f"<th scope='col'>{_text(name)}</th>" for name in head)
    return (
        f"<div class='wide'><table><caption>{_text(caption)}</caption>"
        f"<thead><tr>{columns}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _by_exercise(graded: Iterable[GradedSubmission]) -> dict[str, list[GradedSubmission]]:
    groups: dict[str, list[GradedSubmission]] = defaultdict(list)
    for submitted, result in graded:
        groups[result.exercise].append((submitted, result))
    return dict(groups)


def _text(text: str) -> str:
    return html.escape(clean(text))
