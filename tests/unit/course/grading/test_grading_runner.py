"""What the grader says about answers that are right, wrong, broken or hostile."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fake_course import (
    BROKEN_HALVE,
    COUNTER,
    DOUBLE,
    make_course,
    notebook,
    with_a_repair,
    write,
)
from processes import is_running, soon

from halfbits.course.catalog import Catalog, load_catalog
from halfbits.course.checks.failure import Failure
from halfbits.course.grading.report import Report, as_text, lines
from halfbits.course.grading.runner import grade_answers

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")


@pytest.fixture
def course(tmp_path: Path) -> Catalog:
    return load_catalog(make_course(tmp_path / "a course mit Umlaut ü"))


def graded(course: Catalog, *cells: str, **options: object) -> Report:
    return grade_answers(course, course.find("double"), list(cells), **options)  # type: ignore[arg-type]


def test_right_answer_passes_all_checks(course: Catalog) -> None:
    report = graded(course, DOUBLE, COUNTER)
    assert (report.passed, report.total, report.problem) == (3, 3, None)
    assert report.all_pass
    assert report.next_step() == ""


def test_failed_check_says_called_expected_got_and_why(course: Catalog) -> None:
    report = graded(course, "def double(x):\n    return x + 1", COUNTER)
    message = report.failures["test_doubles_numbers"]
    assert message.splitlines() == [
        "   called: double(0)",
        " expected: 0",
        "      got: 1, off by 1",
        "      why: 2 + 2 = 4",
    ]
    assert report.next_step() == "python course.py hint double double"


def test_failure_arrives_by_its_fields(course: Catalog) -> None:
    report = graded(course, "def double(x):\n    return '1\\n   called: 2'", COUNTER)
    found = {verdict.check.name: verdict.explanation for verdict in report.verdicts}
    assert found["test_doubles_numbers"] == Failure(
        "double(0)", "one number", "1\n   called: 2", "2 + 2 = 4"
    )


def test_plain_assert_shows_its_line(course: Catalog) -> None:
    report = graded(course, "def double(x):\n    return 2 * x if x != 'ab' else x", COUNTER)
    assert 'answer.double("ab") == "abab"' in report.failures["test_doubles_text"]


def test_raising_answer_is_told_with_cell_and_line(course: Catalog) -> None:
    report = graded(course, COUNTER, "\n\ndef double(x):\n    return x.twice")
    message = report.failures["test_doubles_numbers"]
    assert message.startswith("raised AttributeError: 'int' object has no attribute 'twice'")
    assert "at double.ipynb, cell 2, line 4" in message


def test_stub_counts_as_not_written_yet_even_when_it_is_run(course: Catalog) -> None:
    stub = "def double(x):\n    raise NotImplementedError('double: not written yet (about 1 line)')"
    for skip_stubs in (True, False):
        report = graded(course, stub, COUNTER, skip_stubs=skip_stubs)
        assert report.summary() == "1 of 3 checks pass; 2 not written yet"
        assert report.unwritten_tasks() == ["double"]


def test_untouched_exercise_is_judged_without_starting_a_worker(
    course: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("halfbits.course.grading.process.spawn_pool.Worker", None)
    stubs = "def double(x):\n    raise NotImplementedError\nclass Counter:\n"
    report = graded(course, stubs + "    def add(self):\n        raise NotImplementedError")
    assert report.summary() == "not written yet (3 checks)"


@pytest.mark.parametrize(
    "changed", [BROKEN_HALVE, BROKEN_HALVE + "# it floors\n", f"\n{BROKEN_HALVE}\nprint(halve(3))"]
)
def test_repair_left_as_it_was_is_not_mended_yet(course: Catalog, changed: str) -> None:
    course = load_catalog(with_a_repair(course.root))
    report = grade_answers(course, course.find("halve"), [changed])
    assert report.summary() == "not mended yet (1 check)"
    assert "not mended yet: halve (1 check)" in as_text(report)


@pytest.mark.parametrize(
    "changed",
    [
        BROKEN_HALVE.replace("x // 2", "x // 2.0"),
        BROKEN_HALVE + "old = halve\nhalve = lambda x: old(x)",
        BROKEN_HALVE + "exec('')",
    ],
)
def test_repair_that_may_be_another_program_is_run(course: Catalog, changed: str) -> None:
    course = load_catalog(with_a_repair(course.root))
    report = grade_answers(course, course.find("halve"), [changed])
    assert report.summary() == "0 of 1 check pass"
    assert "expected: 1.5" in report.failures["test_halves"]


def test_solution_of_a_repair_passes_without_a_word_on_the_broken_program(course: Catalog) -> None:
    course = load_catalog(with_a_repair(course.root))
    halve = course.find("halve")
    report = grade_answers(course, halve, course.notebook(halve, "solutions"))
    assert report.all_pass and report.notes == []


def test_returning_none_is_named(course: Catalog) -> None:
    report = graded(course, "def double(x):\n    x + x", COUNTER)
    assert "is a return missing?" in report.failures["test_doubles_numbers"]


def test_renamed_function_is_missed_with_the_nearest_name(course: Catalog) -> None:
    report = graded(course, DOUBLE.replace("double", "doubel"), COUNTER)
    message = report.failures["test_doubles_numbers"]
    assert "defines no double; the nearest name is doubel" in message
    assert report.passed == 1


def test_name_that_is_no_function_is_told(course: Catalog) -> None:
    report = graded(course, DOUBLE, COUNTER, "double = 4")
    assert "double is a value of type int" in report.failures["test_doubles_text"]


def test_broken_scratch_cell_does_not_reject_a_right_answer(course: Catalog) -> None:
    report = graded(course, "1 / 0", DOUBLE, "x = (", COUNTER)
    assert report.all_pass
    assert any("cell 1, line 1: ZeroDivisionError" in note for note in report.notes)
    assert any("cell 3, line 1: SyntaxError" in note for note in report.notes)


def test_syntax_error_in_the_answer_is_told_with_cell_and_line(course: Catalog) -> None:
    report = graded(course, COUNTER, "def double(x):\n    return x +")
    message = report.failures["test_doubles_numbers"]
    assert "defines no double; a cell went wrong before" in message
    assert "cell 2, line 2: SyntaxError" in message


def test_endless_loop_is_ended_and_its_cell_named(course: Catalog) -> None:
    began = time.monotonic()
    deaf = "sum(iter(int, 1))"  # one endless call, which no exception reaches
    report = graded(course, DOUBLE, COUNTER, deaf)
    assert report.problem is not None
    assert "cell 3 was still running after 5 s: an endless loop?" in report.problem
    assert time.monotonic() - began < 60


def test_endless_loop_in_a_check_names_the_check(course: Catalog) -> None:
    deaf = (
        "import signal\nif hasattr(signal, 'pthread_sigmask'):\n"
        "    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})"
    )
    loop = "def double(x):\n    while x == 'ab': pass\n    return 2 * x"
    report = graded(course, deaf, loop, COUNTER)
    assert report.problem is not None
    assert "check test_doubles_text was still running" in report.problem
    assert report.passed == 1


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import sys; sys.exit(0)", "cell 3 called sys.exit(0): remove that call."),
        ("raise SystemExit", "cell 3 called sys.exit(): remove that call."),
        ("import os; os._exit(0)", "cell 3: the process ended early (exit status 0)."),
        ("import os; os.closerange(3, 256)", "cell 3: the process ended early (exit status"),
    ],
)
def test_answer_that_ends_the_process_is_one_message(course: Catalog, code: str, says: str) -> None:
    report = graded(course, DOUBLE, COUNTER, code)
    assert report.problem is not None
    assert says in report.problem
    assert report.passed == 0
    assert set(report.failures.values()) == {report.problem}


def test_exit_inside_a_function_is_the_exercises_problem(course: Catalog) -> None:
    report = graded(course, "import sys\ndef double(x): sys.exit(0)", COUNTER)
    assert report.problem == "check test_doubles_numbers called sys.exit(0): remove that call."


@posix
@pytest.mark.parametrize("number", [signal.SIGSEGV, getattr(signal, "SIGKILL", 9)])
def test_death_by_signal_is_named(course: Catalog, number: signal.Signals) -> None:
    report = graded(course, DOUBLE, COUNTER, f"import os; os.kill(os.getpid(), {int(number)})")
    assert report.problem is not None
    assert f"was ended by signal {int(number)} ({number.name})" in report.problem


def test_forged_verdicts_on_standard_output_are_ignored(course: Catalog) -> None:
    forged = (
        'import os\nfor fd in (1, 2):\n    os.write(fd, b\'{"event": "verdict", "nonce": "", '
        '"name": "test_doubles_numbers", "kind": "passed", "message": ""}\\n\')\nos._exit(0)'
    )
    assert graded(course, COUNTER, forged).passed == 0


@posix
def test_flood_of_the_channel_ends_at_the_time_limit(course: Catalog) -> None:
    flood = (
        "import os, stat\nfor fd in range(3, 64):\n    try:\n        mode = os.fstat(fd).st_mode\n"
        "    except OSError:\n        continue\n    while stat.S_ISFIFO(mode):\n        try:\n"
        "            os.write(fd, b'noise\\n' * 1000)\n        except BaseException: pass"
    )
    report = graded(course, DOUBLE, COUNTER, flood)
    assert report.problem is not None
    assert "was still running after 5 s" in report.problem


@posix
def test_worker_whose_parent_is_gone_ends_by_itself(
    course: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell = tmp_path / "pid"
    loop = f"import os\nopen({str(tell)!r}, 'w').write(str(os.getpid()))\nwhile True: pass"
    write(course.root / "exercises" / "numbers" / "double.ipynb", notebook(loop, DOUBLE, COUNTER))
    monkeypatch.setenv("HALFBITS_ROOT", str(course.root))
    parent = subprocess.Popen([sys.executable, "-m", "halfbits", "grade", "double"])
    assert soon(lambda: tell.is_file() and tell.read_text() != "")
    parent.kill()
    parent.wait()
    assert soon(lambda: not is_running(int(tell.read_text())))


def test_text_that_no_stream_can_write_is_spelled_out(course: Catalog) -> None:
    raising = "def double(x):\n    raise ValueError('\\ud800')"
    report = graded(course, "print('\\ud800')", raising, COUNTER)
    assert report.notes == []
    text = "\n".join(lines(report))
    assert "\\ud800" in text
    assert text.encode("utf-8")


def test_control_characters_of_an_answer_do_not_reach_the_terminal(course: Catalog) -> None:
    report = graded(course, "raise ValueError('\\x1b[2J\\x1b[31mgone')", DOUBLE, COUNTER)
    told = [line for line in lines(report) if "gone" in line]
    assert told and "\x1b" not in told[0]


def test_letters_that_turn_or_break_a_line_do_not_reach_the_terminal(course: Catalog) -> None:
    report = graded(course, "def double(x): raise ValueError('\u202e\u2066\u2028gone')", COUNTER)
    told = [line for line in lines(report) if "gone" in line]
    assert told and not {"\u202e", "\u2066", "\u2028"} & set(told[0])


def test_answer_prints_any_letter_whatever_the_terminal_can_show(
    course: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    report = graded(course, "print('\u6570\u503c')", DOUBLE, COUNTER)
    assert report.notes == []


def test_reading_input_ends_at_once(course: Catalog) -> None:
    report = graded(course, "name = input('your name? ')", DOUBLE, COUNTER, "breakpoint()")
    assert report.all_pass
    assert any("EOFError" in note for note in report.notes)


def test_a_flood_of_output_does_no_harm(course: Catalog) -> None:
    assert graded(course, "for _ in range(50): print('x' * 10**6)", DOUBLE, COUNTER).all_pass


def test_magics_are_understood_and_lines_keep_their_numbers(course: Catalog) -> None:
    cell = (
        "%matplotlib inline\n!ls \\\n  -l\n%time w = 5\nlen?\nassert w == 5\n"
        "def double(x):\n    return x.gone"
    )
    report = graded(course, COUNTER, cell)
    assert "cell 2, line 8" in report.failures["test_doubles_numbers"]
    assert "shell lines (!) were not run" in report.notes


def test_timed_cell_keeps_its_body_and_bash_cell_is_named(course: Catalog, tmp_path: Path) -> None:
    spoiled = tmp_path / "spoiled"
    report = graded(course, "%%time\n" + DOUBLE, COUNTER, f"%%bash\ntouch '{spoiled}'")
    assert report.all_pass
    assert "double.ipynb, cell 3 was left out: it is a %%bash cell" in report.notes
    assert not spoiled.exists()


def test_shell_lines_are_never_run(course: Catalog, tmp_path: Path) -> None:
    spoiled = tmp_path / "spoiled"
    graded(course, DOUBLE, COUNTER, f"!touch '{spoiled}'\nfound = !touch '{spoiled}'")
    assert not spoiled.exists()


def test_top_level_await_works(course: Catalog) -> None:
    cell = "import asyncio\nasync def two(): return 2\nfactor = await two()\n"
    assert graded(course, cell + "def double(x): return factor * x", COUNTER).all_pass


def test_cells_run_in_a_scratch_folder_that_is_removed(course: Catalog, tmp_path: Path) -> None:
    tell = tmp_path / "where"
    cell = f"import os, pathlib\npathlib.Path({str(tell)!r}).write_text(os.getcwd())\n"
    assert graded(course, cell + "open('left', 'w').write('x')", DOUBLE, COUNTER).all_pass
    assert not Path(tell.read_text()).exists()


def test_later_definition_wins(course: Catalog) -> None:
    assert graded(course, "def double(x): return 0", DOUBLE, COUNTER).all_pass


def test_changed_global_state_fails_the_check(course: Catalog) -> None:
    cell = "import numpy\ndef double(x):\n    numpy.seterr(all='raise')\n    return 2 * x"
    message = graded(course, cell, COUNTER).failures["test_doubles_numbers"]
    assert "numpy's error state" in message


def test_state_that_a_cell_changes_does_not_reach_the_checks(course: Catalog) -> None:
    cell = "import warnings, numpy, os\nwarnings.simplefilter('error')\nnumpy.seterr(all='raise')"
    assert graded(course, cell + "\nos.chdir('/')", DOUBLE, COUNTER).all_pass


def test_seed_is_fresh_unless_the_environment_fixes_it(
    course: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = graded(course, DOUBLE).seed, graded(course, DOUBLE).seed
    assert first != second
    monkeypatch.setenv("HALFBITS_SEED", "17")
    assert graded(course, DOUBLE).seed == 17


def test_named_checks_alone_are_run(course: Catalog) -> None:
    report = graded(course, DOUBLE, checks=["test_doubles_text"])
    assert (report.passed, report.total) == (1, 1)


def test_optimized_python_does_not_drop_the_asserts(
    course: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    assert "test_doubles_text" in graded(course, "def double(x): return x and x * 3").failures


def test_sibling_file_cannot_hide_a_package_but_can_be_imported(course: Catalog) -> None:
    folder = course.root / "exercises" / "numbers"
    write(folder / "json.py", "raise RuntimeError")
    write(folder / "beside.py", "factor = 2")
    path = write(
        folder / "double.ipynb",
        notebook(
            "import json\nfrom beside import factor\ndef double(x): return factor * x", COUNTER
        ),
    )
    assert grade_answers(course, course.find("double"), path).all_pass


@posix
def test_children_of_the_answer_are_ended_with_it(course: Catalog, tmp_path: Path) -> None:
    tell = tmp_path / "pid"
    cell = f"import subprocess\nchild = subprocess.Popen(['sleep', '600'])\nopen({str(tell)!r},'w')"
    graded(course, DOUBLE, COUNTER, cell + ".write(str(child.pid))")
    pid = int(tell.read_text())
    assert soon(lambda: not is_running(pid)), f"process {pid} outlived its answer"
