"""What a reader did in the book, kept for every browser: lessons, quizzes, mock interviews.

Of each entry the later one counts, and a report of an interview is known by when it began; so two
browsers can send what they have in any order.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from halfbits.course.progress import store
from halfbits.errors import CourseError

Json = dict[str, Any]
NAME = "learned.json"


def kept() -> Json:
    """The entries and the reports; both empty before the first."""
    found = store.read(store.folder() / NAME)
    try:
        return checked(found or {})
    except CourseError:
        store.set_aside(store.folder() / NAME)
        return checked({})


def keep(content: object) -> Json:
    """Merge what a page sent into the file; the file's new content.

    Raises CourseError when `content` is something else.
    """
    path, sent = store.folder() / NAME, checked(content)
    with store.locked(path):
        merged = merge(kept(), sent)
        store.write(path, {"version": 1, **merged})
    return merged


def merge(mine: Json, theirs: Json) -> Json:
    """Of each entry the later, and every report once, oldest first."""
    entries = dict(mine["entries"])
    for name, entry in theirs["entries"].items():
        if name not in entries or moment(entries[name]) < moment(entry):
            entries[name] = entry
    reports = {report["began"]: report for report in [*mine["reports"], *theirs["reports"]]}
    return {"entries": entries, "reports": [reports[began] for began in sorted(reports)]}


def checked(content: Any) -> Json:
    """The two parts of a content. Raises CourseError where they are not as the pages write them."""
    try:
        entries, reports = content.get("entries", {}), content.get("reports", [])
        for entry in entries.values():
            moment(entry)
        if not all(isinstance(report["began"], str) for report in reports):
            raise ValueError("a report without its beginning")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CourseError(f"This is no progress of the book ({error}).") from error
    return {"entries": entries, "reports": reports}


def moment(entry: Json) -> datetime:
    return datetime.fromisoformat(entry["at"].replace("Z", "+00:00"))
