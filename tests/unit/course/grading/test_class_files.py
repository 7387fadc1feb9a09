"""Classes as they arrive: every file is graded or named; nobody reads another student's."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from fake_course import COUNTER, DOUBLE, HALVE, make_course, notebook, with_a_repair, write

from halfbits.course.catalog import Catalog, load_catalog
from halfbits.course.grading.classroom.copies import to_look_at
from halfbits.course.grading.classroom.journal import Journal
from halfbits.course.grading.classroom.names import file_name
from halfbits.course.grading.classroom.report import write_reports
from halfbits.course.grading.classroom.run import grade_class
from halfbits.course.grading.classroom.submissions import (
    NOT_JUDGED,
    ClassRun,
    StudentSubmission,
    find_submissions,
)
from halfbits.course.grading.process import fork_pool
from halfbits.course.grading.process.sandbox import can_confine

SEED = 5
WHOLE = DOUBLE + COUNTER
confining = pytest.mark.skipif(
    not (fork_pool.AVAILABLE and can_confine()), reason="this system gives users no namespaces"
)


@pytest.fixture
def course(tmp_path: Path) -> Catalog:
    return load_catalog(make_course(tmp_path / "course"))


@pytest.fixture
def students(tmp_path: Path) -> Path:
    return tmp_path / "class"


def found(students: Path, course: Catalog) -> tuple[dict[str, StudentSubmission], str]:
    unpacked = students.parent / "unpacked"
    submitted, lines = find_submissions(students, course, (), unpacked)
    return {one.student: one for one in submitted if one.path}, "\n".join(lines)


def run(students: Path, course: Catalog, tmp_path: Path) -> ClassRun:
    submitted, strays = find_submissions(students, course, (), tmp_path / "unpacked")
    graded = grade_class(course, submitted, Journal(tmp_path / "r.jsonl"), SEED, workers=2)
    graded.strays = strays
    return graded


def passed(graded: ClassRun) -> dict[str, int]:
    return {submitted.student: result.passed for submitted, result in graded.graded}


@pytest.mark.parametrize(
    "name",
    [
        *("double.ipynb", "double.ipynb.txt", "double.ipynb.json", "Double.IPYNB", "double (1).py"),
        *("double-Copy1.ipynb", "double-2.ipynb", "double_3.py.txt", "double.ipynb.ipynb"),
        *("hw1/double.ipynb", "exercises/numbers/double.ipynb", "a/b/c/d/double.ipynb"),
    ],
)
def test_file_is_found_at_any_depth_and_under_any_usual_name(
    students: Path, course: Catalog, name: str
) -> None:
    code = WHOLE if ".py" in name else notebook(DOUBLE, COUNTER)
    path = write(students / "ada" / name, code)
    submitted, lines = found(students, course)
    assert (submitted["ada"].path, lines) == (path, "")
    read = submitted["ada"].read()
    assert "def double" in "".join(cell.source for cell in getattr(read, "cells", ()))


def test_number_that_belongs_to_an_exercise_is_no_attempt() -> None:
    assert file_name("part_2-3.ipynb", {"part_2"}).attempt == 3
    assert file_name("part_2.ipynb", {"part_2"}).stem == "part_2"


def test_canvas_export_keeps_late_marks_and_grades_the_last_attempt(
    students: Path, course: Catalog
) -> None:
    for name in ("123_456_double.ipynb", "LATE_123_789_double-1.ipynb"):
        write(students / f"lovelaceada_{name}", notebook(DOUBLE))
    write(students / "boole_124_457_essay.pdf", "")
    submitted, lines = found(students, course)
    assert [one.name for one in [submitted["lovelaceada"].path] if one] == [
        "lovelaceada_LATE_123_789_double-1.ipynb"
    ]
    notes = " ".join(submitted["lovelaceada"].notes)
    assert "It came late." in notes
    assert "it wins over lovelaceada_123_456_double.ipynb" in notes
    assert "boole_124_457_essay.pdf was left out" in lines


def test_moodle_nbgrader_and_clones_are_understood(students: Path, course: Catalog) -> None:
    write(students / "Ada L_77_assignsubmission_file_" / "double.ipynb", notebook(DOUBLE))
    write(students / "Bo_78_assignsubmission_file_double.py", WHOLE)
    clone = students / "course-cyd"
    make_course(clone)
    write(clone / "exercises" / "numbers" / "double.ipynb", notebook(DOUBLE))
    submitted, lines = found(students, course)
    assert set(submitted) == {"Ada L", "Bo", "course-cyd"}
    assert submitted["course-cyd"].path == clone / "exercises" / "numbers" / "double.ipynb"
    assert "solutions/numbers/double.ipynb was left out" in lines
    write(students.parent / "nb" / "submitted" / "eve" / "ps1" / "double.ipynb", notebook(DOUBLE))
    write(students.parent / "nb" / "source" / "ps1" / "double.ipynb", notebook(DOUBLE))
    assert set(found(students.parent / "nb", course)[0]) == {"eve"}


def test_archives_are_opened_and_bad_ones_named(students: Path, course: Catalog) -> None:
    students.mkdir()
    for student, member in (("di", "hw/double.py"), ("mallory", "../../double.py")):
        with zipfile.ZipFile(students / f"{student}.zip", "w") as file:
            file.writestr(member, WHOLE)
    (students / "tara").mkdir()
    with tarfile.open(students / "tara" / "all.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("double.py")
        info.size = len(WHOLE)
        tar.addfile(info, io.BytesIO(WHOLE.encode()))
        link = tarfile.TarInfo("halve.py")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    write(students / "rar" / "double.rar", "Rar!")
    write(students / "bad" / "double.zip", "not a zip")
    submitted, lines = found(students, course)
    assert set(submitted) == {"di", "tara"}
    assert "mallory/mallory.zip was left out: its member ../../double.py leads out of it." in lines
    assert "rar/double.rar was left out: archives of this kind are not opened." in lines
    assert "bad/double.zip was left out" in lines
    assert not (students.parent / "double.py").exists()


def test_links_are_refused_and_named(students: Path, course: Catalog) -> None:
    solution = course.root / "solutions" / "numbers" / "double.ipynb"
    mate = write(students / "ada" / "double.py", WHOLE)
    (students / "bob").mkdir()
    (students / "bob" / "double.ipynb").symlink_to(solution)
    (students / "cyd").mkdir()
    (students / "cyd" / "double.py").symlink_to(mate)
    (students / "dan").symlink_to(students / "ada")
    submitted, lines = found(students, course)
    assert set(submitted) == {"ada"}
    for name in ("bob/double.ipynb", "cyd/double.py", "dan"):
        assert f"{name} was left out: it is a link to" in lines


def test_every_file_and_student_is_accounted_for(students: Path, course: Catalog) -> None:
    names = ["double.ipynb", "notes.md", "helper.py", "dobule.ipynb", "data/x.csv", "old/double.py"]
    for name in names:
        write(students / "ada" / name, notebook(DOUBLE) if "ipynb" in name else WHOLE)
    (students / "bob").mkdir()
    submitted, lines = find_submissions(students, course)
    told = "\n".join(
        [*lines, *(str(one.path) for one in submitted), *(n for h in submitted for n in h.notes)]
    )
    assert [name for name in names if name not in told] == []
    assert {one.student for one in submitted} == {"ada", "bob"}


HOSTILE = """
import ctypes, os, shutil
from pathlib import Path
ctypes.CDLL(None).mount(b"none", b"/", None, ctypes.c_ulong(0x1020), None)
targets = [Path(place) for place in {targets!r}]
def attack(what, path):
    try:
        what(path)
    except OSError:
        pass
for path in targets:
    attack(lambda path: path.write_text("def double(x): return 2 * x"), path)
    attack(lambda path: path.chmod(0o777), path)
    attack(lambda path: os.utime(path, (0, 0)), path)
    attack(lambda path: path.with_name("planted.py").write_text("planted = 1"), path)
    attack(lambda path: path.rename(path.with_suffix(".gone")), path)
    attack(lambda path: path.unlink(), path)
    attack(lambda path: shutil.rmtree(path.parent), path)
"""


def content(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Every file's bytes, mode and time."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        str(path): (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns)
        for path in files
        if "__pycache__" not in path.parts
    }


@confining
def test_hostile_answer_changes_no_file_of_the_course_or_of_the_class(
    students: Path, course: Catalog, tmp_path: Path
) -> None:
    """Its own notebook, the checks, other exercises, solutions, and what a classmate sent."""
    solution = course.root / "solutions" / "numbers" / "double.ipynb"
    write(solution, notebook(DOUBLE))
    own, ada = students / "mal" / "double.py", write(students / "ada" / "double.py", WHOLE)
    of_course = [path for path in course.root.rglob("*") if path.is_file()]
    targets = [str(path) for path in (own, ada, solution, *of_course)]
    write(own, WHOLE + HOSTILE.format(targets=targets))
    write(students / "zoe" / "double.py", WHOLE)
    before = content(course.root) | content(students)
    graded = run(students, course, tmp_path)
    assert content(course.root) | content(students) == before
    assert passed(graded) == {"ada": 3, "mal": 3, "zoe": 3}


@confining
def test_answer_cannot_read_a_classmates_file_but_its_own_modules(
    students: Path, course: Catalog, tmp_path: Path
) -> None:
    write(students / "ada" / "double.py", WHOLE)
    write(students / "ada" / "beside.py", "factor = 2")
    own = "from beside import factor\ndef double(x):\n    return factor * x\n"
    write(students / "eve" / "double.py", own + COUNTER)
    write(students / "eve" / "beside.py", "factor = 2")
    steals = f"exec(open({str(students / 'ada' / 'double.py')!r}).read())"
    write(students / "mal" / "double.py", steals)
    write(students / "nat" / "double.py", "exec(open('../class/ada/double.py').read())")
    with zipfile.ZipFile(students / "zoe.zip", "w") as file:
        file.writestr("double.py", own + COUNTER)
        file.writestr("beside.py", "factor = 2")
    graded = run(students, course, tmp_path)
    assert passed(graded) == {"ada": 3, "eve": 3, "mal": 0, "nat": 0, "zoe": 3}


def test_copies_of_classmates_and_solutions_are_shown(
    students: Path, course: Catalog, tmp_path: Path
) -> None:
    own = "def double(n):\n    return 2 * n  # {}\n"
    write(students / "ada" / "double.py", own.format("mine"))
    write(students / "bob" / "double.py", own.format("mine too"))
    write(students / "cyd" / "double.py", "def double(n):\n    return n * 2\n")
    write(students / "dan" / "double.py", WHOLE)
    write(students / "eve" / "double.py", "exec(open('../ada/double.py').read())")
    graded = run(students, course, tmp_path)
    said = {submitted.student: text for submitted, text in to_look_at(course, graded.graded)}
    assert said == {
        "ada": "has the same functions as bob",
        "bob": "has the same functions as ada",
        "dan": "has the functions of the solution",
        "eve": "names ../ada/double.py",
    }


def test_students_who_mended_the_same_line_are_no_copies(
    students: Path, course: Catalog, tmp_path: Path
) -> None:
    course = load_catalog(with_a_repair(course.root))
    for student in ("ada", "bob"):
        write(students / student / "halve.py", HALVE)
    graded = run(students, course, tmp_path)
    assert passed(graded) == {"ada": 1, "bob": 1}
    assert to_look_at(course, graded.graded) == []


@pytest.mark.skipif(not fork_pool.AVAILABLE, reason="signals are POSIX")
def test_process_killed_from_outside_is_no_verdict(
    students: Path, course: Catalog, tmp_path: Path
) -> None:
    """Each run counts itself in a file of its own folder's mount, which only the test can read."""
    kills = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    write(students / "ada" / "double.py", WHOLE)
    write(students / "bob" / "double.py", kills)
    write(students / "cyd" / "double.py", "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)")
    graded = run(students, course, tmp_path)
    problems = {submitted.student: result.problem for submitted, result in graded.graded}
    assert problems["ada"] is None
    assert problems["bob"] == f"double: {NOT_JUDGED}."
    assert "SIGSEGV" in str(problems["cyd"])
    page, _, grades, _ = write_reports(graded, tmp_path / "report.html")
    assert '<td class="problem">not judged</td>' in page.read_text("utf-8")
    bob = next(row for row in grades.read_text("utf-8-sig").splitlines() if ",bob," in row)
    assert bob.endswith(",,0.0,,3.0"), "neither a point nor a zero"


def test_reports_open_in_spreadsheets_and_each_student_has_a_page(
    students: Path, course: Catalog, tmp_path: Path
) -> None:
    write(students / "=HYPERLINK(1)" / "double.py", WHOLE)
    write(students / "Zoë" / "double.py", "def double(x):\n    return x\n")
    write(students / "zoë" / "double.py", WHOLE)
    page, long, grades, feedback = write_reports(
        run(students, course, tmp_path), tmp_path / "report.html"
    )
    for path in (long, grades):
        assert path.read_bytes().startswith(b"\xef\xbb\xbf")
        assert "Zoë" in path.read_text("utf-8-sig")
        assert "'=HYPERLINK(1)" in path.read_text("utf-8-sig")
    text = page.read_text("utf-8")
    assert text.index("<h2>Students</h2>") < text.index("<h2>Twice as much</h2>")
    pages = sorted(feedback.iterdir())
    assert len(pages) == 3
    own = next(p for p in pages if p.name.startswith("Zoë")).read_text("utf-8")
    assert "Every number is doubled." in own and "HYPERLINK" not in own
