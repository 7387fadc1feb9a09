"""Whether code is still the code that made something: one hash over whole packages.

Modules are named as Python names them and never by patterns of file names, so a module that is
split, renamed or added counts by itself, and a name that no longer exists is an error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

LIBRARY = Path(__file__).parents[1]
# What decides a verdict besides an exercise's own checks.
GRADER = (
    "halfbits.course.catalog",
    "halfbits.course.checklist",
    "halfbits.course.checks",
    "halfbits.course.fingerprint",
    "halfbits.course.grading",
    "halfbits.course.notebook",
    "halfbits.course.selection",
    "halfbits.course.sources",
    "halfbits.errors",
    "halfbits.folders",
)
# What makes the book's pages besides its own sources.
BOOK = (
    "halfbits.course.authoring",
    "halfbits.course.catalog",
    "halfbits.course.fingerprint",
    "halfbits.course.interview",
    "halfbits.course.lessons",
    "halfbits.course.mathml",
    "halfbits.course.notebook",
    "halfbits.course.progress",
    "halfbits.course.selection",
    "halfbits.course.sources",
    "halfbits.errors",
    "halfbits.figures",
    "halfbits.folders",
    "halfbits.format_table",
    "halfbits.formats",
    "halfbits.perf",
    "halfbits.quantities",
    "halfbits.selectors",
)
# What writes the list of rules on an exercise's page, besides the exercise's own checks.
RULES = (
    "halfbits.course.checklist",
    "halfbits.course.checks",
    "halfbits.course.rules",
)


def fingerprint(names: tuple[str, ...]) -> str:
    """SHA-256 of every file of these modules and packages, as hex; the files' names count too.

    Raises FileNotFoundError for a name that is neither a module nor a package.
    """
    whole = hashlib.sha256()
    for path in sorted({path for name in names for path in files(name)}):
        whole.update(path.relative_to(LIBRARY).as_posix().encode() + b"\0")
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def files(name: str) -> Iterator[Path]:
    """The file of a module, or every file of a package and of the packages inside it."""
    place = LIBRARY.joinpath(*name.split(".")[1:])
    if not place.is_dir():
        if not place.with_suffix(".py").is_file():
            raise FileNotFoundError(f"{name} is neither a module nor a package of the library")
        yield place.with_suffix(".py")
        return
    for path in place.rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            yield path


def covers(names: tuple[str, ...], module: str) -> bool:
    """Whether `module` is one of the named modules or lies in one of the named packages."""
    return any(module == name or module.startswith(f"{name}.") for name in names)
