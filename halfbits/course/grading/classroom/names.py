"""What the name of a handed-in file tells: the student, the exercise, the attempt, a late mark.

Canvas puts all files into one folder as `<student>[_LATE]_<user>_<submission>_<file>` and adds
`-<n>` to the n-th attempt; Moodle writes `<name>_<number>_assignsubmission_file_` before the file
or as the folder's name; browsers add ` (1)`, Jupyter `-Copy1`; mail programs add `.txt`.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from pathlib import PurePath

CANVAS = re.compile(r"(?P<student>[^_]+)_(?P<late>late_)?\d+_\d+_(?P<file>.+)", re.I)
MOODLE = re.compile(r"(?P<student>.+?)_\d+_assignsubmission_[a-z]+_?(?P<file>.*)", re.I)
ATTEMPT = re.compile(r"(?:-copy|[-_ ]v| \(|-|_)(?P<number>\d+)\)?$|(?P<copy>[-_ ]copy)$", re.I)
KINDS = (".ipynb", ".py")
ADDED = (".txt", ".json", ".html", *KINDS)


@dataclass(frozen=True)
class FileName:
    """`stem` in small letters with `_`, without attempt; `kind` is .ipynb, .py or "" for others."""

    stem: str
    kind: str
    attempt: int = 0
    exact: bool = True


@dataclass(frozen=True)
class Upload:
    """One file of a flat export: whose it is, what it was called, whether it came late."""

    student: str
    file: str
    late: bool = False


def file_name(name: str, known: Container[str] = ()) -> FileName:
    """What `name` is, whatever was added to it: "Double-2.ipynb.txt" is the notebook double.

    A number at the end is an attempt, unless the whole stem is one of the `known` ones.
    """
    stem, kind = name, ""
    while (suffix := PurePath(stem).suffix.lower()) in ADDED:
        kind = suffix if suffix in KINDS else kind
        stem = stem[: -len(suffix)]
    number = 0
    while _plain(stem) not in known and (found := ATTEMPT.search(stem)):
        number = max(number, int(found["number"] or 1))
        stem = stem[: found.start()]
    plain = _plain(stem)
    return FileName(plain, kind, number, exact=name == f"{plain}{kind}")


def _plain(stem: str) -> str:
    return re.sub(r"[-\s]+", "_", stem.lower())


def upload(name: str) -> Upload | None:
    """The student and file of a Canvas or Moodle name, None for another name."""
    if found := MOODLE.fullmatch(name):
        return Upload(found["student"].strip(), found["file"])
    if found := CANVAS.fullmatch(name):
        return Upload(found["student"], found["file"], bool(found["late"]))
    return None
