"""What an answer cannot reach, and what is left of it: nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_course import COUNTER, DOUBLE, make_course
from processes import is_running, soon

from halfbits.course.catalog import Catalog, load_catalog
from halfbits.course.grading.process import descendants, fork_pool
from halfbits.course.grading.process.fork_pool import ForkPool
from halfbits.course.grading.process.sandbox import can_confine
from halfbits.course.grading.process.spawn_pool import POOL
from halfbits.course.grading.report import Report
from halfbits.course.grading.runner import grade_answers

linux = pytest.mark.skipif(not descendants.AVAILABLE, reason="complete on Linux only")
confining = pytest.mark.skipif(
    not (fork_pool.AVAILABLE and can_confine()), reason="this system gives users no namespaces"
)
DAEMON = """
import os, subprocess, sys
child = subprocess.Popen(["sleep", "300"], start_new_session=True)
open({tell!r}, "w").write(str(child.pid))
"""
TWICE_FORKED = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open({tell!r}, "w").write(str(os.getpid()))
        time.sleep(300)
    os._exit(0)
time.sleep(0.3)
"""


@pytest.fixture
def course(tmp_path: Path) -> Catalog:
    return load_catalog(make_course(tmp_path))


def graded(course: Catalog, *cells: str, workers: object = POOL) -> Report:
    whole = [DOUBLE, COUNTER, *cells]
    return grade_answers(course, course.find("double"), whole, workers=workers)  # type: ignore[arg-type]


@linux
@pytest.mark.parametrize("code", [DAEMON, TWICE_FORKED], ids=["own session", "forked twice"])
def test_daemon_of_an_answer_does_not_outlive_it(
    course: Catalog, tmp_path: Path, code: str
) -> None:
    tell = tmp_path / "pid"
    assert graded(course, code.format(tell=str(tell))).all_pass
    pid = int(tell.read_text(encoding="utf-8"))
    assert soon(lambda: not is_running(pid)), f"process {pid} outlived its answer"


@linux
def test_daemon_in_a_class_is_ended_before_the_next_answer(course: Catalog) -> None:
    before = set(descendants.of(os.getpid()))
    workers = ForkPool()
    tell = "import os\nprint(os.getpid())"
    try:
        for code in (DAEMON, TWICE_FORKED):
            graded(course, code.format(tell="pid"), workers=workers)
        assert graded(course, tell, workers=workers).all_pass
        alive = set(descendants.of(os.getpid())) - before
        assert len(alive) == 2, "supervisor and server alone remain"
    finally:
        workers.close()


HARM = """
from pathlib import Path
exercises = Path({root!r}) / "exercises" / "numbers"
for name in {names}:
    (exercises / name).write_text("changed")
"""


def harm(course: Catalog, *names: str) -> str:
    return HARM.format(root=str(course.root), names=names)


def test_answer_that_changes_other_files_is_told_on(course: Catalog) -> None:
    """Its own notebook, the checks of its exercise, another exercise, and files that it adds."""
    names = ("double.ipynb", "test_double.py", "halve.ipynb", "new.py")
    for name in names[:3]:
        (course.root / "exercises" / "numbers" / name).touch()
    (note,) = graded(course, harm(course, *names)).notes
    said = note.split(": ")[0].removeprefix("while it was graded, ").split(", ")
    assert said == [
        "numbers/double.ipynb was changed",
        "numbers/halve.ipynb was changed",
        "numbers/new.py was added",
        "numbers/test_double.py was changed",
    ]


def test_removed_file_is_named_and_the_list_is_short(course: Catalog) -> None:
    removes = f"{harm(course)}\n(exercises / 'test_halve.py').unlink()"
    (note,) = graded(course, removes).notes
    assert "numbers/test_halve.py was removed" in note
    (note,) = graded(course, harm(course, *(f"{n}.py" for n in range(8)))).notes
    assert note.count("was added") == 5 and "and 3 more" in note


@linux
def test_file_whose_size_and_time_are_set_back_is_named_all_the_same(course: Catalog) -> None:
    hides = """
import os
checks = exercises / "test_double.py"
was, text = os.stat(checks), checks.read_text()
checks.write_text(text.swapcase())
os.utime(checks, ns=(was.st_atime_ns, was.st_mtime_ns))
assert os.stat(checks).st_size == was.st_size
"""
    (note,) = graded(course, harm(course) + hides).notes
    assert "numbers/test_double.py was changed" in note


def test_answer_that_changes_nothing_gets_no_note(course: Catalog) -> None:
    assert graded(course, "open('scratch.txt', 'w').write('mine')").notes == []


@linux
def test_answer_that_starts_processes_without_end_is_ended(course: Catalog) -> None:
    bomb = "import os, time\nfor _ in range(300):\n    if os.fork() == 0:\n        time.sleep(600)"
    report = graded(course, bomb + "\ntime.sleep(600)")
    assert report.problem == "double.ipynb, cell 3: the process started more than 64 processes."


@linux
def test_nothing_is_left_when_the_grader_itself_is_killed(course: Catalog, tmp_path: Path) -> None:
    tell = tmp_path / "started"
    cell = f"import os, time; open({str(tell)!r}, 'w').write(os.getcwd()); time.sleep(300)"
    script = (
        "import sys\nfrom pathlib import Path\nfrom halfbits.course.catalog import load_catalog\n"
        "from halfbits.course.grading.runner import grade_answers\n"
        f"course = load_catalog(Path({str(course.root)!r}))\n"
        f"grade_answers(course, course.find('double'), [{DOUBLE!r}, {cell!r}])"
    )
    grader = subprocess.Popen([sys.executable, "-c", script])
    assert soon(lambda: tell.exists() and bool(tell.read_text(encoding="utf-8")))
    started = descendants.of(grader.pid)
    grader.send_signal(signal.SIGKILL)
    grader.wait()
    scratch = Path(tell.read_text(encoding="utf-8"))
    assert scratch.parent == Path(tempfile.gettempdir())
    assert soon(lambda: not scratch.exists()), f"{scratch} was left"
    assert started
    assert soon(lambda: not any(is_running(pid) for pid in started))


@confining
@pytest.mark.parametrize("source", [lambda: POOL, ForkPool], ids=["alone", "in a class"])
def test_answer_has_no_network(course: Catalog, source: Callable[[], object]) -> None:
    workers = source()
    code = (
        "import os\nnames = sorted(os.listdir('/sys/class/net')) if False else "
        "[line.split(':')[0].strip() for line in open('/proc/net/dev') if ':' in line]\n"
        "assert names == ['lo'], names\nimport socket\ntry:\n"
        "    socket.create_connection(('192.0.2.1', 80), 1)\nexcept OSError as error:\n"
        "    assert error.errno == 101, error\nelse:\n    raise SystemExit"
    )
    report = graded(course, code, workers=workers)
    if isinstance(workers, ForkPool):
        workers.close()
    assert (report.all_pass, report.notes) == (True, [])


@confining
def test_answer_in_a_class_writes_to_its_scratch_folder_alone(
    course: Catalog, tmp_path: Path
) -> None:
    workers, other = ForkPool(), tmp_path / "another student.ipynb"
    other.write_text("theirs", encoding="utf-8")
    code = (
        "import tempfile\nopen('mine', 'w').write('x')\ntempfile.NamedTemporaryFile().write(b'x')\n"
        f"for path in ({str(other)!r}, '/dev/shm/x', {str(course.root / 'x')!r}):\n    try:\n"
        "        open(path, 'w').write('gone')\n    except OSError as error:\n"
        "        assert error.errno == 30, error"
    )
    try:
        report = graded(course, code, workers=workers)
    finally:
        workers.close()
    assert (report.all_pass, report.notes) == (True, [])
    assert other.read_text(encoding="utf-8") == "theirs"
    assert not list(course.root.glob("x"))


MOUNTS = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
class Attributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "user")]
def writable():
    done = libc.mount(b"none", b"/", None, ctypes.c_ulong(0x1020), None)  # not read-only
    clear = Attributes(0, 1, 0, 0)
    return done == 0 or libc.syscall(442, -100, b"/", 0, ctypes.byref(clear), 32) == 0
def namespace():
    libc.unshare(0x10020000)  # of users and of mounts: every right, in that one
    return writable()
def unmounted():
    return libc.umount2({solutions!r}.encode(), 2) == 0
def parents():
    return bool(os.listdir(f"/proc/{{os.getppid()}}/root"))
done = {way}()
assert not done, "it did"
"""


@confining
@pytest.mark.parametrize("way", ["writable", "namespace", "unmounted", "parents"])
def test_answer_in_a_class_has_no_right_to_change_what_it_sees(
    course: Catalog, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Nor to see through the eyes of the process that started it."""
    monkeypatch.setenv("HALFBITS_ROOT", str(course.root))
    solutions = course.root / "solutions"
    solutions.mkdir(exist_ok=True)
    workers, code = ForkPool(), MOUNTS.format(solutions=str(solutions), way=way)
    allowed = "try:\n    " + code.strip().replace("\n", "\n    ")
    try:
        report = graded(course, f"{allowed}\nexcept PermissionError:\n    pass", workers=workers)
    finally:
        workers.close()
    assert (report.all_pass, report.notes) == (True, [])


@confining
def test_answer_in_a_class_finds_no_solutions(
    course: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HALFBITS_ROOT", str(course.root))
    there = course.root / "solutions" / "numbers" / "double.ipynb"
    there.parent.mkdir(parents=True, exist_ok=True)
    there.write_text("{}", encoding="utf-8")
    workers = ForkPool()
    code = f"import os\nassert not os.listdir({str(course.root / 'solutions')!r})"
    try:
        report = graded(course, code, workers=workers)
    finally:
        workers.close()
    assert (report.all_pass, report.notes) == (True, [])


@confining
def test_framework_has_a_temporary_folder_while_it_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As TensorFlow wants it."""
    writing = "import tempfile\ntempfile.NamedTemporaryFile().write(b'x')\n"
    (tmp_path / "a_framework.py").write_text(writing, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    workers = ForkPool()
    try:
        assert workers.take(("a_framework",)).ready() == ""
    finally:
        workers.close()
