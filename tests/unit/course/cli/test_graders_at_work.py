"""`python -m halfbits grade` as a process: interrupted, two at once, and nowhere to write."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fake_course import COUNTER, DOUBLE, make_course, notebook, write
from processes import is_running, soon

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")


class SmallCourse:
    """A small course with one answer, a data folder and an own folder for temporary files."""

    def __init__(self, root: Path) -> None:
        self.root = make_course(root / "course")
        self.answer = root / "course" / "exercises" / "numbers" / "double.ipynb"
        self.data, self.scratch = root / "data", root / "scratch"
        self.scratch.mkdir()

    def write(self, *cells: str) -> bytes:
        return write(self.answer, notebook(*cells)).read_bytes()

    def start(self, *arguments: str, **changes: str) -> subprocess.Popen[str]:
        names = {"HALFBITS_ROOT": self.root, "HALFBITS_DATA": self.data, "TMPDIR": self.scratch}
        environment = {**os.environ, "HALFBITS_SPARE": "0"} | {k: str(v) for k, v in names.items()}
        return subprocess.Popen(
            [sys.executable, "-m", "halfbits", *(arguments or ("grade", "double"))],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=environment | changes,
            cwd=self.root,
        )


@pytest.fixture
def course(tmp_path: Path) -> SmallCourse:
    return SmallCourse(tmp_path)


def finish(child: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = child.communicate(timeout=120)
    return child.returncode, out, err


@posix
def test_interruption_ends_with_one_line_and_leaves_nothing(
    course: SmallCourse, tmp_path: Path
) -> None:
    tell = tmp_path / "pid"
    loop = f"import os\nopen({str(tell)!r}, 'w').write(str(os.getpid()))\nwhile True: pass"
    before = course.write(DOUBLE, COUNTER, loop)
    child = course.start()
    assert soon(lambda: tell.is_file() and tell.read_text() != "")
    child.send_signal(signal.SIGINT)
    status, out, err = finish(child)
    assert status == 130
    assert (out + err).splitlines() == ["halfbits: stopped."]
    assert course.answer.read_bytes() == before
    assert list(course.scratch.iterdir()) == []
    assert soon(lambda: not is_running(int(tell.read_text())))


def test_two_graders_of_one_file_agree_and_both_are_counted(course: SmallCourse) -> None:
    before = course.write(DOUBLE, COUNTER)
    both = [course.start(), course.start()]
    for status, out, err in map(finish, both):
        assert (status, err) == (0, "")
        assert "3 of 3 checks pass" in out
    assert course.answer.read_bytes() == before
    assert list(course.scratch.iterdir()) == []
    assert '"tries": 2' in (course.data / "progress.json").read_text(encoding="utf-8")


def test_data_folder_that_cannot_be_written_costs_the_record_but_not_the_verdict(
    course: SmallCourse,
) -> None:
    course.write(DOUBLE, COUNTER)
    in_the_way = write(course.root / "in-the-way", "a file, not a folder")
    status, out, err = finish(course.start(HALFBITS_DATA=str(in_the_way)))
    assert status == 0
    assert "3 of 3 checks pass" in out
    assert len(err.splitlines()) == 1 and err.startswith("halfbits: ")
    assert "set HALFBITS_DATA to a folder of yours" in err


def test_record_that_cannot_be_saved_is_one_sentence(course: SmallCourse) -> None:
    course.write(DOUBLE, COUNTER)
    (course.data / "progress.json").mkdir(parents=True)
    for arguments, wanted in ((("grade", "double"), 0), (("progress",), 2)):
        status, _, err = finish(course.start(*arguments))
        assert status == wanted, err
        assert len(err.splitlines()) == 1 and err.startswith("halfbits: ")
        assert "progress.json" in err


def test_temporary_folder_that_is_missing_is_replaced_or_named(course: SmallCourse) -> None:
    before = course.write(DOUBLE, COUNTER)
    status, out, err = finish(course.start(TMPDIR=str(course.root / "missing"), TEMP="", TMP=""))
    assert "Traceback" not in err
    assert status == 0 and "3 of 3 checks pass" in out
    assert course.answer.read_bytes() == before
