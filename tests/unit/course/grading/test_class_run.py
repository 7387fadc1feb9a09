"""A class run on an embedded Dask cluster: nothing is lost, nobody suffers for another's crime."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fake_course import CATALOG, COUNTER, DOUBLE, make_course, notebook, write
from processes import LIMIT, soon

from halfbits.course.catalog import Catalog, load_catalog
from halfbits.course.grading.classroom.journal import NOT_JUDGED, Journal, Result
from halfbits.course.grading.classroom.run import grade_class
from halfbits.course.grading.classroom.submissions import ClassRun, find_submissions
from halfbits.course.grading.process import fork_pool
from halfbits.course.grading.process.sandbox import can_confine
from halfbits.course.grading.runner import grade_answers

linux = pytest.mark.skipif(not fork_pool.AVAILABLE, reason="forking servers are for Linux")
SEED = 11
# Ends the Dask worker: the parent of the forking server that this runs in a child of.
KILLS = """
import os, signal
victim = os.getppid()
for _ in range({steps}):
    with open(f"/proc/{{victim}}/stat") as file:
        victim = int(file.read().rsplit(")", 1)[1].split()[1])
os.kill(victim, signal.SIGKILL)
"""
# Its parent is the forking server, then come the supervisor and the cluster's worker.
KILLS_ITS_SERVER, KILLS_ITS_SUPERVISOR, KILLS_ITS_WORKER = (KILLS.format(steps=n) for n in range(3))
CONNECTS = """
import socket
sock = socket.socket()
try:
    sock.connect(("127.0.0.1", 9))
except ConnectionRefusedError:
    def double(x): return 2 * x
except OSError as error:
    print(error)
"""


@pytest.fixture
def course(tmp_path: Path) -> Catalog:
    root = make_course(tmp_path / "course")
    quick = CATALOG.replace("time_limit = 5", "time_limit = 2")
    write(root / "exercises" / "course.toml", quick)
    return load_catalog(root)


@pytest.fixture
def students(tmp_path: Path) -> Path:
    return tmp_path / "class"


def run(course: Catalog, students: Path, journal: Path, **options: object) -> ClassRun:
    submitted, _ = find_submissions(students, course)
    return grade_class(course, submitted, Journal(journal), SEED, workers=2, **options)  # type: ignore[arg-type]


@pytest.fixture(params=[0, 1000], ids=["on a cluster", "at hand"])
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Graded by a cluster's processes, and by threads of this one."""
    monkeypatch.setattr("halfbits.course.grading.classroom.cluster.FEW", request.param)


@pytest.fixture
def on_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("halfbits.course.grading.classroom.cluster.FEW", 0)


def by_student(found: ClassRun) -> dict[str, Result]:
    return {submitted.student: result for submitted, result in found.graded}


def test_results_equal_grading_one_by_one_and_are_known_the_second_time(
    course: Catalog, students: Path, tmp_path: Path, few: None
) -> None:
    answers = {
        "ada": DOUBLE + COUNTER,
        "bob": "def double(x):\n    return x + 1\n",
        "cyd": "import sys\nsys.exit(3)\n",
        "dan": "while True:\n    pass\n",
        "eve": "def double(x):\n    raise NotImplementedError\n",
        "fay": "",
    }
    for name, code in answers.items():
        write(students / name / "double.py", code)
    heard: list[str] = []
    options = {"arrived": lambda result, number, total: heard.append(result.student)}
    found = run(course, students, tmp_path / "r.jsonl", **options)
    assert sorted(heard) == sorted(answers)
    for submitted, result in found.graded:
        assert submitted.path is not None
        alone = grade_answers(course, submitted.exercise, submitted.path, seed=SEED)
        assert result.problem == alone.problem
        assert result.verdicts == tuple((v.check.name, v.kind, v.message) for v in alone.verdicts)
    again = run(course, students, tmp_path / "r.jsonl", **options)
    assert len(heard) == len(answers), "a known result was graded again"
    assert again.known == len(answers)
    assert by_student(again) == by_student(found)


@linux
def test_submission_that_kills_its_worker_is_named_and_nobody_else_suffers(
    course: Catalog, students: Path, tmp_path: Path, on_a_cluster: None
) -> None:
    for number in range(12):
        write(students / f"s{number:02}" / "double.py", DOUBLE + COUNTER)
    write(students / "s03" / "double.py", KILLS_ITS_WORKER)
    results = by_student(run(course, students, tmp_path / "r.jsonl"))
    assert results["s03"].problem == f"double: {NOT_JUDGED}."
    del results["s03"]
    assert {(result.passed, result.problem) for result in results.values()} == {(3, None)}


@linux
@pytest.mark.parametrize(
    "code", [KILLS_ITS_SERVER, KILLS_ITS_SUPERVISOR], ids=["the forking server", "the supervisor"]
)
def test_submission_that_kills_what_runs_it_harms_only_itself(
    course: Catalog, students: Path, tmp_path: Path, few: None, code: str
) -> None:
    for number in range(4):
        write(students / f"s{number:02}" / "double.py", DOUBLE + COUNTER)
    write(students / "s01" / "double.py", code)
    results = by_student(run(course, students, tmp_path / "r.jsonl"))
    # Its checks may have run to their end before the death was noticed.
    problem = results["s01"].problem
    assert problem in (None, f"double: {NOT_JUDGED}.")
    del results["s01"]
    assert {(result.passed, result.problem) for result in results.values()} == {(3, None)}


def test_submission_that_ended_the_whole_run_twice_is_not_tried_again(
    course: Catalog, students: Path, tmp_path: Path
) -> None:
    write(students / "ada" / "double.py", DOUBLE + COUNTER)
    journal = Journal(tmp_path / "r.jsonl")
    submitted, _ = find_submissions(students, course)
    identity = by_student(grade_class(course, submitted, journal, SEED, workers=1))["ada"].identity
    journal.results.clear()
    journal.tries[identity] = 3
    found = grade_class(course, submitted, journal, SEED, workers=1)
    assert NOT_JUDGED in str(by_student(found)["ada"].problem)


@linux
@pytest.mark.skipif(not can_confine(), reason="this system allows no network namespaces")
def test_submission_reaches_no_network(course: Catalog, students: Path, tmp_path: Path) -> None:
    """Its connection to a closed local port is not refused but impossible."""
    write(students / "ada" / "double.py", CONNECTS)
    result = by_student(run(course, students, tmp_path / "r.jsonl"))["ada"]
    assert result.problem is None
    assert "passed" not in {kind for _, kind, _ in result.verdicts}


@linux
def test_interrupted_command_goes_on_where_it_was(
    course: Catalog, students: Path, tmp_path: Path
) -> None:
    for number in range(40):
        code = f"import time\ntime.sleep(0.2)\n{DOUBLE}{COUNTER}"
        write(students / f"s{number:02}" / "double.ipynb", notebook(code))
    out = tmp_path / "report.html"
    arguments = [
        "-m",
        "halfbits",
        "grade-class",
        str(students),
        "--out",
        str(out),
        "--workers",
        "2",
    ]
    environment = {**os.environ, "HALFBITS_ROOT": str(course.root)}
    first = subprocess.Popen(
        [sys.executable, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    journal = out.with_suffix(".jsonl")
    assert soon(lambda: journal.is_file() and len(Journal(journal).results) >= 5)
    os.killpg(first.pid, signal.SIGINT)  # as Ctrl-C in a terminal does
    told, errors = first.communicate(timeout=LIMIT)
    assert first.returncode == 130, errors.decode()
    assert b"the same command goes on" in told
    assert b"Traceback" not in errors
    kept = Journal(journal).results
    assert 5 <= len(kept) < 40
    second = subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert "40 pass all their checks" in second.stdout
    assert "results were known" in second.stdout
    finished = Journal(journal).results
    assert len(finished) == 40
    assert kept.items() <= finished.items()


def test_missing_folder_and_odd_report_name_are_one_sentence(
    course: Catalog, students: Path, tmp_path: Path
) -> None:
    write(students / "ada" / "double.py", DOUBLE)
    for arguments, says in (
        ([str(tmp_path / "nowhere")], "is no folder"),
        ([str(students), "--out", str(tmp_path / "report.txt")], "--out names the HTML report"),
        ([str(students), "--out", str(tmp_path / "no" / "report.html")], "does not exist"),
        ([str(students), "--exercise", "duoble"], "did you mean numbers/double?"),
    ):
        told = subprocess.run(
            [sys.executable, "-m", "halfbits", "grade-class", *arguments],
            env={**os.environ, "HALFBITS_ROOT": str(course.root)},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert told.returncode == 2
        assert says in told.stderr
        assert len(told.stderr.strip().splitlines()) == 1
