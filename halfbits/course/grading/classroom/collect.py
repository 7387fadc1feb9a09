"""The students of a class folder with their files, as learning platforms and git leave them.

A folder per student (Moodle, nbgrader's `submitted/`, clones of the course), one flat folder
(Canvas, Moodle), archives in either. Every file is a candidate or has a line that names it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from halfbits.course.catalog import Catalog
from halfbits.course.grading.classroom.files import CLOSED, is_archive, linked, unpack, walk
from halfbits.course.grading.classroom.names import file_name, upload
from halfbits.errors import CourseError
from halfbits.folders import CATALOG

NAMED = 3  # files that are no exercise's are named one by one up to so many of a student


@dataclass(frozen=True)
class Candidate:
    """One file that may be a student's answer to `slug`; the smallest `rank` is graded."""

    path: Path
    name: str
    slug: str
    kind: str
    rank: tuple[object, ...]
    exact: bool = True
    late: bool = False
    own_folder: bool = True


@dataclass
class Student:
    """One student with all candidates; `shared` are folders that hold others' files as well."""

    name: str
    shared: tuple[Path, ...] = ()
    files: list[Candidate] = field(default_factory=list)


def collect(
    folder: Path, catalog: Catalog, unpacked: Path | None = None
) -> tuple[list[Student], list[str]]:
    """The students by name, and a line for each file that belongs to no exercise. CourseError."""
    found = _Collection(catalog, folder, unpacked)
    inside = folder / "submitted"  # nbgrader's course folder
    found.take_class(inside if inside.is_dir() else folder)
    topics = {exercise.topic for exercise in catalog.exercises}
    if found.students and topics.issuperset(found.students):
        raise CourseError(
            f"{folder} is one person's answers, not a folder per student: "
            f"`python course.py grade --answers {folder}` grades it."
        )
    return sorted(found.students.values(), key=lambda one: one.name), found.lines


class _Collection:
    def __init__(self, catalog: Catalog, folder: Path, unpacked: Path | None) -> None:
        self.topics = {exercise.slug: exercise.topic for exercise in catalog.exercises}
        self.unpacked, self.opened = unpacked, 0
        self.shared = (folder.resolve(), *([unpacked.resolve()] if unpacked else []))
        self.students: dict[str, Student] = {}
        self.lines: list[str] = []

    def take_class(self, top: Path) -> None:
        """Each folder is a student; each file is one that names its student, or a stray."""
        try:
            entries = sorted(top.iterdir())
        except OSError as error:
            reason = error.strerror or error
            raise CourseError(f"The folder {top} cannot be read: {reason}.") from error
        for entry in (e for e in entries if not e.name.startswith((".", "__"))):
            named = upload(entry.name)
            if entry.is_symlink():
                self.lines.append(linked(entry, entry.name))
            elif entry.is_dir():
                self._take_folder(self._student(named.student if named else entry.name), entry)
            elif named:
                student = self._student(named.student)
                self._take(student, entry, named.file, entry.name, late=named.late, own=False)
            elif is_archive(entry):
                self._take(self._student(entry.stem), entry, entry.name, entry.name)
            else:
                self.lines.append(
                    f"{entry.name} was left out: a submission lies in its student's folder."
                )

    def _student(self, name: str) -> Student:
        return self.students.setdefault(name, Student(name, self.shared))

    def _take_folder(self, student: Student, top: Path, shown: str = "") -> None:
        others = []
        for path in walk(top, self.lines):
            inside = path.relative_to(top)
            name = f"{shown}{inside.as_posix()}"
            if not self._take(student, path, path.name, name, inside=inside.parts, top=top):
                others.append(name)
        self._leave_out(student, others)

    def _take(
        self,
        student: Student,
        path: Path,
        file: str,
        name: str,
        *,
        late: bool = False,
        own: bool = True,
        inside: tuple[str, ...] = (),
        top: Path | None = None,
    ) -> bool:
        """Whether `path` is a candidate, or has been accounted for otherwise."""
        if is_archive(path):
            self._open(student, path, name)
            return True
        what = file_name(file, self.topics)
        if what.stem not in self.topics or not what.kind:
            if not own:
                self.lines.append(f"{name} was left out: no exercise has this name.")
            return not own
        if top is not None and _is_reference(top, inside):
            self.lines.append(
                f"{student.name}/{name} was left out: it lies where the course keeps solutions."
            )
            return True
        at_home = inside[-2:-1] == (self.topics[what.stem],)
        rank = (-what.attempt, not at_home, what.kind != ".py", not what.exact, len(inside), name)
        student.files.append(
            Candidate(path, name, what.stem, what.kind, rank, what.exact, late, own)
        )
        return True

    def _open(self, student: Student, path: Path, name: str) -> None:
        reason = "archives of this kind are not opened"
        if path.suffix.lower() not in CLOSED and self.unpacked is not None:
            self.opened += 1
            into = self.unpacked / f"{self.opened:05}"
            reason = unpack(path, into)
            if not reason:
                self._take_folder(student, into, shown=f"{name}: ")
        if reason:
            self.lines.append(f"{student.name}/{name} was left out: {reason}.")

    def _leave_out(self, student: Student, names: Iterable[str]) -> None:
        rest = []
        for name in names:
            what = file_name(Path(name).name, self.topics)
            near = difflib.get_close_matches(what.stem, self.topics, n=1, cutoff=0.8)
            if what.kind and near:
                self.lines.append(
                    f"{student.name}/{name} was left out: is it {near[0]}{what.kind}? "
                    f"Rename it then."
                )
            else:
                rest.append(name)
        if rest:
            more = f" and {len(rest) - NAMED} more" if len(rest) > NAMED else ""
            shown = f"{', '.join(rest[:NAMED])}{more}"
            self.lines.append(f"{student.name}: no exercise has these names: {shown}.")


def _is_reference(top: Path, inside: tuple[str, ...]) -> bool:
    """Whether a file of a clone lies under its solutions/ or tests/."""
    for depth, part in enumerate(inside[:-1]):
        clone = top.joinpath(*inside[:depth])
        if part in ("solutions", "tests") and (clone / CATALOG).is_file():
            return True
    return False
