"""`watch`: which saves are graded, how it looks at any width, and one whole run in a terminal."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_course import COUNTER, DOUBLE, HALVE, make_course, notebook, write
from processes import left_since, soon
from rich.console import Console

from halfbits.course.catalog import Catalog, load_catalog
from halfbits.course.grading.watch.run import act
from halfbits.course.grading.watch.saves import Saves, exercise_of, follow
from halfbits.course.grading.watch.screen import Screen
from halfbits.course.grading.watch.session import WatchSession
from halfbits.course.progress.progress import read_progress

LONG = 60.0  # a busy machine starts a worker slowly
STUB = "def double(x):\n    raise NotImplementedError('double: not written yet')\n"
WRONG = "def double(x):\n    return 3 * x\n"
CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r")


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    monkeypatch.setenv("HALFBITS_DATA", str(tmp_path / "data"))
    root = make_course(tmp_path / "course")
    save(root, "double", STUB, COUNTER)
    save(root, "halve", HALVE)
    return load_catalog(root)


def save(root: Path, slug: str, *cells: str) -> Path:
    return write(root / "exercises" / "numbers" / f"{slug}.ipynb", notebook(*cells))


@pytest.fixture
def session(course: Catalog) -> Iterator[WatchSession]:
    session = WatchSession(course, course.find("double"))
    yield session
    session.close()


def graded(session: WatchSession, slug: str, *cells: str) -> None:
    """Save `cells`, and grade them in this thread."""
    save(session.catalog.root, slug, *cells)
    session.saved(session.catalog.find(slug), time.time())
    session._grade(*session._saves.take())


def screen_of(session: WatchSession, width: int, height: int = 50) -> str:
    shown = io.StringIO()
    Console(file=shown, width=width, height=height, force_terminal=False).print(Screen(session))
    return shown.getvalue()


def test_several_saves_of_one_exercise_are_one(course: Catalog) -> None:
    double, halve = course.exercises
    saves = Saves()
    for moment, exercise in enumerate([double, halve, double]):
        saves.put(exercise, moment)
    assert [saves.take(), saves.take()] == [(double, 2), (halve, 1)]
    saves.close()
    assert saves.take() is None


@pytest.mark.parametrize(
    ("name", "is_answer"),
    [
        ("numbers/double.ipynb", True),
        ("numbers/double.py", True),
        ("numbers/test_double.py", False),
        ("numbers/.ipynb_checkpoints/double-checkpoint.ipynb", False),
        ("numbers/.ipynb_checkpoints/double.ipynb", False),
        ("numbers/.~double.ipynb", False),
        ("numbers/double.ipynb~", False),
        ("numbers/double.ipynb.tmp", False),
        ("numbers/notes.ipynb", False),
        ("double.ipynb", False),
    ],
)
def test_only_answers_are_graded(course: Catalog, name: str, is_answer: bool) -> None:
    folder = course.root / "exercises"
    assert (exercise_of(course, folder, str(folder / name)) is not None) == is_answer


@pytest.mark.parametrize("way", ["in place", "by a rename", "as a script"])
def test_every_way_of_saving_is_noticed(course: Catalog, way: str) -> None:
    seen, stop = [], threading.Event()
    folder = course.root / "exercises"
    thread = threading.Thread(
        target=follow, args=(course, folder, lambda *save: seen.append(save), stop)
    )
    thread.start()
    target = folder / "numbers" / ("double.py" if way == "as a script" else "double.ipynb")

    def save_once() -> bool:
        if way == "by a rename":
            write(target.with_name(".~double.ipynb"), notebook(DOUBLE)).replace(target)
        else:
            write(target, DOUBLE if way == "as a script" else notebook(DOUBLE))
        return soon(lambda: seen, 0.5)

    try:
        assert soon(save_once, LONG), "the save was not noticed"
    finally:
        stop.set()
        thread.join(LONG)
    exercise, moment = seen[0]
    assert exercise.slug == "double"
    assert abs(time.time() - moment) < LONG


def test_grading_a_save_records_it_as_grade_does(session: WatchSession) -> None:
    graded(session, "double", WRONG, COUNTER)
    record = read_progress()["numbers/double"]
    assert (record.passed, record.tries, record.total) == (["test_counts"], 1, 3)
    assert session.reports["numbers/double"].report.passed == 1
    assert session.records == read_progress()


def test_the_same_bytes_are_graded_once(session: WatchSession) -> None:
    graded(session, "double", DOUBLE, COUNTER)
    session.saved(session.shown, time.time())
    assert session._saves._waiting == {}
    session.grade_again()
    assert list(session._saves._waiting) == ["numbers/double"]


def test_a_save_while_grading_ends_that_grading_and_is_graded(session: WatchSession) -> None:
    done = []
    session.arrived = done.append
    session.start()
    save(session.catalog.root, "double", "while True: pass")
    session.saved(session.shown, time.time())
    assert soon(lambda: session.busy, LONG)
    time.sleep(0.3)
    save(session.catalog.root, "double", DOUBLE, COUNTER)
    session.saved(session.shown, time.time())
    assert soon(lambda: done, LONG)
    assert [graded.report.all_pass for graded in done] == [True]
    assert session.error is None


def test_no_worker_is_prepared_after_the_end(session: WatchSession) -> None:
    """The thread that grades prepares one after each verdict, and the end may come before that."""
    before = left_since(set())
    session._prepare()
    assert len(left_since(before)) >= 1
    session.close()
    session._prepare()
    assert soon(lambda: not left_since(before), LONG)


def test_saved_exercise_is_the_one_shown(session: WatchSession) -> None:
    graded(session, "halve", HALVE)
    assert session.shown.slug == "halve"
    act(session, "n")
    assert session.shown.slug == "double"
    act(session, "p")
    assert session.shown.slug == "halve"


def test_hints_open_level_by_level_and_are_recorded(session: WatchSession) -> None:
    texts = []
    for _ in range(4):
        act(session, "h")
        texts.append(session.hint.text)
    assert texts == ["Say it again.", "Look at +.", "Add x to itself.", "Add x to itself."]
    assert read_progress()["numbers/double"].hints == {"double": 3}


def test_solved_exercise_needs_no_hint(session: WatchSession) -> None:
    graded(session, "double", DOUBLE, COUNTER)
    act(session, "h")
    assert session.hint is None
    assert "no hint is needed" in screen_of(session, 80)
    assert "next exercise: exercises/numbers/halve.ipynb" in screen_of(session, 80)


@pytest.mark.parametrize("width", [40, 80, 100])
def test_screen_says_all_that_counts_at_any_width(session: WatchSession, width: int) -> None:
    graded(session, "double", WRONG, COUNTER)
    act(session, "h")
    shown = screen_of(session, width)
    assert all(len(line.rstrip()) <= width for line in shown.splitlines())
    text = " ".join(shown.split())
    for part in (
        "1 of 3 checks pass",
        "called: double(3)",
        "x doubles_text",
        "Say it again.",
        "saved",
        "after the save",
        "0 of 2 solved",
        "q quit",
    ):
        assert part in text, part


def test_screen_is_cut_to_the_window_and_keeps_the_keys(session: WatchSession) -> None:
    graded(session, "double", WRONG, COUNTER)
    lines = screen_of(session, 60, height=10).splitlines()
    assert len(lines) == 10
    assert "more lines: enlarge the window" in lines[-2]
    assert lines[-1].startswith("h hint")


def test_answer_can_neither_paint_nor_format_the_screen(session: WatchSession) -> None:
    evil = "def double(x):\n    return '[bold]a[/nope]\\x1b[31m\\x07\\x9b2J'\n"
    graded(session, "double", evil, COUNTER)
    shown = screen_of(session, 80)
    assert "[bold]a[/nope]" in shown
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown)


def environment(course: Catalog, data: Path, **more: str) -> dict[str, str]:
    named = {"HALFBITS_ROOT": str(course.root), "HALFBITS_DATA": str(data)}
    return os.environ | named | {"PYTHONIOENCODING": "utf-8"} | more


def test_in_a_pipe_it_prints_plain_reports(course: Catalog, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "halfbits", "watch"]
    log = tmp_path / "log"
    with log.open("wb") as out:
        env = environment(course, tmp_path / "data", FORCE_COLOR="1")
        watcher = subprocess.Popen(command, env=env, stdout=out, stdin=subprocess.DEVNULL)
    try:
        assert soon(lambda: b"Watching" in log.read_bytes(), LONG)

        def save_once() -> bool:
            save(course.root, "double", f"{WRONG}# {time.time()}", COUNTER)
            return soon(lambda: b"after the save" in log.read_bytes(), 3)

        assert soon(save_once, LONG)
    finally:
        watcher.terminate()
        watcher.wait(LONG)
    text = log.read_text(encoding="utf-8")
    assert "double: 1 of 3 checks pass" in text
    assert "next: python course.py hint double double" in text
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", text)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals of this kind")
def test_whole_run_in_a_terminal(course: Catalog, tmp_path: Path) -> None:
    terminal = Terminal(course, tmp_path / "data")
    try:
        assert terminal.shows("its verdict appears here")

        def save_once() -> bool:
            save(course.root, "double", f"{WRONG}# {time.time()}", COUNTER)
            return terminal.shows("1 of 3 checks pass", 5)

        assert soon(save_once, LONG)
        terminal.press("h")
        assert terminal.shows("Say it again.")
        terminal.press("q")
        assert soon(lambda: terminal.watcher.poll() is not None, LONG)
        assert terminal.watcher.returncode == 0
        assert terminal.settings() == terminal.before
        terminal.read()
        for mode in ("1049", "25"):  # the other screen is left, the cursor is shown
            on, off = f"\x1b[?{mode}h", f"\x1b[?{mode}l"
            last, before = (off, on) if mode == "1049" else (on, off)
            assert terminal.screen.rfind(last) > terminal.screen.rfind(before) >= 0, mode
    finally:
        terminal.close()
    record = read_progress()["numbers/double"]
    assert (record.passed, record.hints) == (["test_counts"], {"double": 1})


class Terminal:
    """`watch` in a pseudo-terminal of 80 columns and 40 lines."""

    def __init__(self, course: Catalog, data: Path) -> None:
        import fcntl
        import pty
        import struct
        import termios

        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
        self.before, self.screen = self.settings(), ""
        more = {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "40"}
        ends = dict.fromkeys(("stdin", "stdout", "stderr"), self.slave)
        command = [sys.executable, "-m", "halfbits", "watch"]
        self.watcher = subprocess.Popen(command, env=environment(course, data, **more), **ends)

    def settings(self) -> list:
        import termios

        return termios.tcgetattr(self.slave)

    def press(self, key: str) -> None:
        os.write(self.master, key.encode())

    def read(self) -> None:
        import select

        while select.select([self.master], [], [], 0.1)[0]:
            self.screen += os.read(self.master, 1 << 16).decode(errors="replace")

    def shows(self, text: str, limit: float = LONG) -> bool:
        def is_there() -> bool:
            self.read()
            return text in CODES.sub("", self.screen)

        return soon(is_there, limit)

    def close(self) -> None:
        self.watcher.kill()
        self.watcher.wait()
        os.close(self.master)
        os.close(self.slave)
