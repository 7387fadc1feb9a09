"""A worker that waits serves the next grading once, and only a grading that may have it."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fake_course import COUNTER, DOUBLE, make_course
from processes import soon

from halfbits.course import fingerprint
from halfbits.course.catalog import Catalog, load_catalog
from halfbits.course.grading.process import idle as room
from halfbits.course.grading.process.client import Worker, worker_environment
from halfbits.course.grading.process.spare import SPARE
from halfbits.course.grading.report import Report
from halfbits.course.grading.runner import grade_answers
from halfbits.errors import CourseError


@pytest.fixture(autouse=True)
def seats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the seats; whoever still waits afterwards is sent away."""
    monkeypatch.setenv("HALFBITS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HALFBITS_SPARE", "60")
    folder = tmp_path / "data" / "waiting"
    yield folder
    for path in folder.glob("*.json"):
        path.unlink(missing_ok=True)  # its supervisor ends when it notices, in a second or two


@pytest.fixture
def course(tmp_path: Path) -> Catalog:
    return load_catalog(make_course(tmp_path))


def graded(course: Catalog) -> Report:
    return grade_answers(course, course.find("double"), [DOUBLE, COUNTER])


def waiting(folder: Path) -> list[Path]:
    return list(folder.glob("*.json"))


def test_next_grading_takes_the_worker_that_waits(course: Catalog, seats: Path) -> None:
    assert graded(course).all_pass
    SPARE.leave_another()
    assert soon(lambda: waiting(seats))
    worker = SPARE.take(())
    assert worker._channel is not None, "a new one was started instead"
    assert worker.ready() == ""
    assert waiting(seats) == []
    worker.close()
    worker.wait()


def test_verdicts_of_a_waiting_worker_are_those_of_a_new_one(course: Catalog, seats: Path) -> None:
    first = graded(course)
    SPARE.leave_another()
    assert soon(lambda: waiting(seats))
    second = graded(course)
    assert waiting(seats) == []
    kinds = [[(v.check.name, v.kind) for v in report.verdicts] for report in (first, second)]
    assert kinds[0] == kinds[1]
    assert second.all_pass


def test_one_of_several_takers_gets_it(seats: Path) -> None:
    words, environment = (), worker_environment()
    key = room.key_of(words, environment)
    room.leave(key, words, environment)
    assert soon(lambda: waiting(seats))
    with ThreadPoolExecutor(8) as pool:
        taken = [channel for channel in pool.map(lambda _: room.take(key), range(8)) if channel]
    assert len(taken) == 1
    taken[0].close()


@pytest.mark.parametrize("name", ["ATEN_CPU_CAPABILITY", "OMP_NUM_THREADS", "TZ", "PYTHONPATH"])
def test_other_environment_wants_another_worker(name: str) -> None:
    usual = worker_environment()
    assert room.key_of((), usual) == room.key_of((), dict(usual))
    assert room.key_of((), usual) != room.key_of((), usual | {name: "another"})
    assert room.key_of((), usual) != room.key_of(("torch",), usual)


def test_worker_of_an_edited_grader_is_not_taken(
    seats: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "library"
    heavy = shutil.ignore_patterns("__pycache__", "models")
    shutil.copytree(fingerprint.LIBRARY, library, ignore=heavy)
    monkeypatch.setattr(fingerprint, "LIBRARY", library)
    environment = worker_environment()
    room.leave(room.key_of((), environment), (), environment)
    assert soon(lambda: waiting(seats), 20)
    reader = library / "course" / "notebook.py"
    reader.write_text(reader.read_text("utf-8") + "# edited", encoding="utf-8")
    assert room.take(room.key_of((), environment)) is None
    assert waiting(seats)


def test_terminal_of_the_grader_makes_no_difference() -> None:
    usual = worker_environment()
    assert room.key_of((), usual) == room.key_of((), usual | {"TERM": "dumb", "SHLVL": "7"})


def test_nobody_waits_longer_than_told(seats: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALFBITS_SPARE", "1")
    room.leave("key", (), worker_environment())
    assert soon(lambda: waiting(seats))
    assert soon(lambda: not waiting(seats))


def test_nobody_waits_when_the_learner_wants_none(
    course: Catalog, seats: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HALFBITS_SPARE", "0")
    started: list[object] = []
    monkeypatch.setattr(room, "_start", lambda *words: started.append(words))
    assert graded(course).all_pass
    SPARE.leave_another()
    assert (started, waiting(seats)) == ([], [])


def test_unclear_wish_is_one_sentence(course: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALFBITS_SPARE", "soon")
    with pytest.raises(CourseError, match="HALFBITS_SPARE is 'soon': set it to the seconds"):
        room.leave("key", (), {})


def test_seat_whose_keeper_is_gone_is_passed_over(course: Catalog, seats: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    seats.mkdir(parents=True)
    key = room.key_of((), worker_environment())
    (seats / f"{key}-1.json").write_text(json.dumps({"port": port, "token": "x"}), encoding="utf-8")
    (seats / f"{key}-2.json").write_text("half a", encoding="utf-8")
    assert graded(course).all_pass
    assert waiting(seats) == []


def test_stranger_without_the_token_is_not_served(seats: Path) -> None:
    room.leave("key", (), worker_environment())
    assert soon(lambda: waiting(seats))
    port = json.loads(waiting(seats)[0].read_text(encoding="utf-8"))["port"]
    with socket.create_connection(("127.0.0.1", port), 5) as stranger:
        stranger.sendall(b"x" * 32)
        stranger.settimeout(10)
        assert stranger.recv(1) == b""
    channel = room.take("key")
    assert channel is not None
    channel.close()


def test_two_wait_at_most(seats: Path) -> None:
    for key in ("a", "b", "c"):
        room.leave(key, (), worker_environment())
        assert soon(lambda key=key: room.waiting(key))
    assert soon(lambda: len(waiting(seats)) <= room.MOST)
    assert room.waiting("c")


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_token_is_for_its_owner_alone(seats: Path) -> None:
    room.leave("key", (), worker_environment())
    assert soon(lambda: waiting(seats))
    assert waiting(seats)[0].stat().st_mode & 0o077 == 0


def test_worker_that_cannot_import_says_so_whether_it_waited_or_not(seats: Path) -> None:
    words = ("no_such_framework",)
    new = Worker(words, waiting=True)
    assert "the grader cannot import: ModuleNotFoundError" in new.ready()
    new.close()
    new.leave_another()
    assert soon(lambda: not waiting(seats))
