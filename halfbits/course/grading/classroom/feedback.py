"""What each student gets back: one HTML page with every exercise's checks, without the others."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from pathlib import Path

from halfbits.course.checklist import read_checks
from halfbits.course.grading.classroom.journal import Result
from halfbits.course.grading.classroom.submissions import ClassRun, StudentSubmission
from halfbits.course.grading.report import FAILED, MISSING, NOT_RUN, PASSED, clean

PAGE = """<!doctype html><html lang='en'><head><meta charset='utf-8'>
<meta name='viewport' content='width=device-width'><title>Feedback for {name}</title>
<style>:root{{color-scheme:light dark}}
body{{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}}
pre{{white-space:pre-wrap;overflow-wrap:anywhere}}</style></head>
<body><h1>Feedback for {name}</h1>{sections}</body></html>
"""


def write_feedback(found: ClassRun, folder: Path) -> list[Path]:
    """Write `folder`/<student>.html for each student; the paths written."""
    folder.mkdir(parents=True, exist_ok=True)
    students: dict[str, list[tuple[StudentSubmission, Result]]] = defaultdict(list)
    for submitted, result in found.graded:
        students[submitted.student].append((submitted, result))
    paths: list[Path] = []
    for name, graded in students.items():
        sections = "".join(_section(found, submitted, result) for submitted, result in graded)
        path = _free(folder, name, paths)
        path.write_text(PAGE.format(name=_text(name), sections=sections), encoding="utf-8")
        paths.append(path)
    return paths


def _section(found: ClassRun, submitted: StudentSubmission, result: Result) -> str:
    head = f"<h2>{_text(submitted.exercise.title)}</h2>"
    if submitted.path is None:
        return f"{head}<p>Not handed in.</p>"
    claims = {c.name: c.claim for c in read_checks(found.catalog.checks(submitted.exercise))}
    shown: dict[str, str] = {}
    for name, kind, message in result.verdicts:
        judged = kind in (FAILED, MISSING) or (kind == NOT_RUN and not result.problem)
        if judged:
            shown.setdefault(message, claims.get(name, name))
    passed = [claims.get(name, name) for name, kind, _ in result.verdicts if kind == PASSED]
    notes = [*([result.problem] if result.problem else []), *result.notes]
    return (
        f"{head}<p>{_text(result.summary)}</p>"
        + "".join(f"<p>{_text(note)}</p>" for note in notes)
        + "".join(f"<h3>{_text(c)}</h3><pre>{_text(m)}</pre>" for m, c in shown.items())
        + (f"<h3>What holds</h3><ul>{_items(passed)}</ul>" if passed else "")
    )


def _items(texts: list[str]) -> str:
    return "".join(f"<li>{_text(text)}</li>" for text in texts)


def _free(folder: Path, student: str, taken: list[Path]) -> Path:
    """A file name of the student's that every system takes and nobody else has."""
    plain = re.sub(r"[^\w .-]", "_", student).strip(" .") or "student"
    used = {path.name.lower() for path in taken}
    names = [plain, *(f"{plain} {number}" for number in range(2, len(taken) + 3))]
    return folder / next(f"{n}.html" for n in names if f"{n}.html".lower() not in used)


def _text(text: str) -> str:
    return html.escape(clean(text))
